"""A motion that brings spots onto the points of a frame, which are sorted by x."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from trackleed_trackers_box.compiled.basics import closest, first_from, on_screen, solved
from trackleed_trackers_box.compiled.jit import part

if TYPE_CHECKING:
    Array = np.ndarray[Any, np.dtype[Any]]

_ITERATIONS = 8
_SETTLED = 0.02  # px, of the last step
_SAME = 3  # steps with the same pairs
_NARROWER = 2.0  # times that pairs are looked for less far away


@part
def refined(
    place: Array,
    presence: Array,
    points: Array,
    weights: Array,
    start: Array,
    expected: Array,
    spread: Array,
    noise: float,
    reach: float,
    least: float,
) -> Array:
    """The motion (4,) near ``start`` of the least weighted squares.

    Each spot is paired with the nearest point within ``reach`` px, which gets less from time to
    time, down to ``least``; the weights fall off like those of a Cauchy distribution.
    """
    motion = start.copy()
    precision = (noise / spread) ** 2
    for _ in range(_ITERATIONS):
        index, square = closest(points, on_screen(motion, place), reach)
        moved = np.inf
        for _same in range(_SAME):
            step = _step(
                place, presence, points, weights, motion, index, square, noise, precision, expected
            )
            motion += step
            moved = max(abs(step[0]), abs(step[1]))
            if moved < _SETTLED:
                break
        if reach == least and _same == 0:
            return motion
        reach = max(reach / _NARROWER, least)
    return motion


@part
def _step(
    place: Array,
    presence: Array,
    points: Array,
    weights: Array,
    motion: Array,
    index: Array,
    square: Array,
    noise: float,
    precision: Array,
    expected: Array,
) -> Array:
    """The change (4,) of the motion that one step of weighted least squares asks for.

    ``square`` is brought up to date: the distance squared of spots and their points.
    """
    cosine, sine = np.exp(motion[2]) * np.cos(motion[3]), np.exp(motion[2]) * np.sin(motion[3])
    normal, right = np.diag(precision), precision * (expected - motion)
    total = sx = sy = sxy = 0.0
    for k in range(len(place)):
        if index[k] < 0:
            continue
        ax = place[k, 0] * cosine - place[k, 1] * sine
        ay = place[k, 0] * sine + place[k, 1] * cosine
        ex, ey = points[index[k], 0] - motion[0] - ax, points[index[k], 1] - motion[1] - ay
        square[k] = ex * ex + ey * ey
        weight = presence[k] * weights[index[k]] / (1 + square[k] / noise**2)
        total += weight
        sx += weight * ax
        sy += weight * ay
        sxy += weight * (ax * ax + ay * ay)
        right[0] += weight * ex
        right[1] += weight * ey
        right[2] += weight * (ax * ex + ay * ey)
        right[3] += weight * (ax * ey - ay * ex)
    # A turn acts on y as the scale does on x. Only the lower half is read.
    normal[0, 0] += total
    normal[1, 1] += total
    normal[2, 2] += sxy
    normal[3, 3] += sxy
    normal[2, 0], normal[2, 1], normal[3, 0], normal[3, 1] = sx, sy, -sy, sx
    return solved(normal, right)[0]


@part
def agreement(
    place: Array, presence: Array, points: Array, weights: Array, motion: Array, reach: float
) -> tuple[int, float, float, float, float]:
    """How well spots and points meet under a motion: what their odds are made of.

    Returns
    -------
    hits : int
        Points that have a spot within ``reach``; each counts with its nearest.
    share : float
        Of all weights, that those points have.
    there : float
        Of all presence, that those spots have.
    trust, misfit : float
        Sum over the hits of the square root of presence times weight, and of that times the
        distance squared, px^2.
    """
    index, square = closest(points, on_screen(motion, place), reach)
    spot = np.full(len(points), -1)
    for k in range(len(index)):
        if index[k] >= 0 and (spot[index[k]] < 0 or square[k] < square[spot[index[k]]]):
            spot[index[k]] = k
    hits, share, there, trust, misfit = 0, 0.0, 0.0, 0.0, 0.0
    for i in range(len(points)):
        if spot[i] < 0:
            continue
        hits += 1
        share += weights[i]
        there += presence[spot[i]]
        each = np.sqrt(presence[spot[i]] * weights[i])
        trust += each
        misfit += each * square[spot[i]]
    return hits, share / weights.sum(), there / presence.sum(), trust, misfit


@part
def ballot(
    at: Array, presence: Array, points: Array, weights: Array, half: int, cell: float
) -> Array:
    """Votes for shifts that bring spots onto points, square cells around no shift at all.

    A pair near the border of a cell is as good a vote for the next one.

    Returns
    -------
    votes : ndarray (2 half + 3, 2 half + 3)
        Of shifts in y and x; each pair votes with the square root of presence times weight.
    """
    votes, reach, low = np.zeros((2 * half + 3, 2 * half + 3)), (half + 0.5) * cell, 0
    for k in range(len(at)):
        low = first_from(points, at[k, 0] - reach, low)
        for i in range(low, len(points)):
            dx, dy = points[i, 0] - at[k, 0], points[i, 1] - at[k, 1]
            if dx >= reach:
                break
            if abs(dy) >= reach:
                continue
            column = half + 1 + int(np.rint(dx / cell))
            row = half + 1 + int(np.rint(dy / cell))
            if abs(column - half - 1) > half or abs(row - half - 1) > half:
                continue
            worth = np.sqrt(presence[k] * weights[i])
            for y in range(row - 1, row + 2):
                for x in range(column - 1, column + 2):
                    votes[y, x] += worth
    return votes
