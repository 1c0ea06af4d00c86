"""The noise of single frames: windows and blocks without their structure, and their levels."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any, TypeAlias

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from trackleed.frames import FrameSequence

Array: TypeAlias = np.ndarray[Any, np.dtype[Any]]
Samples: TypeAlias = tuple[Array, Array]  # levels and squares of noise, each (n,)

STEP, ACROSS = 3, 3  # px between windows for fine detail, steps across one
WINDOW = STEP * ACROSS  # px, side of these windows
SHARPEST = 1.0  # px, sigma of the narrowest spot that must not pass for noise
MODES = 2  # along each side of a window, the finest of them
BRIGHT = 0.93  # quantile of the levels above which windows overlap: spots cover few pixels
BLOCK, ORDER = 5, 4  # px, and degree of the polynomial taken out of each block


def sample(frames: FrameSequence, most: int) -> list[int]:
    """Numbers of at most so many frames, spread evenly over the series."""
    count = min(len(frames), most)
    return sorted({round(i) for i in np.linspace(0, len(frames) - 1, count)}) if count else []


def gather(frames: FrameSequence, look: Callable[[Array], Samples], most: int) -> Samples:
    """Samples of several frames together."""
    samples = [look(_pixels(frames, i)) for i in sample(frames, most)]
    empty = (np.empty(0), np.empty(0))
    level, square = (np.concatenate(parts) for parts in zip(empty, *samples, strict=True))
    return level, square


def _pixels(frames: FrameSequence, i: int) -> Array:
    """Raw frame ``i`` in float64, NaN where a pixel tells nothing of the noise, (y, x)."""
    raw = frames.raw(i)
    pixels = raw.astype(np.float64)
    usable = frames.valid & np.isfinite(pixels)
    if frames.saturation is not None:
        usable &= raw < frames.saturation
    usable &= pixels < pixels.max(where=usable, initial=-np.inf)
    # A level at which more than a few pixels in a hundred stand still is clipped black.
    at_lowest = usable & (pixels == pixels.min(where=usable, initial=np.inf))
    if np.count_nonzero(at_lowest) > 0.02 * np.count_nonzero(usable):
        usable &= ~at_lowest
    pixels[~usable] = np.nan
    return pixels


def fine(pixels: Array, sparse: int) -> Samples:
    """Squares of the finest detail of the windows of a frame, and the level of each.

    Of windows that are not among the brightest, one every ``sparse`` steps is looked at.
    """
    if min(pixels.shape) < WINDOW:
        return np.empty(0), np.empty(0)
    total = _sums(pixels)
    whole = np.isfinite(total)
    if not whole.any():
        return np.empty(0), np.empty(0)
    # The sum of a window says nothing of its finest detail: this choice does not favour noise.
    chosen = total > np.quantile(total[whole], BRIGHT)
    chosen[::sparse, ::sparse] = True
    views = sliding_window_view(pixels, (WINDOW, WINDOW))[::STEP, ::STEP]
    windows = views[np.nonzero(chosen & whole)].reshape(-1, WINDOW**2)
    modes = _finest()
    # The variance of a projection is the mean of the pixels' with the squared mode as weights.
    return (windows @ modes**2).ravel(), ((windows @ modes) ** 2).ravel()


def _sums(image: Array) -> Array:
    """Sum of each window, one every STEP pixels; first along y, then along x."""
    for _ in range(2):
        cells = len(image) // STEP
        strips = image[: cells * STEP].reshape(cells, STEP, -1).sum(axis=1)
        image = np.sum([strips[k : cells - ACROSS + 1 + k] for k in range(ACROSS)], axis=0).T
    return image


@cache
def _finest() -> Array:
    """Orthonormal images (pixels, MODES**2) of a window in which spots have least light.

    The covariance of Gaussian spots with their centres anywhere is a Gaussian of the pixels'
    distance, sqrt(2) times as wide, and the product of that along x and y: so are its
    eigenvectors, of which those with the smallest eigenvalues are taken, after parabolas.
    """
    place = np.arange(WINDOW) - WINDOW // 2
    parabolas = np.linalg.qr(np.stack([place**power for power in range(3)], axis=1))[0]
    distance = place[:, None] - place
    spots = np.exp(-(distance**2) / (2 * SHARPEST) ** 2)
    side = np.linalg.eigh(spots + 1e3 * parabolas @ parabolas.T)[1][:, :MODES]
    return np.asarray(np.kron(side, side))


def rough(pixels: Array) -> Samples:
    """Variance of what a polynomial leaves in each block of a frame, and the block's level."""
    blocks = _blocks(pixels)
    blocks = blocks[np.isfinite(blocks.sum(axis=1))]
    surface = _surfaces()
    rest = blocks - (blocks @ surface) @ surface.T
    return blocks.mean(axis=1), np.einsum("ij,ij->i", rest, rest) / freedom()


def _blocks(image: Array) -> Array:
    """``image`` (y, x) as blocks (n, BLOCK * BLOCK); what does not fill a block is left out."""
    rows, columns = image.shape[0] // BLOCK, image.shape[1] // BLOCK
    tiles = image[: rows * BLOCK, : columns * BLOCK].reshape(rows, BLOCK, columns, BLOCK)
    return tiles.swapaxes(1, 2).reshape(-1, BLOCK * BLOCK)


@cache
def _surfaces() -> Array:
    """Orthonormal polynomials over one block, array (pixels, terms)."""
    v, u = np.mgrid[:BLOCK, :BLOCK].reshape(2, -1) / (BLOCK - 1) - 0.5
    terms = [u**p * v**q for p in range(ORDER + 1) for q in range(ORDER + 1 - p)]
    return np.linalg.qr(np.stack(terms, axis=1))[0]


def freedom() -> int:
    """Degrees of freedom that the polynomial leaves in a block."""
    return BLOCK**2 - (ORDER + 1) * (ORDER + 2) // 2
