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
    step : float
        Counts between neighbouring grey levels of the camera; 0 if there are none.
    """

    def __init__(
        self, number: int, counts: Array, usable: Array, grey: Array, step: float = 0.0
    ) -> None:
        self.number = number
        self.counts = counts
        self.usable = usable
        self.grey = grey
        self.step = step

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
        self.step = _grey_step(frames)
        self._usable: Array = np.ones(frames.shape, bool)
        self._weight: Array = np.ones(frames.shape, np.float32)  # usable part around each pixel

    def __getitem__(self, number: int) -> Picture:
        counts = np.array(self.frames[number], dtype=np.float32)
        usable = self.frames.valid & np.isfinite(counts)
        if not usable.all():
            counts = self._filled(counts, usable)
        slope = 255.0 / (self.high - self.low)
        grey = np.clip((counts - self.low) * slope, 0, 255)
        return Picture(number, counts, usable, np.rint(grey).astype(np.uint8), self.step)

    def _filled(self, counts: Array, usable: Array) -> Array:
        """Counts with the mean of the usable pixels around in place of the others.

        An edge of the mask stands still, and would hold the flow beside it.
        """
        if not np.array_equal(usable, self._usable):  # it is the same in nearly all frames
            self._usable, self._weight = usable, _mean_around(usable.astype(np.float32))
        shown = np.where(usable, counts, np.float32(0))
        far = np.float32(self.low)
        level = _mean_around(shown) / np.maximum(self._weight, np.float32(1e-6))
        return np.where(usable, shown, np.where(self._weight > 1e-4, level, far))

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


def _grey_step(frames: FrameSequence) -> float:
    """Smallest difference of two raw values: 1 for most cameras, 16 for 12 bits in 16."""
    if not len(frames) or not np.issubdtype(frames.source.dtype, np.integer):
        return 0.0
    levels = np.unique(frames.raw(0)[::_EVERY, ::_EVERY]).astype(float)
    return float(np.diff(levels).min()) if len(levels) > 1 else 1.0


def _mean_around(image: Array) -> Array:
    side = (2 * _FILL + 1, 2 * _FILL + 1)
    return cv2.blur(image, side, borderType=cv2.BORDER_REPLICATE)
