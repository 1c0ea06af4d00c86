"""Levenberg-Marquardt for the spots of a group on one background."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from trackleed.builtin.refiners.compiled.bends import Second
from trackleed.builtin.refiners.compiled.group import (
    MOMENTS,
    Group,
    bend_matrix,
    curve_group,
    gather,
    sums,
)
from trackleed.builtin.refiners.compiled.jit import entry, part
from trackleed.builtin.refiners.compiled.lanes import WIDTH
from trackleed.builtin.refiners.compiled.moments import FIRST, centre
from trackleed.builtin.refiners.compiled.physical import THETA, measure
from trackleed.builtin.refiners.compiled.second import bend, is_clear, settle
from trackleed.builtin.refiners.compiled.single import (
    CONVERGED,
    MAX_DAMPING,
    TOLERANCE,
    UNSETTLED,
    WIDE,
    is_pixel,
    is_wider,
)
from trackleed.builtin.refiners.compiled.solve import Scratch, factor, invert, solve
from trackleed.builtin.refiners.model import PARAMETERS, PEAK, Array


@part
def _stays(group: Group, k: Array) -> bool:
    """Whether every spot is one, and near its own track."""
    for m in range(len(k)):
        side = group.side[m]
        if is_wider(k[m], side, WIDE) or is_pixel(k[m], side):
            return False
        u, v = centre(k[m])
        dx, dy = u * (side // 2) - group.tracked[m, 0], v * (side // 2) - group.tracked[m, 1]
        if math.hypot(dx, dy) > group.limit[m]:
            return False
    return True


@part
def _add(group: Group, k: Array, b: Array, step: Array, to_k: Array, to_b: Array) -> None:
    """Parameters after a step."""
    for m in range(len(k)):
        for a in range(PEAK):
            i = group.own[m, a]
            to_k[m, a] = k[m, a] + (step[i] if i >= 0 else 0.0)
    for a in range(3):
        i = group.below[a]
        to_b[a] = b[a] + (step[i] if i >= 0 else 0.0)


@part
def descend_together(
    group: Group, k: Array, b: Array, trial: Array, trial_b: Array, room: Scratch, most: int
) -> tuple[int, float, float]:
    """From the start to the best fit, in place, as `single.descend`.

    Returns the outcome, chi-squared and the residuals squared; the weights that belong to the
    end are the `FIRST` half.

    A step after which a spot would be further from its track than its limit is not taken.
    """
    n, pixels = len(room.gradient), 0
    for row in group.usable:
        for yes in row:
            pixels += yes
    if pixels <= n or not _stays(group, k):
        return UNSETTLED, 0.0, 0.0
    damping = 1e-3
    chi2, _, squares = sums(group, k, b, 1 - FIRST, FIRST, room, True)
    negligible = 1e-13 * chi2
    for _ in range(most):
        if not factor(room.matrix, n, damping, room.lower):
            damping = max(10 * damping, 1e-6)
            if damping > MAX_DAMPING:
                break
            continue
        solve(room.lower, n, room.gradient, room.step)
        promise = 0.0
        for i in range(n):
            promise += room.step[i] * room.gradient[i]
        _add(group, k, b, room.step, trial, trial_b)
        stays = _stays(group, trial)
        small = promise < 10 * TOLERANCE * chi2 / (pixels - n) + negligible and damping <= 1e-2
        better = False
        if stays:
            _, before, _ = sums(group, trial, trial_b, FIRST, 1 - FIRST, room, False)
            better = before <= chi2
        if better or (small and stays):
            for m in range(len(k)):
                for a in range(PEAK):
                    k[m, a] = trial[m, a]
            for a in range(3):
                b[a] = trial_b[a]
            chi2, _, squares = sums(group, k, b, FIRST, FIRST, room, True)
            damping *= 0.1
            if small:
                return CONVERGED, chi2, squares
        else:
            damping = max(10 * damping, 1e-6)
            if damping > MAX_DAMPING:
                break
    return UNSETTLED, chi2, squares


@part
def own_covariance(group: Group, m: int, inverse: Array, out: Array) -> None:
    """Covariance of the nine parameters of spot ``m`` in its own coordinates, into ``out``."""
    unit, (x, y) = group.side[m] // 2, (group.middle[m, 0], group.middle[m, 1])
    # Each of the nine is a sum of group parameters: at most three, with these factors.
    factors = np.zeros((PARAMETERS, 3))
    which = np.full((PARAMETERS, 3), -1)
    for a in range(PEAK):
        factors[a, 0], which[a, 0] = 1.0, group.own[m, a]
    for a in range(3):
        which[6, a] = group.below[a]
    factors[6, 0], factors[6, 1], factors[6, 2] = 1.0, x / group.reach, y / group.reach
    factors[7, 0], which[7, 0] = unit / group.reach, group.below[1]
    factors[8, 0], which[8, 0] = unit / group.reach, group.below[2]
    for a in range(PARAMETERS):
        for c in range(PARAMETERS):
            total = 0.0
            for i in range(3):
                for j in range(3):
                    if which[a, i] >= 0 and which[c, j] >= 0:
                        total += factors[a, i] * factors[c, j] * inverse[which[a, i], which[c, j]]
            out[a, c] = total


Fitter = Callable[
    [Group, Array, Array, Array, Array, Scratch, Second, bool, bool, int, Array],
    tuple[int, float, float],
]


def _make(sources: int) -> Fitter:
    def fit(
        group: Group,
        k: Array,
        b: Array,
        trial: Array,
        trial_b: Array,
        room: Scratch,
        more: Second,
        scale: bool,
        bent: bool,
        most: int,
        numbers: Array,
    ) -> tuple[int, float, float]:
        _ = sources  # part of the key, see `jit.entry`
        outcome, chi2, squares = descend_together(group, k, b, trial, trial_b, room, most)
        n = len(room.gradient)
        if outcome != CONVERGED or not factor(room.matrix, n, 0.0, room.lower):
            return UNSETTLED, chi2, squares
        invert(room.lower, n, room.inverse)
        expected = room.inverse.copy()
        pixels = 0
        for row in group.usable:
            for yes in row:
                pixels += yes
        stretch = math.sqrt(max(chi2 / (pixels - n), 1.0)) if scale else 1.0
        covariance = np.zeros((PARAMETERS, PARAMETERS))
        dim = False
        for m in range(len(k)):
            own_covariance(group, m, expected, covariance)
            dim = dim or (bent and not is_clear(k[m], covariance, more))
        if dim:
            bend_matrix(group, k, b, room)
            if factor(room.matrix, n, 0.0, room.lower):
                invert(room.lower, n, room.inverse)
        d, e = np.zeros(PARAMETERS), np.zeros(PARAMETERS)
        lit = np.zeros(MOMENTS * len(k) * WIDTH)
        for m in range(len(k)):
            own_covariance(group, m, room.inverse, covariance)
            unit, reach = group.side[m] // 2, group.reach
            x, y = group.middle[m, 0] / reach, group.middle[m, 1] / reach
            k[m, 6] = b[0] + b[1] * x + b[2] * y
            k[m, 7], k[m, 8] = b[1] * unit / reach, b[2] * unit / reach
            measure(k[m], covariance, stretch, unit, numbers[m], d, e)
            if dim:
                gather(group, m, expected, more.expected)
                bend(k[m], numbers[m, THETA], more)
                curve_group(group, k, m, lit, more)
                settle(numbers[m], more)
        return CONVERGED, chi2, squares

    return fit


together = entry(_make)
"""Fit one group: ``together(group, k, b, trial, trial_b, room, more, scale, bent, most, numbers)``.

``k`` (m, 9) and ``b`` (3,) are where to start and become the fit; ``trial``, ``trial_b`` and
``room`` are scratch, ``more`` is from `bends.second` of m spots; ``numbers`` (m,
len(physical.NUMBERS)) is written to. ``bent``: whether the curvature of the model is taken into
account, see `second`. Returns the outcome, CONVERGED or UNSETTLED, chi-squared, and the residuals
squared.
"""
