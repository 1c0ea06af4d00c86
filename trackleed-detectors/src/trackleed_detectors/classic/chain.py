"""From a frame to candidate peaks: mask, background, blur, white top-hat, local maxima.

All lengths here are in pixels of the image that is handed in, which for wide
spots is a reduced copy of the frame (`trackleed_detectors.classic.detector`).
"""

from __future__ import annotations

from typing import Any, TypeAlias

import cv2
import numpy as np

from trackleed_detectors.classic import pixels

Array: TypeAlias = np.ndarray[Any, np.dtype[Any]]

SMOOTH = 1.5
"""Standard deviation of the blur, px. Matched to the narrowest spots of a reduced copy."""

DISK_RADIUS = 9
"""Radius of the top-hat's disk, px: 6 `SMOOTH`, so that it never fits into a spot."""

BACKGROUND = 2.0 * DISK_RADIUS
"""Standard deviation of the broad blur, px, when the user says nothing."""

_REDUCE = 4  # the broad blur is computed on a copy reduced by this


def disk(radius: int) -> Array:
    """Disk of ones, array (2 radius + 1, 2 radius + 1) of uint8."""
    y, x = np.mgrid[-radius : radius + 1, -radius : radius + 1]
    return (x * x + y * y <= radius * radius).astype(np.uint8)


_CHORDS = (disk(DISK_RADIUS).sum(axis=1) // 2).astype(np.intp)


def blur(image: Array, sigma: float) -> Array:
    """Gaussian blur cut off at 4 sigma, the image mirrored at its edges."""
    return cv2.GaussianBlur(image, (0, 0), sigma, borderType=cv2.BORDER_REFLECT)


def usable_part(frame: Array, usable: Array) -> Array:
    """A frame as float32, 0 where it cannot be used."""
    # Compiled code takes neither foreign byte order nor half precision.
    plain = np.float32 if frame.dtype == "f2" else frame.dtype.newbyteorder("=")
    return pixels.usable_part(frame.astype(plain, copy=False), usable)


def stand_alone(image: Array) -> Array:
    """Pixels that no optics can make, rows and columns (2, n): far above all their neighbours.

    A pixel stands alone when it exceeds the highest of its eight neighbours by
    more than twice what that one exceeds the lowest of the 24 pixels around.
    A Gaussian spot does so only if it is narrower than 1.6 px at half maximum,
    and of pure noise about one pixel in 50,000.
    """
    return pixels.alone(image)


def bridge(image: Array, usable: Array, places: Array) -> None:
    """Fill some pixels, rows and columns (2, n), from the usable ones around them, in place."""
    half = round(4 * SMOOTH)
    kernel = cv2.getGaussianKernel(2 * half + 1, SMOOTH, cv2.CV_32F)[:, 0]
    pixels.bridge(image, usable.view(np.uint8), places, kernel)


def broad(image: Array, sigma: float) -> Array:
    """Blur by many pixels, computed on a reduced copy."""
    height, width = image.shape
    size = (max(1, width // _REDUCE), max(1, height // _REDUCE))
    reduced = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    blurred = blur(reduced, sigma / _REDUCE)
    return cv2.resize(blurred, (width, height), interpolation=cv2.INTER_LINEAR)


def tophat(smooth: Array) -> Array:
    """White top-hat: what rises above the opening by the disk."""
    lowest = pixels.lowest(smooth, _CHORDS, np.float32(1))
    opened = pixels.lowest(lowest, _CHORDS, np.float32(-1))  # negative
    return np.add(smooth, opened, out=opened)


def maxima(hat: Array, floor: Array, allowed: Array, distance: int) -> Array:
    """Local maxima of the top-hat, rows and columns (2, n).

    The highest pixels of the squares that reach ``distance`` to each side, if
    they lie above ``floor`` and are ``allowed``, both arrays (y, x).
    """
    return pixels.maxima(hat, floor, allowed, distance)


def peaks(places: Array) -> Array:
    """Centres of maxima, array (n, 2) of x, y: a plateau counts once, at its centroid."""
    return pixels.centroids(places)
