"""A Gaussian on a sloped background, of given place and width, fitted to the pixels around it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from trackleed_trackers_box.compiled.basics import solved
from trackleed_trackers_box.compiled.jit import entry, part

if TYPE_CHECKING:
    Array = np.ndarray[Any, np.dtype[Any]]

_HALF = 2.5  # widths from the place that the fit reaches
_ENOUGH = 0.5  # part of the pixels there that must be free
_LEAST = 8  # pixels
_PARAMETERS = 4  # height, background, its two slopes


@entry
def heights(
    frame: Array, free: Array, points: Array, sigmas: Array, others: Array
) -> tuple[Array, Array]:
    """Student's t, and height over the scatter of a pixel; see `trackleed_trackers_box.light`."""
    t, height = np.zeros(len(points)), np.zeros(len(points))
    for k in range(len(points)):
        normal, right, square, inside = _sums(
            frame, free, points[k, 0], points[k, 1], sigmas[k], others
        )
        used = normal[1, 1]
        if used < _ENOUGH * inside or used < _LEAST:
            continue
        fit, corner = solved(normal, right)
        if not np.isfinite(corner):
            continue
        rest = square - (fit * right).sum()
        # What rounding leaves of pixels that are all the same is no scatter.
        if rest > 1e-9 * square:
            scatter = np.sqrt(rest / (used - _PARAMETERS))
            t[k], height[k] = fit[0] / (scatter * np.sqrt(corner)), fit[0] / scatter
    return t, height


@part
def _sums(
    frame: Array, free: Array, x: float, y: float, sigma: float, others: Array
) -> tuple[Array, Array, float, int]:
    """Normal equations (4, 4), right side (4,), sum of squares, and number of pixels around."""
    normal, right = np.zeros((_PARAMETERS, _PARAMETERS)), np.zeros(_PARAMETERS)
    square, inside, reach, base = 0.0, 0, _HALF * sigma, np.nan
    near = np.empty((len(others), 3))
    count = 0
    for other in range(len(others)):
        ox, oy = others[other, 0] - x, others[other, 1] - y
        if abs(ox) < 2 * reach and abs(oy) < 2 * reach and (ox != 0 or oy != 0):
            near[count, 0], near[count, 1], near[count, 2] = ox, oy, (ox * ox + oy * oy) / 2
            count += 1
    for row in range(max(int(np.ceil(y - reach)), 0), min(int(y + reach), frame.shape[0] - 1) + 1):
        left = max(int(np.ceil(x - reach)), 0)
        for column in range(left, min(int(x + reach), frame.shape[1] - 1) + 1):
            dx, dy = column - x, row - y
            if dx * dx + dy * dy > reach * reach:
                continue
            inside += 1
            use = free[row, column] and np.isfinite(frame[row, column])
            for other in range(count):
                # Nearer to the other: beyond the middle of the way to it.
                use = use and dx * near[other, 0] + dy * near[other, 1] <= near[other, 2]
            if not use:
                continue
            if np.isnan(base):
                base = float(frame[row, column])  # so that squares do not lose digits
            value = frame[row, column] - base
            design = (np.exp(-(dx * dx + dy * dy) / (2 * sigma * sigma)), 1.0, dx, dy)
            square += value * value
            for i in range(_PARAMETERS):
                right[i] += design[i] * value
                for j in range(i + 1):
                    normal[i, j] += design[i] * design[j]
    return normal, right, square, inside
