"""What is known of one spot where its fit has ended."""

from __future__ import annotations

import math

from trackleed.builtin.refiners.compiled.bends import Second
from trackleed.builtin.refiners.compiled.jit import part
from trackleed.builtin.refiners.compiled.moments import SUMS, Work, evaluate, higher
from trackleed.builtin.refiners.compiled.solve import Scratch, assemble, copy, factor, invert
from trackleed.builtin.refiners.model import PARAMETERS, Array


@part
def finish(
    work: Work,
    side: int,
    free: Array,
    n: int,
    k: Array,
    half: int,
    room: Scratch,
    covariance: Array,
) -> bool:
    """Sums at the final ``k``, into the other half, and the parameters' covariance."""
    pixels = len(work.data)
    copy(work.usable, work.weights[half * pixels : (half + 1) * pixels])
    evaluate(work, side, k, half, 1 - half)
    sums = work.sums[(1 - half) * SUMS : (2 - half) * SUMS]
    assemble(sums, free, False, room.matrix, room.gradient)
    if not factor(room.matrix, n, 0.0, room.lower):
        return False
    invert(room.lower, n, room.inverse)
    spread_out(room.inverse, free, covariance)
    return True


@part
def spread_out(inverse: Array, free: Array, covariance: Array) -> None:
    """Covariance of the nine parameters from that of the free ones."""
    for a in range(PARAMETERS):
        for b in range(PARAMETERS):
            known = free[a] >= 0 and free[b] >= 0
            covariance[a, b] = inverse[free[a], free[b]] if known else 0.0


@part
def observe(
    work: Work,
    side: int,
    free: Array,
    n: int,
    k: Array,
    half: int,
    room: Scratch,
    more: Second,
    covariance: Array,
) -> None:
    """The covariance from the observed information; what `second` needs, into ``more``.

    Parameters
    ----------
    half : int
        Of the sums and weights, the one that belongs to ``k``.
    covariance : ndarray (9, 9)
        From the expected information; stays so where the fit is at no minimum.
    """
    for a in range(PARAMETERS):
        copy(covariance[a], more.expected[a])
    higher(work, side, k, half, more.sums)
    assemble(work.sums[half * SUMS : (half + 1) * SUMS], free, True, room.matrix, room.gradient)
    if factor(room.matrix, n, 0.0, room.lower):
        invert(room.lower, n, room.inverse)
        spread_out(room.inverse, free, covariance)


@part
def deviance(work: Work, half: int) -> float:
    """Twice the logarithm of how much likelier the counts themselves are than the fit.

    For Poisson counts, with the read noise's variance added to counts and model as so many
    photons more [1]_. A pixel's variance over its gain squared is its number of photons.

    References
    ----------
    .. [1] Snyder, Hammoud and White, J. Opt. Soc. Am. A 10, 1014 (1993).
    """
    total, pixels = 0.0, len(work.data)
    for m in range(pixels):
        w = work.weights[half * pixels + m]
        if w > 0:
            i = m % len(work.gain)
            gain2 = work.gain[i] ** 2
            seen = max(work.gain[i] * work.data[m] + work.dark[i], 0.0) / gain2
            expected = 1 / (w * gain2)
            total += expected - seen + (seen * math.log(seen / expected) if seen > 0 else 0.0)
    return 2 * total
