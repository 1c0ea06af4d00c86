"""What is near what: pairs of spots and points of one frame that may belong together."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from trackleed_trackers_box.compiled.basics import on_screen
from trackleed_trackers_box.compiled.jit import part

Array = np.ndarray[Any, np.dtype[Any]]


class Bins(NamedTuple):
    """Where to look for points that are sorted by x: as many bins of x as there are points.

    Parameters
    ----------
    edge : ndarray (n + 1,)
        First point of each bin.
    low, fine : float
        Least x, px, and bins per px.
    """

    edge: Array
    low: float
    fine: float


class View(NamedTuple):
    """The spots known so far, and what is seen in a frame.

    Parameters
    ----------
    place : ndarray (m, 2)
        Of the spots, at least one, in the pattern.
    presence : ndarray (m,)
        In what part of the frames each was seen, in (0, 1).
    far : float
        Of the outermost spot from the fixed point, px.
    points : ndarray (n, 2)
        Detections, at least one, sorted by x.
    weights : ndarray (n,)
        How far each can be trusted, in (0, 1).
    bins : Bins
        Of the points.
    """

    place: Array
    presence: Array
    far: float
    points: Array
    weights: Array
    bins: Bins


class Pairs(NamedTuple):
    """Pairs of spot and point that may belong together.

    Parameters
    ----------
    spot, point : ndarray (n,)
        Those of one spot stand together.
    table : ndarray (5, n)
        x and y of the spot in the pattern, x and y of the point, presence times weight.
    motion : ndarray (4,)
    reach : float
        No other pair is so near under that motion, px, in both x and y.
    """

    spot: Array
    point: Array
    table: Array
    motion: Array
    reach: float


@part
def view(place: Array, presence: Array, points: Array, weights: Array) -> View:
    """Spots and points that are to be brought together."""
    square = 0.0
    for k in range(len(place)):
        square = max(square, place[k, 0] ** 2 + place[k, 1] ** 2)
    return View(place, presence, np.sqrt(square), points, weights, binned(points))


@part
def binned(points: Array) -> Bins:
    """Bins of points (n, 2) that are sorted by x."""
    n, low = len(points), points[0, 0]
    fine = n / (1e-9 + (points[n - 1, 0] - low) * (1 + 1e-9))
    edge = np.zeros(n + 1, np.int64)
    for i in range(n):
        edge[int((points[i, 0] - low) * fine) + 1] += 1
    for k in range(n):
        edge[k + 1] += edge[k]
    return Bins(edge, low, fine)


@part
def near(points: Array, bins: Bins, at: Array, reach: float) -> tuple[Array, Array]:
    """Rows (m,) of places ``at`` (n, 2), and of the points within a square around each.

    Half the side of the squares is ``reach``.
    """
    first, last = np.empty(len(at), np.int64), np.empty(len(at), np.int64)
    most, end, wide = 0, len(points) - 1.0, reach * bins.fine
    for k in range(len(at)):
        here = (at[k, 0] - bins.low) * bins.fine
        first[k] = bins.edge[int(min(max(here - wide, 0.0), end))]
        last[k] = bins.edge[int(min(max(here + wide, 0.0), end)) + 1]
        most += last[k] - first[k]
    spot, point, count = np.empty(most, np.int64), np.empty(most, np.int64), 0
    for k in range(len(at)):
        x, y = at[k, 0], at[k, 1]
        for i in range(first[k], last[k]):
            # Written in any case: cheaper than to guess.
            spot[count], point[count] = k, i
            count += (abs(points[i, 0] - x) <= reach) & (abs(points[i, 1] - y) <= reach)
    return spot[:count], point[:count]


@part
def gathered(seen: View, motion: Array, reach: float) -> Pairs:
    """All pairs within reach under a motion."""
    spot, point = near(seen.points, seen.bins, on_screen(motion, seen.place), reach)
    table = np.empty((5, len(spot)))
    for n in range(len(spot)):
        k, i = spot[n], point[n]
        table[0, n], table[1, n] = seen.place[k, 0], seen.place[k, 1]
        table[2, n], table[3, n] = seen.points[i, 0], seen.points[i, 1]
        table[4, n] = seen.presence[k] * seen.weights[i]
    return Pairs(spot, point, table, motion.copy(), reach)


@part
def hold(seen: View, pairs: Pairs, motion: Array, reach: float) -> bool:
    """Whether all pairs within reach under a motion are among these.

    Such lists save looking for neighbours at each step (L. Verlet, Phys. Rev. 159, 98, 1967).
    """
    before, after = np.exp(pairs.motion[2]), np.exp(motion[2])
    dx, dy = motion[0] - pairs.motion[0], motion[1] - pairs.motion[1]
    turned = before * before + after * after
    turned -= 2 * before * after * np.cos(motion[3] - pairs.motion[3])
    moved = max(abs(dx), abs(dy)) + seen.far * np.sqrt(max(turned, 0.0))
    return reach + moved <= pairs.reach


@part
def among(seen: View, pairs: Pairs, motion: Array, reach: float) -> Pairs:
    """All pairs within reach under a motion: of those that are given if they hold them."""
    if not hold(seen, pairs, motion, reach):
        return gathered(seen, motion, reach)
    if reach == pairs.reach:
        return pairs
    table, rows, count = pairs.table, np.empty(len(pairs.spot), np.int64), 0
    cosine, sine = np.exp(motion[2]) * np.cos(motion[3]), np.exp(motion[2]) * np.sin(motion[3])
    for n in range(len(rows)):
        dx = table[2, n] - (motion[0] + table[0, n] * cosine - table[1, n] * sine)
        dy = table[3, n] - (motion[1] + table[0, n] * sine + table[1, n] * cosine)
        rows[count] = n
        count += (abs(dx) <= reach) & (abs(dy) <= reach)
    spot, point = np.empty(count, np.int64), np.empty(count, np.int64)
    some = np.empty((5, count))
    for k in range(count):
        n = rows[k]
        spot[k], point[k] = pairs.spot[n], pairs.point[n]
        for row in range(5):
            some[row, k] = table[row, n]
    return Pairs(spot, point, some, motion.copy(), reach)


@part
def squares(pairs: Pairs, motion: Array) -> Array:
    """Squared distances (n,) under a motion, px^2."""
    table, square = pairs.table, np.empty(len(pairs.spot))
    cosine, sine = np.exp(motion[2]) * np.cos(motion[3]), np.exp(motion[2]) * np.sin(motion[3])
    for n in range(len(square)):
        dx = table[2, n] - (motion[0] + table[0, n] * cosine - table[1, n] * sine)
        dy = table[3, n] - (motion[1] + table[0, n] * sine + table[1, n] * cosine)
        square[n] = dx * dx + dy * dy
    return square


@part
def closest(pairs: Pairs, square: Array, reach: float) -> Array:
    """Whether each pair (n,) is that of a spot and the nearest point to it within reach."""
    chosen, last = np.zeros(len(square), np.bool_), -1
    for n in range(len(square)):
        if square[n] > reach * reach:
            continue
        if last >= 0 and pairs.spot[n] == pairs.spot[last]:
            if square[n] > square[last]:
                continue
            chosen[last] = False
        chosen[n], last = True, n
    return chosen
