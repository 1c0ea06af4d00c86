"""Spots that stand on a ridge: what rises above the ridge as it is beside them.

A streak, a ring or a scratch is a ridge. It hides how far a spot on it falls and makes it look
long. So the ridge's direction is taken from the gradients around (structure tensor: Bigun and
Granlund, Proc. 1st Int. Conf. on Computer Vision, 433 (1987)), its cross-section from both sides
of the candidate, along a parabola that follows its bend, and that is subtracted. Where the
mask hides one side, the other one is taken for both.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from trackleed_detectors.classic import shape
from trackleed_detectors.classic.chain import FOOT, SMOOTH, Array
from trackleed_detectors.classic.compiled import compiled

_NEAR, _FAR = FOOT, 2 * FOOT  # px along the ridge, where a side begins and ends
_MIDDLE = (_NEAR + _FAR) / 2
_LENGTH = _FAR - _NEAR + 1
_BREADTH = 2 * FOOT + 1  # px across it that are looked at
_REACH = 2 * FOOT  # px to each side of what is cut out
_SIDE = 2 * _REACH + 1
_CORE = 2  # px from its middle, where it is told how even a ridge is
_COHERENT = 0.8  # least coherence of the gradients
_ALIKE = 0.75  # least height of one side over the other's
_TWO_SIDED = 0.75  # least rise from the higher flank over that from the lower; an edge has 0
_SEEN = 0.75  # least part of a side that is seen
_BENT = 0.3  # largest slope of the ridge against its direction
_BUMPS = _LENGTH / (2 * np.sqrt(np.pi) * SMOOTH)  # on a side, that the blur lets be told apart
_FEW = np.sqrt(_BUMPS / (_BUMPS - 1))  # scatter of so few over that about their own middle


def measure(
    smooth: Array, seen: Array, inner: Array, xy: Array
) -> tuple[Array, shape.Shapes, Array]:
    """Shapes of candidates without the ridges that they stand on, and the noise of these ridges.

    Parameters
    ----------
    smooth : ndarray of float32 (y, x)
        The blurred image.
    seen, inner : ndarray of uint8 (y, x)
        1 where it can be used, and where neighbours can be used as well.
    xy : ndarray (n, 2)

    Returns
    -------
    which : ndarray of int (m,)
        Those candidates that stand on a ridge.
    shapes : Shapes
        Theirs.
    noise : ndarray (m,)
        By how much each ridge varies along itself.
    """
    bare, shown, noise = level(smooth, seen, inner, xy)
    there = np.flatnonzero(np.isfinite(noise))
    # The surroundings, one below the other, are the image in which they are measured.
    stack = np.arange(len(there))[:, None] * [0, _SIDE]
    corner = np.rint(xy[there]) - _REACH
    below, hidden = bare[there].reshape(-1, _SIDE), shown[there].reshape(-1, _SIDE)
    shapes = shape.measure(below, hidden, xy[there] - corner + stack)
    x, y = shapes.x + corner[:, 0], shapes.y + corner[:, 1] - stack[:, 1]
    return there, replace(shapes, x=x, y=y), noise[there]


@compiled
def level(smooth: Array, seen: Array, inner: Array, xy: Array) -> tuple[Array, Array, Array]:
    """Surroundings of candidates, as in `measure`, less the ridges that these stand on.

    Returns
    -------
    bare, shown : ndarray of float32 and of uint8 (n, _SIDE, _SIDE)
        ``smooth`` without the ridge, and ``seen``, about the pixel nearest to each candidate.
    noise : ndarray (n,)
        Of the ridge along itself; NaN where there is no ridge.
    """
    n = len(xy)
    bare, shown = np.zeros((n, _SIDE, _SIDE), np.float32), np.zeros((n, _SIDE, _SIDE), np.uint8)
    noise = np.full(n, np.nan)
    sides = np.empty((2, _LENGTH, _BREADTH))
    profiles = np.empty((2, _BREADTH))
    for i in range(n):
        x, y = xy[i]
        c, s, coherence = direction(smooth, inner, x, y)
        if coherence < _COHERENT:
            continue
        slope = bend = 0.0
        for _ in range(2):
            known = read(smooth, seen, (x, y, c, s), (slope, bend), sides)
            more, further = turning(sides, known)
            slope = min(max(slope + more, -_BENT), _BENT)
            bend = min(max(bend + further, -_BENT / _MIDDLE), _BENT / _MIDDLE)
        known = read(smooth, seen, (x, y, c, s), (slope, bend), sides)
        if cross_sections(sides, known, profiles):
            noise[i] = _FEW * unevenness(sides, known, profiles)
            subtract(smooth, seen, (x, y, c, s), (slope, bend), profiles, bare[i], shown[i])
    return bare, shown, noise


@compiled
def direction(smooth: Array, inner: Array, x: float, y: float) -> tuple[float, float, float]:
    """Cosine and sine of a ridge's direction, and how coherent the gradients are, 0 to 1."""
    column, row = int(np.rint(x)), int(np.rint(y))
    xx = xy = yy = 0.0
    for j in range(max(row - _FAR, 0), min(row + _FAR + 1, smooth.shape[0])):
        for i in range(max(column - _FAR, 0), min(column + _FAR + 1, smooth.shape[1])):
            if inner[j, i]:
                right = smooth[j, i + 1] - smooth[j, i - 1]
                down = smooth[j + 1, i] - smooth[j - 1, i]
                xx += right * right
                xy += right * down
                yy += down * down
    if xx + yy == 0:
        return 1.0, 0.0, 0.0
    across = 0.5 * np.arctan2(2 * xy, xx - yy)
    return -np.sin(across), np.cos(across), np.hypot(xx - yy, 2 * xy) / (xx + yy)


@compiled
def read(
    smooth: Array,
    seen: Array,
    place: tuple[float, float, float, float],
    curve: tuple[float, float],
    sides: Array,
) -> tuple[bool, bool]:
    """Fill ``sides`` with both sides of the ridge, NaN where hidden; whether each is seen."""
    x, y, c, s = place
    height, width = smooth.shape
    counts = [0, 0]
    for side in range(2):
        for k in range(_LENGTH):
            u = float(_NEAR + k) * (2 * side - 1)
            for m in range(_BREADTH):
                v = m - _BREADTH // 2 + curve[0] * u + curve[1] * u * u
                right, down = x + u * c - v * s, y + u * s + v * c
                column, row = int(np.floor(right)), int(np.floor(down))
                sides[side, k, m] = np.nan
                if not (0 <= column < width - 1 and 0 <= row < height - 1):
                    continue
                if min(seen[row, column], seen[row, column + 1]) == 0:
                    continue
                if min(seen[row + 1, column], seen[row + 1, column + 1]) == 0:
                    continue
                a, b = right - column, down - row
                upper = (1 - a) * smooth[row, column] + a * smooth[row, column + 1]
                lower = (1 - a) * smooth[row + 1, column] + a * smooth[row + 1, column + 1]
                sides[side, k, m] = (1 - b) * upper + b * lower
                counts[side] += 1
    least = _SEEN * _LENGTH * _BREADTH
    return counts[0] >= least, counts[1] >= least


@compiled
def turning(sides: Array, known: tuple[bool, bool]) -> tuple[float, float]:
    """Slope and bend of the parabola through the middles of the ridge in its cross-sections.

    Only what both sides tell: how far apart their middles lie, and how much their slopes differ.
    Where one is hidden, the parabola goes through the candidate.
    """
    place, slope = np.zeros(2), np.zeros(2)
    for side in range(2):
        w = wu = wuu = wm = wum = 0.0
        for k in range(_LENGTH):
            least = np.nanmin(sides[side, k]) if known[side] else np.nan
            total = first = 0.0
            for m in range(_BREADTH):
                light = sides[side, k, m] - least
                if light > 0:
                    total += light * light
                    first += light * light * (m - _BREADTH // 2)
            if total > 0:
                u = (_NEAR + k) * (2 * side - 1) - _MIDDLE * (2 * side - 1)
                middle = first / total
                w, wu, wuu = w + total, wu + total * u, wuu + total * u * u
                wm, wum = wm + total * middle, wum + total * u * middle
        spread = w * wuu - wu * wu
        if spread > 0:
            slope[side] = (w * wum - wu * wm) / spread
            place[side] = (wm - slope[side] * wu) / w
    if known[0] and known[1]:
        return (place[1] - place[0]) / (2 * _MIDDLE), (slope[1] - slope[0]) / (4 * _MIDDLE)
    u = -_MIDDLE if known[0] else _MIDDLE
    side = 0 if known[0] else 1
    return 2 * place[side] / u - slope[side], (slope[side] - place[side] / u) / u


@compiled
def cross_sections(sides: Array, known: tuple[bool, bool], profiles: Array) -> bool:
    """Fill ``profiles`` with the median cross-section of each side; whether there is a ridge."""
    if not (known[0] or known[1]):
        return False
    heights, whole = np.zeros(2), True
    for side in range(2):
        if known[side]:
            for m in range(_BREADTH):
                profiles[side, m] = median(sides[side, :, m])
            top, flanks = profiles[side].max(), (profiles[side, 0], profiles[side, -1])
            heights[side] = top - min(flanks)
            whole &= top - max(flanks) >= _TWO_SIDED * heights[side]  # not if any is NaN
    for side in range(2):
        if not known[side]:
            profiles[side] = profiles[1 - side]
            heights[side] = heights[1 - side]
    return whole and heights.min() >= _ALIKE * heights.max()


@compiled
def median(values: Array) -> float:
    """Median of a few values, NaN left out; NaN if none is left."""
    ordered = np.sort(values)  # NaN last
    count = len(values) - np.isnan(values).sum()
    return (ordered[(count - 1) // 2] + ordered[count // 2]) / 2 if count else np.nan


@compiled
def unevenness(sides: Array, known: tuple[bool, bool], profiles: Array) -> float:
    """Root mean square by which the ridge's middle is off its cross-section."""
    squares, count = 0.0, 0
    for side in range(2):
        for m in range(_BREADTH // 2 - _CORE, _BREADTH // 2 + _CORE + 1):
            for k in range(_LENGTH):
                off = sides[side, k, m] - profiles[side, m]
                if known[side] and not np.isnan(off):
                    squares += off * off
                    count += 1
    return np.sqrt(squares / count)


@compiled
def subtract(
    smooth: Array,
    seen: Array,
    place: tuple[float, float, float, float],
    curve: tuple[float, float],
    profiles: Array,
    bare: Array,
    shown: Array,
) -> None:
    """Fill ``bare`` and ``shown``; the ridge goes evenly from side to side."""
    x, y, c, s = place
    left, top = int(np.rint(x)) - _REACH, int(np.rint(y)) - _REACH
    for j in range(max(0, -top), min(_SIDE, smooth.shape[0] - top)):
        for i in range(max(0, -left), min(_SIDE, smooth.shape[1] - left)):
            right, down = left + i - x, top + j - y
            u = right * c + down * s
            v = down * c - right * s - curve[0] * u - curve[1] * u * u
            share = min(max(0.5 + 0.5 * u / _MIDDLE, 0.0), 1.0)
            at = min(max(v + _BREADTH // 2, 0.0), _BREADTH - 1.001)
            m = int(at)
            ridge = 0.0
            for side, part in ((0, 1 - share), (1, share)):
                lower, upper = profiles[side, m], profiles[side, m + 1]
                ridge += part * (lower + (at - m) * (upper - lower))
            bare[j, i] = smooth[top + j, left + i] - ridge
            shown[j, i] = seen[top + j, left + i]
