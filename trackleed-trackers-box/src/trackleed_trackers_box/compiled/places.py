"""How the sightings of one spot after another lie, in the pattern and on the screen."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from trackleed_trackers_box.compiled.jit import entry, part

if TYPE_CHECKING:
    Array = np.ndarray[Any, np.dtype[Any]]


@entry
def placed(
    begin: int, end: int, points: Array, start: Array, motions: Array, frame: Array, place: Array
) -> None:
    """Frame (n,) and place in the pattern (n, 2) of the points of the frames begin to end."""
    for now in range(begin, end):
        size, angle = np.exp(-motions[now, 2]), motions[now, 3]
        cosine, sine = size * np.cos(angle), size * np.sin(angle)
        for k in range(start[now], start[now + 1]):
            x, y = points[k, 0] - motions[now, 0], points[k, 1] - motions[now, 1]
            frame[k], place[k, 0], place[k, 1] = now, x * cosine + y * sine, y * cosine - x * sine


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
def strays(
    begin: int,
    end: int,
    start: Array,
    place: Array,
    frame: Array,
    scale: Array,
    size: Array,
    distortion: float,
    block: int,
    apart: Array,
) -> None:
    """Distance (n,), on the screen, of each place to the median of those of its spot around it.

    Of the spots begin to end. Less what a spot may move by the scale.

    Parameters
    ----------
    begin, end : int
    start : ndarray (spots + 1,)
        Where each spot begins; the last element is n.
    place : ndarray (n, 2)
        Those of one spot stand together, in the order of frames.
    frame : ndarray (n,)
    scale, size : ndarray (n_frames,)
        Expected, its logarithm, and found.
    distortion : float
        px per px and step of the scale; 0 where that does not change.
    block : int
        So many places in a row are held against the median of these and as many to each side,
        or of the first or last three times as many.
    apart : ndarray (n,)
        Is written.
    """
    room = np.empty(3 * block)
    for spot in range(begin, end):
        first, last = start[spot], start[spot + 1]
        width = min(3 * block, last - first)
        usual = np.median(scale[frame[first:last]]) if distortion > 0 else 0.0
        for k in range(first, last, block):
            low = min(max(k - block, first), last - width)
            x = _middle(place, low, width, 0, room)
            y = _middle(place, low, width, 1, room)
            for j in range(k, min(k + block, last)):
                away = np.sqrt((place[j, 0] - x) ** 2 + (place[j, 1] - y) ** 2)
                if distortion > 0:
                    arm = np.hypot(place[j, 0], place[j, 1])
                    away -= distortion * abs(scale[frame[j]] - usual) * arm
                apart[j] = away * size[frame[j]]


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
def medians(value: Array, start: Array, enough: float) -> Array:
    """Median (spots,) of the values (n,) of each spot; 0 where it is not above ``enough``."""
    result = np.zeros(len(start) - 1)
    for spot in range(len(result)):
        some, few = value[start[spot] : start[spot + 1]], 0
        for each in some:
            few += each <= enough
        if few <= len(some) // 2:
            result[spot] = np.median(some)
    return result


@entry
def standing(
    begin: int,
    end: int,
    start: Array,
    place: Array,
    row: Array,
    frame: Array,
    points: Array,
    scale: Array,
    moved: float,
    part: float,
    result: Array,
) -> None:
    """Whether the spots begin to end hardly move on the screen, where they do in the pattern.

    They scatter by more than ``moved`` px in the pattern, at the median of their scales, whose
    logarithms (n_frames,) are given, and by less than a ``part`` of that on the screen.
    """
    largest = np.exp(scale.max()) if len(scale) else 1.0
    for spot in range(begin, end):
        some = np.arange(start[spot], start[spot + 1])
        within, without = _scatter(place, some), _scatter(points, row[some])
        if within * largest > moved and without < part * within * largest:
            within *= np.exp(np.median(scale[frame[some]]))
            result[spot] = within > moved and without < part * within


@part
def _scatter(at: Array, rows: Array) -> float:
    """Standard deviation of some positions."""
    n, x, y = len(rows), at[rows[0], 0], at[rows[0], 1]
    right = down = square = 0.0
    for k in rows:
        dx, dy = at[k, 0] - x, at[k, 1] - y
        right += dx
        down += dy
        square += dx * dx + dy * dy
    return float(np.sqrt(max(square / n - (right / n) ** 2 - (down / n) ** 2, 0.0)))


@entry
def clear(
    points: Array, row: Array, start: Array, asked: Array, valid: Array, half: int, most: int
) -> Array:
    """Whether spots (spots,) that are ``asked`` for are mostly seen so far inside the valid screen.

    Told from about ``most`` of their sightings, or all that there are, which are a ``row`` (n,) of
    the points each.
    """
    result = np.zeros(len(start) - 1, np.bool_)
    for spot in np.flatnonzero(asked):
        count = free = 0
        for k in range(start[spot], start[spot + 1], 1 + (start[spot + 1] - start[spot]) // most):
            x, y = int(np.rint(points[row[k], 0])), int(np.rint(points[row[k], 1]))
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
