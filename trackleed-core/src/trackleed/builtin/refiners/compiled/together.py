"""Levenberg-Marquardt for the spots of a group on one background.

Each spot has the parameters and the coordinates that it has alone (see `moments`); the
background's are those of the group: ``b0 + b1 x + b2 y``, with x and y in units of ``reach``.
Groups are few: the sums over pixels are written out.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from trackleed.builtin.refiners.compiled.jit import entry, part
from trackleed.builtin.refiners.compiled.moments import FIRST, HIGHEST, centre
from trackleed.builtin.refiners.compiled.physical import measure
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


class Group(NamedTuple):
    """The pixels of a group (h, w) and its m spots."""

    counts: Array
    usable: Array  # bool
    variance: Array  # (3, h, w), see `engine.fit`
    weights: Array  # (2, h, w), scratch
    side: Array  # (m,) of int, of each spot's ROI
    middle: Array  # (m, 2), centre pixel of that ROI, in the group's pixels
    tracked: Array  # (m, 2), where the track is, from that pixel, px
    limit: Array  # (m,), how far from there the spot may be, px
    own: Array  # (m, 6) of int: which of all free parameters each of a spot's is; -1 is held at 0
    below: Array  # (3,) of int, the same for the background
    reach: float


@part
def sums(
    group: Group, k: Array, b: Array, old: int, new: int, room: Scratch, build: bool
) -> tuple[float, float, float]:
    """Chi-squared with the weights that the model implies, with those from before, and with none.

    ``build``: whether matrix and gradient are made, too, of the weights in half ``new``.
    """
    n = len(room.gradient)
    if build:
        for i in range(n):
            room.gradient[i] = 0.0
            for j in range(i + 1):
                room.matrix[i, j] = 0.0
    chi2 = before = squares = 0.0
    height, width = group.counts.shape
    for y in range(height):
        for x in range(width):
            if not group.usable[y, x]:
                continue
            model = _pixel(group, k, b, x, y, room.unit)
            rest = group.counts[y, x] - model
            v = group.variance
            w = 1 / max(v[0, y, x] * model + v[1, y, x], v[2, y, x])
            before += group.weights[old, y, x] * rest * rest
            chi2 += w * rest * rest
            squares += rest * rest
            group.weights[new, y, x] = w
            if build:
                for i in range(n):
                    slope = w * room.unit[i]
                    room.gradient[i] += slope * rest
                    for j in range(i + 1):
                        room.matrix[i, j] += slope * room.unit[j]
    return chi2, before, squares


@part
def _pixel(group: Group, k: Array, b: Array, x: int, y: int, slopes: Array) -> float:
    """Model of one pixel and its derivatives by the free parameters."""
    for i in range(len(slopes)):
        slopes[i] = 0.0
    model = 0.0
    for m in range(len(k)):
        unit = group.side[m] // 2
        u, v = (x - group.middle[m, 0]) / unit, (y - group.middle[m, 1]) / unit
        monomials = (1.0, u, v, u * u, u * v, v * v)
        exponent = 0.0
        for a in range(PEAK):
            exponent += k[m, a] * monomials[a]
        f = math.exp(min(exponent, HIGHEST))
        model += f
        for a in range(PEAK):
            if group.own[m, a] >= 0:
                slopes[group.own[m, a]] += f * monomials[a]
    place = (1.0, x / group.reach, y / group.reach)
    for a in range(3):
        model += b[a] * place[a]
        if group.below[a] >= 0:
            slopes[group.below[a]] = place[a]
    return model


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

    Returns the outcome, chi-squared and the residuals squared.

    A step after which a spot would be further from its track than its limit is not taken.
    """
    n, pixels = len(room.gradient), 0
    for row in group.usable:
        for yes in row:
            pixels += yes
    if pixels <= n or not _stays(group, k):
        return UNSETTLED, 0.0, 0.0
    damping, half = 1e-3, FIRST
    chi2, _, squares = sums(group, k, b, 1 - half, half, room, True)
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
            _, before, _ = sums(group, trial, trial_b, half, 1 - half, room, False)
            better = before <= chi2
        if better or (small and stays):
            for m in range(len(k)):
                for a in range(PEAK):
                    k[m, a] = trial[m, a]
            for a in range(3):
                b[a] = trial_b[a]
            half = 1 - half
            chi2, _, squares = sums(group, k, b, half, half, room, True)
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
    [Group, Array, Array, Array, Array, Scratch, bool, int, Array, Array],
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
        scale: bool,
        most: int,
        covariance: Array,
        numbers: Array,
    ) -> tuple[int, float, float]:
        _ = sources  # part of the key, see `jit.entry`
        outcome, chi2, squares = descend_together(group, k, b, trial, trial_b, room, most)
        n = len(room.gradient)
        if outcome != CONVERGED or not factor(room.matrix, n, 0.0, room.lower):
            return UNSETTLED, chi2, squares
        invert(room.lower, n, room.inverse)
        pixels = 0
        for row in group.usable:
            for yes in row:
                pixels += yes
        stretch = math.sqrt(max(chi2 / (pixels - n), 1.0)) if scale else 1.0
        d, e = np.zeros(PARAMETERS), np.zeros(PARAMETERS)
        for m in range(len(k)):
            own_covariance(group, m, room.inverse, covariance)
            unit, reach = group.side[m] // 2, group.reach
            x, y = group.middle[m, 0] / reach, group.middle[m, 1] / reach
            k[m, 6] = b[0] + b[1] * x + b[2] * y
            k[m, 7], k[m, 8] = b[1] * unit / reach, b[2] * unit / reach
            measure(k[m], covariance, stretch, unit, numbers[m], d, e)
        return CONVERGED, chi2, squares

    return fit


together = entry(_make)
"""Fit one group: ``together(group, k, b, trial, trial_b, room, scale, most, covariance, numbers)``.

``k`` (m, 9) and ``b`` (3,) are where to start and become the fit; ``trial``, ``trial_b``, ``room``
and ``covariance`` (9, 9) are scratch; ``numbers`` (m, len(physical.NUMBERS)) is written to.
Returns the outcome, CONVERGED or UNSETTLED, chi-squared, and the residuals squared.
"""
