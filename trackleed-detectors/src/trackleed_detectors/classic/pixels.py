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
def usable_part(frame: Array, usable: Array, image: Array) -> Array:
    """Fill ``image`` with a frame of any type, 0 where it is not ``usable``.

    Returns rows and columns (2, n) of the pixels that `chain.usable_part` says stand alone.
    """
    height, width = image.shape
    places = [(0, 0) for _ in range(0)]
    beyond = np.zeros(width, np.float32)
    for below in range(height):
        keep(frame[below], usable[below], image[below])
        y = below - 1
        if y < 1 or stand_out(image[y - 1], image[y], image[below], beyond) == 0:
            continue
        for x in range(1, width - 1):
            # What does not stand alone among eight does not among 24.
            if beyond[x] > 0:
                ring = highest_around(image, y, x)
                if image[y, x] - ring > 2 * (ring - least_around(frame, usable, y, x)):
                    places.append((y, x))
    return pairs(places)


@compiled
def keep(row: Array, usable: Array, out: Array) -> None:
    """A row of a frame, 0 where it is not usable."""
    for x in range(len(out)):
        out[x] = row[x] if usable[x] else 0


@compiled
def stand_out(above: Array, row: Array, below: Array, beyond: Array) -> int:
    """How far each pixel of a row stands out among its eight neighbours; how many do at all.

    Above 0 if it exceeds the highest by more than twice what that one exceeds the lowest.
    """
    for x in range(1, len(row) - 1):
        high = max(max(above[x - 1], above[x]), max(above[x + 1], row[x - 1]))
        high = max(high, max(max(row[x + 1], below[x - 1]), max(below[x], below[x + 1])))
        low = min(min(above[x - 1], above[x]), min(above[x + 1], row[x - 1]))
        low = min(low, min(min(row[x + 1], below[x - 1]), min(below[x], below[x + 1])))
        spread = high - low
        beyond[x] = row[x] - high - (spread + spread)  # 2 * spread would be of double precision
    count = np.int32(0)
    for x in range(1, len(row) - 1):
        count += np.int32(beyond[x] > 0)
    return count


@compiled
def highest_around(image: Array, y: int, x: int) -> float:
    """Highest of the eight neighbours of a pixel."""
    sides = max(image[y, x - 1], image[y, x + 1])
    above, below = image[y - 1, x - 1 : x + 2].max(), image[y + 1, x - 1 : x + 2].max()
    return max(sides, max(above, below))


@compiled
def least_around(frame: Array, usable: Array, y: int, x: int) -> float:
    """Least of a pixel and the 24 around it, 0 where one is not usable."""
    least = frame[y, x]
    for row in range(max(y - 2, 0), min(y + 3, frame.shape[0])):
        for column in range(max(x - 2, 0), min(x + 3, frame.shape[1])):
            least = min(least, frame[row, column] if usable[row, column] else 0)
    return least


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
def subtract(image: Array, level: Array, seen: Array) -> None:
    """Take a level, (y / 4, x), from an image in place; 0 where that is not ``seen``."""
    height, width = image.shape
    for y in range(height):
        at, part = around(y, height, len(level))
        upper, lower = level[at], level[min(at + 1, len(level) - 1)]
        a, b = np.float32(1 - part), np.float32(part)
        row, here = image[y], seen[y]
        for x in range(width):
            row[x] = row[x] - (a * upper[x] + b * lower[x]) if here[x] else np.float32(0)


@compiled
def around(i: int, n: int, reduced: int) -> tuple[int, float]:
    """Of ``n`` pixels reduced to fewer: the one before pixel ``i``, and the share of the next."""
    at = min(max((i + 0.5) * reduced / n - 0.5, 0.0), reduced - 1.0)
    return int(at), at - int(at)


@compiled
def multiply(image: Array, places: Array, factors: Array) -> None:
    """Multiply some pixels, which are counted along the rows."""
    for n in range(len(places)):
        image[places[n]] *= factors[n]


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
def rising(
    image: Array, seen: Array, clear: Array, places: Array, least: Array, reach: int
) -> Array:
    """Which pixels (n,) rise by ``least`` (n,) above something in each quadrant around them.

    Parameters
    ----------
    clear : ndarray (y, x)
        Not 0 where all quadrants are seen; else those that are not ``seen`` pass.
    places : ndarray of int (2, n)
        Rows and columns.
    reach : int
        Of the quadrants, px.
    """
    side, out = reach + 1, np.ones(len(least), np.bool_)
    height, width = image.shape
    for n in range(len(least)):
        y, x = places[0, n], places[1, n]
        most = np.float32(image[y, x] - least[n])
        for quadrant in range(4):
            top, left = y - reach * (quadrant // 2), x - reach * (quadrant % 2)
            if not clear[y, x]:
                if top < 0 or left < 0 or top + side > height or left + side > width:
                    continue
                if not_above(seen, top, left, side, 0):
                    continue
            if not not_above(image, top, left, side, most):
                out[n] = False
                break
    return out


@compiled
def not_above(image: Array, top: int, left: int, side: int, most: float) -> int:
    """How many pixels of a square of an image are not above ``most``."""
    count = np.int32(0)
    for y in range(top, top + side):
        row = image[y, left : left + side]
        for x in range(side):
            count += np.int32(row[x] <= most)
    return count


@compiled
def near(some: Array, others: Array, part: float, before: bool) -> Array:
    """Which of some spots (n,) are nearer to any other than a part of the width of the broader.

    Parameters
    ----------
    some, others : ndarray (3, n), (3, m)
        x, y and width of each.
    before : bool
        Whether only those others count whose number is lower.
    """
    out = np.zeros(some.shape[1], np.bool_)
    for n in range(some.shape[1]):
        for m in range(n if before else others.shape[1]):
            right, down = some[0, n] - others[0, m], some[1, n] - others[1, m]
            within = part * max(some[2, n], others[2, m])
            out[n] |= right * right + down * down < within * within
    return out


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
