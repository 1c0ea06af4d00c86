"""What the curvature of the model does to a dim spot: its bias and its errors to second order.

Expanded once more in the parameters' errors e, whose covariance is C, a number t of a spot is off
by ``t' e + e' M e / 2``. M is t'' less what the curved model does to it: ``M = t'' -
sum of w (z g) H`` over the pixels, with their weights w, the model's first and second
derivatives g and H, and ``z = C t'``.

- So t comes out too high by ``tr(M C) / 2`` [1]_, [2]_.
- Its stated error s is that at the fit and changes with t, which makes the pull
  (t - truth) / s lower by ``z' M z / s^3`` [3]_.
- Its variance is larger by ``tr(M C M C) / 2``.

`settle` takes the mean of the pull off t, which makes it 0 to second order, and adds that
variance. For the rest the errors come from the observed information, with the second derivatives
in it, not from the expected one: it tells how well this very spot could be measured [4]_. Bias
over error falls off as 1 / snr, what is added to the errors as its square. The weights are held.

References
----------
.. [1] Cox and Snell, J. R. Stat. Soc. B 30, 248 (1968).
.. [2] Box, J. R. Stat. Soc. B 33, 171 (1971).
.. [3] Johnson, J. Am. Stat. Assoc. 73, 536 (1978).
.. [4] Efron and Hinkley, Biometrika 65, 457 (1978).
"""

from __future__ import annotations

import math

import numpy as np

from trackleed.builtin.refiners.compiled.bends import (
    Second,
    bend_centre,
    bend_height,
    bend_widths,
    d_volume,
    moves,
    second_moments,
)
from trackleed.builtin.refiners.compiled.jit import part
from trackleed.builtin.refiners.compiled.lanes import WIDTH, fused, load, splat, store
from trackleed.builtin.refiners.compiled.moments import LIGHT, PEAK2, centre
from trackleed.builtin.refiners.compiled.physical import NUMBERS
from trackleed.builtin.refiners.compiled.solve import moment
from trackleed.builtin.refiners.model import PARAMETERS, PEAK, U_POWER, V_POWER, Array

CLEAR = 50.0  # snr from which the second order is below 0.03 errors
MOST = 0.5  # errors by which a number is moved: a series that goes further says nothing
CENTRED = ("x", "y", "amplitude", "sigma_x", "sigma_y", "volume")
VALUE = tuple(NUMBERS.index(name) for name in CENTRED)
ERROR = tuple(NUMBERS.index(f"{name}_err") for name in CENTRED)


def _places() -> Array:
    """Where the sum of w g f with the product of two monomials is, for each g; (6, 6, 9)."""
    place = np.zeros((PEAK, PEAK, PARAMETERS), np.int64)
    for a in range(PEAK):
        for b in range(PEAK):
            for c in range(PARAMETERS):
                first, degree = (PEAK2, 6) if c < PEAK else (LIGHT, 5)
                p, q = (int(power[[a, b, c]].sum()) for power in (U_POWER, V_POWER))
                place[a, b, c] = moment(first, degree, p, q)
    return place


PLACE = _places()


@part
def is_clear(k: Array, covariance: Array, room: Second) -> bool:
    """Whether the volume is so many errors that the second order does not matter."""
    xx, xy, yy = second_moments(k)
    u, v = centre(k)
    d_volume(room.d, xx, xy, yy, u, v)
    variance = 0.0
    for i in range(PEAK):
        for j in range(PEAK):
            variance += room.d[i] * covariance[i, j] * room.d[j]
    return variance * CLEAR**2 < 1


@part
def bend(k: Array, theta: float, room: Second) -> None:
    """First and second derivatives of the numbers `CENTRED` of the spot that comes first.

    Parameters
    ----------
    k : ndarray (9,)
    theta : float
        Where the axis is, degrees; NaN where it is not known.
    room : Second
        With ``expected``.
    """
    xx, xy, yy = second_moments(k)
    u, v = centre(k)
    moves(room, xx, xy, yy, u, v)
    bend_centre(room, xx, xy, yy, u, v)
    bend_height(room, xx, xy, yy, u, v)
    bend_widths(room, xx, xy, yy, theta)


@part
def curve(room: Second) -> None:
    """Take off t'' what the model's own second derivatives do, for a spot by itself.

    ``room`` has ``sums``, from `moments.higher`.
    """
    for a in range(PEAK):
        for b in range(a, PEAK):
            total = splat(0.0)
            for c in range(PARAMETERS):
                total = fused(load(room.z, c * WIDTH), splat(room.sums[PLACE[a, b, c]]), total)
            at, across = (a * PEAK + b) * WIDTH, (b * PEAK + a) * WIDTH
            bent = load(room.curve, at) - total
            store(room.curve, at, bent)
            store(room.curve, across, bent)


@part
def settle(out: Array, room: Second) -> None:
    """Take the mean pull off the numbers `CENTRED` of ``out``, and add to their errors.

    Parameters
    ----------
    out : ndarray (len(NUMBERS),)
        From `physical.measure`.
    room : Second
        With M in ``curve``.
    """
    _traces(room)
    for which in range(len(VALUE)):
        error = math.sqrt(room.variance[which])
        shift = room.terms[which] / error - room.terms[WIDTH + which] / error**3
        grow = math.sqrt(1 + room.terms[2 * WIDTH + which] / error**2)
        if shift * shift < np.inf and grow < np.inf:
            out[VALUE[which]] -= min(max(shift, -MOST), MOST) * out[ERROR[which]]
            out[ERROR[which]] *= grow


@part
def _traces(room: Second) -> None:
    """tr(M C) / 2, z' M z and tr(M C M C) / 2; M has a block for each spot."""
    half = splat(0.5)
    bias = lean = spread = splat(0.0)
    size = len(room.expected) - 3
    for first in range(0, size, PEAK):
        for other in range(0, size, PEAK):
            _turn(room, first, other, size)
        for a in range(PEAK):
            row, along = first + a, splat(0.0)
            for b in range(PEAK):
                curve = load(room.curve, (row * PEAK + b) * WIDTH)
                along = fused(curve, load(room.z, (first + b) * WIDTH), along)
            bias = bias + load(room.turned, (row * size + row) * WIDTH)
            lean = fused(load(room.z, row * WIDTH), along, lean)
    for row in range(size):
        for column in range(size):
            one, other = (row * size + column) * WIDTH, (column * size + row) * WIDTH
            spread = fused(load(room.turned, one), load(room.turned, other), spread)
    store(room.terms, 0, half * bias)
    store(room.terms, WIDTH, lean)
    store(room.terms, 2 * WIDTH, half * spread)


@part
def _turn(room: Second, first: int, other: int, size: int) -> None:
    """M C of two spots."""
    for a in range(PEAK):
        row = first + a
        for b in range(PEAK):
            total = splat(0.0)
            for c in range(PEAK):
                curve = load(room.curve, (row * PEAK + c) * WIDTH)
                total = fused(curve, splat(room.expected[first + c, other + b]), total)
            store(room.turned, (row * size + other + b) * WIDTH, total)
