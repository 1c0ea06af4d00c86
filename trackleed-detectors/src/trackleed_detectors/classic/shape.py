"""What a candidate peak looks like: how far it falls on every side, how wide it is, where it is.

The blurred image is read along rays from the peak. A spot falls in every
direction, and soon. A ridge or the rim of the screen does not fall along
itself, a shoulder does not on the uphill side, and a hump does, but not soon.
A bump on a ridge falls little on two opposite sides, a satellite of a bright
spot on one side only.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from trackleed_detectors.classic.chain import FOOT, Array
from trackleed_detectors.classic.compiled import compiled

_DIRECTIONS = 16
_STEP = 0.5  # px along a ray
_ANGLE = 2 * np.pi * np.arange(_DIRECTIONS) / _DIRECTIONS
_COS, _SIN = np.cos(_ANGLE), np.sin(_ANGLE)
_WAYS = np.stack([_COS, _SIN], axis=1)
_DISTANCE = np.arange(0, FOOT + _STEP / 2, _STEP)
_RIGHT, _DOWN = (np.outer(way, _DISTANCE).ravel() for way in (_COS, _SIN))  # of points on rays
_REACH = FOOT + 1  # px to each side that rays can reach
_SIDE = 2 * _REACH + 2
_NEXT, _BELOW = np.uintp(1), np.uintp(_SIDE)  # unsigned: compiled code looks at signs
_HALF_WIDTH = np.sqrt(2 * np.log(2))  # of a Gaussian at half maximum, in sigma


@dataclass(frozen=True)
class Shapes:
    """Measures of n peaks, arrays (n,); lengths in px of the image they were measured in."""

    x: Array
    y: Array
    height: Array  # of the peak over its surroundings: median over the directions
    fall: Array  # how far it falls in the direction in which it falls least
    flank: Array  # the same for pairs of opposite directions, the better of each pair
    length: Array  # half of the long axis at half maximum
    breadth: Array  # half of the short axis at half maximum
    sigma_x: Array  # width along x and y, the blur included
    sigma_y: Array

    def __getitem__(self, index: Array) -> Shapes:
        return Shapes(**{name: value[index] for name, value in vars(self).items()})

    def __add__(self, other: Shapes) -> Shapes:
        pairs = zip(vars(self).items(), vars(other).values(), strict=True)
        return Shapes(**{name: np.concatenate([a, b]) for (name, a), b in pairs})


def measure(smooth: Array, seen: Array, xy: Array) -> Shapes:
    """Shapes of the peaks of a blurred image.

    Parameters
    ----------
    smooth, seen : ndarray of float32 (y, x)
        The blurred image, and 1 where it can be used.
    xy : ndarray (n, 2)
        Where the peaks are, to a pixel. The shape is taken about the centroid
        of the region above half maximum, which is what x and y report.
    """
    radius, *_ = _half_maximum(smooth, seen, xy, False)
    square = radius * radius
    # Centroid of a region given by its radius in each direction: the integral
    # of r cos(phi) r dr dphi over that of r dr dphi.
    shift = (square * radius) @ _WAYS * (2 / 3) / square.sum(axis=1)[:, None]
    centre = xy + np.clip(shift, -1.5, 1.5)
    radius, height, fall, flank = _half_maximum(smooth, seen, centre, True)
    xx, yy, xy_ = _second_moments(radius)
    mean, spread = (xx + yy) / 2, np.hypot((xx - yy) / 2, xy_)
    return Shapes(
        x=centre[:, 0],
        y=centre[:, 1],
        height=height,
        fall=fall,
        flank=flank,
        length=2 * np.sqrt(mean + spread),
        breadth=2 * np.sqrt(np.maximum(mean - spread, 0)),
        sigma_x=2 * np.sqrt(xx) / _HALF_WIDTH,
        sigma_y=2 * np.sqrt(yy) / _HALF_WIDTH,
    )


@compiled
def _half_maximum(smooth: Array, seen: Array, centre: Array, judged: bool) -> tuple[Array, ...]:
    """Radius at half maximum (n, directions); height, fall and flank of `Shapes`, each (n,).

    Fall and flank are found only where the peaks are to be ``judged``.
    """
    n = len(centre)
    radius = np.empty((n, _DIRECTIONS))
    height, fall, flank = np.empty(n), np.empty(n), np.empty(n)
    patch, hidden = np.empty(_SIDE * _SIDE), np.empty(_SIDE * _SIDE)
    values, covers = np.empty(_RIGHT.shape), np.empty(_RIGHT.shape)
    profile = values.reshape(_DIRECTIONS, len(_DISTANCE))
    open_, lowest = np.empty(_DIRECTIONS, np.bool_), np.empty(_DIRECTIONS, np.intp)
    for i in range(n):
        left, top = np.floor(centre[i, 0]) - _REACH, np.floor(centre[i, 1]) - _REACH
        x, y = centre[i, 0] - left, centre[i, 1] - top
        open_[:] = True
        if _cut(smooth, seen, int(left), int(top), patch, hidden):
            _rays(hidden, x, y, covers)
            _close(covers, open_)
        _rays(patch, x, y, values)
        for d in range(_DIRECTIONS):
            lowest[d] = _lowest(profile[d])
        height[i] = _height(profile, lowest, open_)
        if judged:
            fall[i], flank[i] = _falls(profile, open_)
        for d in range(_DIRECTIONS):
            # Nothing is known behind the mask.
            known = d if open_[d] else (d + _DIRECTIONS // 2) % _DIRECTIONS
            at = _radius(profile[known], lowest[known], height[i])
            radius[i, d] = max(at, _STEP / 2)
    return radius, height, fall, flank


@compiled
def _cut(smooth: Array, seen: Array, left: int, top: int, patch: Array, hidden: Array) -> bool:
    """The blurred image around a peak; whether mask or edge hides any, 1 where it does if so."""
    height, width = smooth.shape
    if left >= 0 and top >= 0 and left + _SIDE <= width and top + _SIDE <= height:
        covered = 0
        for i in range(_SIDE):
            line, row, here = patch[i * _SIDE :], smooth[top + i, left:], seen[top + i, left:]
            for j in range(_SIDE):
                line[j] = row[j]
                covered += here[j] == 0
        if covered == 0:
            return False
    for i in range(_SIDE):
        row_at = min(max(top + i, 0), height - 1)
        for j in range(_SIDE):
            column = min(max(left + j, 0), width - 1)
            beyond = row_at != top + i or column != left + j
            patch[i * _SIDE + j] = smooth[row_at, column]
            hidden[i * _SIDE + j] = 1 if beyond or seen[row_at, column] == 0 else 0
    return True


@compiled
def _rays(patch: Array, x: float, y: float, out: Array) -> None:
    """Values of a patch along the rays from a place in it, one ray after the other."""
    for n in range(len(out)):
        right, down = x + _RIGHT[n], y + _DOWN[n]
        column, row = int(right), int(down)
        u, v, at = right - column, down - row, np.uintp(row * _SIDE + column)
        upper = patch[at] + u * (patch[at + _NEXT] - patch[at])
        lower = patch[at + _BELOW] + u * (patch[at + _BELOW + _NEXT] - patch[at + _BELOW])
        out[n] = upper + v * (lower - upper)


@compiled
def _close(covers: Array, open_: Array) -> None:
    """Mark rays that something hides; the peak itself is always seen."""
    for n in range(len(covers)):
        if covers[n] > 0.01 and n % len(_DISTANCE):
            open_[n // len(_DISTANCE)] = False


@compiled
def _lowest(ray: Array) -> int:
    """Step at which a ray is lowest, the first of them."""
    lowest = 0
    for step in range(1, len(ray)):
        if ray[step] < ray[lowest]:
            lowest = step
    return lowest


@compiled
def _height(profile: Array, lowest: Array, open_: Array) -> float:
    """Median fall of the rays that are open; NaN if none is."""
    falls = np.empty(_DIRECTIONS)
    count = 0
    for d in range(_DIRECTIONS):
        if open_[d]:
            fall = profile[0, 0] - profile[d, lowest[d]]
            at = count
            while at > 0 and falls[at - 1] > fall:
                falls[at] = falls[at - 1]
                at -= 1
            falls[at] = fall
            count += 1
    return falls[(count - 1) // 2] if count else np.nan


@compiled
def _falls(profile: Array, open_: Array) -> tuple[float, float]:
    """``fall`` and ``flank`` of `Shapes`.

    Three neighbouring directions are averaged, so that the lowest point of a
    ray is not just its noise. Peaks whose surroundings are mostly hidden are
    not judged: minus infinity.
    """
    half = _DIRECTIONS // 2
    if open_.sum() < half:
        return -np.inf, -np.inf
    falls = np.full(_DIRECTIONS, np.inf)
    for d in range(_DIRECTIONS):
        if open_[d]:
            before, after = (d - 1) % _DIRECTIONS, (d + 1) % _DIRECTIONS
            lowest = np.inf
            for step in range(len(_DISTANCE)):
                total, count = profile[d, step], 1
                for near in (before, after):
                    if open_[near]:
                        total += profile[near, step]
                        count += 1
                lowest = min(lowest, total / count)
            falls[d] = profile[0, 0] - lowest
    return falls.min(), np.maximum(falls[:half], falls[half:]).min()


@compiled
def _radius(ray: Array, lowest: int, height: float) -> float:
    """Where a ray has fallen by half the height, or where it is lowest if that comes before."""
    half = ray[0] - height / 2
    for step in range(lowest + 1):
        if ray[step] < half:
            after = max(step, 1)
            fall = ray[after - 1] - ray[after]
            part = (ray[after - 1] - half) / fall if fall > 0 else 0.0
            return min(_STEP * (after - 1 + min(max(part, 0.0), 1.0)), _DISTANCE[lowest])
    return _DISTANCE[lowest]


def _second_moments(radius: Array) -> tuple[Array, Array, Array]:
    """Mean of x^2, y^2 and xy over regions given by their radius in each direction."""
    square = radius * radius
    area, fourth = square.sum(axis=1), square * square
    return (
        fourth @ (_COS * _COS) / area / 2,
        fourth @ (_SIN * _SIN) / area / 2,
        fourth @ (_COS * _SIN) / area / 2,
    )
