"""Spots and points of one frame, the points sorted by x, that belong together."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from trackleed_trackers_box.compiled.jit import part

if TYPE_CHECKING:
    from trackleed_trackers_box.compiled.near import Pairs

    Array = np.ndarray[Any, np.dtype[Any]]


@part
def crowded(at: Array, solid: Array, gate: Array, part: float, least: float) -> None:
    """Narrow the gate of each solid spot to a part of the way to the next solid one.

    There is at least one spot. They are about sorted by x; how far from it is found first.
    """
    some = np.flatnonzero(solid)
    x, y, before = np.empty(len(some)), np.empty(len(some)), np.empty(len(some))
    widest, after = gate.max() / part, np.inf
    for n in range(len(some) - 1, -1, -1):
        x[n], y[n] = at[some[n], 0], at[some[n], 1]
        after = min(after, x[n])
        before[n] = after
    for n in range(len(some)):
        for other in range(n + 1, len(some)):
            if before[other] - x[n] > widest:
                break
            if abs(y[other] - y[n]) <= widest:
                k, i = some[n], some[other]
                apart = np.sqrt((x[other] - x[n]) ** 2 + (y[other] - y[n]) ** 2)
                limit = max(part * apart, least)
                gate[k], gate[i] = min(gate[k], limit), min(gate[i], limit)


@part
def paired(near: Pairs, square: Array, spread: Array, gate: Array, points: int) -> Array:
    """Point (n,) that belongs to each spot, -1 for none: the best together and not one by one.

    ``square`` is the squared distance of each pair; a spot meets a point within its ``gate``.

    The sum of squared distances in units of each spot's ``spread`` is the least, with that of
    its ``gate`` as the price of a spot left alone.
    """
    spot, point, gain = _meetings(near, square, spread, gate)
    group, size = _rivals(spot, point, len(gate), points)
    chosen = np.full(len(gate), -1)
    row, column = np.full(len(gate), -1), np.full(points, -1)
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
def _meetings(near: Pairs, square: Array, spread: Array, gate: Array) -> tuple[Array, Array, Array]:
    """Those pairs of spot and point (n,) that are within the gate of the spot.

    With each comes by how much the distance squared, in units of the spot's ``spread``, is less
    than the gate.
    """
    most, count = len(square), 0
    spot, point, gain = np.empty(most, np.int64), np.empty(most, np.int64), np.empty(most)
    for n in range(most):
        k = near.spot[n]
        rest = gate[k] * gate[k] - square[n]
        spot[count], point[count] = k, near.point[n]
        gain[count] = rest / (spread[k] * spread[k])
        count += rest >= 0
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
