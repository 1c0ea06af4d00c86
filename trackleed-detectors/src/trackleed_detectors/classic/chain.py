"""From a frame to candidate peaks: mask, background, blur, white top-hat, local maxima.

All lengths here are in pixels of the image that is handed in, which for wide
spots is a reduced copy of the frame (`trackleed_detectors.classic.detector`).
"""

from __future__ import annotations

from typing import Any, TypeAlias

import cv2
import numpy as np

from trackleed_detectors.classic import pixels
from trackleed_detectors.classic.scratch import Scratch

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


_SQUARE = np.ones((9, 9), np.uint8)
_CROSS = disk(1)
_AWAY = abs(np.arange(-3, 4))
_ODD = np.isin(np.add.outer(_AWAY, _AWAY), (1, 3)).astype(np.uint8)
_TIPS = np.zeros((19, 19), np.uint8)
_TIPS[[0, -1, 9, 9], [9, 9, 0, -1]] = 1


def blur(image: Array, sigma: float, out: Array | None = None) -> Array:
    """Gaussian blur cut off at 4 sigma, the image mirrored at its edges."""
    return cv2.GaussianBlur(image, (0, 0), sigma, dst=out, borderType=cv2.BORDER_REFLECT)


def usable_part(frame: Array, usable: Array, scratch: Scratch) -> Array:
    """A frame as float32, 0 where it cannot be used."""
    # Compiled code takes neither foreign byte order nor half precision.
    plain = np.float32 if frame.dtype == "f2" else frame.dtype.newbyteorder("=")
    out = scratch("frame", frame.shape)
    pixels.usable_part(frame.astype(plain, copy=False), usable, out)
    return out


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


def broad(image: Array, sigma: float, out: Array | None = None) -> Array:
    """Blur by many pixels, computed on a reduced copy."""
    height, width = image.shape
    size = (max(1, width // _REDUCE), max(1, height // _REDUCE))
    reduced = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    blurred = blur(reduced, sigma / _REDUCE)
    return cv2.resize(blurred, (width, height), dst=out, interpolation=cv2.INTER_LINEAR)


def tophat(smooth: Array, fine: float, scratch: Scratch) -> Array:
    """White top-hat: what rises above the opening by the disk.

    The opening is that of the image in 16 bits, rounded down. It is too low by less than a step,
    which is the range over 65535 and ``fine`` at the most. Beyond 65535 steps of that the
    opening counts as flat.
    """
    least, most, _, _ = cv2.minMaxLoc(smooth)
    step = min((most - least) / 65535, fine)
    hat = scratch("hat", smooth.shape)
    if step <= 0:
        hat.fill(0)
        return hat
    low, step = np.float32(least), np.float32(step)
    levels = scratch("levels", smooth.shape, np.uint16)
    pixels.levels(smooth, low, step, levels)
    _under_disk(levels, cv2.erode, cv2.min, scratch)
    _under_disk(levels, cv2.dilate, cv2.max, scratch)
    pixels.above(smooth, levels, low, step, hat)
    return hat


def _under_disk(image: Array, sweep: Any, pick: Any, scratch: Scratch) -> None:
    """Least or highest of an image under the disk round each pixel, in place.

    The disk of radius 9 is the square of side 9 swept over the diamond of radius 4, and four
    pixels at its tips; the diamond is a cross swept over every second pixel of the next
    smaller one.
    """
    swept, other = (scratch(name, image.shape, np.uint16) for name in ("swept", "other"))
    sweep(image, _SQUARE, dst=swept)
    sweep(swept, _ODD, dst=other)
    sweep(other, _CROSS, dst=swept)
    sweep(image, _TIPS, dst=other)
    pick(swept, other, dst=image)


def maxima(hat: Array, floor: Array, allowed: Array, distance: int) -> Array:
    """Local maxima of the top-hat, rows and columns (2, n).

    The highest pixels of the squares that reach ``distance`` to each side, if
    they lie above ``floor`` and are ``allowed``, both arrays (y, x).
    """
    return pixels.maxima(hat, floor, allowed, distance)


def peaks(places: Array) -> Array:
    """Centres of maxima, array (n, 2) of x, y: a plateau counts once, at its centroid."""
    return pixels.centroids(places)
