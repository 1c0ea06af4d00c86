"""Whether the pixels show a spot where one is expected.

A Gaussian of the spot's width, at the expected place, is fitted with a sloped background by linear
least squares. The height over its standard error, from the scatter of the residuals, is Student's
t: if it is large, the spot is there, though no detector may have dared to say so.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    Array = np.ndarray[Any, np.dtype[Any]]

SIGNIFICANT = 4.0
"""Value of t from which a spot is there: chance reaches it once in 30,000 times."""

_SIGMAS = 6.0  # widths of the Gaussian in the side of a ROI
_HALF = 2.5  # widths from the place that the fit reaches
_ENOUGH = 0.5  # part of the pixels there that must be free


def seen_light(
    frame: Array, free: Array, points: Array, sides: Array, others: Array
) -> tuple[Array, Array]:
    """Student's t, and height over the scatter of a pixel, of spots at given places.

    Parameters
    ----------
    frame : ndarray (y, x)
    free : ndarray of bool (y, x)
        Pixels that may be used.
    points : ndarray (n, 2)
        Places, px.
    sides : ndarray (n,)
        Sides of the spots' ROIs, px.
    others : ndarray (m, 2)
        Every place that may hold a spot, those of ``points`` among them: pixels nearer to
        another one are left out.

    Returns
    -------
    t, height : ndarray (n,)
        0 where too few pixels are free.
    """
    t, height = np.zeros(len(points)), np.zeros(len(points))
    for k, (point, side) in enumerate(zip(points, sides)):  # noqa: B905
        t[k], height[k] = _one(frame, free, point, float(side) / _SIGMAS, others)
    return t, height


def _one(
    frame: Array, free: Array, point: Array, sigma: float, others: Array
) -> tuple[float, float]:
    reach = _HALF * sigma
    low = np.maximum(np.ceil(point - reach).astype(int), 0)
    high = np.minimum(np.floor(point + reach).astype(int) + 1, frame.shape[::-1])
    if (high <= low).any():
        return 0.0, 0.0
    window = slice(low[1], high[1]), slice(low[0], high[0])
    dy, dx = np.mgrid[window].astype(float)
    dx, dy = dx - point[0], dy - point[1]
    square = dx**2 + dy**2
    inside = square <= reach**2
    use = inside & free[window] & np.isfinite(frame[window])
    for other in others[(np.abs(others - point) < 2 * reach).all(axis=1)] - point:
        # Nearer to the other: beyond the middle of the way to it.
        use &= dx * other[0] + dy * other[1] <= (other**2).sum() / 2
    if use.sum() < _ENOUGH * inside.sum() or use.sum() < 8:
        return 0.0, 0.0
    dx, dy, square = dx[use], dy[use], square[use]
    design = np.stack([np.exp(-square / (2 * sigma**2)), np.ones(len(dx)), dx, dy], axis=1)
    value = frame[window][use].astype(float)
    try:
        inverse = np.linalg.inv(design.T @ design)
    except np.linalg.LinAlgError:
        return 0.0, 0.0
    fit = inverse @ (design.T @ value)
    scatter = np.sqrt(((value - design @ fit) ** 2).sum() / (len(value) - 4))
    if not np.isfinite(scatter) or scatter == 0:
        return 0.0, 0.0
    return float(fit[0] / (scatter * np.sqrt(inverse[0, 0]))), float(fit[0] / scatter)
