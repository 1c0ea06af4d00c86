"""Where spots are in frames in which they were not detected."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from trackleed_trackers_box.compiled.jit import entry, part

if TYPE_CHECKING:
    Array = np.ndarray[Any, np.dtype[Any]]

LOST, SEED, MEASURED, MASKED, PREDICTED = range(5)

_BESIDE = 2 / 3  # of a ROI, four widths: so near to another spot a spot may not be detected


@entry
def owners(begin: int, end: int, start: Array, row: Array, owner: Array) -> None:
    """Write the spot of each detection, for the spots begin to end; see `bridges`."""
    for spot in range(begin, end):
        for k in range(start[spot], start[spot + 1]):
            owner[row[k]] = spot


@entry
def seen(
    begin: int, end: int, start: Array, boxes: Array, owner: Array, values: Array, state: Array
) -> None:
    """Write the frames begin to end, which start where ``start`` tells, as far as spots are seen.

    One frame after another, as memory goes; else see `bridges`.
    """
    for now in range(begin, end):
        for spot in range(values.shape[1]):
            state[now, spot] = LOST
            for column in range(5):
                values[now, spot, column] = np.nan
        for i in range(start[now], start[now + 1]):
            if owner[i] >= 0:
                state[now, owner[i]] = MEASURED
                for column in range(5):
                    values[now, owner[i], column] = boxes[i, column]


@entry
def bridges(
    first_spot: int,
    end_spot: int,
    boxes: Array,
    begin: Array,
    owner: Array,
    row: Array,
    frame: Array,
    place: Array,
    fixed: Array,
    start: Array,
    motions: Array,
    known: Array,
    valid: Array,
    max_gap: int,
    smooth: int,
    values: Array,
    state: Array,
) -> None:
    """Write boxes and states of some spots in the frames in which they were not detected.

    Parameters
    ----------
    first_spot, end_spot : int
    boxes : ndarray (m, 5)
        Of all detections, by frame and by x in a frame.
    begin : ndarray (n_frames + 1,)
        Where each frame begins.
    owner : ndarray (m,)
        Spot of each detection; -1 for none.
    row, frame : ndarray (n,)
        Of the sightings, those of one spot together, in the order of frames.
    place : ndarray (n, 2)
        In the pattern, from the fixed point of the spot's group.
    fixed : ndarray (spots, 2)
        That point, px from that of the pattern.
    start : ndarray (spots + 1,)
        Where each spot begins.
    motions : ndarray (n_frames, 4)
    known : ndarray of bool (n_frames,)
        Whether a frame's motion is known.
    valid : ndarray of bool (y, x)
    max_gap : int
        Frames, at most, from a sighting to a place that is predicted. Those in which another spot
        is seen beside it do not count; but there are no more than the spot was seen in.
    smooth : int
        Sightings to each side that a place is the mean of.
    values : ndarray (n_frames, spots, 5)
    state : ndarray (n_frames, spots)
        Numbers.
    """
    frames, size = len(motions), np.empty(2)
    for spot in range(first_spot, end_spot):
        first, last = start[spot], start[spot + 1]
        state[frame[first], spot] = SEED
        mean = _means(place[first:last], smooth)
        size[0] = np.median(boxes[row[first:last], 2])
        size[1] = np.median(boxes[row[first:last], 3])
        for k in range(first, last + 1):
            # The gap before the sighting k, if there are others on its two sides.
            before = frame[k - 1] if k > first else -1
            after = frame[k] if k < last else frames
            if after - before < 2:
                continue
            one, other = mean[max(k - 1, first) - first], mean[min(k, last - 1) - first]
            for sense in (1, -1):
                if k == (first if sense > 0 else last):
                    continue
                told, now = int(sense < 0), before + 1 if sense > 0 else after - 1
                while before < now < after and told <= max_gap:
                    at = _crossed(before, after, one, other, fixed[spot], motions[now], now)
                    some = slice(begin[now], begin[now + 1])
                    clear = not _seen_near(boxes[some], owner[some], at, _BESIDE * size[0])
                    told += clear and sense > 0
                    since = now - before if k > first else frames
                    until = after - now if k < last else frames
                    if known[now] and told <= max_gap and min(since, until) <= last - first:
                        _predict(at, size, valid, values[now, spot], state[now], spot)
                    told += clear and sense < 0
                    now += sense
                if told <= max_gap:
                    break  # that was the whole gap


@part
def _crossed(
    before: int, after: int, one: Array, other: Array, fixed: Array, motion: Array, now: int
) -> tuple[float, float]:
    """Position on the screen of a spot between two frames and two places."""
    part, size = (now - before) / (after - before), np.exp(motion[2])
    cosine, sine = np.cos(motion[3]), np.sin(motion[3])
    px = fixed[0] + size * (one[0] + part * (other[0] - one[0]))
    py = fixed[1] + size * (one[1] + part * (other[1] - one[1]))
    return px * cosine - py * sine + motion[0], px * sine + py * cosine + motion[1]


@part
def _predict(
    at: tuple[float, float], size: Array, valid: Array, values: Array, state: Array, spot: int
) -> None:
    """Put a spot where it is expected, if that is in the frame."""
    if 0 <= at[0] <= valid.shape[1] - 1 and 0 <= at[1] <= valid.shape[0] - 1:
        values[0], values[1], values[2], values[3] = at[0], at[1], size[0], size[1]
        free = valid[int(np.rint(at[1])), int(np.rint(at[0]))]
        state[spot] = PREDICTED if free else MASKED


@part
def _seen_near(boxes: Array, owner: Array, at: tuple[float, float], reach: float) -> bool:
    """Whether any spot is seen within reach of a position, in one frame."""
    low, high = 0, len(boxes)
    while low < high:
        middle = (low + high) // 2
        if boxes[middle, 0] < at[0] - reach:
            low = middle + 1
        else:
            high = middle
    while low < len(boxes) and boxes[low, 0] <= at[0] + reach:
        dx, dy = boxes[low, 0] - at[0], boxes[low, 1] - at[1]
        if owner[low] >= 0 and dx * dx + dy * dy < reach * reach:
            return True
        low += 1
    return False


@part
def _means(place: Array, smooth: int) -> Array:
    """Running mean of places (n, 2), over fewer of them at the ends."""
    n, result = len(place), np.empty_like(place)
    for axis in range(2):
        total, low, high = 0.0, 0, 0
        for k in range(n):
            while high < min(k + smooth + 1, n):
                total += place[high, axis]
                high += 1
            while low < k - smooth:
                total -= place[low, axis]
                low += 1
            result[k, axis] = total / (high - low)
    return result
