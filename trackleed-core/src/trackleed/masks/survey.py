"""What the finders look at: some frames of a series, and small pictures of them."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import ndimage

from trackleed.errors import InputError
from trackleed.frames import FrameSequence

Array = np.ndarray[Any, np.dtype[Any]]
Bool = np.ndarray[Any, np.dtype[np.bool_]]
Float = np.ndarray[Any, np.dtype[np.float32]]

MOST_FRAMES = 40
MOST_PIXELS = 64_000_000  # keeps the sampled frames below 128 MB at 16 bit
COARSE = 200  # longest side of a small picture, px


def sample(frames: FrameSequence) -> Array:
    """Up to 40 raw frames spread evenly over the series, the first and last among them.

    Raw, because the glow of the screen, which shows its rim, is what a background
    correction takes away.

    Raises
    ------
    InputError
        If the series has no frame.
    """
    if len(frames) == 0:
        raise InputError("the series has no frame: no mask can be found")
    most = min(MOST_FRAMES, max(3, MOST_PIXELS // (frames.shape[0] * frames.shape[1])))
    picked = np.unique(np.linspace(0, len(frames) - 1, most).round().astype(int))
    return np.stack([frames.raw(int(i)) for i in picked])


def shrink_factor(shape: tuple[int, ...]) -> int:
    """Side of the blocks of pixels that one pixel of a small picture stands for."""
    return max(1, round(max(shape[-2:]) / COARSE))


def brightest(stack: Array, hidden: Bool) -> Float:
    """Small picture (y, x): the brightest that each block of pixels gets over the frames.

    Spots move, glow changes with the energy, and in the brightest of all frames most of the
    screen lights up, while what hides it stays dark. Blocks that are ``hidden`` are NaN.
    """
    f = shrink_factor(stack.shape)
    weight = _block_sum(~hidden, f)
    best = np.full(weight.shape, -np.inf, np.float32)
    for frame in stack:
        total = _block_sum(np.where(hidden, 0, frame), f)
        best = np.maximum(best, total / np.maximum(weight, 1))
    seen = weight > 0
    filled = np.where(seen, best, best[seen].min() if seen.any() else 0)
    picture: Float = ndimage.median_filter(filled, 3).astype(np.float32)
    return np.where(seen, picture, np.float32(np.nan))


def _block_sum(image: Array, f: int) -> Float:
    h, w = -(-image.shape[0] // f), -(-image.shape[1] // f)
    padded = np.zeros((h * f, w * f), np.float32)
    padded[: image.shape[0], : image.shape[1]] = image
    rows = padded.reshape(h, f, w * f).sum(axis=1)
    summed: Float = rows.reshape(h, w, f).sum(axis=2)
    return summed


def window(image: Array, side: int, pick: np.ufunc) -> Array:
    """Least (`numpy.minimum`) or greatest (`numpy.maximum`) of the square around each pixel.

    The square has an odd side; beyond the edge is nothing. numpy compares whole rows at once,
    and is several times as fast as the filters of scipy.ndimage.
    """
    found = image.copy()
    for step in range(1, min(side // 2 + 1, image.shape[0])):
        pick(found[step:], image[:-step], out=found[step:])
        pick(found[:-step], image[step:], out=found[:-step])
    across = found.copy()
    for step in range(1, min(side // 2 + 1, image.shape[1])):
        pick(found[:, step:], across[:, :-step], out=found[:, step:])
        pick(found[:, :-step], across[:, step:], out=found[:, :-step])
    return found
