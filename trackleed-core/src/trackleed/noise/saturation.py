"""The level at which a camera clips, from the series itself."""

from __future__ import annotations

import numpy as np

from trackleed.frames import FrameSequence
from trackleed.noise.scatter import sample

FRAMES = 16  # frames looked at, spread evenly over the series


def estimate_saturation(frames: FrameSequence) -> float | None:
    """Level at which the camera clips, in raw counts; None if nothing is clipped.

    That is the full scale of the integer type where pixels reach it, or else the
    highest value if pixels pile up there: more than twice as many as in the two
    per cent below it, as where a spot is cut off (12-bit data in 16-bit files).
    """
    valid = frames.valid
    samples = [frames.raw(i)[valid] for i in sample(frames, FRAMES)]
    pixels = np.concatenate([p.ravel() for p in samples] or [np.empty(0)])
    pixels = pixels[np.isfinite(pixels)]
    if pixels.size == 0:
        return None
    top = pixels.max()
    if np.issubdtype(pixels.dtype, np.integer) and top == np.iinfo(pixels.dtype).max:
        return float(top)
    at_top = int(np.count_nonzero(pixels == top))
    below = int(np.count_nonzero((pixels >= 0.98 * top) & (pixels < top)))
    piled_up = at_top >= 8 and at_top > 2 * below and at_top < pixels.size // 2
    return float(top) if piled_up else None
