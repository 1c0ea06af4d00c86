"""From a frame to candidate peaks: mask, background, blur, local maxima.

All lengths here are in pixels of the image that is handed in, which for wide
spots is a reduced copy of the frame (`trackleed_detectors.classic.detector`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

import cv2
import numpy as np

from trackleed_detectors.classic import pixels
from trackleed_detectors.classic.scratch import Scratch

if TYPE_CHECKING:
    from trackleed_detectors.classic.sight import Sight

Array: TypeAlias = np.ndarray[Any, np.dtype[Any]]

SMOOTH = 1.5
"""Standard deviation of the blur, px. Matched to the narrowest spots of a reduced copy."""

FOOT = 9
"""Within so many px, 6 `SMOOTH`, a spot has fallen on every side."""

BACKGROUND = 2.0 * FOOT
"""Standard deviation of the broad blur, px, when the user says nothing."""

QUADRANT = FOOT + 2
"""So far a candidate is looked around, px; its middle may lie a pixel or two beside it."""


def blur(image: Array, sigma: float, out: Array | None = None) -> Array:
    """Gaussian blur cut off at 4 sigma, the image mirrored at its edges."""
    return cv2.GaussianBlur(image, (0, 0), sigma, dst=out, borderType=cv2.BORDER_REFLECT)


def usable_part(frame: Array, usable: Array, scratch: Scratch) -> tuple[Array, Array]:
    """A frame as float32, 0 where it cannot be used, and which pixels no optics can make.

    These stand alone, rows and columns (2, n): they exceed the highest of their eight
    neighbours by more than twice what that one exceeds the lowest of the 24 pixels around.
    A Gaussian spot does so only if it is narrower than 1.6 px at half maximum,
    and of pure noise about one pixel in 50,000.
    """
    # Compiled code takes neither foreign byte order nor half precision.
    plain = np.float32 if frame.dtype == "f2" else frame.dtype.newbyteorder("=")
    out = scratch("frame", frame.shape)
    return out, pixels.usable_part(frame.astype(plain, copy=False), usable, out)


def bridge(image: Array, usable: Array, places: Array) -> None:
    """Fill some pixels, rows and columns (2, n), from the usable ones around them, in place."""
    half = round(4 * SMOOTH)
    kernel = cv2.getGaussianKernel(2 * half + 1, SMOOTH, cv2.CV_32F)[:, 0]
    pixels.bridge(image, usable.view(np.uint8), places, kernel)


def halve(image: Array, scratch: Scratch) -> Array:
    """Half as many pixels each way."""
    out = scratch("halved", (max(1, image.shape[0] // 2), max(1, image.shape[1] // 2)))
    return cv2.resize(image, out.shape[::-1], dst=out, interpolation=cv2.INTER_AREA)


def broad(reduced: Array, sigma: float) -> Array:
    """Blur by many pixels of an image, from what `halve` makes of it twice; as small as that."""
    return blur(reduced, sigma / 4)


def widened(level: Array, out: Array) -> Array:
    """What `broad` gives, for more rows and columns."""
    return cv2.resize(level, out.shape[::-1], dst=out, interpolation=cv2.INTER_LINEAR)


def maxima(smooth: Array, allowed: Array, distance: int) -> Array:
    """Local maxima, rows and columns (2, n): the highest of the square that reaches ``distance``.

    Those that are ``allowed`` (y, x), which the edge of the image must not be.
    """
    return pixels.maxima(smooth, allowed, distance)


def rising(smooth: Array, sight: Sight, places: Array, least: Array) -> Array:
    """Which of some pixels (2, n) may fall by ``least`` (n,) on every side, bool (n,).

    It rules out most of what does not: where a whole quadrant lies higher, and is seen.
    """
    return pixels.rising(smooth, sight.seen, sight.clear, places, least, QUADRANT)


def peaks(places: Array) -> Array:
    """Centres of maxima, array (n, 2) of x, y: a plateau counts once, at its centroid."""
    return pixels.centroids(places)
