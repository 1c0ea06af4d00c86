"""The refiner ``gaussian``: every tracked spot measured by a least-squares fit."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from trackleed.builtin.refiners import cutouts, neighbours
from trackleed.builtin.refiners.crowds import measure_together
from trackleed.builtin.refiners.hidden import part_hidden
from trackleed.builtin.refiners.measure import Tracks, blank, measure
from trackleed.builtin.refiners.model import Array
from trackleed.builtin.refiners.params import GaussianParams
from trackleed.builtin.refiners.relative import refine_groups
from trackleed.builtin.refiners.status import NUMBERS, judge, settled, too_dim
from trackleed.errors import InputError
from trackleed.frames import FrameSequence, NoiseModel
from trackleed.tables import FITS, GROUP_FITS, Columns, Role, State

BATCH = 256  # ROIs fitted at once: their pixels stay in the processor's cache
BLOCK = 2_500_000  # pixels of ROIs, in whole frames, that are cut out before they are fitted
UNKNOWN_BOX = 21.0  # px, where a track has no width


class Gaussian:
    """Rotated elliptical Gaussian on a background, fitted to every tracked ROI.

    Each ROI is a square centred on the pixel nearest to the track. Pixels that are
    masked, NaN, saturated, outside the frame, or far darker than the background (the
    shadow of the gun) count for nothing. Spots whose ROIs overlap are fitted together, on one
    background, and share ``r_squared`` and ``chi2_red``; where one of them cannot be, its
    pixels are left out of its neighbours' fits. The weights are those of the series' noise
    model at the level of the fitted model. ``r_squared`` is 1 - SSE / SST, unweighted;
    ``chi2_red`` is weighted; ``snr`` is volume over its error.

    Parameters
    ----------
    params : GaussianParams
    """

    def __init__(self, params: GaussianParams) -> None:
        self.params = params

    def refine(self, frames: FrameSequence, rois: Columns) -> Columns:
        """``fits`` rows, one for each row of ``rois`` in its order.

        Raises
        ------
        InputError
            If an ROI names a frame that the series does not have, or the noise
            model has neither read noise nor gain (no gain: for the estimator
            ``poisson``).
        """
        frame = self._frames(frames, rois)
        noise = self._noise(frames.noise)
        tracks = self._tracks(frame, rois)
        scaling = cutouts.scale(frames)
        table: dict[str, Array] = {
            "frame": frame,
            "track_id": np.asarray(rois["track_id"], dtype=np.int64),
            "status": np.full(len(frame), State.LOST, dtype=object),
            **{c.name: np.full(len(frame), np.nan) for c in FITS.columns if c.dtype == "float"},
            "saturated": np.zeros(len(frame), dtype=bool),
        }
        for rows in _blocks(frame, tracks.side):
            block = self._block(frames, scaling, noise, tracks.take(rows))
            for name in table.keys() & block.keys():
                table[name][rows] = block[name]
        return {name: table[name] for name in FITS.names}

    def refine_groups(self, frames: FrameSequence, rois: Columns) -> Columns:
        """``group_fits`` rows, one for each row of ``rois`` in its order.

        The spots of a group have ROIs of one size, the largest that `refine` would give them. They
        are fitted together, or, where that does not settle or one is no spot, without the
        dimmest, whose pixels are then left out. A spot that is left out has no position;
        its height is that of a spot as wide as the reference at its seed.

        Raises
        ------
        InputError
            As `refine`.
        """
        frame = self._frames(frames, rois)
        group, role = np.asarray(rois["group"]), np.asarray(rois["role"], dtype=object)
        order = np.argsort(role != Role.REFERENCE, kind="stable")
        tracks = self._tracks(frame, rois).take(order)
        noise = self._noise(frames.noise)
        found = refine_groups(frames, tracks, group[order], role[order], noise, self.params)
        table: dict[str, Array] = {name: np.empty_like(v) for name, v in found.items()}
        for name, values in found.items():
            table[name][order] = values
        for name in ("frame", "group", "track_id", "role"):
            table[name] = np.asarray(rois[name])
        return {name: table[name] for name in GROUP_FITS.names}

    def _frames(self, frames: FrameSequence, rois: Columns) -> Array:
        frame = np.asarray(rois["frame"], dtype=np.int64)
        wrong = frame[(frame < 0) | (frame >= len(frames))]
        if len(wrong):
            raise InputError(f"ROI in frame {wrong[0]}, but the frames are 0 to {len(frames) - 1}")
        return frame

    def _noise(self, series: NoiseModel) -> NoiseModel:
        """The series' noise, or what the user knows better."""
        gain = series.gain if self.params.gain is None else self.params.gain
        read_noise = series.read_noise if self.params.read_noise is None else self.params.read_noise
        if read_noise <= 0 and gain <= 0:
            raise InputError("noise model with read noise 0 and gain 0; one must be above 0")
        if gain <= 0 and self.params.estimator == "poisson":
            raise InputError(
                "estimator poisson with gain 0; photon counts need a gain above 0",
                "--set refiner.gain=1, or --set refiner.estimator=least_squares",
            )
        return NoiseModel(gain, read_noise, series.black)

    def _tracks(self, frame: Array, rois: Columns) -> Tracks:
        box = np.fmax(np.asarray(rois["width"], float), np.asarray(rois["height"], float))
        wanted = np.where(np.isfinite(box) & (box > 0), box, UNKNOWN_BOX) * self.params.scale
        wanted = np.clip(wanted, self.params.min_size, self.params.max_size)
        x, y = np.asarray(rois["x"], float), np.asarray(rois["y"], float)
        present = np.isfinite(x) & np.isfinite(y)
        present &= np.asarray(rois["state"], dtype=str) != State.LOST
        side = 2 * (wanted // 2).astype(np.int64) + 1
        return Tracks(frame, np.where(present, x, np.nan), np.where(present, y, np.nan), side)

    def _block(
        self, frames: FrameSequence, scaling: cutouts.Scale, noise: NoiseModel, tracks: Tracks
    ) -> dict[str, Array]:
        """Columns of the ROIs of some whole frames."""
        pair = neighbours.pairs(tracks.frame, tracks.x, tracks.y, tracks.side)
        found = blank(len(tracks))
        parts = list(
            cutouts.cut_series(frames, scaling, tracks.frame, tracks.x, tracks.y, tracks.side)
        )
        for rois in parts:
            for first in range(0, len(rois), BATCH):
                batch = rois.take(slice(first, first + BATCH))
                for name, values in measure(batch, tracks, pair, noise, self.params).items():
                    found[name][batch.row] = values
        found["tracked"] = np.isfinite(tracks.x)
        found["settled"] = settled(found, self.params)
        found["astray"] = neighbours.astray(pair, tracks.x, tracks.y, found)
        joined = measure_together(parts, tracks, pair, found, noise, self.params)
        found["mixed"] = part_hidden(parts, tracks, pair, found, joined, noise, self.params)
        found["settled"] = settled(found, self.params)
        found["astray"] = neighbours.astray(pair, tracks.x, tracks.y, found)
        found["settled"] &= ~found["astray"]
        found["leak"] = neighbours.leak(pair, tracks.x, tracks.y, found, joined)
        dim, least = too_dim(found, self.params), self.params.max_leak
        found["merged"] = neighbours.merged(pair, found, joined, dim, least)
        status = judge(found, self.params)
        kept = np.isin(status, [str(word) for word in NUMBERS]) & found["settled"]
        for column in FITS.columns:
            if column.dtype == "float":
                found[column.name][~kept] = np.nan
        return {**found, "status": status}


def _blocks(frame: Array, side: Array) -> Iterator[Array]:
    """Row numbers in the order of their frames, in blocks that hold whole frames."""
    order = np.argsort(frame, kind="stable")
    ordered, pixels = frame[order], np.cumsum(side[order] ** 2)
    first, before = 0, 0
    while first < len(order):
        last = int(np.searchsorted(pixels, before + BLOCK))
        last_frame = ordered[min(max(last - 1, first), len(order) - 1)]
        after = int(np.searchsorted(ordered, last_frame, side="right"))
        yield order[first:after]
        first, before = after, int(pixels[after - 1])
