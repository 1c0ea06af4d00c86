"""The method. This module is imported at first use, so it may import what it likes."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from trackleed.frames import FrameSequence
from trackleed.tables import Columns, State
from trackleed_example.params import CentroidParams

NOWHERE = (np.nan, np.nan)


class Centroid:
    """Follows each spot forward from its seed, by the centre of mass of the light around it."""

    def __init__(self, params: CentroidParams) -> None:
        self.params = params

    def track(
        self, frames: FrameSequence, seeds: Columns | None, detections: Columns | None
    ) -> Iterator[Columns]:
        """Yield the rows of one frame after another: one row for every track, always."""
        assert seeds is not None  # the engine sees to it: the spec says needs=("seeds",)
        ids = np.unique(seeds["track_id"])
        places = dict.fromkeys(ids, NOWHERE)  # where each spot was last seen
        sizes = dict.fromkeys(ids, NOWHERE)
        for number, frame in enumerate(frames):
            rows = []
            # A track may be seeded in several frames; a seed overrules what was followed.
            seeded = {seeds["track_id"][i]: i for i in np.flatnonzero(seeds["frame"] == number)}
            for track in ids:
                if track in seeded:
                    i = seeded[track]
                    places[track] = found = (seeds["x"][i], seeds["y"][i])
                    sizes[track] = (seeds["width"][i], seeds["height"][i])
                    rows.append((number, track, *found, *sizes[track], np.nan, State.SEED))
                    continue
                x, y, height = self._find(frame, frames, places[track])
                if np.isnan(x):  # not there: say so, and look at the same place next time
                    rows.append((number, track, *NOWHERE, *NOWHERE, np.nan, State.LOST))
                else:
                    places[track] = (x, y)
                    rows.append((number, track, x, y, *sizes[track], height, State.MEASURED))
            names = ("frame", "track_id", "x", "y", "width", "height", "score", "state")
            yield dict(zip(names, map(np.array, zip(*rows, strict=True)), strict=True))

    def _find(
        self, frame: np.ndarray, frames: FrameSequence, place: tuple[float, float]
    ) -> tuple[float, float, float]:
        """Position and height over the noise of the spot near ``place``, NaN if there is none."""
        lost = (np.nan, np.nan, np.nan)
        if np.isnan(place[0]):  # its seed is in a later frame
            return lost
        distance = np.hypot(*(np.indices(frame.shape) - np.reshape(place[::-1], (2, 1, 1))))
        usable = frames.valid & np.isfinite(frame)  # the mask, and pixels without correction
        near = usable & (distance <= self.params.radius)
        ring = near & (distance > 0.7 * self.params.radius)
        if not ring.any():
            return lost
        background = np.median(frame[ring])
        noise = np.sqrt(frames.noise.variance(background))
        light = np.where(near, frame - background, 0.0)
        height = light.max() / noise
        if height < self.params.min_height:
            return lost
        y, x = np.nonzero(light > 3 * noise)  # noise alone would pull it to the middle
        return np.average(x, weights=light[y, x]), np.average(y, weights=light[y, x]), height
