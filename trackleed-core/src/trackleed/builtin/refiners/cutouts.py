"""The pixels of each ROI, and which of them count."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

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
    """One frame, with what is known about its pixels; all arrays (y, x)."""

    counts: Array
    shown: Array  # bool: not masked, and with a value
    clipped: Array  # bool: saturated


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


def join(parts: list[Cutouts]) -> Cutouts:
    """Several cutouts of one size as one."""
    return Cutouts(
        *(np.concatenate([getattr(part, f.name) for part in parts]) for f in fields(Cutouts))
    )


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
    counts = raw if frames.correction is None else frames.correction.apply(raw)
    counts = counts.astype(np.float64)
    clipped = np.zeros(raw.shape, bool) if frames.saturation is None else raw >= frames.saturation
    return Picture(counts, frames.valid & np.isfinite(counts), clipped)


def cut(image: Picture, scaling: Scale, row: Array, x: Array, y: Array, side: int) -> Cutouts:
    """Cut ROIs round the pixels nearest to ``x``, ``y`` (n,), in the frame or near it."""
    centre_x, centre_y = np.rint(x).astype(np.intp), np.rint(y).astype(np.intp)
    offsets = np.arange(side) - half(side)
    height, width = image.counts.shape
    columns, rows = centre_x[:, None] + offsets, centre_y[:, None] + offsets
    in_x, in_y = (columns >= 0) & (columns < width), (rows >= 0) & (rows < height)
    inside = in_y[:, :, None] & in_x[:, None, :]
    at = (np.clip(rows, 0, height - 1)[:, :, None], np.clip(columns, 0, width - 1)[:, None, :])
    shown = image.shown[at] & inside
    corrected = scaling.zero.size > 1
    blank = np.ones((len(row), 1, 1))
    return Cutouts(
        row=row,
        x=centre_x,
        y=centre_y,
        counts=np.where(shown, image.counts[at], 0.0),
        shown=shown,
        clipped=image.clipped[at] & shown,
        inside=inside.mean(axis=(1, 2)),
        zero=np.where(shown, scaling.zero[at], 0.0) if corrected else 0.0 * blank,
        slope=np.where(shown, scaling.slope[at], 1.0) if corrected else blank,
    )
