"""From a frame to candidate peaks: mask, background, blur, white top-hat, local maxima.

All lengths here are in pixels of the image that is handed in, which for wide
spots is a reduced copy of the frame (`trackleed_detectors.classic.detector`).
"""

from __future__ import annotations

from typing import Any, TypeAlias

import cv2
import numpy as np

Array: TypeAlias = np.ndarray[Any, np.dtype[Any]]

SMOOTH = 1.5
"""Standard deviation of the blur, px. Matched to the narrowest spots of a reduced copy."""

DISK_RADIUS = 9
"""Radius of the top-hat's disk, px: 6 `SMOOTH`, so that it never fits into a spot."""

BACKGROUND = 2.0 * DISK_RADIUS
"""Standard deviation of the broad blur, px, when the user says nothing."""

_REACH = 3 * SMOOTH  # blur that tells noise from what is broader than a spot
_REDUCE = 4  # the broad blur is computed on a copy reduced by this
_BLOCK = 32  # px, side of the blocks in which the noise is measured
_SIGMA = 1.887  # scales the result, low as it is chosen, to sigma in white noise (simulated)
_NEIGHBOURS = 2  # blocks on each side that the noise of a block is smoothed over


def disk(radius: int) -> Array:
    """Disk of ones, array (2 radius + 1, 2 radius + 1) of uint8."""
    y, x = np.mgrid[-radius : radius + 1, -radius : radius + 1]
    return (x * x + y * y <= radius * radius).astype(np.uint8)


_DISK = disk(DISK_RADIUS)
_RING = np.array([[1, 1, 1], [1, 0, 1], [1, 1, 1]], np.uint8)


def blur(image: Array, sigma: float) -> Array:
    """Gaussian blur cut off at 4 sigma, the image mirrored at its edges."""
    return cv2.GaussianBlur(image, (0, 0), sigma, borderType=cv2.BORDER_REFLECT)


def stand_alone(image: Array) -> Array:
    """Pixels that no optics can make, bool (y, x): far above all their neighbours.

    A pixel stands alone when it exceeds the highest of its eight neighbours by
    more than twice what that one exceeds the lowest of the 24 pixels around.
    A Gaussian spot does so only if it is narrower than 1.6 px at half maximum,
    and of pure noise about one pixel in 50,000.
    """
    highest = cv2.dilate(image, _RING, borderType=cv2.BORDER_REFLECT)
    lowest = cv2.erode(image, np.ones((5, 5), np.uint8), borderType=cv2.BORDER_REFLECT)
    return image - highest > 2 * (highest - lowest)


def fill(image: Array, valid: Array) -> tuple[Array, Array]:
    """Bridge small holes of the mask from the pixels around them.

    Returns
    -------
    image : ndarray of float32 (y, x)
        The image with holes filled, 0 where it is masked.
    seen : ndarray of float32 (y, x)
        1 where the image can be used, else 0.
    """
    seen = valid.astype(np.float32)
    image = np.where(valid, image, 0).astype(np.float32)
    if valid.all():
        return image, seen
    weight = blur(seen, SMOOTH)
    # Beside a straight edge of the mask the weight is below 1/2.
    hole = ~valid & (weight > 0.6)
    image[hole] = blur(image, SMOOTH)[hole] / weight[hole]
    seen[hole] = 1
    return image, seen


def background(image: Array, seen: Array, sigma: float) -> Array:
    """Broad blur of what can be seen, float32 (y, x): the masked part has no say in it."""
    weight = np.maximum(_broad(seen, sigma), 1e-3)
    return _broad(image * seen, sigma) / weight


def _broad(image: Array, sigma: float) -> Array:
    height, width = image.shape
    size = (max(1, width // _REDUCE), max(1, height // _REDUCE))
    reduced = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    blurred = blur(reduced, sigma / _REDUCE)
    return cv2.resize(blurred, (width, height), interpolation=cv2.INTER_LINEAR)


def tophat(smooth: Array) -> Array:
    """White top-hat: what rises above the opening by the disk."""
    return cv2.morphologyEx(smooth, cv2.MORPH_TOPHAT, _DISK, borderType=cv2.BORDER_REFLECT)


def noise(smooth: Array, level: Array, seen: Array) -> Array:
    """Standard deviation of the noise in the blurred image, float32 (y, x).

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
    level : ndarray (y, x)
        The background that was removed.
    seen : ndarray (y, x)
        1 where the image can be used.
    """
    # The blur leaves so little detail that every second pixel says it all.
    half, hidden = np.ascontiguousarray(smooth[::2, ::2]), seen[::2, ::2] == 0
    detail = half - blur(half, _REACH / 2)
    detail[hidden] = np.nan
    blocks = _blocks(detail, _BLOCK // 2)
    deviation = np.abs(blocks - quantile(blocks, 0.5)[..., None])
    scale = _SIGMA * quantile(deviation, 0.5)
    heights = quantile(_blocks(np.where(hidden, np.nan, level[::2, ::2]), _BLOCK // 2), 0.5)
    darkest = quantile(heights.ravel(), 0.0)
    grown = np.sqrt(np.maximum(level - darkest, 0) + 1)
    plain = _around(scale, smooth.shape)
    return np.maximum(plain, grown * _around(scale / np.sqrt(heights - darkest + 1), smooth.shape))


def _around(scale: Array, shape: tuple[int, ...]) -> Array:
    """A low one of the blocks around each, spread over an image of ``shape``."""
    size = 2 * _NEIGHBOURS + 1
    padded = np.pad(scale, _NEIGHBOURS, constant_values=np.nan)
    around = np.lib.stride_tricks.sliding_window_view(padded, (size, size))
    low = quantile(around.reshape(*scale.shape, -1), 0.2)
    low = np.where(np.isnan(low), quantile(scale.ravel(), 0.5), low)
    return cv2.resize(low.astype(np.float32), shape[::-1], interpolation=cv2.INTER_LINEAR)


def _blocks(image: Array, side: int) -> Array:
    """The image cut into blocks, array (rows, columns, pixels), NaN beyond its edge."""
    height, width = image.shape
    rows, columns = -(-height // side), -(-width // side)
    whole = np.full((rows * side, columns * side), np.nan, np.float32)
    whole[:height, :width] = image
    cut = whole.reshape(rows, side, columns, side).swapaxes(1, 2)
    return cut.reshape(rows, columns, side * side)


def quantile(values: Array, q: float) -> Array:
    """Quantile along the last axis, NaN left out; NaN where nothing is left."""
    ordered = np.sort(values, axis=-1)  # NaN comes last
    n = np.isfinite(ordered).sum(axis=-1, keepdims=True)
    at = np.maximum(q * (n - 1), 0).astype(np.intp)
    return np.take_along_axis(ordered, at, axis=-1)[..., 0]


def peaks(hat: Array, floor: Array, seen: Array, distance: int) -> Array:
    """Local maxima of the top-hat, array (n, 2) of x, y.

    A maximum is the highest pixel of the square that reaches ``distance`` to
    each side, lies above ``floor``, and is seen from all sides: none of its
    neighbours is masked or beyond the edge of the image. A plateau counts
    once, at its centroid.
    """
    square = np.ones((2 * distance + 1, 2 * distance + 1), np.uint8)
    surrounded = cv2.erode(
        seen, np.ones((3, 3), np.uint8), borderType=cv2.BORDER_CONSTANT, borderValue=0
    )
    at = (hat == cv2.dilate(hat, square)) & (hat > floor) & (surrounded > 0)
    return cv2.connectedComponentsWithStats(at.astype(np.uint8), connectivity=8)[3][1:]
