"""Detections in the order of linking, and what is between them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from trackleed_trackers_box.compiled.jit import entry

if TYPE_CHECKING:
    Array = np.ndarray[Any, np.dtype[Any]]


@entry
def listed(frame: Array, place: Array, x: Array, y: Array) -> tuple[Array, Array]:
    """Numbers (m,) of the detections that have a place, frame after frame, and where each begins.

    ``place`` (n_frames,) is that of each frame in the order of linking.
    """
    start = np.zeros(len(place) + 1, np.int64)
    for k in range(len(frame)):
        if np.isfinite(x[k]) and np.isfinite(y[k]):
            start[place[frame[k]] + 1] += 1
    start = np.cumsum(start)
    order, at = np.empty(start[-1], np.int64), start[:-1].copy()
    for k in range(len(frame)):
        if np.isfinite(x[k]) and np.isfinite(y[k]):
            now = place[frame[k]]
            order[at[now]] = k
            at[now] += 1
    return order, start


@entry
def arranged(
    begin: int,
    end: int,
    columns: tuple[Array, ...],
    order: Array,
    start: Array,
    rows: Array,
    places: Array,
) -> None:
    """Rows (n, 5) of all columns, and places (n, 2), by x in each of the frames begin to end.

    Sorted into as many bins as a frame has rows first (E. J. Isaac and R. C. Singleton, J. ACM 3,
    169, 1956).

    Parameters
    ----------
    begin, end : int
    columns : tuple of ndarray (m,)
        x and y are the first.
    order : ndarray (n,)
        Those that have a place, frame after frame; will be by x in a frame.
    start : ndarray (n_frames + 1,)
        Where each frame begins.
    rows, places : ndarray
        Are written.
    """
    x, most = columns[0], 0
    for now in range(begin, end):
        most = max(most, start[now + 1] - start[now])
    bins, part = np.empty(most + 1, np.int64), np.empty(most, np.int64)
    for now in range(begin, end):
        some = order[start[now] : start[now + 1]]
        low, high = np.inf, -np.inf
        for k in some:
            low, high = min(low, x[k]), max(high, x[k])
        bins[: len(some) + 1] = 0
        fine = len(some) / (1e-9 + (high - low) * (1 + 1e-9))
        for k in some:
            bins[int((x[k] - low) * fine) + 1] += 1
        for i in range(len(some)):
            bins[i + 1] += bins[i]
        for k in some:
            i = int((x[k] - low) * fine)
            part[bins[i]] = k
            bins[i] += 1
        for i in range(len(some)):
            k, place = part[i], i
            while place > 0 and x[some[place - 1]] > x[k]:
                some[place] = some[place - 1]
                place -= 1
            some[place] = k
        for i in range(start[now], start[now + 1]):
            k = order[i]
            rows[i, 0], rows[i, 1] = columns[0][k], columns[1][k]
            rows[i, 2], rows[i, 3], rows[i, 4] = columns[2][k], columns[3][k], columns[4][k]
            places[i, 0], places[i, 1] = columns[0][k], columns[1][k]


@entry
def brighter(rows: Array, start: Array, least: float) -> tuple[Array, Array]:
    """Positions (m, 2) of those rows (n, 5) whose score is ``least`` or more.

    Where each frame begins, among all and among these, is told by ``start`` and the second value.
    """
    points, some, count = np.empty((len(rows), 2)), np.zeros_like(start), 0
    for now in range(len(start) - 1):
        for k in range(start[now], start[now + 1]):
            points[count, 0], points[count, 1] = rows[k, 0], rows[k, 1]
            count += rows[k, 4] >= least
        some[now + 1] = count
    return points[:count], some


@entry
def middle(points: Array) -> Array:
    """Mean (2,) of points (n, 2), of which there is at least one."""
    total = np.zeros(2)
    for k in range(len(points)):
        total[0] += points[k, 0]
        total[1] += points[k, 1]
    return total / len(points)


@entry
def nearest(points: Array, start: Array, every: int) -> Array:
    """Distance (n,) of points of every so many frames, by x in each, to the next one there."""
    result, count = np.empty(len(points)), 0
    for now in range(0, len(start) - 1, every):
        first, last = start[now], start[now + 1]
        for k in range(first, last):
            best = np.inf
            for step in (-1, 1):
                i = k + step
                while first <= i < last and (points[i, 0] - points[k, 0]) ** 2 < best:
                    dx, dy = points[i, 0] - points[k, 0], points[i, 1] - points[k, 1]
                    best = min(best, dx * dx + dy * dy)
                    i += step
            if last - first > 1:
                result[count] = np.sqrt(best)
                count += 1
    return result[:count]
