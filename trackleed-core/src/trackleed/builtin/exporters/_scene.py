"""What the pictures show: the spots of the frames that are drawn, and the path of every track."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from trackleed.builtin.exporters._tables import KEY
from trackleed.tables import SEEN, FitStatus

if TYPE_CHECKING:
    from trackleed.backend import View
    from trackleed.builtin.exporters._picture import Array

PATH_POINTS = 2000
"""Frames at most from which a path is made."""

_FITTED = ["status", "x", "y", "sigma_x", "sigma_y", "theta_deg"]
_SHAPED = (FitStatus.OK, FitStatus.SATURATED)


@dataclass
class Scene:
    """The spots of some frames, and where all tracks went."""

    spots: dict[int, pd.DataFrame] = field(default_factory=dict)
    """By frame: tracks as they stand, with the fitted place and shape; ``fitted``, ``clipped``."""
    paths: dict[int, Array] = field(default_factory=dict)
    """By track: rows of frame, x, y where it was seen."""
    lives: dict[int, tuple[int, int, int]] = field(default_factory=dict)
    """By track: first and last frame in which it was seen, and in how many."""
    centers: dict[int, tuple[float, float]] = field(default_factory=dict)
    """By frame."""

    def in_gap(self, track_id: int, frame: int) -> bool:
        """Whether a frame lies between the first and the last in which a track was seen."""
        first, last, _ = self.lives.get(track_id, (frame, frame, 0))
        return first < frame < last

    def last_seen(self, track_id: int, frame: int) -> tuple[float, float]:
        """Where a track was last seen before a frame of a gap."""
        path = self.paths[track_id]
        row = max(int(np.searchsorted(path[:, 0], frame)) - 1, 0)
        return float(path[row, 1]), float(path[row, 2])


def gather(view: View, drawn: set[int]) -> Scene:
    """Go through the tables of a view once and keep what the pictures need."""
    scene = Scene()
    step = max(1, len(view.index) // PATH_POINTS)
    pieces: list[pd.DataFrame] = []
    names = ["tracks", "fits"] if view.has("fits") else ["tracks"]
    for tables in view.blocks(*names):
        spots = _placed(*tables)
        for frame in drawn.intersection(spots["frame"]):
            scene.spots[frame] = spots[spots["frame"] == frame]
        seen = spots[spots["state"].isin(SEEN) & spots["x"].notna()]
        for track_id, frames in seen.groupby("track_id")["frame"]:
            _lengthen(scene.lives, track_id, frames)
        pieces.append(seen.loc[seen["frame"] % step == 0, [*KEY, "x", "y"]])
    paths = pd.concat(pieces)
    for track_id in paths["track_id"].unique().tolist():
        path = paths.loc[paths["track_id"] == track_id, ["frame", "x", "y"]]
        scene.paths[track_id] = path.to_numpy(np.float64)
    if view.has("centers"):
        known = view.table("centers").dropna(subset=["x", "y"])
        known = known[known["frame"].isin(drawn)]
        scene.centers = {
            int(f): (float(x), float(y))
            for f, x, y in zip(known["frame"], known["x"], known["y"], strict=True)
        }
    return scene


def _placed(tracks: pd.DataFrame, fits: pd.DataFrame | None = None) -> pd.DataFrame:
    """Tracks of a block with the fitted position and shape where there is one."""
    spots = tracks[[*KEY, "state", "x", "y", "width", "height"]]
    if fits is None:
        return spots.assign(
            sigma_x=np.nan, sigma_y=np.nan, theta_deg=np.nan, fitted=False, clipped=False
        )
    fitted = spots[KEY].merge(fits[[*KEY, *_FITTED]], how="left", on=KEY).set_index(spots.index)
    shaped = fitted["status"].isin(_SHAPED) & fitted["x"].notna() & fitted["sigma_x"].notna()
    shape = {name: fitted[name].where(shaped) for name in _FITTED[3:]}
    places = {axis: fitted[axis].where(shaped, spots[axis]) for axis in ("x", "y")}
    clipped = shaped & (fitted["status"] == FitStatus.SATURATED)
    return spots.assign(fitted=shaped, clipped=clipped, **places, **shape)


def _lengthen(lives: dict[int, tuple[int, int, int]], track_id: Any, frames: pd.Series) -> None:
    first, _, n = lives.get(int(track_id), (int(frames.iloc[0]), 0, 0))
    lives[int(track_id)] = (first, int(frames.iloc[-1]), n + len(frames))
