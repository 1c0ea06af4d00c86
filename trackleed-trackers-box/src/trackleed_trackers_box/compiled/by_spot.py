"""Sightings put together by spot."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from trackleed_trackers_box.compiled.basics import first_from
from trackleed_trackers_box.compiled.jit import entry, part

if TYPE_CHECKING:
    Array = np.ndarray[Any, np.dtype[Any]]


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
    start, at = _ranked(number)
    rows = np.empty(start[-1], np.int64)
    for k in range(len(number)):
        if number[k] >= 0:
            rows[at[number[k]]] = k
            at[number[k]] += 1
    return rows, start


@part
def _ranked(number: Array) -> tuple[Array, Array]:
    """Where each group begins: by rank (groups + 1,), and by number; the largest is the first."""
    most = -1
    for k in number:
        most = max(most, k)
    count = np.zeros(most + 1, np.int64)
    for k in number:
        if k >= 0:
            count[k] += 1
    # Sorted by counting, as most groups are of one or two.
    largest = count.max() if len(count) else 0
    after = np.zeros(largest + 2, np.int64)  # groups that are larger, and those of a size so far
    for size in count:
        after[max(size - 1, 0)] += size > 0
    for size in range(largest - 1, -1, -1):
        after[size] += after[size + 1]
    start, at = np.zeros(after[0] + 1, np.int64), np.zeros(len(count), np.int64)
    for group in range(len(count)):
        if count[group] > 0:
            at[group] = after[count[group]]
            after[count[group]] += 1
            start[at[group] + 1] = count[group]
    start = np.cumsum(start)
    for group in range(len(count)):
        at[group] = start[at[group]]
    return start, at


@entry
def together(number: Array, frame: Array, place: Array) -> tuple[Array, Array, Array, Array]:
    """Start, frame, row and place of what is sorted as `grouped` does.

    Where the next of each group goes is seldom far from where the last one went, and is kept in
    the processor's cache; where it comes from would not be.
    """
    start, at = _ranked(number)
    count = start[-1]
    frames, rows, places = (
        np.empty(count, np.int64),
        np.empty(count, np.int64),
        np.empty((count, 2)),
    )
    for k in range(len(number)):
        if number[k] >= 0:
            i = at[number[k]]
            frames[i], rows[i], places[i, 0], places[i, 1] = frame[k], k, place[k, 0], place[k, 1]
            at[number[k]] = i + 1
    return start, frames, rows, places


@entry
def taken(
    begin: int,
    end: int,
    start: Array,
    rows: Array,
    given: tuple[Array, Array, Array],
    result: tuple[Array, Array, Array],
) -> None:
    """Frame, row and place of sightings, of the spots begin to end, in the order of ``rows``."""
    for i in range(start[begin], start[end]):
        k = rows[i]
        result[0][i], result[1][i] = given[0][k], given[1][k]
        result[2][i, 0], result[2][i, 1] = given[2][k, 0], given[2][k, 1]


@entry
def hosts(place: Array, frame: Array, start: Array, reach: float, most: float) -> Array:
    """Spot (spots,) that each spot is one with: the first within reach.

    Two that are seen together in more than the part ``most`` of the frames of the second are two.
    """
    count = len(start) - 1
    centre, host = np.zeros((count, 2)), np.arange(count)
    for spot in range(count):
        for k in range(start[spot], start[spot + 1]):
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
            if (centre[i, 0] - x) ** 2 + (centre[i, 1] - y) ** 2 > reach**2:
                continue
            second = by_x[i]
            if second <= first or host[second] != second:
                continue
            one, other = frame[start[first] : start[first + 1]], start[second : second + 2]
            if _common(one, frame[other[0] : other[1]]) <= most * (other[1] - other[0]):
                host[second] = first
    return host


@entry
def united(host: Array, start: Array, frame: Array, row: Array, many: int, frames: int) -> Array:
    """Host (many,) of each row; -1 for none.

    Of two in one frame that of the first spot stays.
    """
    number, stamp, after = np.full(many, -1), np.full(frames, -1), np.full(len(host), -1)
    for spot in range(len(host) - 1, -1, -1):
        if host[spot] != spot:
            after[spot] = after[host[spot]]
            after[host[spot]] = spot
    for first in range(len(host)):
        one = first if host[first] == first else -1
        while one >= 0:
            for k in range(start[one], start[one + 1]):
                if stamp[frame[k]] != first:
                    stamp[frame[k]] = first
                    number[row[k]] = first
            one = after[one]
    return number


@part
def _common(one: Array, other: Array) -> int:
    """How many of the ``other`` frames are among the ``one``; both are sorted."""
    count, k = 0, np.searchsorted(one, other[0])
    for frame in other:
        while k < len(one) and one[k] < frame:
            k += 1
        count += k < len(one) and one[k] == frame
    return count
