"""Levenberg-Marquardt for one spot in each of many ROIs.

References
----------
Levenberg, Q. Appl. Math. 2, 164 (1944); Marquardt, J. SIAM 11, 431 (1963).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from trackleed.builtin.refiners.compiled.bends import Second
from trackleed.builtin.refiners.compiled.final import deviance, finish, observe
from trackleed.builtin.refiners.compiled.jit import entry, part
from trackleed.builtin.refiners.compiled.moments import (
    CHI2,
    FIRST,
    OLD,
    SUMS,
    Work,
    centre,
    evaluate,
)
from trackleed.builtin.refiners.compiled.physical import THETA, measure
from trackleed.builtin.refiners.compiled.second import bend, curve, is_clear, settle
from trackleed.builtin.refiners.compiled.solve import Scratch, assemble, copy, factor, solve
from trackleed.builtin.refiners.compiled.start import start
from trackleed.builtin.refiners.model import PARAMETERS, Array

TOLERANCE = 1e-5  # squared length of what is left to go, in errors of the parameters
NEAR = 1.0  # the same, of a step, after which the second derivatives are trusted
MAX_DAMPING = 1e7
UNSETTLED, CONVERGED, GONE = 0, 1, 2
NARROWEST = 0.2  # px, of a width
WIDE, WIDEST = 0.5, 2.0  # sides of the ROI, of a width: not known well, not tried
OUT = 1.25  # from the ROI's centre, in halves of its side, beyond which no peak is looked for


class Results(NamedTuple):
    """What comes of n fits; `single` writes into it."""

    k: Array  # (n, 9)
    covariance: Array  # (n, 9, 9), that the errors are made of, for the noise model's own noise
    numbers: Array  # (n, len(NUMBERS)), `physical.NUMBERS`, errors scaled as asked for
    chi2: Array  # (n,)
    squares: Array  # (n,), residuals squared, unweighted
    spread: Array  # (n,), squares about the mean
    pixels: Array  # (n,) of int, that count
    clear: Array  # (n,), height over error where the fit started
    outcome: Array  # (n,) of int: UNSETTLED, CONVERGED or GONE


@part
def is_wider(k: Array, side: int, width: float) -> bool:
    """Whether the peak's larger width is above ``width``, in sides of the ROI; or it is no peak."""
    mean, split = -k[3] - k[5], math.hypot(k[5] - k[3], k[4])
    return bool(not mean - split > (side // 2 / (width * side)) ** 2)


@part
def is_inside(k: Array) -> bool:
    """Whether the peak is in the ROI or just outside."""
    u, v = centre(k)
    return abs(u) < OUT and abs(v) < OUT


@part
def is_pixel(k: Array, side: int) -> bool:
    """Whether the peak is narrower than a pixel can tell."""
    mean, split = -k[3] - k[5], math.hypot(k[5] - k[3], k[4])
    return bool(mean + split > (side // 2 / NARROWEST) ** 2)


@part
def descend(
    work: Work, side: int, pixels: int, free: Array, n: int, k: Array, room: Scratch, most: int
) -> tuple[int, int]:
    """From the start ``k`` to the best fit, in place.

    The weights are those of the model itself, computed anew at each trial: weights from
    the noisy pixels would favour those that came out low and take amplitude away. Whether a trial
    is better is judged with the weights from before. Gauss-Newton steps
    far from the end; near it the second derivatives, which are at hand, go into the step,
    since a dim spot's residuals make Gauss-Newton overshoot for ever. A fit has converged when
    the steps after this one, which shrink as the last two did, cannot matter any more: they
    sum up to less than the root of `TOLERANCE` in units of the parameters' errors.

    Returns
    -------
    outcome : int
        `CONVERGED`, `UNSETTLED`, or `GONE`: out of the ROI, or so wide that nothing holds it.
    half : int
        Of ``work.sums``, the one that belongs to the last ``k`` that was tried and found better.
    """
    half, damping, near = FIRST, 1e-3, False
    evaluate(work, side, k, 1 - half, half)
    negligible = 1e-13 * work.sums[CHI2]
    freedom, last = max(pixels - n, 1), 1e-300
    for _ in range(most):
        sums = work.sums[half * SUMS : (half + 1) * SUMS]
        if not sums[CHI2] < np.inf:
            return UNSETTLED, half
        assemble(sums, free, near, room.matrix, room.gradient)
        if not factor(room.matrix, n, damping, room.lower):
            near = False
            damping = max(10 * damping, 1e-6)
            if damping > MAX_DAMPING:
                return UNSETTLED, half
            continue
        solve(room.lower, n, room.gradient, room.step)
        promise = 0.0
        for i in range(n):
            promise += room.step[i] * room.gradient[i]
        for a in range(PARAMETERS):
            room.trial[a] = k[a] + (room.step[free[a]] if free[a] >= 0 else 0.0)
        unit = sums[CHI2] / freedom
        possible = not is_wider(room.trial, side, WIDEST) and is_inside(room.trial)
        left = promise * min(promise / last, 1.0)
        if possible and left < TOLERANCE * unit + negligible and damping <= 1e-2:
            copy(room.trial, k)
            return CONVERGED, half
        better = False
        if possible and not is_pixel(room.trial, side):
            evaluate(work, side, room.trial, half, 1 - half)
            better = work.sums[(1 - half) * SUMS + OLD] <= sums[CHI2]
        if better:
            copy(room.trial, k)
            half = 1 - half
            near = promise < NEAR * unit
            damping *= 0.1
            last = promise
        else:
            damping = max(10 * damping, 1e-6)
            if damping > MAX_DAMPING:
                return UNSETTLED if possible else GONE, half
    return GONE if is_wider(k, side, WIDE) else UNSETTLED, half


@part
def fill(work: Work, side: int, counts: Array, usable: Array) -> tuple[int, float]:
    """Put one ROI into the room; how many pixels count, and their squares about the mean."""
    padded = len(work.across)
    pixels, total, squares = 0, 0.0, 0.0
    for j in range(side):
        for i in range(side):
            if usable[j, i]:
                y = counts[j, i]
                pixels += 1
                total += y
                squares += y * y
                work.data[j * padded + i] = y
                work.usable[j * padded + i] = 1.0
            else:
                work.data[j * padded + i] = 0.0
                work.usable[j * padded + i] = 0.0
    return pixels, squares - total * total / max(pixels, 1)


@part
def fill_variance(work: Work, side: int, variance: Array) -> None:
    """Put gain, dark and floor (3, side, side), or of all pixels (3, 1, 1), into the room."""
    padded = len(work.across)
    each = variance.shape[-1] > 1
    for j in range(side if each else 1):
        for i in range(side):
            m, column = j * padded + i, i if each else 0
            work.gain[m] = variance[0, j, column]
            work.dark[m] = variance[1, j, column]
            work.floor[m] = variance[2, j, column]


Fitter = Callable[
    [
        Array, Array, Array, Array, float, Array, bool, bool, bool, bool, int, Work, Scratch,
        Second, Results,
    ],
    None,
]  # fmt: skip


def _make(sources: int) -> Fitter:
    def fit(
        counts: Array,
        usable: Array,
        variance: Array,
        shift: Array,
        sigma: float,
        free: Array,
        tilted: bool,
        scale: bool,
        likelihood: bool,
        bent: bool,
        most: int,
        place: Work,
        room: Scratch,
        more: Second,
        out: Results,
    ) -> None:
        _ = sources  # part of the key, see `jit.entry`
        side, unit = counts.shape[1], counts.shape[1] // 2
        n = 0
        for i in free:
            n = max(n, i + 1)
        for m in range(len(counts)):
            pixels, spread = fill(place, side, counts[m], usable[m])
            if m == 0 or len(variance) > 1:
                fill_variance(place, side, variance[m])
            out.pixels[m], out.spread[m] = pixels, spread
            out.outcome[m] = UNSETTLED
            if pixels <= n:
                continue
            k = out.k[m]
            u, v = shift[m, 0] / unit, shift[m, 1] / unit
            out.clear[m] = start(place, room, side, pixels, u, v, sigma / unit, free, tilted, k)
            outcome, half = descend(place, side, pixels, free, n, k, room, most)
            covariance, numbers = out.covariance[m], out.numbers[m]
            known = finish(place, side, free, n, k, half, room, covariance)
            if outcome == CONVERGED and not known:
                outcome = UNSETTLED
            sums = place.sums[(1 - half) * SUMS : (2 - half) * SUMS]
            out.chi2[m], out.squares[m] = sums[CHI2], sums[OLD]
            if likelihood and known:
                out.chi2[m] = deviance(place, 1 - half)
            out.outcome[m] = outcome
            if outcome == CONVERGED:
                stretch = out.chi2[m] / (pixels - n)
                stretch = math.sqrt(max(stretch, 1.0)) if scale else 1.0
                dim = bent and not is_clear(k, covariance, more)
                if dim:
                    observe(place, side, free, n, k, 1 - half, room, more, covariance)
                measure(k, covariance, stretch, unit, numbers, room.step, room.unit)
                if dim:
                    bend(k, numbers[THETA], more)
                    curve(more)
                    settle(numbers, more)

    return fit


single = entry(_make)
"""Fit n ROIs.

Parameters, in this order
-------------------------
counts, usable : ndarray (n, side, side)
    float64 and bool.
variance : ndarray (n or 1, 3, side or 1, side or 1)
    The variance of a pixel is ``max(gain * model + dark, floor)``.
shift : ndarray (n, 2)
    Where to start, from the ROI's centre to the right and down, px.
sigma : float
    Width to start from, px.
free : ndarray (9,) of int
    Which free parameter each k is, see `solve.assemble`.
tilted : bool
    Whether the background has a slope.
scale : bool
    Whether errors grow with the root of chi-squared per degree of freedom, where that is above 1.
likelihood : bool
    Whether chi-squared is the `deviance` of Poisson counts.
bent : bool
    Whether numbers and errors take the curvature of the model into account, see `second`.
most : int
    Steps.
place, room, more : Work, Scratch, Second
    From `moments.work` of this side, `solve.scratch` and `bends.second`.
out : Results
    Written to; the numbers of a fit that does not converge are left as they are.
"""
