"""The pixels of each ROI, and which of them count."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields, replace

import numpy as np

from trackleed.builtin.refiners.compiled import cutting as compiled
from trackleed.builtin.refiners.compiled.shade import shade
from trackleed.builtin.refiners.model import Array, half
from trackleed.frames import FrameSequence, NoiseModel


@dataclass
class Scale:
    """How the series' correction maps raw counts: ``corrected = zero + slope * raw``."""

    zero: Array  # (y, x), or a number where nothing is corrected
    slope: Array


@dataclass
class Picture:
    """One frame, with what is known about its pixels; arrays (y, x)."""

    raw: Array
    counts: Array  # corrected; the same as raw where nothing is
    valid: Array  # bool: not masked
    saturation: float  # raw counts from which pixels are clipped


@dataclass
class Cutouts:
    """n square ROIs of one size, each centred on a pixel. Nothing is shown outside the frame."""

    row: Array  # (n,) which ROI of the batch
    x: Array  # (n,) pixel at the centre
    y: Array
    counts: Array  # (n, side, side)
    shown: Array  # bool
    clipped: Array  # bool
    inside: Array  # (n,) part of the ROI inside the frame
    zero: Array  # (n, side, side), or (n, 1, 1)
    slope: Array

    def __len__(self) -> int:
        return len(self.row)

    @property
    def side(self) -> int:
        """Side of the ROIs in px."""
        return int(self.counts.shape[-1])

    def take(self, which: Array | slice) -> Cutouts:
        """Some of the ROIs."""
        return Cutouts(*(getattr(self, field.name)[which] for field in fields(self)))

    def distance2(self, x: Array, y: Array) -> Array:
        """Squared distance of each pixel from one position (n,) per ROI, array (n, side, side)."""
        offsets = np.arange(self.side) - half(self.side)
        dx = offsets - (x - self.x)[:, None]
        dy = offsets - (y - self.y)[:, None]
        return np.asarray(dx[:, None, :] ** 2 + dy[:, :, None] ** 2)

    def variance(self, noise: NoiseModel) -> Array:
        """Variance of each pixel, ``max(gain * model + dark, floor)``, array (n or 1, 3, ...).

        The noise model is that of the raw counts; the correction stretches it. The
        variance is never taken for less than that of rounding to whole electrons.
        """
        zero, slope = self.zero, self.slope
        gain = noise.gain * slope
        dark = slope**2 * (noise.read_noise**2 - noise.gain * noise.black) - gain * zero
        floor = slope**2 * max(noise.read_noise**2, noise.gain**2 / 12)
        return np.stack([gain, dark, floor], axis=1)


def shaded(rois: Cutouts, noise: NoiseModel, x: Array, y: Array) -> Array:
    """Pixels far darker than the ROI's background, bool (n, side, side).

    No spot darkens its surroundings: this is the rim of the screen, the gun's shadow or a dead
    pixel that the mask does not know, and a few of them would tilt the background until
    the spot is lost. The background is the median over the pixels that are
    not near the spot, its spread the median absolute deviation. The edge of the shade, and
    of the mask, counts as shade too, since no shadow is sharp; that of a single pixel does not.
    """
    dark = np.zeros(rois.counts.shape, dtype=bool)
    shift = np.stack([x - rois.x, y - rois.y], axis=1)
    shade(rois.counts, rois.shown, rois.variance(noise), shift, dark)
    return dark


def scale(frames: FrameSequence) -> Scale:
    """Slope and zero of the series' correction, which is a straight line in each pixel."""
    if frames.correction is None:
        return Scale(np.zeros((1, 1)), np.ones((1, 1)))
    step = 2.0**16  # large, so that float32 does not round the slope away
    zero = frames.correction.apply(np.zeros(frames.shape, np.float32)).astype(np.float64)
    one = frames.correction.apply(np.full(frames.shape, step, np.float32)).astype(np.float64)
    return Scale(zero, (one - zero) / step)


def picture(frames: FrameSequence, i: int) -> Picture:
    """Frame ``i``, read once."""
    raw = frames.raw(i)
    # Compiled code takes neither foreign byte order nor half precision.
    raw = raw.astype(np.float32 if raw.dtype == "f2" else raw.dtype.newbyteorder("="), copy=False)
    counts = raw if frames.correction is None else frames.correction.apply(raw)
    saturation = np.inf if frames.saturation is None else frames.saturation
    return Picture(raw, counts, frames.valid, saturation)


def cut(image: Picture, scaling: Scale, row: Array, x: Array, y: Array, side: int) -> Cutouts:
    """Cut ROIs round the pixels nearest to ``x``, ``y`` (n,), in the frame or near it."""
    rois = _blank(row, x, y, side)
    _fill(rois, image, 0, len(rois))
    return _scaled(rois, scaling)


def cut_series(
    frames: FrameSequence, scaling: Scale, frame: Array, x: Array, y: Array, side: Array
) -> Iterator[Cutouts]:
    """All ROIs that touch their frame, of one side after another; each frame is read once.

    Parameters
    ----------
    frame, x, y, side : ndarray (n,)
        Of each ROI; NaN where there is none.
    """
    height, width = frames.shape
    near = (x > -side) & (x < width + side) & (y > -side) & (y < height + side)
    order = np.argsort(frame, kind="stable")
    order = order[near[order]]
    numbers = np.unique(frame[order])
    parts = []
    for each in np.unique(side[order]):
        row = order[side[order] == each]
        bounds = np.searchsorted(frame[row], [*numbers, np.inf]).tolist()
        parts.append((_blank(row, x[row], y[row], int(each)), bounds))
    for n, number in enumerate(numbers):
        image = picture(frames, int(number))
        for rois, bounds in parts:
            _fill(rois, image, bounds[n], bounds[n + 1])
    for rois, _ in parts:
        yield _scaled(rois, scaling)


def _blank(row: Array, x: Array, y: Array, side: int) -> Cutouts:
    n = len(row)
    return Cutouts(
        row=row,
        x=np.rint(x).astype(np.intp),
        y=np.rint(y).astype(np.intp),
        counts=np.zeros((n, side, side)),
        shown=np.zeros((n, side, side), bool),
        clipped=np.zeros((n, side, side), bool),
        inside=np.zeros(n),
        zero=np.zeros((n, 1, 1)),
        slope=np.ones((n, 1, 1)),
    )


def _fill(rois: Cutouts, image: Picture, start: int, stop: int) -> None:
    """Put the pixels of one frame into some of the ROIs."""
    compiled.cut(
        image.raw, image.counts, image.valid, image.saturation, rois.x, rois.y, start, stop,
        rois.counts, rois.shown, rois.clipped, rois.inside,
    )  # fmt: skip


def _scaled(rois: Cutouts, scaling: Scale) -> Cutouts:
    """The ROIs, with slope and zero of the correction of each pixel that is shown."""
    if scaling.zero.size == 1:
        return rois
    offsets = np.arange(rois.side) - half(rois.side)
    height, width = scaling.zero.shape
    columns = np.clip(rois.x[:, None] + offsets, 0, width - 1)[:, None, :]
    rows = np.clip(rois.y[:, None] + offsets, 0, height - 1)[:, :, None]
    zero = np.where(rois.shown, scaling.zero[rows, columns], 0.0)
    slope = np.where(rois.shown, scaling.slope[rows, columns], 1.0)
    return replace(rois, zero=zero, slope=slope)
