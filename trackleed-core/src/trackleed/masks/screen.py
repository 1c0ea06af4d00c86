"""The rim of the fluorescent screen: the ellipse inside which there is light.

Every ellipse that the screen may be is tried on a small picture, and judged along its edge: how
much does the light drop from just inside to just outside, more than it does a little further in
or out? A low quantile over the directions is taken, so most of the visible rim has to show the
drop, and neither a bright spot nor the gun's arm can make or break one.

The idea is that of the integro-differential operator that finds the iris in a picture of an
eye: Daugman, IEEE Trans. Pattern Anal. Mach. Intell. 15 (1993) 1148.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import ndimage

Bool = np.ndarray[Any, np.dtype[np.bool_]]
Float = np.ndarray[Any, np.dtype[Any]]
Centre = tuple[float, float, float]  # x, y, aspect
Found = tuple[float, float, float, float, float]  # score, x, y, radius, aspect

_ANGLES = np.arange(48) * (2 * np.pi / 48)
_FULL = 0.1  # a drop that counts in full, in the spread of the logarithm of the light
_SURE = 0.25  # least score: noise and halos of spots stay below 0.18
_RADII = (0.22, 0.8)  # of the rim, in the frame's shorter side
_WIDTHS = (0.04, 0.03, 0.02)  # of the band judged on either side of the edge, coarse to fine
_MOVES = 6  # of the search for the best ellipse near a start, in one step size
_STARTS = 3  # ellipses of the coarse search that are looked at closely
_GRID = (np.linspace(0.35, 0.65, 12), (0.83, 0.91, 1.0, 1.1, 1.21))  # centres, aspects


@dataclass(frozen=True)
class Ellipse:
    """An ellipse along the axes: centre and half axes, px."""

    x: float
    y: float
    rx: float
    ry: float

    @property
    def radius(self) -> float:
        """Of the circle with the same area, px."""
        return math.sqrt(self.rx * self.ry)

    def grown(self, margin: float) -> Ellipse:
        """This ellipse with half axes longer by ``margin`` px."""
        return Ellipse(self.x, self.y, self.rx + margin, self.ry + margin)

    def scaled(self, f: int) -> Ellipse:
        """This ellipse on a picture whose pixels were cut into ``f`` by ``f``."""
        shift = (f - 1) / 2
        return Ellipse(self.x * f + shift, self.y * f + shift, self.rx * f, self.ry * f)

    def inside(self, shape: tuple[int, ...]) -> Bool:
        """Pixels of a picture (y, x) whose centre lies in the ellipse."""
        y, x = np.ogrid[: shape[0], : shape[1]]
        covered: Bool = ((x - self.x) / self.rx) ** 2 + ((y - self.y) / self.ry) ** 2 <= 1
        return covered


def find_screen(picture: Float) -> Ellipse | None:
    """The screen on a small picture (y, x), or None where no rim is sure.

    Parameters
    ----------
    picture : ndarray (y, x)
        Brightest of the frames, as `survey.brightest` makes it; NaN is not looked at.
    """
    light = logarithm(picture)
    if light is None:
        return None
    best = max((_refine(light, start) for start in _starts(light)), key=lambda found: found[0])
    score, x, y, radius, aspect = best
    if score < _SURE:
        return None
    rough = Ellipse(x, y, radius * aspect**0.5, radius / aspect**0.5)
    return fit_edge(light, rough, max(3, round(0.04 * min(light.shape))))


def logarithm(picture: Float) -> Float | None:
    """Light on a scale on which a dim rim counts as much as a bright one, spread 1."""
    if not np.isfinite(picture).any():
        return None
    black, half = np.nanpercentile(picture, [1, 50])
    if half <= black:
        return None
    light = np.log(np.maximum(picture - black, 0) + 0.3 * (half - black))
    low, high = np.nanpercentile(light, [5, 95])
    return light / (high - low) if high > low else None


def edge_score(light: Float, centre: Centre, radii: Float, width: int) -> tuple[Float, Float]:
    """How much of an ellipse's edge shows a drop of light, for every size round one centre.

    Parameters
    ----------
    light : ndarray (y, x)
        On a scale of spread 1; NaN is not looked at.
    centre : (float, float, float)
        x and y, px, and the ratio of the half axes rx/ry.
    radii : ndarray (n,)
        Geometric means of the half axes, in steps of 1 px.
    width : int
        Of the bands compared on either side of the edge, px.

    Returns
    -------
    score, radius : ndarray (m,)
        From -1 to 1; 1 where there is a full drop in all directions.
    """
    drop = _band_drop(_polar(light, centre, radii), width)
    slope = np.fmax(drop, 0)  # 0 where it is not known
    drop = drop[:, 2 * width : -2 * width] - (slope[:, : -4 * width] + slope[:, 4 * width :]) / 2
    full = np.where(np.isnan(drop), 0, np.clip(drop, -_FULL, _FULL)) / _FULL
    return full.mean(axis=0), radii[3 * width :][: drop.shape[1]] - 0.5


def _polar(light: Float, centre: Centre, radii: Float) -> Float:
    x, y, aspect = centre
    along = np.outer(np.cos(_ANGLES), radii) * aspect**0.5 + x
    down = np.outer(np.sin(_ANGLES), radii) / aspect**0.5 + y
    sampled: Float = ndimage.map_coordinates(light, [down, along], order=1, cval=np.nan)
    return sampled


def _band_drop(polar: Float, width: int) -> Float:
    """Drop from the band before each edge to the band behind it, (angle, radius - 2 width + 1)."""
    total = np.zeros((polar.shape[0], polar.shape[1] + 1))
    np.cumsum(polar, axis=1, out=total[:, 1:])
    band = (total[:, width:] - total[:, :-width]) / width
    drop: Float = band[:, :-width] - band[:, width:]
    return drop


def _rims(light: Float, centre: Centre, share: float) -> tuple[Float, Float]:
    """Score and radius of every rim round one centre, with bands of ``share`` of the side."""
    side = min(light.shape)
    width = max(2, round(share * side))
    radii = np.arange(_RADII[0] * side - 3 * width, _RADII[1] * side + 2 * width)
    score, radius = edge_score(light, centre, radii, width)
    return score * np.sqrt(radius / side), radius


def _starts(light: Float) -> list[Found]:
    """The best ellipses of a coarse grid, no two of them alike."""
    h, w = light.shape
    found: list[Found] = []
    for cy, cx, aspect in itertools.product(_GRID[0] * h, _GRID[0] * w, _GRID[1]):
        score, radius = _rims(light, (cx, cy, aspect), _WIDTHS[0])
        k = int(score.argmax())
        found.append((float(score[k]), cx, cy, float(radius[k]), aspect))
    found.sort(reverse=True)
    apart: list[Found] = []
    for one in found:
        if all(
            np.abs(np.subtract(one[1:4], other[1:4])).max() > 0.06 * min(h, w) for other in apart
        ):
            apart.append(one)
        if len(apart) == _STARTS:
            break
    return apart


def _refine(light: Float, start: Found) -> Found:
    """The best ellipse near ``start``: a pattern search in steps that halve with the bands."""
    h, w = light.shape
    _, x, y, near, aspect = start
    best = start
    step = np.array([w / 40, h / 40, 0.05])
    for share in _WIDTHS[1:]:
        best = (-1.0, x, y, near, aspect)
        for _ in range(_MOVES):
            tried = [best]
            for move in itertools.product((-1, 0, 1), repeat=3):
                centre = (x + move[0] * step[0], y + move[1] * step[1], aspect + move[2] * step[2])
                score, radius = _rims(light, centre, share)
                score = np.where(np.abs(radius - near) <= 0.04 * min(h, w), score, -1.0)
                k = int(score.argmax())
                tried.append((float(score[k]), *centre[:2], float(radius[k]), centre[2]))
            if max(tried) == best:
                break
            best = max(tried)
            _, x, y, near, aspect = best
        step = step / 2
    return best


def fit_edge(light: Float, rough: Ellipse, reach: int, *, keep_aspect: bool = False) -> Ellipse:
    """Least squares through the steepest drops within ``reach`` px of ``rough``.

    Outliers are left out; where too few drops agree, ``rough`` itself comes back.
    """
    aspect = rough.rx / rough.ry
    radii = rough.radius + np.arange(-reach - 2, reach + 3)
    drop = np.nan_to_num(_band_drop(_polar(light, (rough.x, rough.y, aspect), radii), 2), nan=-1.0)
    edge = (radii[drop.argmax(axis=1) + 2] - 0.5) / rough.radius
    used = drop.max(axis=1) > 0
    u, v = np.cos(_ANGLES) * edge, np.sin(_ANGLES) * edge
    squares = [u**2 + v**2] if keep_aspect else [u**2, v**2]
    terms = np.stack([*squares, u, v], axis=1)
    for _ in range(4):
        if used.sum() < 16:
            return rough
        p = np.linalg.lstsq(terms[used], np.ones(int(used.sum())), rcond=None)[0]
        miss = np.abs(terms @ p - 1)
        used &= miss <= max(3 * float(np.median(miss[used])), 0.01)
    a, b = p[0], p[-3]
    if min(a, b) <= 0:
        return rough
    x, y = -p[-2] / a / 2, -p[-1] / b / 2
    size = 1 + a * x**2 + b * y**2
    fitted = Ellipse(
        rough.x + x * rough.rx,
        rough.y + y * rough.ry,
        rough.rx * (size / a) ** 0.5,
        rough.ry * (size / b) ** 0.5,
    )
    moved = np.abs(np.subtract(_axes(fitted), _axes(rough))).max()
    return fitted if moved <= 2 * reach else rough


def _axes(ellipse: Ellipse) -> tuple[float, float, float, float]:
    return ellipse.x, ellipse.y, ellipse.rx, ellipse.ry
