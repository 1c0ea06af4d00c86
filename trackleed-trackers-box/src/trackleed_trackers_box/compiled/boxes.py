"""Detections in the order of linking, and what is between them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from trackleed_trackers_box.compiled.jit import entry

if TYPE_CHECKING:
    Array = np.ndarray[Any, np.dtype[Any]]


@entry
def arranged(frame: Array, columns: Array, count: int) -> tuple[Array, Array]:
    """Rows (n, k) of all columns by frame, and by x in a frame; those without a place left out.

    Sorted into as many bins as a frame has rows first (E. J. Isaac and R. C. Singleton, J. ACM 3,
    169, 1956).

    Parameters
    ----------
    frame : ndarray (n,)
    columns : ndarray (k, n)
        x and y are the first.
    count : int
        Frames.

    Returns
    -------
    rows : ndarray (n, k)
    start : ndarray (count + 1,)
        Where each frame begins.
    """
    x, y = columns[0], columns[1]
    start, low, high = np.zeros(count + 1, np.int64), np.inf, -np.inf
    for k in range(len(frame)):
        if np.isfinite(x[k]) and np.isfinite(y[k]):
            start[frame[k] + 1] += 1
            low, high = min(low, x[k]), max(high, x[k])
    start = np.cumsum(start)
    order, at = np.empty(start[-1], np.int64), start[:-1].copy()
    for k in range(len(frame)):
        if np.isfinite(x[k]) and np.isfinite(y[k]):
            order[at[frame[k]]] = k
            at[frame[k]] += 1
    most = np.diff(start).max() if count else 0
    bins, part = np.empty(most + 1, np.int64), np.empty(most, np.int64)
    for now in range(count):
        some = order[start[now] : start[now + 1]]
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
    rows = np.empty((len(order), len(columns)))
    for i in range(len(order)):
        for n in range(len(columns)):
            rows[i, n] = columns[n, order[i]]
    return rows, start


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
