"""Spots and points of one frame, the points sorted by x, that belong together."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from trackleed_trackers_box.compiled.basics import first_from
from trackleed_trackers_box.compiled.jit import part

if TYPE_CHECKING:
    Array = np.ndarray[Any, np.dtype[Any]]


@part
def crowded(at: Array, solid: Array, gate: Array, part: float, least: float) -> None:
    """Narrow the gate of each solid spot to a part of the way to the next solid one.

    Spots are about sorted by x; how far they are from it is found first.
    """
    n = len(at)
    if not n:
        return
    before, widest, after = np.empty(n), gate.max() / part, np.inf
    for k in range(n - 1, -1, -1):
        after = min(after, at[k, 0])
        before[k] = after
    for k in range(n):
        for other in range(k + 1, n):
            if before[other] - at[k, 0] > widest:
                break
            if solid[k] and solid[other]:
                apart = np.hypot(at[other, 0] - at[k, 0], at[other, 1] - at[k, 1])
                limit = max(part * apart, least)
                gate[k], gate[other] = min(gate[k], limit), min(gate[other], limit)


@part
def paired(at: Array, spread: Array, gate: Array, points: Array) -> Array:
    """Point (n,) that belongs to each spot, -1 for none: the best together and not one by one.

    The sum of squared distances in units of each spot's ``spread`` is the least, with that of
    its ``gate`` as the price of a spot left alone.
    """
    spot, point, gain = meetings(at, spread, gate, points)
    chosen = np.full(len(at), -1)
    of_spot, of_point = np.zeros(len(at), np.int64), np.zeros(len(points), np.int64)
    for n in range(len(spot)):
        of_spot[spot[n]] += 1
        of_point[point[n]] += 1
    row, column = np.full(len(at), -1), np.full(len(points), -1)
    rows = columns = 0
    for n in range(len(spot)):
        if of_spot[spot[n]] == 1 and of_point[point[n]] == 1:
            chosen[spot[n]] = point[n]
            continue
        if row[spot[n]] < 0:
            row[spot[n]] = rows
            rows += 1
        if column[point[n]] < 0:
            column[point[n]] = columns
            columns += 1
    if not rows:
        return chosen
    # Rows of no gain at all stand for "no point".
    table = np.zeros((rows, rows + columns))
    for n in range(len(spot)):
        if row[spot[n]] >= 0:
            table[row[spot[n]], column[point[n]]] = -gain[n]
    of_row = assigned(table)
    for n in range(len(spot)):
        if row[spot[n]] >= 0 and of_row[row[spot[n]]] == column[point[n]]:
            chosen[spot[n]] = point[n]
    return chosen


@part
def meetings(at: Array, spread: Array, gate: Array, points: Array) -> tuple[Array, Array, Array]:
    """All pairs of spot and point (n,) within the gate of the spot.

    With each comes by how much the distance squared, in units of the spot's ``spread``, is less
    than the gate.
    """
    size, count, low = 2 * len(at) + 16, 0, 0
    spot, point, gain = np.empty(size, np.int64), np.empty(size, np.int64), np.empty(size)
    for k in range(len(at)):
        low = first_from(points, at[k, 0] - gate[k], low)
        for i in range(low, len(points)):
            dx = points[i, 0] - at[k, 0]
            if dx > gate[k]:
                break
            square = dx * dx + (points[i, 1] - at[k, 1]) ** 2
            if square > gate[k] ** 2:
                continue
            if count == size:
                size *= 2
                spot, point = np.append(spot, spot), np.append(point, point)
                gain = np.append(gain, gain)
            spot[count], point[count] = k, i
            gain[count] = (gate[k] ** 2 - square) / spread[k] ** 2
            count += 1
    return spot[:count], point[:count], gain[:count]


@part
def assigned(cost: Array) -> Array:
    """Column (n,) of each row of a table (n, m >= n) so that the sum of costs is the least.

    Shortest augmenting paths (R. Jonker and A. Volgenant, Computing 38, 325, 1987).
    """
    n, m = cost.shape
    of_row, of_column = np.zeros(n + 1), np.zeros(m + 1)  # what rows and columns are worth
    row, way = np.zeros(m + 1, np.int64), np.zeros(m + 1, np.int64)
    for i in range(1, n + 1):
        row[0], column = i, 0
        least, used = np.full(m + 1, np.inf), np.zeros(m + 1, np.bool_)
        while True:
            used[column] = True
            here, step, best = row[column], np.inf, 0
            for j in range(1, m + 1):
                if used[j]:
                    continue
                reduced = cost[here - 1, j - 1] - of_row[here] - of_column[j]
                if reduced < least[j]:
                    least[j], way[j] = reduced, column
                if least[j] < step:
                    step, best = least[j], j
            for j in range(m + 1):
                if used[j]:
                    of_row[row[j]] += step
                    of_column[j] -= step
                else:
                    least[j] -= step
            column = best
            if row[column] == 0:
                break
        while column:
            row[column] = row[way[column]]
            column = way[column]
    result = np.full(n, -1)
    for j in range(1, m + 1):
        if row[j]:
            result[row[j] - 1] = j - 1
    return result
