"""From a frame to candidate peaks: mask, background, blur, local maxima.

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

FOOT = 9
"""Within so many px, 6 `SMOOTH`, a spot has fallen on every side."""

BACKGROUND = 2.0 * FOOT
"""Standard deviation of the broad blur, px, when the user says nothing."""

_QUADRANT = FOOT + 2  # px; what is found at a pixel may lie a pixel or two beside it
_REDUCE = 4  # the broad blur is computed on a copy reduced by this


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


def maxima(smooth: Array, allowed: Array, distance: int) -> Array:
    """Local maxima, rows and columns (2, n): the highest of the square that reaches ``distance``.

    Those that are ``allowed`` (y, x), which the edge of the image must not be.
    """
    return pixels.maxima(smooth, allowed, distance)


def rising(smooth: Array, seen: Array, places: Array, least: Array) -> Array:
    """Which of some pixels (2, n) may fall by ``least`` (n,) on every side, bool (n,).

    It rules out most of what does not: where a whole quadrant lies higher.
    """
    return pixels.rising(smooth, seen, places, least, _QUADRANT)


def peaks(places: Array) -> Array:
    """Centres of maxima, array (n, 2) of x, y: a plateau counts once, at its centroid."""
    return pixels.centroids(places)
