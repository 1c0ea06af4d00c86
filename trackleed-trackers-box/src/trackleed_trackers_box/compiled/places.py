"""How the sightings of one spot after another lie, in the pattern and on the screen."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from trackleed_trackers_box.compiled.jit import entry

if TYPE_CHECKING:
    Array = np.ndarray[Any, np.dtype[Any]]


@entry
def grouped(number: Array, count: int) -> Array:
    """Order (n,) that puts what has the same number, below ``count``, together; stable."""
    start = np.zeros(count + 1, np.int64)
    for k in number:
        start[k + 1] += 1
    start, order = np.cumsum(start), np.empty(len(number), np.int64)
    for k in range(len(number)):
        order[start[number[k]]] = k
        start[number[k]] += 1
    return order


@entry
def by_x(x: Array, order: Array, start: Array) -> None:
    """Sort each part of an order, which begin at ``start``, by x, in place."""
    for group in range(len(start) - 1):
        low, high = start[group], start[group + 1]
        order[low:high] = order[low:high][np.argsort(x[order[low:high]], kind="mergesort")]


@entry
def strays(place: Array, start: Array, block: int) -> Array:
    """Distance (n,) of each place to the median of those of its spot around it.

    Parameters
    ----------
    place : ndarray (n, 2)
        Those of one spot stand together, in the order of frames.
    start : ndarray (spots + 1,)
        Where each spot begins; the last element is n.
    block : int
        So many places in a row are held against the median of these and as many to each side,
        or of the first or last three times as many.
    """
    apart = np.zeros(len(place))
    for spot in range(len(start) - 1):
        first, last = start[spot], start[spot + 1]
        width = min(3 * block, last - first)
        for k in range(first, last, block):
            low = min(max(k - block, first), last - width)
            x = np.median(place[low : low + width, 0])
            y = np.median(place[low : low + width, 1])
            for j in range(k, min(k + block, last)):
                apart[j] = np.hypot(place[j, 0] - x, place[j, 1] - y)
    return apart


@entry
def bends(place: Array, frame: Array, start: Array, least: int) -> Array:
    """Median distance (spots,) of a place to the middle between those of the next frames.

    Infinite for spots with less than ``least`` of them.
    """
    result = np.full(len(start) - 1, np.inf)
    for spot in range(len(result)):
        apart, count = np.empty(start[spot + 1] - start[spot]), 0
        for k in range(start[spot] + 1, start[spot + 1] - 1):
            if frame[k + 1] - frame[k - 1] == 2:
                dx = place[k, 0] - (place[k - 1, 0] + place[k + 1, 0]) / 2
                dy = place[k, 1] - (place[k - 1, 1] + place[k + 1, 1]) / 2
                apart[count] = np.hypot(dx, dy)
                count += 1
        if count >= least:
            result[spot] = np.median(apart[:count])
    return result


@entry
def medians(value: Array, start: Array) -> Array:
    """Median (spots,) of the values (n,) of each spot; NaN if it has none."""
    result = np.full(len(start) - 1, np.nan)
    for spot in range(len(result)):
        if start[spot + 1] > start[spot]:
            result[spot] = np.median(value[start[spot] : start[spot + 1]])
    return result


@entry
def densest(frame: Array, start: Array, window: int) -> Array:
    """Most frames (spots,) of each spot within a window; they are sorted within a spot."""
    most = np.zeros(len(start) - 1, np.int64)
    for spot in range(len(most)):
        low = start[spot]
        for k in range(start[spot], start[spot + 1]):
            while frame[k] - frame[low] >= window:
                low += 1
            most[spot] = max(most[spot], k - low + 1)
    return most
