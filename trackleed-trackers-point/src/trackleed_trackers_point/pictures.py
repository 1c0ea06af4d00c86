"""Frames as the trackers look at them: single precision, and 8 bits by one scale per series."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

if TYPE_CHECKING:
    from trackleed.frames import FrameSequence

    Array = np.ndarray[Any, np.dtype[Any]]

_SAMPLED = 16  # frames looked at for the scale, spread evenly over the series
_EVERY = 3  # rows and columns of them
_LOW, _HIGH = 1.0, 99.9  # percentiles that become 0 and 255: the highest is above most spots
_FILL = 15  # px to each side from which a masked pixel is filled


class Picture:
    """One frame.

    Parameters
    ----------
    number : int
    counts : ndarray of float32 (y, x)
        Filled with the level around where ``usable`` is False.
    usable : ndarray of bool (y, x)
        Not masked, and with a value.
    grey : ndarray of uint8 (y, x)
    """

    def __init__(self, number: int, counts: Array, usable: Array, grey: Array) -> None:
        self.number = number
        self.counts = counts
        self.usable = usable
        self.grey = grey

    def blurred(self, sigma: float) -> Array:
        """Counts under a Gaussian blur of ``sigma`` px."""
        return cv2.GaussianBlur(self.counts, (0, 0), sigma, borderType=cv2.BORDER_REPLICATE)


class Pictures:
    """The frames of one series, none of them kept.

    OpenCV's flow takes 8 bits only. All frames are converted by one straight line
    between two percentiles of frames sampled over the series: a scale
    of its own for each frame would look like flow where the brightness changes.

    Parameters
    ----------
    frames : FrameSequence
        Of any type; not modified.
    """

    def __init__(self, frames: FrameSequence) -> None:
        self.frames = frames
        self.low, self.high = self._range()

    def __getitem__(self, number: int) -> Picture:
        counts = np.array(self.frames[number], dtype=np.float32)
        usable = self.frames.valid & np.isfinite(counts)
        if not usable.all():
            counts = _filled(counts, usable)
        slope = 255.0 / (self.high - self.low)
        grey = np.clip((counts - self.low) * slope, 0, 255)
        return Picture(number, counts, usable, np.rint(grey).astype(np.uint8))

    def _range(self) -> tuple[float, float]:
        n = len(self.frames)
        chosen = sorted(set(np.linspace(0, n - 1, min(n, _SAMPLED)).round().astype(int).tolist()))
        shown = self.frames.valid[::_EVERY, ::_EVERY]
        pixels = [self.frames[i][::_EVERY, ::_EVERY][shown] for i in chosen]
        pool = np.concatenate([np.zeros(0, np.float32), *pixels]).astype(np.float64)
        pool = pool[np.isfinite(pool)]
        if not len(pool):
            return 0.0, 1.0
        low, high = np.percentile(pool, [_LOW, _HIGH])
        if high <= low:  # flat but for a few pixels
            low, high = pool.min(), pool.max()
        return float(low), float(high if high > low else low + 1.0)


def _filled(counts: Array, usable: Array) -> Array:
    """Counts with the mean of the usable pixels around in place of the others.

    An edge of the mask stands still, and would hold the flow beside it.
    """
    known = usable.astype(np.float32)
    shown = np.where(usable, counts, np.float32(0))
    side = (2 * _FILL + 1, 2 * _FILL + 1)
    weight = cv2.blur(known, side, borderType=cv2.BORDER_REPLICATE)
    level = cv2.blur(shown, side, borderType=cv2.BORDER_REPLICATE)
    far = shown.sum(dtype=np.float64) / max(float(known.sum()), 1.0)
    with np.errstate(invalid="ignore", divide="ignore"):
        level = np.where(weight > 1e-6, level / weight, np.float32(far))
    return np.where(usable, shown, level).astype(np.float32)
