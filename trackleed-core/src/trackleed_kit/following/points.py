"""A place on the raw frame near the one that a model gave."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    Array = np.ndarray[Any, np.dtype[Any]]

SPOT = 0.3
"""Radius of a spot as a mask, in sides of its box, which is wider than the spot."""

_STEPS = 30
_SETTLED = 1e-3  # px
_SIGMA = 1 / 8
"""Width of a spot's Gaussian, in sides of its box."""


def settled(frame: Array, usable: Array, boxes: Array, how: str) -> Array:
    """Boxes (n, x y width height) moved onto the light inside them.

    Parameters
    ----------
    frame : ndarray (y, x)
        Raw or corrected counts.
    usable : ndarray of bool (y, x)
    boxes : ndarray (n, 4)
    how : {"model", "peak", "gaussian"}
        As they are; to the brightest pixel of the spot, which is the ellipse of a mask with
        this box; or to the centre of the light under a Gaussian window that moves along with it
        (G. M. Bernstein and M. Jarvis, Astron. J. 123, 583, 2002), which for a Gaussian spot is
        its centre.
    """
    moved = boxes.copy()
    if how == "model":
        return moved
    for k in np.flatnonzero(np.isfinite(boxes).all(axis=1)):
        place = _peak if how == "peak" else _centre
        moved[k, :2] = place(frame, usable, *boxes[k])
    return moved


def _around(frame: Array, usable: Array, x: float, y: float, side: float) -> Any:
    reach = int(np.ceil(side / 2))
    top, left = max(int(np.rint(y)) - reach, 0), max(int(np.rint(x)) - reach, 0)
    part = (slice(top, int(np.rint(y)) + reach + 1), slice(left, int(np.rint(x)) + reach + 1))
    rows, columns = np.indices(frame[part].shape)
    good = usable[part] & np.isfinite(frame[part])
    return np.asarray(frame[part], np.float64), good, columns + left, rows + top


def _peak(frame: Array, usable: Array, x: float, y: float, width: float, height: float) -> Any:
    light, good, columns, rows = _around(frame, usable, x, y, 2 * SPOT * max(width, height))
    rx, ry = max(SPOT * width, 0.8), max(SPOT * height, 0.8)
    good &= ((columns - x) / rx) ** 2 + ((rows - y) / ry) ** 2 <= 1
    if not good.any():
        return x, y
    best = np.where(good, light, -np.inf).argmax()
    return float(columns.flat[best]), float(rows.flat[best])


def _centre(frame: Array, usable: Array, x: float, y: float, width: float, height: float) -> Any:
    side = 0.5 * (width + height)
    light, good, columns, rows = _around(frame, usable, x, y, side)
    if good.sum() < 9:
        return x, y
    light = np.where(good, light - np.percentile(light[good], 20), 0.0)
    sigma = max(side * _SIGMA, 1.0)
    at = np.array([x, y])
    for _ in range(_STEPS):
        distance = (columns - at[0]) ** 2 + (rows - at[1]) ** 2
        weight = light * np.exp(-distance / (2 * sigma**2))
        total = weight.sum()
        if total <= 0:
            return x, y
        off = np.array([(weight * columns).sum(), (weight * rows).sum()]) / total - at
        at = at + 2 * off  # under a window as wide as the spot the mean goes half the way
        if np.hypot(*off) < _SETTLED:
            break
    return (x, y) if np.hypot(*(at - (x, y))) > side / 2 else at
