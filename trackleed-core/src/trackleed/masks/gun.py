"""The electron gun's shadow and the arm that holds it, dark on the glowing screen.

Spots are taken away with a grey opening; a grey closing then shows how bright the screen would
be without what is dark and narrower than the closing's window (Serra, *Image Analysis and
Mathematical Morphology*, 1982). A window wider than the gun shows the gun; a window wider than
the arm shows the arm. The gun ends where most directions show a rise of light; the arm is the
darkest way from the gun to the rim (Dijkstra, Numer. Math. 1 (1959) 269).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import ndimage, sparse

from trackleed.masks.screen import Ellipse, edge_score, fit_edge, logarithm

Bool = np.ndarray[Any, np.dtype[np.bool_]]
Float = np.ndarray[Any, np.dtype[Any]]

# Lengths are in the screen's radius. Depths: 1 is no light at all, 0 as bright as all round.
_SPOT = 0.10  # spots are narrower
_GUN = 0.50  # the gun is narrower
_ARM = 0.27  # its arm is narrower
_LEAST = 0.06  # radius of the smallest gun
_CENTRAL = 0.50  # the gun stands nearer to the screen's centre
_DEEP = 0.60  # least depth inside the gun
_NOISES = 6.0  # least rise of light out of the gun, in noises of the picture
_SURE = 0.30  # least share of the gun's edge that shows
_ARM_DEPTH = (0.30, 0.38)  # of the arm, in four fifths of its length, and in half of it
_RIM = 0.93  # the way to the rim ends here; beyond, the arm goes on as it is


@dataclass(frozen=True)
class Gun:
    """The gun on a small picture."""

    disk: Ellipse
    arm: Float  # (y, x), above 0.5 in the arm, smooth across its edge

    def shadow(self, f: int, shape: tuple[int, ...]) -> Bool:
        """Pixels (y, x) of the frame, ``f`` times as large, that lie in the shadow."""
        y, x = ((np.arange(size) - (f - 1) / 2) / f for size in shape)
        at = np.meshgrid(y, x, indexing="ij")
        arm = ndimage.map_coordinates(self.arm, at, order=1, mode="nearest") > 0.5
        return arm | self.disk.scaled(f).inside(shape)


def find_gun(picture: Float, screen: Ellipse) -> Gun | None:
    """The gun's shadow on a small picture, or None where none is sure.

    A dark disk without an arm to the rim is no gun: the ground between a bright (0,0)
    spot and bright rings looks like one.

    Parameters
    ----------
    picture : ndarray (y, x)
        Brightest of the frames, as `survey.brightest` makes it; NaN is not looked at.
    screen : Ellipse
        The screen's rim on the same picture, px.
    """
    inside = screen.inside(picture.shape) & np.isfinite(picture)
    light = np.where(inside, picture - np.nanpercentile(picture, 1), 0)
    plain = np.minimum(_window(light, inside, _SPOT * screen.radius, "open"), light)
    around = _window(plain, inside, _GUN * screen.radius, "close")
    disk = _disk(picture, 1 - light / np.maximum(around, 1e-9), screen)
    if disk is None:
        return None
    core = disk.grown(-0.3 * disk.radius).inside(picture.shape) & inside
    if np.median((around - light)[core]) < _NOISES * _noise(picture, inside):
        return None
    around = _window(plain, inside, _ARM * screen.radius, "close")
    depth = np.where(inside, 1 - light / np.maximum(around, 1e-9), 0)
    arm = _arm(depth, disk, screen)
    return None if arm is None else Gun(disk, arm)


def _disk(picture: Float, depth: Float, screen: Ellipse) -> Ellipse | None:
    """The gun's edge, near the largest dark circle in the middle of the screen."""
    light = logarithm(picture)
    central = screen.grown((_CENTRAL - 1) * screen.radius).inside(picture.shape)
    distance = ndimage.distance_transform_edt((depth > _DEEP) & screen.inside(picture.shape))
    y, x = np.unravel_index(int(np.argmax(distance * central)), distance.shape)
    rough = float(distance[y, x]) * central[y, x]
    if rough < _LEAST * screen.radius or light is None:
        return None
    width = max(2, round(0.04 * screen.radius))
    radii = np.arange(max(1.0, 0.6 * rough - 3 * width), 1.8 * rough + 3 * width)
    if len(radii) < 6 * width:  # too few pixels in it to tell what its edge is
        return None
    aspect = screen.rx / screen.ry
    tried = []
    for dy in np.arange(-0.5, 0.6, 0.125) * rough:
        for dx in np.arange(-0.5, 0.6, 0.125) * rough:
            score, radius = edge_score(-light, (x + dx, y + dy, aspect), radii, width)
            k = int(score.argmax())
            tried.append((float(score[k]), x + dx, y + dy, float(radius[k])))
    sure, cx, cy, r = max(tried)
    if sure < _SURE:
        return None
    found = Ellipse(cx, cy, r * aspect**0.5, r / aspect**0.5)
    return fit_edge(-light, found, width, keep_aspect=True).grown(0.5)


def _arm(depth: Float, disk: Ellipse, screen: Ellipse) -> Float | None:
    """The arm along the darkest way from the gun's middle to the rim."""
    way = _darkest_way(depth, disk, screen)
    along = ndimage.median_filter(depth[tuple(way.T)], 5, mode="nearest")
    outside = ~disk.inside(depth.shape)[tuple(way.T)]
    if not outside.any():
        return None
    deep = along[outside]
    if np.quantile(deep, 0.2) < _ARM_DEPTH[0] or np.median(deep) < _ARM_DEPTH[1]:
        return None
    line = np.ones(depth.shape, bool)
    line[tuple(way.T)] = False
    far, (near_y, near_x) = ndimage.distance_transform_edt(line, return_indices=True)
    level = np.zeros(depth.shape)
    level[tuple(way.T)] = np.maximum(along, _ARM_DEPTH[0])
    arm = np.where(far <= _ARM / 2 * screen.radius, depth / level[near_y, near_x], 0)
    return _to_the_rim(arm, screen)


def _to_the_rim(arm: Float, screen: Ellipse) -> Float:
    """Beyond the end of the way each ray from the screen's centre goes on as it was there."""
    y, x = np.mgrid[: arm.shape[0], : arm.shape[1]].astype(float)
    outward = np.hypot((x - screen.x) / screen.rx, (y - screen.y) / screen.ry)
    back = np.minimum(1, _RIM / np.maximum(outward, 1e-9))
    at = [screen.y + (y - screen.y) * back, screen.x + (x - screen.x) * back]
    extended: Float = ndimage.map_coordinates(arm, at, order=1, mode="nearest")
    return np.where(outward < 1.2, extended, 0)


def _darkest_way(depth: Float, disk: Ellipse, screen: Ellipse) -> Float:
    """Pixels (n, 2) as y, x from near the rim to the gun's middle, over the darkest ground."""
    within = screen.grown((_RIM - 1) * screen.radius).inside(depth.shape)
    number = np.where(within, np.cumsum(within).reshape(depth.shape) - 1, -1)
    toll = (0.05 + np.clip(1 - depth, 0, 1)) ** 2
    start, end, cost = [], [], []
    h, w = depth.shape
    for dy, dx in ((0, 1), (1, 0), (1, 1), (1, -1)):
        a = np.s_[: h - dy, max(0, -dx) : w - max(0, dx)]
        b = np.s_[dy:, max(0, dx) : w + min(0, dx)]
        both = within[a] & within[b]
        start.append(number[a][both])
        end.append(number[b][both])
        cost.append(((toll[a] + toll[b]) * np.hypot(dy, dx) / 2)[both])
    size = int(within.sum())
    links = (np.concatenate(start), np.concatenate(end))
    graph = sparse.csr_array((np.concatenate(cost), links), shape=(size, size))
    middle = [int(number[round(disk.y), round(disk.x)])]
    totals, steps = sparse.csgraph.dijkstra(
        graph, directed=False, indices=middle, return_predecessors=True
    )
    total, before = totals[0], steps[0]
    rim = number[within & ~ndimage.binary_erosion(within)]
    way = [int(rim[np.argmin(total[rim])])]
    while before[way[-1]] >= 0:
        way.append(int(before[way[-1]]))
    return np.argwhere(within)[way]


def _window(light: Float, inside: Bool, width: float, kind: str) -> Float:
    """Grey opening or closing with a square window; what is not ``inside`` has no say."""
    side = max(3, round(width) | 1)
    first, then = ndimage.minimum_filter, ndimage.maximum_filter
    if kind == "close":
        first, then = then, first
    nothing = np.inf if kind == "open" else -np.inf
    padded = np.pad(np.where(inside, light, nothing), side, constant_values=nothing)
    filtered: Float = then(first(padded, side), side)[side:-side, side:-side]
    return np.where(inside, filtered, 0)


def _noise(picture: Float, inside: Bool) -> float:
    filled = np.where(np.isfinite(picture), picture, np.nanmin(picture))
    rough = np.abs(filled - ndimage.median_filter(filled, 5))[inside]
    return float(1.4826 * np.median(rough))
