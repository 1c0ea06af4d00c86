"""Static hot pixels: single pixels far above their neighbours in nearly every frame."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import ndimage

Array = np.ndarray[Any, np.dtype[Any]]
Bool = np.ndarray[Any, np.dtype[np.bool_]]

_AROUND = np.array([[1, 1, 1], [1, 0, 1], [1, 1, 1]], bool)
_NOISES = 8.0  # how far above its neighbours, in noises of the averaged frame
_SPREAD = 0.25  # a spot lights its neighbours too: more than this share of its own height
_OFTEN = 0.8  # share of the frames in which the pixel tops its neighbours
_BLOCK = 32  # side of the blocks in which the noise is taken, px


def find_hot_pixels(stack: Array) -> Bool:
    """Hot pixels of a stack of frames (n, y, x), bool (y, x).

    A spot is wider than a pixel, even when it is static and the series has one frame
    only: its brightest neighbour has a good share of its height. A hot pixel's has not.
    """
    mean = stack.mean(axis=0, dtype=np.float32)
    around = ndimage.median_filter(mean, footprint=_AROUND, mode="nearest")
    highest = ndimage.maximum_filter(mean, footprint=_AROUND, mode="nearest")
    height = mean - around
    # Whole counts hide noise that is smaller than a count.
    least = 0.3 if stack.dtype.kind in "iu" else 0.0
    noise = np.maximum(_noise(height), least)
    lonely = (highest - around < _SPREAD * height) & (mean - highest > _NOISES * noise)
    y, x = np.nonzero(lonely)
    tops = np.zeros(len(y))
    for frame in stack:
        tops += frame[y, x] > ndimage.maximum_filter(frame, footprint=_AROUND)[y, x]
    hot = np.zeros(mean.shape, bool)
    often = tops >= _OFTEN * len(stack)
    hot[y[often], x[often]] = True
    return hot


def _noise(height: Array) -> Array:
    """Local noise (y, x): light is noisier where there is more of it."""
    h, w = (-(-size // _BLOCK) for size in height.shape)
    padded = np.pad(
        np.abs(height),
        ((0, h * _BLOCK - height.shape[0]), (0, w * _BLOCK - height.shape[1])),
        mode="symmetric" if min(height.shape) >= _BLOCK else "wrap",
    )
    blocks = padded.reshape(h, _BLOCK, w, _BLOCK).swapaxes(1, 2).reshape(h, w, -1)
    sigma = 1.4826 * np.median(blocks, axis=2)
    full = np.maximum(sigma, np.median(sigma)).repeat(_BLOCK, 0).repeat(_BLOCK, 1)
    smooth: Array = full[: height.shape[0], : height.shape[1]]
    return smooth
