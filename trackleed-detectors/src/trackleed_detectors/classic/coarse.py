"""The loops over blocks of an image and over coarse images, compiled.

Images are contiguous arrays (y, x) of float32.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from trackleed_detectors.classic.compiled import compiled

Array = np.ndarray[Any, np.dtype[Any]]


@compiled
def every_second(image: Array, out: Array) -> None:
    """Every second pixel along x and y."""
    for y in range(out.shape[0]):
        row, result = image[2 * y], out[y]
        for x in range(len(result)):
            result[x] = row[2 * x]


@compiled
def blocks(image: Array, broader: Array, seen: Array, out: Array) -> None:
    """What one image is above a broader one in each of its blocks, (rows, columns, side, side).

    It is infinite where it is not seen; beyond the image ``out`` stays as it is.
    """
    columns, side = out.shape[1], out.shape[2]
    for y in range(image.shape[0]):
        for column in range(columns):
            left = column * side
            line, row = out[y // side, column, y % side], image[y, left : left + side]
            under, here = broader[y, left : left + side], seen[y, left : left + side]
            for x in range(len(row)):
                line[x] = row[x] - under[x] if here[x] else np.float32(np.inf)


@compiled
def low_around(values: Array, reach: int, share: float) -> Array:
    """Quantile ``share`` of the values around each, NaN left out; NaN where there is none."""
    height, width = values.shape
    out = np.full_like(values, np.nan)
    wanted = int(share * ((2 * reach + 1) ** 2 - 1)) + 1
    lowest = np.empty(wanted, values.dtype)  # in order
    for y in range(height):
        for x in range(width):
            count = 0
            for row in range(max(y - reach, 0), min(y + reach + 1, height)):
                for column in range(max(x - reach, 0), min(x + reach + 1, width)):
                    if not np.isnan(values[row, column]):
                        insert(lowest, min(count, wanted), values[row, column])
                        count += 1
            if count:
                out[y, x] = lowest[int(share * (count - 1))]
    return out


@compiled
def insert(lowest: Array, count: int, value: float) -> None:
    """Put a value into its place among ``count`` in order; if there is no room the last goes."""
    if count == len(lowest):
        if value >= lowest[count - 1]:
            return
        count -= 1
    while count > 0 and lowest[count - 1] > value:
        lowest[count] = lowest[count - 1]
        count -= 1
    lowest[count] = value


@compiled
def noise_at(
    places: Array,
    shape: tuple[int, int],
    level: Array,
    plain: Array,
    grown: Array,
    darkest: float,
) -> Array:
    """Noise (n,) at rows and columns (2, n), from figures of the blocks: `noise.Noise`."""
    out = np.empty(places.shape[1])
    for n in range(len(out)):
        y, x = (places[0, n] + 0.5) / shape[0], (places[1, n] + 0.5) / shape[1]
        root = np.sqrt(max(between(level, y, x) - darkest, 0.0) + 1)
        out[n] = max(between(plain, y, x), root * between(grown, y, x))
    return out


@compiled
def levels_at(places: Array, shape: tuple[int, int], level: Array) -> Array:
    """Level (n,) at rows and columns (2, n) of an image of which it is a reduced copy."""
    out = np.empty(places.shape[1])
    for n in range(len(out)):
        y, x = (places[0, n] + 0.5) / shape[0], (places[1, n] + 0.5) / shape[1]
        out[n] = between(level, y, x)
    return out


@compiled
def between(values: Array, y: float, x: float) -> float:
    """Linear interpolation at a place from 0 to 1; in the outer half pixel nothing changes."""
    bottom, right = values.shape[0] - 1, values.shape[1] - 1
    y, x = y * values.shape[0] - 0.5, x * values.shape[1] - 0.5
    y, x = min(max(y, 0.0), float(bottom)), min(max(x, 0.0), float(right))
    i, j = int(y), int(x)
    k, m = min(i + 1, bottom), min(j + 1, right)
    v, u = y - i, x - j
    upper = (1 - u) * values[i, j] + u * values[i, m]
    return (1 - v) * upper + v * ((1 - u) * values[k, j] + u * values[k, m])
