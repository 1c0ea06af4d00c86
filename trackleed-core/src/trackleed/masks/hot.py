"""Static hot pixels: single pixels far above their neighbours in nearly every frame."""

from __future__ import annotations

from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]
Bool = np.ndarray[Any, np.dtype[np.bool_]]

_AROUND = np.array([(dy, dx) for dy in (-1, 0, 1) for dx in (-1, 0, 1) if dy or dx])
_RING = np.argwhere(np.pad(np.zeros((3, 3), bool), 1, constant_values=True)) - 2
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
    highest = _highest_around(mean)
    # Whole counts hide noise that is smaller than a count.
    least = 0.3 if stack.dtype.kind in "iu" else 0.0
    y, x = np.nonzero(mean - highest > _NOISES * np.maximum(_noise(mean), least))
    ground = np.median(
        mean[
            np.clip(y + _RING[:, :1], 0, mean.shape[0] - 1),
            np.clip(x + _RING[:, 1:], 0, mean.shape[1] - 1),
        ],
        axis=0,
    )
    lonely = highest[y, x] - ground < _SPREAD * (mean[y, x] - ground)
    y, x = y[lonely], x[lonely]
    tops = np.zeros(len(y))
    for frame in stack:
        padded = np.pad(frame, 1, mode="reflect")
        around = padded[y + 1 + _AROUND[:, :1], x + 1 + _AROUND[:, 1:]]
        tops += frame[y, x] > around.max(axis=0)
    hot = np.zeros(mean.shape, bool)
    often = tops >= _OFTEN * len(stack)
    hot[y[often], x[often]] = True
    return hot


def _highest_around(image: Array) -> Array:
    """Highest of the eight pixels round each (y, x), mirrored at the edge."""
    padded = np.pad(image, 1, mode="reflect")
    h, w = image.shape
    shifted = (padded[1 + dy : 1 + dy + h, 1 + dx : 1 + dx + w] for dy, dx in _AROUND)
    highest = next(shifted).copy()
    for neighbour in shifted:
        np.maximum(highest, neighbour, out=highest)
    return highest


def _noise(mean: Array) -> Array:
    """Noise round each pixel (y, x), from steps along x: more light has more noise."""
    step = np.abs(np.diff(mean, axis=1, append=mean[:, -2:-1]))
    h, w = (-(-size // _BLOCK) for size in step.shape)
    padded = np.pad(
        step, ((0, h * _BLOCK - step.shape[0]), (0, w * _BLOCK - step.shape[1])), mode="symmetric"
    )
    blocks = padded.reshape(h, _BLOCK, w, _BLOCK).swapaxes(1, 2).reshape(h, w, -1)
    sigma = 1.4826 / np.sqrt(2) * np.median(blocks, axis=2)
    full = np.maximum(sigma, np.median(sigma)).repeat(_BLOCK, 0).repeat(_BLOCK, 1)
    local: Array = full[: step.shape[0], : step.shape[1]]
    return local
