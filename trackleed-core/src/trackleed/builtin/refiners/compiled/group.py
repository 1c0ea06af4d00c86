"""The sums over the pixels of a group of spots that its fit is made of.

Each spot has the parameters and the coordinates that it has alone (see `moments`); the
background's are those of the group: ``b0 + b1 x + b2 y``, with x and y in units of ``reach``.
Groups are few: the sums are written out, one pixel after another.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from trackleed.builtin.refiners.compiled.bends import Second
from trackleed.builtin.refiners.compiled.jit import part
from trackleed.builtin.refiners.compiled.lanes import WIDTH, fused, load, splat, store
from trackleed.builtin.refiners.compiled.moments import FIRST, HIGHEST
from trackleed.builtin.refiners.compiled.solve import Scratch, moment
from trackleed.builtin.refiners.model import PEAK, U_POWER, V_POWER, Array

MOMENTS = 15  # up to the fourth degree
FOURTH = np.array(
    [
        [moment(0, 4, U_POWER[a] + U_POWER[b], V_POWER[a] + V_POWER[b]) for b in range(PEAK)]
        for a in range(PEAK)
    ]
)
"""Which of these the product of two monomials is."""


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
        f, u, v = _light(group, k, m, x, y)
        monomials = (1.0, u, v, u * u, u * v, v * v)
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
def _light(group: Group, k: Array, m: int, x: int, y: int) -> tuple[float, float, float]:
    """What spot ``m`` gives a pixel, and where that is in the spot's u and v."""
    unit = group.side[m] // 2
    u, v = (x - group.middle[m, 0]) / unit, (y - group.middle[m, 1]) / unit
    exponent = k[m, 0] + k[m, 1] * u + k[m, 2] * v
    exponent += k[m, 3] * u * u + k[m, 4] * u * v + k[m, 5] * v * v
    return math.exp(min(exponent, HIGHEST)), u, v


@part
def bend_matrix(group: Group, k: Array, b: Array, room: Scratch) -> None:
    """Take what the second derivatives do off the matrix: the observed information."""
    height, width = group.counts.shape
    for y in range(height):
        for x in range(width):
            if not group.usable[y, x]:
                continue
            rest = group.counts[y, x] - _pixel(group, k, b, x, y, room.unit)
            for m in range(len(k)):
                f, u, v = _light(group, k, m, x, y)
                monomials = (1.0, u, v, u * u, u * v, v * v)
                pull = group.weights[FIRST, y, x] * rest * f
                for a in range(PEAK):
                    for c in range(PEAK):
                        i, j = group.own[m, a], group.own[m, c]
                        if i >= j >= 0:
                            room.matrix[i, j] -= pull * monomials[a] * monomials[c]


@part
def who(place: int, m: int) -> int:
    """Which spot comes at that place, where spot ``m`` comes first."""
    return m if place == 0 else place - 1 if place <= m else place


@part
def gather(group: Group, m: int, inverse: Array, out: Array) -> None:
    """Covariance of all spots' parameters, those of spot ``m`` first, and the background's."""
    spots = len(group.side)
    size = spots * PEAK
    which = np.empty(size + 3, np.int64)
    for place in range(spots):
        for a in range(PEAK):
            which[place * PEAK + a] = group.own[who(place, m), a]
    for a in range(3):
        which[size + a] = group.below[a]
    for i in range(size + 3):
        for j in range(size + 3):
            known = which[i] >= 0 and which[j] >= 0
            out[i, j] = inverse[which[i], which[j]] if known else 0.0


@part
def curve_group(group: Group, k: Array, m: int, lit: Array, room: Second) -> None:
    """Take off t'' of spot ``m`` what the spots' own second derivatives do, as `second.curve`.

    ``lit`` is scratch, a register for each moment, up to the fourth, of each spot.
    """
    spots, below = len(k), len(k) * PEAK
    for n in range(len(lit)):
        lit[n] = 0.0
    height, width = group.counts.shape
    for y in range(height):
        for x in range(width):
            if not group.usable[y, x]:
                continue
            along = load(room.z, below * WIDTH)
            along = fused(load(room.z, (below + 1) * WIDTH), splat(x / group.reach), along)
            along = fused(load(room.z, (below + 2) * WIDTH), splat(y / group.reach), along)
            for place in range(spots):
                f, u, v = _light(group, k, who(place, m), x, y)
                first = place * PEAK
                slope = load(room.z, first * WIDTH)
                for a, value in enumerate((u, v, u * u, u * v, v * v)):
                    slope = fused(load(room.z, (first + 1 + a) * WIDTH), splat(value), slope)
                along = fused(slope, splat(f), along)
            along = along * splat(group.weights[FIRST, y, x])
            for place in range(spots):
                f, u, v = _light(group, k, who(place, m), x, y)
                at, row = place * MOMENTS, f
                for q in range(5):
                    value = row
                    for _ in range(5 - q):
                        store(lit, at * WIDTH, fused(along, splat(value), load(lit, at * WIDTH)))
                        value *= u
                        at += 1
                    row *= v
    for place in range(spots):
        first = place * PEAK * PEAK
        for a in range(PEAK):
            for c in range(a, PEAK):
                at, across = (first + a * PEAK + c) * WIDTH, (first + c * PEAK + a) * WIDTH
                bent = load(room.curve, at) if place == 0 else splat(0.0)
                bent = bent - load(lit, (place * MOMENTS + FOURTH[a, c]) * WIDTH)
                store(room.curve, at, bent)
                store(room.curve, across, bent)
