"""Pixel-coordinate conventions, converted here and nowhere else.

trackleed counts from the centre of the first pixel: x to the right, y down,
an integer is a pixel centre. Many image libraries and neural trackers count
from the first pixel's outer corner instead, where its centre is at 0.5.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    Array = np.ndarray[Any, np.dtype[Any]]


def to_corner(x: ArrayLike) -> Array:
    """Pixel-centre coordinates (ours) to corner coordinates, in px."""
    return np.asarray(x, dtype=np.float64) + 0.5


def from_corner(x: ArrayLike) -> Array:
    """Corner coordinates, in px, to pixel-centre coordinates (ours)."""
    return np.asarray(x, dtype=np.float64) - 0.5


def resize(x: ArrayLike, size: float, new_size: float) -> Array:
    """Coordinate along one axis after the image is resized from ``size`` to ``new_size`` px.

    The outer edges of the image stay where they are (OpenCV, PIL, and
    ``align_corners=False``), so pixel centres do not map by the plain ratio.
    """
    return from_corner(to_corner(x) * (float(new_size) / float(size)))
