"""Tracking some spots anew from a frame: the parts before and after the tracker."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np

from trackleed.edits.base import Edit
from trackleed.edits.rows import BOX, found_in, listed, ordered, placed, require_tracks, roi, seen
from trackleed.edits.tracks import TrackIds
from trackleed.errors import InputError
from trackleed.params import option
from trackleed.tables import SEEDS, TRACKS, TableSpec, build

if TYPE_CHECKING:
    import pandas as pd


class Retrack(Edit):
    """Some spots are followed anew from a frame; all other tracks stay as they are."""

    name: ClassVar[str] = "retrack"
    spec: ClassVar[TableSpec] = TRACKS
    tracks: TrackIds = option(..., "tracks to follow anew", min_length=1)
    frame: int = option(..., "frame from which on; its positions are kept", ge=0)
    direction: Literal["forwards", "backwards", "both"] = option(
        "forwards", "to the last frame, to the first, or both"
    )
    tracker: str = option("lk-skip", "tracker")
    options: dict[str, Any] = option({}, "options of the tracker")

    def words(self) -> str:
        """Which, from where, with what."""
        ways = "both ways" if self.direction == "both" else self.direction
        tracker = self.tracker.rpartition(":")[2]
        return f"{listed(self.tracks)} followed anew from frame {self.frame} {ways} by {tracker}"

    def seeds(self, table: pd.DataFrame) -> pd.DataFrame:
        """Where the tracks are in the frame to start from, a ``seeds`` table.

        Raises
        ------
        InputError
            If there is no such track, or it has no position in that frame.
        """
        require_tracks(table, self.tracks)
        rows = table[table["track_id"].isin(self.tracks) & (table["frame"] == self.frame)]
        rows = rows[placed(rows)].copy()
        for track in self.tracks:
            if track not in set(rows["track_id"]):
                where = found_in(table[table["track_id"] == track])
                raise InputError(
                    f"track {track} has no position in frame {self.frame}; "
                    f"it has in frames {where}",
                    f"set it first: trackleed edit RUN move {track} --frame {self.frame} --to X,Y",
                )
        for row in rows.index[rows["width"].isna() | rows["height"].isna()]:
            rows.loc[row, ["width", "height"]] = roi(table, rows.loc[row, "track_id"], self.frame)
        return build(SEEDS, rows[["track_id", "frame", *BOX]])

    def claim(self, seeds: pd.DataFrame, found: pd.DataFrame) -> pd.DataFrame:
        """Of the tracks of a tracker that takes no seeds, those that pass the seeds.

        Each gets the number of its seed. A track passes a seed if it is the nearest in that
        frame and inside the ROI.

        Raises
        ------
        InputError
            If no track passes a seed, or one passes two of them.
        """
        here = found[(found["frame"] == self.frame) & placed(found)]
        x, y, theirs = (here[name].to_numpy() for name in ("x", "y", "track_id"))
        claimed: dict[int, int] = {}
        for track, place, side in self._wanted(seeds):
            away = np.hypot(x - place[0], y - place[1])
            if not len(away) or away.min() > side / 2:
                raise InputError(
                    f"{self.tracker} finds no spot at track {track} in frame {self.frame}",
                    "choose a tracker that takes start positions, such as lk-skip",
                )
            nearest = int(theirs[away.argmin()])
            if nearest in claimed:
                raise InputError(
                    f"{self.tracker} finds one spot for the tracks {claimed[nearest]} and "
                    f"{track} in frame {self.frame}"
                )
            claimed[nearest] = track
        chosen = found[found["track_id"].isin(list(claimed))]
        return chosen.assign(track_id=chosen["track_id"].map(claimed))

    def _wanted(self, seeds: pd.DataFrame) -> Iterator[tuple[int, tuple[float, float], float]]:
        """Number, place and smaller side of the ROI of each seed."""
        numbers = seeds["track_id"].tolist()
        boxes = seeds[BOX].to_numpy(float)
        for track, (x, y, width, height) in zip(numbers, boxes, strict=True):
            yield track, (x, y), min(width, height)

    def splice(self, table: pd.DataFrame, found: pd.DataFrame) -> pd.DataFrame:
        """The table with the rows that the tracker found in the frames that were asked for.

        Raises
        ------
        InputError
            If the tracker has no rows for a track.
        """
        for track in self.tracks:
            if track not in set(found["track_id"]):
                raise InputError(f"{self.tracker} has no rows for track {track}")
        old, new = (self._asked(rows) for rows in (table, found))
        return ordered(table[~old], found[new].reindex(columns=table.columns))

    def outcome(self, table: pd.DataFrame) -> str:
        """How much of what was followed anew is seen, in the table after it."""
        rows = table[self._asked(table)]
        return f"seen in {int(seen(rows).sum())} of {len(rows)} positions"

    def _asked(self, rows: pd.DataFrame) -> pd.Series[bool]:
        away = rows["frame"] - self.frame
        if self.direction == "forwards":
            there = away > 0
        else:
            there = away < 0 if self.direction == "backwards" else away != 0
        return rows["track_id"].isin(self.tracks) & there
