"""A motion that brings spots onto the points of a frame."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from trackleed_trackers_box.compiled.jit import part, sums
from trackleed_trackers_box.compiled.near import among, closest, hold, squares

if TYPE_CHECKING:
    from trackleed_trackers_box.compiled.near import Pairs, View

    Array = np.ndarray[Any, np.dtype[Any]]

SLACK = 3.0  # px, that a motion may change by until pairs are looked for again

_ITERATIONS = 8
_SETTLED = 0.02  # px, of the last step
_SAME = 3  # steps with the same pairs
_NARROWER = 2.0  # times that pairs are looked for less far away


@part
def refined(
    seen: View,
    wide: Pairs,
    start: Array,
    expected: Array,
    spread: Array,
    noise: float,
    reach: float,
    least: float,
) -> tuple[Array, Pairs]:
    """The motion (4,) near ``start`` of the least weighted squares, and the pairs it rests on.

    Each spot is paired with the nearest point within ``reach`` px, which gets less from time to
    time, down to ``least``; the weights fall off like those of a Cauchy distribution. Pairs
    are taken from ``wide`` ones as far as these hold them.
    """
    motion = start.copy()
    precision = (noise / spread) ** 2
    pairs = among(seen, wide, motion, reach + SLACK)
    for _ in range(_ITERATIONS):
        if not hold(seen, pairs, motion, reach):
            pairs = among(seen, wide, motion, reach + SLACK)
        chosen = closest(pairs, squares(pairs, motion), reach)
        worth = np.where(chosen, pairs.table[4], 0.0)
        for _same in range(_SAME):
            x, y = motion[0], motion[1]
            _step(motion, _moments(pairs.table, worth, motion, noise), precision, expected)
            if max(abs(motion[0] - x), abs(motion[1] - y)) < _SETTLED:
                break
        if reach == least and _same == 0:
            break
        reach = max(reach / _NARROWER, least)
    if not hold(seen, pairs, motion, least):
        pairs = among(seen, wide, motion, least)
    return motion, pairs


@sums
def _moments(table: Array, worth: Array, motion: Array, noise: float) -> tuple[float, ...]:
    """Sums over pairs, by weight: 1, x, y, r^2, and errors in x, y, along r and across it.

    x, y and r are those of the spots from the fixed point, px.
    """
    cosine, sine = np.exp(motion[2]) * np.cos(motion[3]), np.exp(motion[2]) * np.sin(motion[3])
    total = sx = sy = square = right = down = out = across = 0.0
    for n in range(len(worth)):
        x = table[0, n] * cosine - table[1, n] * sine
        y = table[0, n] * sine + table[1, n] * cosine
        ex, ey = table[2, n] - motion[0] - x, table[3, n] - motion[1] - y
        weight = worth[n] / (1 + (ex * ex + ey * ey) / noise**2)
        total += weight
        sx += weight * x
        sy += weight * y
        square += weight * (x * x + y * y)
        right += weight * ex
        down += weight * ey
        out += weight * (x * ex + y * ey)
        across += weight * (x * ey - y * ex)
    return total, sx, sy, square, right, down, out, across


@part
def _step(motion: Array, moments: tuple[float, ...], precision: Array, expected: Array) -> None:
    """Change the motion by one step of weighted least squares.

    A turn acts on y as the scale does on x, so that the normal equations of the two come apart
    once the shift is put in.
    """
    total, x, y, square, right, down, out, across = moments
    right += precision[0] * (expected[0] - motion[0])
    down += precision[0] * (expected[1] - motion[1])
    out += precision[2] * (expected[2] - motion[2])
    across += precision[3] * (expected[3] - motion[3])
    total += precision[0]
    rest = square - (x * x + y * y) / total
    scale = (out - (x * right + y * down) / total) / (rest + precision[2])
    angle = (across - (x * down - y * right) / total) / (rest + precision[3])
    motion[0] += (right - x * scale + y * angle) / total
    motion[1] += (down - y * scale - x * angle) / total
    motion[2] += scale
    motion[3] += angle


@part
def agreement(
    seen: View, pairs: Pairs, motion: Array, reach: float
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
    square, best = squares(pairs, motion), np.full(len(seen.points), -1)
    chosen = closest(pairs, square, reach)
    for n in range(len(chosen)):
        i = pairs.point[n]
        if chosen[n] and (best[i] < 0 or square[n] < square[best[i]]):
            best[i] = n
    hits, share, there, trust, misfit = 0, 0.0, 0.0, 0.0, 0.0
    for i in range(len(best)):
        n = best[i]
        if n < 0:
            continue
        hits += 1
        share += seen.weights[i]
        there += seen.presence[pairs.spot[n]]
        each = np.sqrt(pairs.table[4, n])
        trust += each
        misfit += each * square[n]
    return hits, share / seen.weights.sum(), there / seen.presence.sum(), trust, misfit


@part
def ballot(pairs: Pairs, motion: Array, half: int, cell: float) -> Array:
    """Votes for shifts that bring spots onto points, square cells around no shift at all.

    A pair near the border of a cell is as good a vote for the next one.

    Returns
    -------
    votes : ndarray (2 half + 3, 2 half + 3)
        Of shifts in y and x; each pair votes with the square root of presence times weight.
    """
    votes, table = np.zeros((2 * half + 3, 2 * half + 3)), pairs.table
    cosine, sine = np.exp(motion[2]) * np.cos(motion[3]), np.exp(motion[2]) * np.sin(motion[3])
    for n in range(len(pairs.spot)):
        dx = table[2, n] - (motion[0] + table[0, n] * cosine - table[1, n] * sine)
        dy = table[3, n] - (motion[1] + table[0, n] * sine + table[1, n] * cosine)
        column, row = half + 1 + int(np.rint(dx / cell)), half + 1 + int(np.rint(dy / cell))
        if abs(column - half - 1) > half or abs(row - half - 1) > half:
            continue
        worth = np.sqrt(table[4, n])
        for y in range(row - 1, row + 2):
            for x in range(column - 1, column + 2):
                votes[y, x] += worth
    return votes
