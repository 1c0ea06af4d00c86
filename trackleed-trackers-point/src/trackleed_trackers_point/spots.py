"""What the pixels say about a spot near a given place: where it is, how clear, how alike.

Pure functions on arrays, for many spots at once. Positions (n, 2) are x, y in px.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

if TYPE_CHECKING:
    from trackleed_trackers_point.pictures import Picture

    Array = np.ndarray[Any, np.dtype[Any]]

_INNER, _OUTER = 2.5, 3.8  # sigmas, of the ring in which level and noise are measured
_FITS = 3  # of the level, each without the neighbours that the one before has shown
_CLIP = 3.0  # noise, from which a pixel of the ring is a neighbour and not the level
_ROUNDS, _STEPS = 2, 4  # new cutouts, and moves of the window in each
_MOVED = 0.5  # px from the middle of a cutout, from which a new one is taken
_NEAR = 1.5  # sigmas that the window may move away from the middle of a cutout
SHOWN = 0.7  # least part of the window that must be usable
_ROUNDING = 1e-5  # of single precision, as a part of the level
_MAD = 1.4826  # standard deviation over median deviation, of Gaussian noise


class _Cut:
    """Square cutouts (n, side * side) about the pixels nearest to ``xy``."""

    def __init__(self, picture: Picture, xy: Array, half: int) -> None:
        steps = np.arange(-half, half + 1)
        dy, dx = (grid.ravel() for grid in np.meshgrid(steps, steps, indexing="ij"))
        self.x = np.rint(xy[:, :1]).astype(int) + dx
        self.y = np.rint(xy[:, 1:]).astype(int) + dy
        height, width = picture.counts.shape
        seen = (self.x >= 0) & (self.x < width) & (self.y >= 0) & (self.y < height)
        row, column = np.where(seen, self.y, 0), np.where(seen, self.x, 0)
        self.seen = seen & picture.usable[row, column]
        self.counts = np.where(self.seen, picture.counts[row, column], 0.0).astype(float)

    def offsets(self, xy: Array) -> tuple[Array, Array]:
        """Of each pixel from one place per spot."""
        return self.x - xy[:, :1], self.y - xy[:, 1:]


def locate(picture: Picture, xy: Array, sigma: Array) -> tuple[Array, Array]:
    """Centre of the light under a Gaussian window that follows it, and how significant it is.

    The window has the width of the spot; the way from its middle to the weighted mean under it
    is taken twice, until it rests (the windowed centroid of [1]_). Masked pixels are
    taken for those of a Gaussian there. The level is a plane through a ring around,
    neighbours left out.

    Parameters
    ----------
    picture : Picture
    xy : ndarray (n, 2)
        Where to begin; NaN stays NaN.
    sigma : ndarray (n,)
        Widths of the spots, px.

    Returns
    -------
    ndarray (n, 2)
        Centres; NaN where no light holds the window within 1.5 sigma of the
        beginning, or less than 0.7 of it is usable.
    ndarray (n,)
        SNR: height of the best Gaussian at that place over the standard deviation that it
        would have if there were only the noise of the ring. That is not taken for less
        than one grey level: contour lines of a smooth background are no spots.

    References
    ----------
    .. [1] E. Bertin and S. Arnouts, Astron. Astrophys. Suppl. 117, 393 (1996); SExtractor's
       manual, "windowed positional parameters".
    """
    centre, snr = np.full((len(xy), 2), np.nan), np.full(len(xy), np.nan)
    known = np.flatnonzero(np.isfinite(xy).all(axis=1))
    if not len(known):
        return centre, snr
    here, width = np.asarray(xy, float)[known], np.asarray(sigma, float)[known]
    half = int(np.ceil(_OUTER * width.max())) + 1
    begin, value = here, np.full(len(here), np.nan)
    left = np.arange(len(here))
    for _ in range(_ROUNDS):
        cut = _Cut(picture, begin[left], half)
        here[left], value[left] = _settle(cut, begin[left], width[left], picture.step)
        # The level was taken about the place it began from: once more, if it went far.
        left = left[np.hypot(*(here - begin)[left].T) > _MOVED]
        begin = here.copy()
    centre[known], snr[known] = here, value
    return centre, snr


def shown(picture: Picture, xy: Array, sigma: Array) -> Array:
    """Usable part of the window at each place (n,), 0 to 1; NaN without a place."""
    cut = _Cut(picture, np.nan_to_num(xy), int(np.ceil(2.5 * sigma.max())))
    window = _window(*cut.offsets(xy), sigma)
    return np.asarray((window * cut.seen).sum(axis=1) / window.sum(axis=1))


def _settle(cut: _Cut, start: Array, sigma: Array, step: float) -> tuple[Array, Array]:
    light, noise, level_pixels = _above_level(cut, start, sigma)
    noise = np.maximum(noise, step)
    here = start
    for _ in range(_STEPS):
        dx, dy = cut.offsets(here)
        window = _window(dx, dy, sigma)
        weight = window * cut.seen
        with np.errstate(invalid="ignore", divide="ignore"):
            height = (weight * light).sum(axis=1) / (weight**2).sum(axis=1)
            # Behind the mask a spot goes on as it should, or the edge would push it away.
            weighted = window * np.where(cut.seen, light, height[:, None] * window)
            move = [2 * (weighted * d).sum(axis=1) / weighted.sum(axis=1) for d in (dx, dy)]
        way = np.clip(np.stack(move, axis=1), -sigma[:, None], sigma[:, None])
        here = np.where((height > 0)[:, None], here + way, np.nan)
        far = np.hypot(*(here - start).T) > _NEAR * sigma
        here = np.where(far[:, None], np.nan, here)
    window = _window(*cut.offsets(here), sigma)
    weight = window * cut.seen
    with np.errstate(invalid="ignore", divide="ignore"):
        area = weight.sum(axis=1)
        # The noise under the window, and that of the level which was taken off there.
        spread = noise * np.sqrt((weight**2).sum(axis=1) + area**2 / level_pixels)
        snr = (weight * light).sum(axis=1) / spread
        shown = area / window.sum(axis=1) >= SHOWN
    ok = shown & np.isfinite(snr)
    return np.where(ok[:, None], here, np.nan), np.where(ok, snr, np.nan)


def _window(dx: Array, dy: Array, sigma: Array) -> Array:
    return np.asarray(np.exp(-(dx**2 + dy**2) / (2 * sigma[:, None] ** 2)))


def _above_level(cut: _Cut, xy: Array, sigma: Array) -> tuple[Array, Array, Array]:
    """Counts less the plane through the ring (n, pixels), noise about it and its pixels (n,)."""
    dx, dy = (offset / sigma[:, None] for offset in cut.offsets(np.nan_to_num(xy)))
    distance = np.hypot(dx, dy)
    ring = cut.seen & (distance >= _INNER) & (distance <= _OUTER)
    terms = np.stack([np.ones_like(dx), dx, dy], axis=2)
    floor = _ROUNDING * np.abs(cut.counts).max(axis=1) + 1e-12
    level = ring
    for _ in range(_FITS):
        weighted = (terms * level[:, :, None]).transpose(0, 2, 1)
        normal = weighted @ terms + 1e-6 * np.eye(3)  # a ring that is mostly hidden has no slope
        plane = np.linalg.solve(normal, weighted @ cut.counts[:, :, None])
        light = (cut.counts - (terms @ plane)[..., 0]) * cut.seen
        noise = np.maximum(_MAD * _median(np.abs(light), ring), floor)
        level = ring & (np.abs(light) <= _CLIP * noise[:, None])
    return light, noise, level.sum(axis=1)


def _median(values: Array, chosen: Array) -> Array:
    """Median of the chosen pixels of each row; 0 where none is."""
    ordered = np.sort(np.where(chosen, values, np.inf), axis=1)
    count = chosen.sum(axis=1)
    rows = np.arange(len(values))
    middle = (ordered[rows, np.maximum(count - 1, 0) // 2] + ordered[rows, count // 2]) / 2
    return np.where(count > 0, middle, 0.0)


def templates(image: Array, xy: Array, half: int) -> Array:
    """The image about each place (n, side, side), interpolated: the place is in the middle."""
    steps = np.arange(-half, half + 1, dtype=np.float32)
    dy, dx = (grid.reshape(1, -1) for grid in np.meshgrid(steps, steps, indexing="ij"))
    place = np.nan_to_num(xy, nan=-1e4).astype(np.float32)
    if not len(place):
        return np.zeros((0, len(steps), len(steps)), np.float32)
    cuts = cv2.remap(
        image,
        place[:, :1] + dx,
        place[:, 1:] + dy,
        cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REPLICATE,
    )
    return cuts.reshape(-1, len(steps), len(steps))


def correlation(a: Array, b: Array) -> Array:
    """Normalised cross-correlation (n,) of patches (n, side, side); 0 where one is flat."""
    a, b = ((p - p.mean(axis=(1, 2), keepdims=True)).astype(float) for p in (a, b))
    scale = np.sqrt((a**2).sum(axis=(1, 2)) * (b**2).sum(axis=(1, 2)))
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(scale > 0, (a * b).sum(axis=(1, 2)) / scale, 0.0)


def any_near(mask: Array, xy: Array, radius: float) -> Array:
    """Whether the mask (y, x) is set within ``radius`` px of each place (n, 2)."""
    reach = int(np.ceil(radius))
    steps = np.arange(-reach, reach + 1)
    dy, dx = (grid.ravel() for grid in np.meshgrid(steps, steps, indexing="ij"))
    near = np.hypot(dx, dy) <= radius
    place = np.rint(np.nan_to_num(xy, nan=-1e4)).astype(int)
    x, y = place[:, :1] + dx[near], place[:, 1:] + dy[near]
    seen = (x >= 0) & (x < mask.shape[1]) & (y >= 0) & (y < mask.shape[0])
    return np.asarray((mask[np.where(seen, y, 0), np.where(seen, x, 0)] & seen).any(axis=1))
