"""What a candidate peak looks like: how far it falls on every side, how wide it is, where it is.

The blurred image is read along rays from the peak. A spot falls in every
direction, and soon. A ridge or the rim of the screen does not fall along
itself, a shoulder does not on the uphill side, and a hump does, but not soon.
A bump on a ridge falls little on two opposite sides, a satellite of a bright
spot on one side only.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from trackleed_detectors.classic.chain import DISK_RADIUS, Array, quantile

_DIRECTIONS = 16
_STEP = 0.5  # px along a ray
_ANGLE = 2 * np.pi * np.arange(_DIRECTIONS) / _DIRECTIONS
_COS, _SIN = np.cos(_ANGLE), np.sin(_ANGLE)
_DISTANCE = np.arange(0, DISK_RADIUS + _STEP / 2, _STEP)
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
    radius, *_ = _half_maximum(smooth, seen, xy)
    area = (radius**2).sum(axis=1)
    # Centroid of a region given by its radius in each direction: the integral
    # of r cos(phi) r dr dphi over that of r dr dphi.
    shift = np.stack([radius**3 @ _COS, radius**3 @ _SIN], axis=1) * (2 / 3) / area[:, None]
    centre = xy + np.clip(shift, -1.5, 1.5)
    radius, height, fall, flank = _half_maximum(smooth, seen, centre)
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


def _half_maximum(smooth: Array, seen: Array, centre: Array) -> tuple[Array, ...]:
    """Radius at half maximum (n, directions); height, fall and flank of `Shapes`, each (n,)."""
    profile, hidden = _rays(smooth, seen, centre)
    top = profile[:, 0, 0]
    drop = top[:, None] - profile.min(axis=2)
    # Nothing is known behind the mask: such directions have no say.
    open_ = ~hidden.any(axis=2)
    height = quantile(np.where(open_, drop, np.nan), 0.5)
    fall, flank = _falls(profile, open_)
    half = (top - height / 2)[:, None, None]
    below = profile < half
    crossed = below.any(axis=2)
    after = np.where(crossed, np.maximum(below.argmax(axis=2), 1), 1)
    inner = np.take_along_axis(profile, after[..., None] - 1, axis=2)[..., 0]
    outer = np.take_along_axis(profile, after[..., None], axis=2)[..., 0]
    fraction = (inner - half[..., 0]) / np.where(inner > outer, inner - outer, np.inf)
    at_half = _STEP * (after - 1 + np.clip(fraction, 0, 1))
    # Towards a close neighbour the valley comes before the half maximum does.
    at_lowest = _DISTANCE[profile.argmin(axis=2)]
    radius = np.where(crossed, np.minimum(at_half, at_lowest), at_lowest)
    opposite = np.roll(radius, _DIRECTIONS // 2, axis=1)
    return np.maximum(np.where(open_, radius, opposite), _STEP / 2), height, fall, flank


def _falls(profile: Array, open_: Array) -> tuple[Array, Array]:
    """``fall`` and ``flank`` of `Shapes`, each (n,).

    Three neighbouring directions are averaged, so that the lowest point of a
    ray is not just its noise. Peaks whose surroundings are mostly hidden are
    not judged: minus infinity.
    """
    weight = open_.astype(profile.dtype)[..., None]
    near = sum(np.roll(profile * weight, k, axis=1) for k in (-1, 0, 1))
    count = sum(np.roll(weight, k, axis=1) for k in (-1, 0, 1))
    lowest = (near / np.maximum(count, 1)).min(axis=2)
    fall = np.where(open_, profile[:, :1, 0] - lowest, np.inf)
    half = _DIRECTIONS // 2
    judged = open_.sum(axis=1) >= half
    pairs = np.maximum(fall[:, :half], fall[:, half:])
    return tuple(np.where(judged, values.min(axis=1), -np.inf) for values in (fall, pairs))


def _rays(smooth: Array, seen: Array, centre: Array) -> tuple[Array, Array]:
    """Values along the rays (n, directions, steps), and where mask or edge hide them."""
    n = len(centre)
    x = centre[:, 0, None, None] + _COS[:, None] * _DISTANCE
    y = centre[:, 1, None, None] + _SIN[:, None] * _DISTANCE
    maps = x.reshape(n, -1).astype(np.float32), y.reshape(n, -1).astype(np.float32)
    value = cv2.remap(smooth, *maps, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)
    visible = cv2.remap(seen, *maps, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT)
    hidden = (visible < 0.99).reshape(x.shape)
    hidden[:, :, 0] = False  # the peak itself is always seen
    return value.reshape(x.shape), hidden


def _second_moments(radius: Array) -> tuple[Array, Array, Array]:
    """Mean of x^2, y^2 and xy over regions given by their radius in each direction."""
    area = (radius**2).sum(axis=1)
    fourth = radius**4
    return (
        fourth @ (_COS * _COS) / area / 2,
        fourth @ (_SIN * _SIN) / area / 2,
        fourth @ (_COS * _SIN) / area / 2,
    )
