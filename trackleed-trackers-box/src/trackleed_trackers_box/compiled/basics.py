"""What compiled functions have in common."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from trackleed_trackers_box.compiled.jit import part

if TYPE_CHECKING:
    Array = np.ndarray[Any, np.dtype[Any]]


@part
def solved(matrix: Array, right: Array) -> tuple[Array, float]:
    """Solution of a symmetric positive definite system, and element (0, 0) of the inverse.

    By Cholesky decomposition of the lower half; NaN if the matrix is not positive definite.
    """
    n = len(right)
    root, value, first = np.zeros((n, n)), right.copy(), np.zeros(n)
    first[0] = 1.0
    for i in range(n):
        for j in range(i + 1):
            rest = matrix[i, j]
            for k in range(j):
                rest -= root[i, k] * root[j, k]
            if i > j:
                root[i, j] = rest / root[j, j]
            elif rest > 1e-12 * matrix[i, i]:
                root[i, i] = np.sqrt(rest)
            else:
                return np.full(n, np.nan), np.nan
    for i in range(n):
        for k in range(i):
            value[i] -= root[i, k] * value[k]
            first[i] -= root[i, k] * first[k]
        value[i] /= root[i, i]
        first[i] /= root[i, i]
    corner = (first**2).sum()
    for i in range(n - 1, -1, -1):
        for k in range(i + 1, n):
            value[i] -= root[k, i] * value[k]
        value[i] /= root[i, i]
    return value, corner


@part
def first_from(points: Array, x: float, near: int) -> int:
    """Index of the first point, sorted by x, whose x is not less; looked for from ``near`` on."""
    while near > 0 and points[near - 1, 0] >= x:
        near -= 1
    while near < len(points) and points[near, 0] < x:
        near += 1
    return near


@part
def on_screen(motion: Array, place: Array) -> Array:
    """Positions on the screen (n, 2) of places in the pattern (n, 2)."""
    cosine, sine = np.exp(motion[2]) * np.cos(motion[3]), np.exp(motion[2]) * np.sin(motion[3])
    at = np.empty_like(place)
    for k in range(len(place)):
        at[k, 0] = motion[0] + place[k, 0] * cosine - place[k, 1] * sine
        at[k, 1] = motion[1] + place[k, 0] * sine + place[k, 1] * cosine
    return at


@part
def in_pattern(motion: Array, points: Array) -> Array:
    """Places in the pattern (n, 2) of positions on the screen (n, 2)."""
    cosine, sine = np.exp(-motion[2]) * np.cos(motion[3]), np.exp(-motion[2]) * np.sin(motion[3])
    place = np.empty_like(points)
    for k in range(len(points)):
        x, y = points[k, 0] - motion[0], points[k, 1] - motion[1]
        place[k, 0], place[k, 1] = x * cosine + y * sine, y * cosine - x * sine
    return place
