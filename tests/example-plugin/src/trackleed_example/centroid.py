"""The method. This module is imported at first use, so it may import what it likes."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from trackleed.frames import FrameSequence
from trackleed.tables import Columns, State
from trackleed_example.params import CentroidParams

BOX = ("x", "y", "width", "height")


class Centroid:
    """Follows each spot forward from its seed, by the centre of mass of the light around it."""

    def __init__(self, params: CentroidParams) -> None:
        self.params = params

    def track(
        self, frames: FrameSequence, seeds: Columns | None, detections: Columns | None
    ) -> Iterator[Columns]:
        """Yield the rows of one frame after another: one row for every track, always."""
        assert seeds is not None  # the engine sees to it: the spec says needs=("seeds",)
        tracks = np.unique(seeds["track_id"])
        boxes: dict[int, tuple[float, ...]] = {}  # where each spot was last seen: x, y, size
        for number, frame in enumerate(frames):
            # A track may be seeded in several frames; a seed overrules what was followed.
            seeded = {seeds["track_id"][i]: i for i in np.flatnonzero(seeds["frame"] == number)}
            # Every track is lost, with NaN, until it is found.
            rows = {name: np.full(len(tracks), np.nan) for name in (*BOX, "score")}
            rows |= {"frame": np.full(len(tracks), number), "track_id": tracks}
            rows["state"] = np.full(len(tracks), State.LOST, dtype=object)
            for row, track in enumerate(tracks):
                if track in seeded:
                    boxes[track] = tuple(seeds[name][seeded[track]] for name in BOX)
                    rows["state"][row] = State.SEED
                elif track in boxes and (found := self._find(frame, frames, *boxes[track][:2])):
                    x, y, rows["score"][row] = found
                    boxes[track] = (x, y, *boxes[track][2:])
                    rows["state"][row] = State.MEASURED
                else:
                    continue
                for name, value in zip(BOX, boxes[track], strict=True):
                    rows[name][row] = value
            yield rows

    def _find(
        self, frame: np.ndarray, frames: FrameSequence, x: float, y: float
    ) -> tuple[float, float, float] | None:
        """Position, and height over the noise, of the spot near (x, y); None if there is none."""
        ys, xs = np.indices(frame.shape)
        distance = np.hypot(xs - x, ys - y)
        usable = frames.valid & np.isfinite(frame)  # the mask, and pixels without correction
        near = usable & (distance <= self.params.radius)
        ring = near & (distance > 0.7 * self.params.radius)
        if not ring.any():
            return None
        background = np.median(frame[ring])
        noise = np.sqrt(frames.noise.variance(background))
        light = np.where(near, frame - background, 0.0)
        height = light.max() / noise
        if height < self.params.min_height:
            return None
        light[light < 3 * noise] = 0.0  # noise alone would pull it to the middle
        return np.average(xs, weights=light), np.average(ys, weights=light), height
