"""How noisy the blurred image is, from place to place."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from trackleed_detectors.classic import coarse
from trackleed_detectors.classic.chain import SMOOTH, Array, blur
from trackleed_detectors.classic.scratch import Scratch

_REACH = 3 * SMOOTH  # blur that tells noise from what is broader than a spot
_BLOCK = 32  # px, side of the blocks in which the noise is measured
_SIGMA = 1.887  # scales the result, low as it is chosen, to sigma in white noise (simulated)
_NEIGHBOURS = 2  # blocks on each side that the noise of a block is smoothed over
_LOW = 0.2  # quantile of these blocks that counts


@dataclass(frozen=True)
class Noise:
    """Standard deviation of the noise, from figures of the blocks of an image."""

    shape: tuple[int, int]  # of the image
    level: Array  # (y / 4, x / 4), counts
    darkest: float  # level of the darkest block
    plain: Array  # (rows, columns) of blocks
    grown: Array  # the same, divided by the root of the level over the darkest block
    least: float
    gain: Array | None = None  # (y, x), what the image was multiplied by afterwards

    def at(self, places: Array) -> Array:
        """The noise at some pixels, rows and columns (2, n)."""
        figures = coarse.noise_at(
            places, self.shape, self.level, self.plain, self.grown, self.darkest
        )
        noise = np.maximum(figures, self.least)
        return noise if self.gain is None else noise * self.gain[tuple(places)]


class Blocks:
    """The blocks of an image in which the noise is measured, and what can be seen of each.

    Every second pixel along x and y is looked at: the blur leaves no more detail than that.

    Parameters
    ----------
    seen : ndarray (y, x)
        1 where the image can be used.
    """

    def __init__(self, seen: Array) -> None:
        self._seen = np.ascontiguousarray(seen[::2, ::2])
        self._side = _BLOCK // 2
        self.shape = tuple(-(-length // self._side) for length in self._seen.shape)
        nothing = np.zeros(self._seen.shape, np.float32)
        shown = np.isfinite(self._cut(nothing, nothing, Scratch()))
        count = shown.sum(axis=1)
        self.known = (count > 0).reshape(self.shape)
        self._middle = np.arange(len(count)), np.maximum(count - 1, 0) // 2
        corner = _BLOCK * np.indices(self.shape).reshape(2, -1)
        inside = 2 * np.indices((self._side, self._side)).reshape(2, -1)
        self.middles = corner + (inside @ shown.T / np.maximum(count, 1)).round().astype(np.intp)

    def deviation(self, image: Array, broader: Array, scratch: Scratch) -> Array:
        """Median absolute deviation from the median of an image (y / 2, x / 2) less another.

        In each block, (rows, columns); NaN if nothing of it is seen.
        """
        values = self._cut(image, broader, scratch)
        values -= self._median(values).reshape(-1, 1)
        return self._median(np.abs(values, out=values))

    def _cut(self, image: Array, broader: Array, scratch: Scratch) -> Array:
        """The pixels of each block, array (n, side * side), infinite where nothing is seen."""
        out = scratch("blocks", (*self.shape, self._side, self._side))
        if any(length % self._side for length in image.shape):
            out.fill(np.inf)
        coarse.blocks(image, broader, self._seen, out)
        return out.reshape(-1, self._side**2)

    def _median(self, values: Array) -> Array:
        """The median of each block; the values are put in order."""
        values.sort(axis=1)
        return np.where(self.known, values[self._middle].reshape(self.shape), np.nan)


def measure(
    smooth: Array, level: Array, blocks: Blocks, scratch: Scratch, least: float = 0.0
) -> Noise:
    """Noise in the blurred image.

    Each block gives a robust figure, the median absolute deviation of what a
    wider blur takes away. Of the blocks around, one among the lower counts, so
    that a cluster of spots does not pass for noise. The noise of a counted
    signal grows with the root of its level, but how far the darkest pixels are
    from black is not known: the blocks are compared as they are and divided by
    that root, and the higher figure holds.

    Parameters
    ----------
    smooth : ndarray (y, x)
        The blurred image, background removed.
    level : ndarray (y / 4, x / 4)
        The background that was removed.
    blocks : Blocks
    scratch : Scratch
    least : float
        What the noise is at least.
    """
    size = (-(-smooth.shape[0] // 2), -(-smooth.shape[1] // 2))
    half, broader = scratch("half", size), scratch("broader", size)
    coarse.every_second(smooth, half)
    scale = _SIGMA * blocks.deviation(half, blur(half, _REACH / 2, broader), scratch)
    height = coarse.levels_at(blocks.middles, smooth.shape, level).reshape(blocks.shape)
    height[~blocks.known] = np.nan
    darkest = quantile(height, 0.0)
    plain, grown = (_low_around(s) for s in (scale, scale / np.sqrt(height - darkest + 1)))
    return Noise(smooth.shape, level, darkest, plain, grown, least)


def _low_around(scale: Array) -> Array:
    """A low one of the blocks around each."""
    low = coarse.low_around(scale, _NEIGHBOURS, _LOW)
    unknown = np.isnan(low)
    if unknown.any():
        low[unknown] = quantile(scale, 0.5)
    return low


def quantile(values: Array, q: float) -> float:
    """Quantile, NaN left out; NaN where nothing is left."""
    ordered = np.sort(values[np.isfinite(values)])
    return float(ordered[int(q * (len(ordered) - 1))]) if len(ordered) else float("nan")
