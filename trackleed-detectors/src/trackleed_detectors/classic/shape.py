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
_DISTANCE = np.arange(0, FOOT + _STEP / 2, _STEP)
_RIGHT, _DOWN = (np.outer(_DISTANCE, way).ravel() for way in (_COS, _SIN))  # of points on rays
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
    smooth, seen : ndarray of float32 and of uint8 (y, x)
        The blurred image, and 1 where it can be used.
    xy : ndarray (n, 2)
        Where the peaks are, to a pixel. The shape is taken about the centroid
        of the region above half maximum, which is what x and y report.
    """
    return Shapes(*_measure(smooth, seen, xy))


@compiled
def _measure(smooth: Array, seen: Array, xy: Array) -> Array:
    """The fields of `Shapes` (9, n)."""
    out = np.empty((9, len(xy)))
    patch, hidden = np.empty(_SIDE * _SIDE), np.empty(_SIDE * _SIDE)
    # Points on rays, those of all directions at one distance beside each other.
    values, covers = np.empty(_RIGHT.shape), np.empty(_RIGHT.shape)
    profile = values.reshape(len(_DISTANCE), _DIRECTIONS)
    open_, radius = np.empty(_DIRECTIONS, np.bool_), np.empty(_DIRECTIONS)
    for i in range(len(xy)):
        x, y = xy[i, 0], xy[i, 1]
        for judged in (False, True):
            left, top = int(np.floor(x)) - _REACH, int(np.floor(y)) - _REACH
            is_cut = _cut(smooth, seen, left, top, patch, hidden)
            if is_cut:
                _rays(hidden, x - left, y - top, covers)
            _see(covers, is_cut, open_)
            _rays(patch, x - left, y - top, values)
            height = _half_maximum(profile, open_, radius)
            right, down, xx, yy, xy_ = _moments(radius)
            if not judged:
                x, y = x + min(max(right, -1.5), 1.5), y + min(max(down, -1.5), 1.5)
        mean, spread = (xx + yy) / 2, np.hypot((xx - yy) / 2, xy_)
        out[0, i], out[1, i], out[2, i] = x, y, height
        out[3, i], out[4, i] = _falls(profile, open_)
        out[5, i], out[6, i] = 2 * np.sqrt(mean + spread), 2 * np.sqrt(max(mean - spread, 0.0))
        out[7, i], out[8, i] = 2 * np.sqrt(xx) / _HALF_WIDTH, 2 * np.sqrt(yy) / _HALF_WIDTH
    return out


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
    """Values of a patch along the rays from a place in it."""
    at, u, v = np.empty(len(out), np.int32), np.empty(len(out)), np.empty(len(out))
    for n in range(len(out)):
        right, down = x + _RIGHT[n], y + _DOWN[n]
        column, row = np.floor(right), np.floor(down)
        at[n], u[n], v[n] = row * _SIDE + column, right - column, down - row
    for n in range(len(out)):
        here = np.uintp(at[n])
        below = here + _BELOW
        upper = patch[here] + u[n] * (patch[here + _NEXT] - patch[here])
        lower = patch[below] + u[n] * (patch[below + _NEXT] - patch[below])
        out[n] = upper + v[n] * (lower - upper)


@compiled
def _see(covers: Array, is_cut: bool, open_: Array) -> None:
    """Mark which rays nothing hides; the peak itself is always seen."""
    for d in range(_DIRECTIONS):
        open_[d] = True
    if is_cut:
        for n in range(_DIRECTIONS, len(covers)):
            if covers[n] > 0.01:
                open_[n % _DIRECTIONS] = False


@compiled
def _half_maximum(profile: Array, open_: Array, radius: Array) -> float:
    """Height of `Shapes`; fills in the radius at half maximum in each direction."""
    least, lowest = np.empty(_DIRECTIONS), np.empty(_DIRECTIONS)
    for d in range(_DIRECTIONS):
        least[d], lowest[d] = profile[0, d], 0.0
    for step in range(1, len(profile)):
        row, now = profile[step], float(step)
        for d in range(_DIRECTIONS):
            lower = row[d] < least[d]
            least[d], lowest[d] = row[d] if lower else least[d], now if lower else lowest[d]
    height = _height(profile[0, 0], least, open_)
    for d in range(_DIRECTIONS):
        # Nothing is known behind the mask.
        known = d if open_[d] else (d + _DIRECTIONS // 2) % _DIRECTIONS
        radius[d] = max(_radius(profile[:, known], int(lowest[known]), height), _STEP / 2)
    return height


@compiled
def _height(top: float, least: Array, open_: Array) -> float:
    """Median fall of the rays that are open; NaN if none is."""
    falls = np.empty(_DIRECTIONS)
    count = 0
    for d in range(_DIRECTIONS):
        if open_[d]:
            fall = top - least[d]
            at = count
            while at > 0 and falls[at - 1] > fall:
                falls[at] = falls[at - 1]
                at -= 1
            falls[at] = fall
            count += 1
    return falls[(count - 1) // 2] if count else np.nan


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


@compiled
def _falls(profile: Array, open_: Array) -> tuple[float, float]:
    """``fall`` and ``flank`` of `Shapes`.

    Three neighbouring directions are averaged, so that the lowest point of a
    ray is not just its noise. Peaks whose surroundings are mostly hidden are
    not judged: minus infinity.
    """
    # One direction more on either side, as they go round.
    share, row = np.empty(_DIRECTIONS + 2), np.empty(_DIRECTIONS + 2)
    part, lowest = np.empty(_DIRECTIONS), np.empty(_DIRECTIONS)
    for d in range(_DIRECTIONS):
        share[d + 1], lowest[d] = open_[d], np.inf
    share[0], share[-1] = share[-2], share[1]
    count = 0
    for d in range(_DIRECTIONS):
        part[d] = 1 / (1 + share[d] + share[d + 2])
        count += open_[d]
    half = _DIRECTIONS // 2
    if count < half:
        return -np.inf, -np.inf
    for step in range(len(profile)):
        for d in range(_DIRECTIONS):
            row[d + 1] = profile[step, d]
        row[0], row[-1] = row[-2], row[1]
        for d in range(_DIRECTIONS):
            total = row[d + 1] + share[d] * row[d] + share[d + 2] * row[d + 2]
            lowest[d] = min(lowest[d], part[d] * total)
    fall = flank = np.inf
    for d in range(half):
        one = profile[0, 0] - lowest[d] if open_[d] else np.inf
        other = profile[0, 0] - lowest[d + half] if open_[d + half] else np.inf
        fall, flank = min(fall, min(one, other)), min(flank, max(one, other))
    return fall, flank


@compiled
def _moments(radius: Array) -> tuple[float, float, float, float, float]:
    """Mean of x, y, x^2, y^2 and xy over a region that is given by its radius in each direction.

    The first is the integral of r cos(phi) r dr dphi over that of r dr dphi.
    """
    area = x = y = xx = yy = xy = 0.0
    for d in range(_DIRECTIONS):
        square, c, s = radius[d] * radius[d], _COS[d], _SIN[d]
        cube, fourth = square * radius[d] * (2 / 3), square * square / 2
        area += square
        x, y = x + cube * c, y + cube * s
        xx, yy, xy = xx + fourth * c * c, yy + fourth * s * s, xy + fourth * c * s
    return x / area, y / area, xx / area, yy / area, xy / area
