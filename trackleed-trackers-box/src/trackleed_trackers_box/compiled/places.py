"""How the sightings of one spot after another lie, in the pattern and on the screen."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from trackleed_trackers_box.compiled.basics import first_from
from trackleed_trackers_box.compiled.jit import entry, part

if TYPE_CHECKING:
    Array = np.ndarray[Any, np.dtype[Any]]


@entry
def placed(points: Array, start: Array, motions: Array) -> tuple[Array, Array]:
    """Frame (n,) and place in the pattern (n, 2) of points, whose frames begin at ``start``."""
    frame, place = np.empty(len(points), np.int64), np.empty((len(points), 2))
    for now in range(len(start) - 1):
        size, angle = np.exp(-motions[now, 2]), motions[now, 3]
        cosine, sine = size * np.cos(angle), size * np.sin(angle)
        for k in range(start[now], start[now + 1]):
            x, y = points[k, 0] - motions[now, 0], points[k, 1] - motions[now, 1]
            frame[k], place[k, 0], place[k, 1] = now, x * cosine + y * sine, y * cosine - x * sine
    return frame, place


@entry
def grouped(number: Array) -> tuple[Array, Array]:
    """Order that puts what has the same number together, that of the most first; stable.

    Negative numbers are left out.

    Returns
    -------
    rows : ndarray (n,)
    start : ndarray (groups + 1,)
        Where each group begins.
    """
    count = np.zeros(max(number.max(), -1) + 1 if len(number) else 0, np.int64)
    for k in number:
        if k >= 0:
            count[k] += 1
    by_count = np.argsort(-count, kind="mergesort")[: (count > 0).sum()]
    start, at = np.zeros(len(by_count) + 1, np.int64), np.zeros(len(count), np.int64)
    for rank in range(len(by_count)):
        at[by_count[rank]] = start[rank]
        start[rank + 1] = start[rank] + count[by_count[rank]]
    rows = np.empty(start[-1], np.int64)
    for k in range(len(number)):
        if number[k] >= 0:
            rows[at[number[k]]] = k
            at[number[k]] += 1
    return rows, start


@entry
def taken(
    rows: Array, frame: Array, row: Array, place: Array, group: Array, stray: Array
) -> tuple[Array, Array, Array, Array, Array]:
    """Columns of sightings in the order of ``rows``."""
    n = len(rows)
    frames, numbers, groups = np.empty(n, np.int64), np.empty(n, np.int64), np.empty(n, np.int64)
    at, strays = np.empty((n, 2)), np.empty(n)
    for i in range(n):
        k = rows[i]
        frames[i], numbers[i], groups[i], strays[i] = frame[k], row[k], group[k], stray[k]
        at[i, 0], at[i, 1] = place[k, 0], place[k, 1]
    return frames, numbers, at, groups, strays


@entry
def hosts(
    place: Array, frame: Array, rows: Array, start: Array, reach: float, most: float
) -> Array:
    """Spot (spots,) that each spot is one with: the first within reach.

    Two that are seen together in more than the part ``most`` of the frames of the second are two.
    """
    count = len(start) - 1
    centre, host = np.zeros((count, 2)), np.arange(count)
    for spot in range(count):
        for k in rows[start[spot] : start[spot + 1]]:
            centre[spot, 0] += place[k, 0]
            centre[spot, 1] += place[k, 1]
        centre[spot] /= start[spot + 1] - start[spot]
    by_x = np.argsort(centre[:, 0])
    centre, rank = centre[by_x], np.empty(count, np.int64)
    rank[by_x] = np.arange(count)
    for first in range(count):
        if host[first] != first:
            continue
        x, y = centre[rank[first]]
        low = first_from(centre, x - reach, rank[first])
        for i in range(low, count):
            if centre[i, 0] - x > reach:
                break
            second = by_x[i]
            apart = (centre[i, 0] - x) ** 2 + (centre[i, 1] - y) ** 2
            if second <= first or host[second] != second or apart > reach**2:
                continue
            one = rows[start[first] : start[first + 1]]
            other = rows[start[second] : start[second + 1]]
            if _common(frame, one, other) <= most * len(other):
                host[second] = first
    return host


@part
def _common(frame: Array, one: Array, other: Array) -> int:
    """Sightings among the ``other`` in frames of the ``one``; both are in the order of frames."""
    count = k = 0
    for row in other:
        while k < len(one) and frame[one[k]] < frame[row]:
            k += 1
        count += k < len(one) and frame[one[k]] == frame[row]
    return count


@part
def _middle(value: Array, low: int, count: int, axis: int, room: Array) -> float:
    """Median of a few values in a column of an array (n, 2), from row ``low`` on."""
    for k in range(count):
        # The larger one is carried on, in any case: cheaper than to guess.
        carried = value[low + k, axis]
        for i in range(k):
            other = room[i]
            room[i], carried = min(other, carried), max(other, carried)
        room[k] = carried
    half = count // 2
    return room[half] if count % 2 else (room[half - 1] + room[half]) / 2


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
    apart, room = np.zeros(len(place)), np.empty(3 * block)
    for spot in range(len(start) - 1):
        first, last = start[spot], start[spot + 1]
        width = min(3 * block, last - first)
        for k in range(first, last, block):
            low = min(max(k - block, first), last - width)
            x = _middle(place, low, width, 0, room)
            y = _middle(place, low, width, 1, room)
            for j in range(k, min(k + block, last)):
                apart[j] = np.sqrt((place[j, 0] - x) ** 2 + (place[j, 1] - y) ** 2)
    return apart


@entry
def bends(place: Array, frame: Array, start: Array, asked: Array, least: int) -> Array:
    """Median distance (spots,) of a place to the middle between those of the next frames.

    Infinite for spots with less than ``least`` of them, or that are not ``asked`` for.
    """
    result = np.full(len(start) - 1, np.inf)
    for spot in np.flatnonzero(asked):
        apart, count = np.empty(start[spot + 1] - start[spot]), 0
        for k in range(start[spot] + 1, start[spot + 1] - 1):
            if frame[k + 1] - frame[k - 1] == 2:
                dx = place[k, 0] - (place[k - 1, 0] + place[k + 1, 0]) / 2
                dy = place[k, 1] - (place[k - 1, 1] + place[k + 1, 1]) / 2
                apart[count] = np.sqrt(dx * dx + dy * dy)
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
def scatters(at: Array, start: Array) -> Array:
    """Standard deviation (spots,) of the positions (n, 2) of each spot."""
    result = np.zeros(len(start) - 1)
    for spot in range(len(result)):
        first, last = start[spot], start[spot + 1]
        for axis in range(2):
            mean = at[first:last, axis].sum() / (last - first)
            for k in range(first, last):
                result[spot] += (at[k, axis] - mean) ** 2 / (last - first)
    return np.sqrt(result)


@entry
def clear(points: Array, start: Array, asked: Array, valid: Array, half: int, most: int) -> Array:
    """Whether spots (spots,) that are ``asked`` for are mostly seen so far inside the valid screen.

    Told from about ``most`` of their points (n, 2), or all that there are.
    """
    result = np.zeros(len(start) - 1, np.bool_)
    for spot in np.flatnonzero(asked):
        count = free = 0
        for k in range(start[spot], start[spot + 1], 1 + (start[spot + 1] - start[spot]) // most):
            x, y = int(np.rint(points[k, 0])), int(np.rint(points[k, 1]))
            part = valid[max(y - half, 0) : y + half + 1, max(x - half, 0) : x + half + 1]
            count += 1
            free += part.all()
        result[spot] = 2 * free > count
    return result


@entry
def densest(frame: Array, start: Array, counts: Array, window: int) -> Array:
    """Most frames (spots,) of each spot within a window, of those that count.

    They are sorted within a spot; ``counts`` has an element for each frame.
    """
    most, seen = np.zeros(len(start) - 1, np.int64), np.empty(len(frame), np.int64)
    for spot in range(len(most)):
        low = high = 0
        for k in range(start[spot], start[spot + 1]):
            if not counts[frame[k]]:
                continue
            seen[high] = frame[k]
            high += 1
            while frame[k] - seen[low] >= window:
                low += 1
            most[spot] = max(most[spot], high - low)
    return most
