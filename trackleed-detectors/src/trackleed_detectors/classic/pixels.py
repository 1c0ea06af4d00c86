"""The loops over pixels, compiled.

They go along rows, so that what is worked on stays in the fast cache. Images are contiguous
arrays (y, x) of float32.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from trackleed_detectors.classic.compiled import compiled

Array = np.ndarray[Any, np.dtype[Any]]


@compiled
def mirror(i: int, n: int) -> int:
    """Where the pixel ``i`` of a row of ``n`` lies if the row is mirrored at both ends."""
    while i < 0 or i >= n:
        i = -i - 1 if i < 0 else 2 * n - 1 - i
    return i


@compiled
def pairs(places: list[tuple[int, int]]) -> Array:
    """A list of (row, column) as an array (2, n)."""
    out = np.empty((2, len(places)), np.intp)
    for n in range(len(places)):
        out[0, n], out[1, n] = places[n]
    return out


@compiled
def usable_part(frame: Array, usable: Array, out: Array) -> None:
    """A frame of any type as float32, 0 where ``usable`` is not true."""
    for y in range(frame.shape[0]):
        row, here, result = frame[y], usable[y], out[y]
        for x in range(len(row)):
            result[x] = row[x] if here[x] else 0


@compiled
def alone(image: Array) -> Array:
    """Rows and columns (2, n) of the pixels that `chain.stand_alone` describes."""
    height, width = image.shape
    places = [(0, 0) for _ in range(0)]
    beyond = np.zeros(width, np.float32)
    for y in range(1, height - 1):
        if stand_out(image[y - 1], image[y], image[y + 1], beyond) == 0:
            continue
        for x in range(1, width - 1):
            # What does not stand alone among eight does not among 24.
            if beyond[x] > 0:
                ring = highest_around(image, y, x)
                if image[y, x] - ring > 2 * (ring - least_around(image, y, x)):
                    places.append((y, x))
    return pairs(places)


@compiled
def stand_out(above: Array, row: Array, below: Array, beyond: Array) -> int:
    """How far each pixel of a row stands out among its eight neighbours; how many do at all.

    Above 0 if it exceeds the highest by more than twice what that one exceeds the lowest.
    """
    count = 0
    for x in range(1, len(row) - 1):
        high = max(max(above[x - 1], above[x]), max(above[x + 1], row[x - 1]))
        high = max(high, max(max(row[x + 1], below[x - 1]), max(below[x], below[x + 1])))
        low = min(min(above[x - 1], above[x]), min(above[x + 1], row[x - 1]))
        low = min(low, min(min(row[x + 1], below[x - 1]), min(below[x], below[x + 1])))
        beyond[x] = row[x] - high - 2 * (high - low)
    for x in range(1, len(row) - 1):
        count += beyond[x] > 0
    return count


@compiled
def highest_around(image: Array, y: int, x: int) -> float:
    """Highest of the eight neighbours of a pixel."""
    sides = max(image[y, x - 1], image[y, x + 1])
    above, below = image[y - 1, x - 1 : x + 2].max(), image[y + 1, x - 1 : x + 2].max()
    return max(sides, max(above, below))


@compiled
def least_around(image: Array, y: int, x: int) -> float:
    """Least of a pixel and the 24 around it."""
    return image[max(y - 2, 0) : y + 3, max(x - 2, 0) : x + 3].min()


@compiled
def bridge(image: Array, usable: Array, places: Array, kernel: Array) -> None:
    """Give pixels, rows and columns (2, n), the mean of the usable ones around them.

    The mean is weighted with ``kernel`` (2 r + 1,) along y and x.
    """
    height, width = image.shape
    reach = len(kernel) // 2
    for n in range(places.shape[1]):
        total = weight = 0.0
        for dy in range(-reach, reach + 1):
            y = mirror(places[0, n] + dy, height)
            for dx in range(-reach, reach + 1):
                x = mirror(places[1, n] + dx, width)
                if usable[y, x]:
                    share = kernel[dy + reach] * kernel[dx + reach]
                    weight += share
                    total += share * image[y, x]
        if weight > 0:
            image[places[0, n], places[1, n]] = total / weight


@compiled
def rest(image: Array, level: Array, gain: Array, seen: Array, out: Array) -> None:
    """``(image - level) * seen``, the level having been multiplied by its gain in place."""
    for y in range(image.shape[0]):
        row, under, by, here, result = image[y], level[y], gain[y], seen[y], out[y]
        for x in range(image.shape[1]):
            under[x] *= by[x]
            result[x] = (row[x] - under[x]) * here[x]


@compiled
def maxima(image: Array, allowed: Array, distance: int) -> Array:
    """Rows and columns (2, n) of the highest pixels of the square that reaches ``distance``.

    Only where ``allowed`` (y, x) is not 0, which it is not on the edge. Of flat parts of the
    image only the brim is given.
    """
    height, width = image.shape
    places = [(0, 0) for _ in range(0)]
    over = np.zeros(width, np.float32)
    for y in range(1, height - 1):
        exceed(image[y - 1], image[y], image[y + 1], over)
        here = allowed[y]
        for x in range(1, width - 1):
            if over[x] > 0 and here[x] and (distance == 1 or is_highest(image, y, x, distance)):
                places.append((y, x))
    return pairs(places)


@compiled
def exceed(above: Array, row: Array, below: Array, over: Array) -> None:
    """By how much each pixel exceeds the lowest of its neighbours; 0 if one is higher."""
    for x in range(1, len(row) - 1):
        high = max(max(above[x - 1], above[x]), max(above[x + 1], row[x - 1]))
        high = max(high, max(max(row[x + 1], below[x - 1]), max(below[x], below[x + 1])))
        low = min(min(above[x - 1], above[x]), min(above[x + 1], row[x - 1]))
        low = min(low, min(min(row[x + 1], below[x - 1]), min(below[x], below[x + 1])))
        over[x] = row[x] - low if row[x] >= high else np.float32(0)


@compiled
def is_highest(image: Array, y: int, x: int, distance: int) -> bool:
    """Whether no pixel of the square around one is higher."""
    for row in range(max(y - distance, 0), min(y + distance + 1, image.shape[0])):
        for column in range(max(x - distance, 0), min(x + distance + 1, image.shape[1])):
            if image[row, column] > image[y, x]:
                return False
    return True


@compiled
def rising(image: Array, seen: Array, places: Array, least: Array, reach: int) -> Array:
    """Which pixels (n,) rise by ``least`` (n,) above something in each quadrant around them.

    Parameters
    ----------
    places : ndarray of int (2, n)
        Rows and columns.
    reach : int
        Of the quadrants, px. One in which something is not ``seen`` passes.
    """
    height, width = image.shape
    out = np.empty(len(least), np.bool_)
    for n in range(len(least)):
        y, x = places[0, n], places[1, n]
        most = image[y, x] - least[n]
        out[n] = True
        for quadrant in range(4):
            top, left = y - reach * (quadrant // 2), x - reach * (quadrant % 2)
            inside = 0 <= top < height - reach and 0 <= left < width - reach
            if inside and not goes_below(image, seen, top, left, reach + 1, most):
                out[n] = False
                break
    return out


@compiled
def goes_below(image: Array, seen: Array, top: int, left: int, side: int, most: float) -> bool:
    """Whether a square of an image has a pixel that is not above ``most``, or not seen."""
    for y in range(top, top + side):
        row, here = image[y, left:], seen[y, left:]
        low, shown = row[0], here[0]
        for x in range(side):
            low, shown = min(low, row[x]), min(shown, here[x])
        if low <= most or shown == 0:
            return True
    return False


@compiled
def centroids(places: Array) -> Array:
    """Centres (n, 2) of x, y of groups of pixels, those that touch being of one group.

    Parameters
    ----------
    places : ndarray of int (2, m)
        Rows and columns, sorted by row.
    """
    group = np.arange(places.shape[1])
    for n in range(len(group)):
        for m in range(n - 1, -1, -1):
            if places[0, n] - places[0, m] > 1:
                break
            if abs(places[1, n] - places[1, m]) <= 1 and group[m] != group[n]:
                old, new = group[n], group[m]
                for k in range(n + 1):
                    group[k] = new if group[k] == old else group[k]
    sums = np.zeros((len(group), 3))
    for n in range(len(group)):
        sums[group[n], 0] += places[1, n]
        sums[group[n], 1] += places[0, n]
        sums[group[n], 2] += 1
    sums = sums[sums[:, 2] > 0]
    return sums[:, :2] / sums[:, 2:]


@compiled
def blocks(image: Array, seen: Array, out: Array) -> None:
    """The pixels of each block of an image, (rows, columns, side, side).

    Those that are not seen are infinite; beyond the image ``out`` stays as it is.
    """
    columns, side = out.shape[1], out.shape[2]
    for y in range(image.shape[0]):
        for column in range(columns):
            left = column * side
            line, row = out[y // side, column, y % side], image[y, left : left + side]
            here = seen[y, left : left + side]
            for x in range(len(row)):
                line[x] = row[x] if here[x] > 0 else np.float32(np.inf)


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
def noise_at(places: Array, level: Array, plain: Array, grown: Array, darkest: float) -> Array:
    """Noise (n,) at rows and columns (2, n), from figures of the blocks: `noise.Noise`."""
    out = np.empty(places.shape[1])
    for n in range(len(out)):
        y, x = places[0, n], places[1, n]
        row = (y + 0.5) * plain.shape[0] / level.shape[0] - 0.5
        column = (x + 0.5) * plain.shape[1] / level.shape[1] - 0.5
        root = np.sqrt(max(level[y, x] - darkest, 0.0) + 1)
        out[n] = max(between(plain, row, column), root * between(grown, row, column))
    return out


@compiled
def between(values: Array, y: float, x: float) -> float:
    """Linear interpolation; beyond the edge the values stay as they are there."""
    bottom, right = values.shape[0] - 1, values.shape[1] - 1
    y, x = min(max(y, 0.0), float(bottom)), min(max(x, 0.0), float(right))
    i, j = int(y), int(x)
    k, m = min(i + 1, bottom), min(j + 1, right)
    v, u = y - i, x - j
    upper = (1 - u) * values[i, j] + u * values[i, m]
    return (1 - v) * upper + v * ((1 - u) * values[k, j] + u * values[k, m])
