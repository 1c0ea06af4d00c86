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
        if not solid[k]:
            continue
        for other in range(k + 1, n):
            if before[other] - at[k, 0] > widest:
                break
            if solid[other] and abs(at[other, 1] - at[k, 1]) <= widest:
                apart = np.sqrt((at[other, 0] - at[k, 0]) ** 2 + (at[other, 1] - at[k, 1]) ** 2)
                limit = max(part * apart, least)
                gate[k], gate[other] = min(gate[k], limit), min(gate[other], limit)


@part
def paired(at: Array, spread: Array, gate: Array, points: Array) -> Array:
    """Point (n,) that belongs to each spot, -1 for none: the best together and not one by one.

    The sum of squared distances in units of each spot's ``spread`` is the least, with that of
    its ``gate`` as the price of a spot left alone.
    """
    spot, point, gain = meetings(at, spread, gate, points)
    group, size = _rivals(spot, point, len(at), len(points))
    chosen = np.full(len(at), -1)
    row, column = np.full(len(at), -1), np.full(len(points), -1)
    for n in range(len(spot)):
        if size[group[spot[n]]] == 1:
            chosen[spot[n]] = point[n]
    # Meetings of one group stand near each other, since spots and points are sorted by x.
    first = 0
    while first < len(spot):
        one = group[spot[first]]
        if size[one] > 0 and chosen[spot[first]] < 0:
            _settled(one, group, spot, point, gain, first, size[one], row, column, chosen)
            size[one] = 0
        first += 1
    return chosen


@part
def _rivals(spot: Array, point: Array, spots: int, points: int) -> tuple[Array, Array]:
    """Group (spots,) of those that compete for points, and meetings (spots,) of each group.

    Groups are named after one of their spots (R. E. Tarjan, J. ACM 22, 215, 1975).
    """
    head, size, owner = np.arange(spots), np.zeros(spots, np.int64), np.full(points, -1)
    for n in range(len(spot)):
        one = spot[n]
        while head[one] != one:
            head[one] = head[head[one]]
            one = head[one]
        if owner[point[n]] < 0:
            owner[point[n]] = one
            continue
        other = owner[point[n]]
        while head[other] != other:
            head[other] = head[head[other]]
            other = head[other]
        head[one] = other
    for n in range(len(spot)):
        one = spot[n]
        while head[one] != one:
            one = head[one]
        head[spot[n]] = one
        size[one] += 1
    return head, size


@part
def _settled(
    one: int,
    group: Array,
    spot: Array,
    point: Array,
    gain: Array,
    first: int,
    count: int,
    row: Array,
    column: Array,
    chosen: Array,
) -> None:
    """Pair the spots and points of one group, whose ``count`` meetings begin with the ``first``."""
    which, many, rows, columns = np.empty(count, np.int64), 0, 0, 0
    n = first
    while many < count:
        if group[spot[n]] == one:
            which[many] = n
            many += 1
            if row[spot[n]] < 0:
                row[spot[n]] = rows
                rows += 1
            if column[point[n]] < 0:
                column[point[n]] = columns
                columns += 1
        n += 1
    # Columns of no gain at all stand for "no point".
    table = np.zeros((rows, rows + columns))
    for n in which:
        table[row[spot[n]], column[point[n]]] = -gain[n]
    of_row = assigned(table)
    for n in which:
        if of_row[row[spot[n]]] == column[point[n]]:
            chosen[spot[n]] = point[n]


@part
def meetings(at: Array, spread: Array, gate: Array, points: Array) -> tuple[Array, Array, Array]:
    """All pairs of spot and point (n,) within the gate of the spot.

    With each comes by how much the distance squared, in units of the spot's ``spread``, is less
    than the gate.
    """
    first, last = np.empty(len(at), np.int64), np.empty(len(at), np.int64)
    low = high = most = 0
    for k in range(len(at)):
        low = first_from(points, at[k, 0] - gate[k], low)
        high = first_from(points, at[k, 0] + gate[k], high)
        first[k], last[k] = low, high
        most += high - low
    spot, point, gain, count = np.empty(most, np.int64), np.empty(most, np.int64), np.empty(most), 0
    for k in range(len(at)):
        limit = gate[k] * gate[k]
        for i in range(first[k], last[k]):
            dx, dy = points[i, 0] - at[k, 0], points[i, 1] - at[k, 1]
            if dx * dx + dy * dy <= limit:
                spot[count], point[count] = k, i
                gain[count] = (limit - dx * dx - dy * dy) / (spread[k] * spread[k])
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
