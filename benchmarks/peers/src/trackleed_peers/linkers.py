"""The peers: each gives every detection a number, and the rest is the same for all."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

from trackleed.errors import InputError
from trackleed.frames import FrameSequence
from trackleed.tables import Columns, State
from trackleed_peers.params import PeerParams

_BOX = ("x", "y", "width", "height", "score")


class Peer(ABC):
    """Links detections and leaves out what does not last."""

    def __init__(self, params: PeerParams) -> None:
        self.params = params

    @abstractmethod
    def link(self, points: pd.DataFrame, n_frames: int) -> pd.Series:
        """Number of the track of each point: rows ``frame, x, y`` in the order of frames."""

    def track(
        self, frames: FrameSequence, seeds: Columns | None, detections: Columns | None
    ) -> Iterator[Columns]:
        """Yield the rows of one frame after another."""
        if detections is None:
            raise InputError("this tracker links detections, and was given none")
        points = pd.DataFrame({name: detections[name] for name in ("frame", *_BOX)})
        points = points.sort_values("frame", kind="stable", ignore_index=True)
        numbers = self.link(points[["frame", "x", "y"]], len(frames)) if len(points) else []
        points = points.assign(track=np.asarray(numbers))
        lasting = points.groupby("track")["frame"].transform("size") >= self.params.min_length
        points = points[lasting]
        points["track"] = pd.factorize(points["track"])[0] + 1
        yield from _rows(points, len(frames))


class TrackPy(Peer):
    """`trackpy.link` with a memory."""

    def link(self, points: pd.DataFrame, n_frames: int) -> pd.Series:
        """As trackpy does."""
        import trackpy

        trackpy.quiet()
        linked = trackpy.link(points, self.params.max_distance, memory=self.params.max_gap)
        return linked["particle"].sort_index()


class TrackPyVelocity(Peer):
    """`trackpy.link`, where each spot is expected to go on as its neighbour did."""

    def link(self, points: pd.DataFrame, n_frames: int) -> pd.Series:
        """As trackpy does."""
        import trackpy

        trackpy.quiet()
        predictor = trackpy.predict.NearestVelocityPredict()
        linked = predictor.link_df(
            points.assign(row=points.index), self.params.max_distance, memory=self.params.max_gap
        )
        return linked.set_index("row")["particle"].sort_index()


class Norfair(Peer):
    """`norfair.Tracker` with the Euclidean distance; only what was detected is taken."""

    def link(self, points: pd.DataFrame, n_frames: int) -> pd.Series:
        """As norfair does, with tracks that are not confirmed yet."""
        import norfair

        tracker = norfair.Tracker(
            distance_function="euclidean",
            distance_threshold=self.params.max_distance,
            hit_counter_max=self.params.max_gap + 1,
            initialization_delay=min(2, self.params.max_gap),
        )
        numbers = pd.Series(-1 - points.index.to_numpy(), index=points.index)
        by_frame = dict(tuple(points.groupby("frame")))
        for frame in range(n_frames):
            rows: Any = by_frame.get(frame, points.iloc[:0])
            tracker.update(
                [
                    norfair.Detection(np.array([[row.x, row.y]]), data=row.Index)
                    for row in rows.itertuples()
                ]
            )
            for thing in tracker.tracked_objects:
                if thing.last_detection.data in rows.index:
                    numbers[thing.last_detection.data] = thing.global_id
        return numbers


class LapTrack(Peer):
    """`laptrack.LapTrack` with gap closing."""

    def link(self, points: pd.DataFrame, n_frames: int) -> pd.Series:
        """As laptrack does."""
        import laptrack

        cutoff = self.params.max_distance**2
        tracker = laptrack.LapTrack(
            cutoff=cutoff,
            gap_closing_cutoff=cutoff,
            gap_closing_max_frame_count=self.params.max_gap,
        )
        linked, _, _ = tracker.predict_dataframe(
            points.assign(row=points.index), ["x", "y"], only_coordinate_cols=False
        )
        return linked.set_index("row")["track_id"].sort_index()


def _rows(points: pd.DataFrame, n_frames: int) -> Iterator[Columns]:
    """A row for every track in every frame."""
    n_tracks = int(points["track"].max()) if len(points) else 0
    first = points.groupby("track")["frame"].min()
    by_frame = dict(tuple(points.groupby("frame")))
    for frame in range(n_frames):
        rows: dict[str, Any] = {name: np.full(n_tracks, np.nan) for name in _BOX}
        rows |= {"frame": np.full(n_tracks, frame), "track_id": np.arange(1, n_tracks + 1)}
        rows["state"] = np.full(n_tracks, State.LOST, dtype=object)
        here = by_frame.get(frame)
        if here is not None:
            at = here["track"].to_numpy() - 1
            begins = here["track"].map(first).to_numpy() == frame
            rows["state"][at] = np.where(begins, State.SEED, State.MEASURED).astype(object)
            for name in _BOX:
                rows[name][at] = here[name].to_numpy()
        yield rows
