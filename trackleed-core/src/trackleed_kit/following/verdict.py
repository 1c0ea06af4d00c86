"""What a place is worth, told from the pixels and not from the model that gave it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from trackleed_kit import states

if TYPE_CHECKING:
    from trackleed_kit.frames import FrameSequence

    Array = np.ndarray[Any, np.dtype[Any]]

_CORE, _RING = 0.15, (0.32, 0.5)  # of a box's side: inside the spot, and around it


def states_of(frames: FrameSequence, i: int, boxes: Array, sure: Array, least: float) -> Array:
    """State of each box (n, x y width height) in frame ``i``, words (n,).

    A place that the model is sure of is ``measured`` if its `height` is at least ``least``,
    else ``lost``; ``masked`` where the mask hides it.
    """
    found = np.full(len(boxes), states.LOST, dtype=object)
    rows, columns = frames.shape
    frame = np.asarray(frames[i], np.float32)
    clipped = frames.saturated(i)
    for k in np.flatnonzero(sure & np.isfinite(boxes).all(axis=1)):
        x, y, side = boxes[k, 0], boxes[k, 1], float(boxes[k, 2:].mean())
        column, row = int(np.rint(x)), int(np.rint(y))
        if not (0 <= column < columns and 0 <= row < rows):
            continue
        if not frames.valid[row, column]:
            found[k] = states.MASKED
        elif height(frame, frames, x, y, side) >= least:
            near = clipped[max(row - 1, 0) : row + 2, max(column - 1, 0) : column + 2]
            found[k] = states.SATURATED if near.any() else states.MEASURED
    return found


def height(frame: Array, frames: FrameSequence, x: float, y: float, side: float) -> float:
    """How far the light at a place stands over its surroundings, in standard errors.

    Mean of the pixels within 0.15 of the box's side, less the median of those between 0.32 and
    0.5, divided by the standard error that the noise model gives this difference (that of a
    median is sqrt(pi/2) that of a mean: Kendall's Advanced Theory of Statistics, vol. 1). Without a
    spot it is normal: 4 is passed by chance once in 30,000 places. NaN without usable pixels.
    """
    reach = int(np.ceil(side / 2)) + 1
    top, left = max(int(y) - reach, 0), max(int(x) - reach, 0)
    part = (slice(top, int(y) + reach + 2), slice(left, int(x) + reach + 2))
    image = frame[part]
    rows, columns = np.indices(image.shape)
    distance = np.hypot(columns + left - x, rows + top - y) / side
    usable = frames.valid[part] & np.isfinite(image)
    core = image[usable & (distance <= max(_CORE, 0.8 / side))]
    ring = image[usable & (distance >= _RING[0]) & (distance <= _RING[1])]
    if not len(core) or len(ring) < 5:
        return float("nan")
    level = float(np.median(ring))
    variance = float(frames.noise.variance(level)) * (1 / len(core) + np.pi / 2 / len(ring))
    return float((core.mean() - level) / np.sqrt(variance))
