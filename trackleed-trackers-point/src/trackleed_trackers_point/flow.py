"""Sparse pyramidal Lucas-Kanade flow between two 8-bit images, there and back.

OpenCV puts integers at pixel centres, as trackleed does: no conversion.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

if TYPE_CHECKING:
    Array = np.ndarray[Any, np.dtype[Any]]

_STOP = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, 30, 0.01)


def there_and_back(
    before: Array, after: Array, xy: Array, guess: Array, window: int, levels: int
) -> tuple[Array, Array]:
    """Where points have gone, and how far from the start the way back ends.

    Parameters
    ----------
    before, after : ndarray of uint8 (y, x)
    xy : ndarray (n, 2)
        Points in ``before``, px.
    guess : ndarray (n, 2)
        Where to begin in ``after``.
    window : int
        Side of the window, px.
    levels : int
        Of the pyramid, besides the image itself.

    Returns
    -------
    ndarray (n, 2)
        Points in ``after``; NaN where there is nothing to follow or it left the image.
    ndarray (n,)
        Forward-backward error in px [1]_, NaN likewise.

    References
    ----------
    .. [1] Z. Kalal, K. Mikolajczyk and J. Matas, Proc. ICPR, 2756 (2010).
    """
    there, error = np.full(np.shape(xy), np.nan), np.full(len(xy), np.nan)
    known = np.isfinite(xy).all(axis=1) & np.isfinite(guess).all(axis=1)
    if not known.any():
        return there, error
    start = np.asarray(xy, dtype=float)[known]
    gone, ahead = _flow(before, after, start, np.asarray(guess, float)[known], window, levels)
    back, returned = _flow(after, before, gone, start, window, levels)
    ok = ahead & returned & inside(gone, after.shape)
    there[known] = np.where(ok[:, None], gone, np.nan)
    error[known] = np.where(ok, np.hypot(*(back - start).T), np.nan)
    return there, error


def tiles(image: Array, xy: Array, half: int) -> tuple[Array, Array]:
    """Surroundings of places (n, 2): tiles (n, side, side), and x, y of their first pixels (n, 2).

    Beyond the edge of the image its last pixels are repeated.
    """
    corner = np.rint(np.nan_to_num(xy)).astype(int) - half
    steps = np.arange(2 * half + 1)
    row = np.clip(corner[:, 1:] + steps, 0, image.shape[0] - 1)
    column = np.clip(corner[:, :1] + steps, 0, image.shape[1] - 1)
    return image[row[:, :, None], column[:, None, :]], corner


def between_tiles(
    before: Array, after: Array, xy: Array, guess: Array, window: int, levels: int
) -> tuple[Array, Array]:
    """`there_and_back` for one point in each pair of tiles, at the cost of one image.

    The tiles (n, side, side) may come from many frames; points are in px of their tile.
    """
    n, side = before.shape[:2]
    columns = int(np.ceil(np.sqrt(max(n, 1))))
    index = np.arange(n)
    corner = np.stack([index % columns, index // columns], axis=1) * side
    there, error = there_and_back(
        _sheet(before, columns),
        _sheet(after, columns),
        xy + corner,
        guess + corner,
        window,
        levels,
    )
    there = there - corner
    out = ~inside(there, (side, side))
    there[out], error[out] = np.nan, np.nan
    return there, error


def _sheet(parts: Array, columns: int) -> Array:
    """Tiles side by side, in rows of ``columns``."""
    n, side = parts.shape[:2]
    rows = -(-n // columns)
    whole = np.zeros((rows * columns, side, side), parts.dtype)
    whole[:n] = parts
    whole = whole.reshape(rows, columns, side, side).swapaxes(1, 2)
    return np.ascontiguousarray(whole.reshape(rows * side, columns * side))


def inside(xy: Array, shape: tuple[int, ...]) -> Array:
    """Whether each point (n, 2) lies in an image of this shape (y, x); NaN does not."""
    limit = np.array([shape[1], shape[0]]) - 0.5
    return np.asarray(((xy >= -0.5) & (xy < limit)).all(axis=1))


def _flow(
    before: Array, after: Array, xy: Array, guess: Array, window: int, levels: int
) -> tuple[Array, Array]:
    found, status, _ = cv2.calcOpticalFlowPyrLK(
        before,
        after,
        _points(xy),
        _points(guess),
        winSize=(window, window),
        maxLevel=levels,
        criteria=_STOP,
        flags=cv2.OPTFLOW_USE_INITIAL_FLOW,
    )
    return found[:, 0].astype(float), status[:, 0] > 0


def _points(xy: Array) -> Array:
    return np.ascontiguousarray(xy, dtype=np.float32).reshape(-1, 1, 2)
