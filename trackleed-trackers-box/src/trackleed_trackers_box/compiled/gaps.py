"""Where spots are in frames in which they were not detected."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from trackleed_trackers_box.compiled.jit import entry, part

if TYPE_CHECKING:
    Array = np.ndarray[Any, np.dtype[Any]]

LOST, SEED, MEASURED, MASKED, PREDICTED = range(5)


@entry
def bridges(
    boxes: Array,
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
) -> tuple[Array, Array]:
    """Boxes (n_frames, spots, 5) and states (n_frames, spots), by number, of all spots.

    Parameters
    ----------
    boxes : ndarray (m, 5)
        Of all detections.
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
        Frames, at most, from a detection to a place that is predicted, but no more than the spot
        was detected in.
    smooth : int
        Detections to each side that a place is the mean of.
    """
    shape = len(motions), len(start) - 1
    values, state = np.full((*shape, 5), np.nan), np.zeros(shape, np.uint8)
    size = np.exp(motions[:, 2])
    cosine, sine = np.cos(motions[:, 3]), np.sin(motions[:, 3])
    for spot in range(shape[1]):
        first, last = start[spot], start[spot + 1]
        width = np.median(boxes[row[first:last], 2])
        height = np.median(boxes[row[first:last], 3])
        reach, mean = min(max_gap, last - first), _means(place[first:last], smooth)
        for k in range(first, last):
            values[frame[k], spot] = boxes[row[k]]
            state[frame[k], spot] = SEED if k == first else MEASURED
        for k in range(first, last + 1):
            # The gap before the sighting k, if there are others on its two sides.
            before = frame[k - 1] if k > first else -1
            after = frame[k] if k < last else shape[0]
            one, other = mean[max(k - 1, first) - first], mean[min(k, last - 1) - first]
            for now in range(before + 1, after):
                back, ahead = now - before, after - now
                if k == first:
                    back = ahead
                if k == last:
                    ahead = back
                if not known[now] or min(back, ahead) > reach:
                    continue
                part = back / (back + ahead)
                px = fixed[spot, 0] + size[now] * (one[0] + part * (other[0] - one[0]))
                py = fixed[spot, 1] + size[now] * (one[1] + part * (other[1] - one[1]))
                x = px * cosine[now] - py * sine[now] + motions[now, 0]
                y = px * sine[now] + py * cosine[now] + motions[now, 1]
                if 0 <= x <= valid.shape[1] - 1 and 0 <= y <= valid.shape[0] - 1:
                    values[now, spot, 0], values[now, spot, 1] = x, y
                    values[now, spot, 2], values[now, spot, 3] = width, height
                    free = valid[int(np.rint(y)), int(np.rint(x))]
                    state[now, spot] = PREDICTED if free else MASKED
    return values, state


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
