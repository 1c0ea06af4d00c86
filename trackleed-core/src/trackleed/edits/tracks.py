"""The edits of tracks. A track that is left has a row in every frame; what is unknown is NaN."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, ClassVar

import numpy as np
from pydantic import AfterValidator, model_validator

from trackleed.edits.base import Extent, TableEdit
from trackleed.edits.rows import (
    emptied,
    found_in,
    listed,
    next_track,
    ordered,
    placed,
    put,
    ranges,
    require_free,
    require_tracks,
    roi,
    seen,
)
from trackleed.errors import InputError
from trackleed.params import option
from trackleed.tables import TRACKS, State, TableSpec

if TYPE_CHECKING:
    import pandas as pd


def _distinct(tracks: list[int]) -> list[int]:
    twice = [track for track in tracks if tracks.count(track) > 1]
    if twice:
        raise ValueError(f"track {twice[0]} is named twice")
    return tracks


TrackIds = Annotated[list[int], AfterValidator(_distinct)]


class TrackEdit(TableEdit):
    """An edit of the ``tracks`` table."""

    spec: ClassVar[TableSpec] = TRACKS


class Merge(TrackEdit):
    """Several tracks are one spot: they become the one that is named first."""

    name: ClassVar[str] = "merge"
    tracks: TrackIds = option(..., "tracks of one spot; the first gives its number", min_length=2)
    keep: int | None = option(None, "track that counts in frames where several are seen")

    @model_validator(mode="after")
    def _one_of_them(self) -> Merge:
        if self.keep is not None and self.keep not in self.tracks:
            raise ValueError(f"keep = {self.keep} is none of the tracks {self.tracks}")
        return self

    def words(self) -> str:
        """Which tracks become one."""
        keep = "" if self.keep is None else f"; where several are seen, {self.keep} counts"
        return f"{listed(self.tracks)} are one spot, track {self.tracks[0]}{keep}"

    def apply(self, table: pd.DataFrame, extent: Extent) -> pd.DataFrame:
        """In each frame the row that saw the spot, else the one that expected it."""
        require_tracks(table, self.tracks)
        chosen = table["track_id"].isin(self.tracks)
        rows = table[chosen]
        if self.keep is None:
            self._require_apart(rows)
        order = {track: n for n, track in enumerate(self.tracks)}
        if self.keep is not None:
            order[self.keep] = -1
        rank = np.where(seen(rows), 0, np.where(placed(rows), 1, 2))
        best = (
            rows.assign(_rank=rank, _order=rows["track_id"].map(order))
            .sort_values(["frame", "_rank", "_order"])
            .drop_duplicates("frame")
            .drop(columns=["_rank", "_order"])
        )
        return ordered(table[~chosen], best.assign(track_id=self.tracks[0]))

    def _require_apart(self, rows: pd.DataFrame) -> None:
        count = rows[seen(rows)].groupby("frame").size()
        both = count.index[count > 1].tolist()
        if both:
            raise InputError(
                f"{listed(self.tracks)} are seen at once in {len(both)} frames: {ranges(both)}",
                f"say which counts there: --keep {self.tracks[0]}",
            )


class Split(TrackEdit):
    """A track is two spots: from a frame on it gets another number."""

    name: ClassVar[str] = "split"
    track: int = option(..., "track to split")
    at: int = option(..., "first frame of the second part", ge=0)
    new: int | None = option(None, "number of the second part; the next free one", ge=1)

    def words(self) -> str:
        """Where it is split."""
        new = "" if self.new is None else f" as track {self.new}"
        return f"track {self.track} is another spot from frame {self.at} on{new}"

    def apply(self, table: pd.DataFrame, extent: Extent) -> pd.DataFrame:
        """Both parts have a row in every frame."""
        require_tracks(table, [self.track])
        extent.check_frame(self.at)
        new = next_track(table) if self.new is None else self.new
        require_free(table, new)
        chosen = table["track_id"] == self.track
        rows = table[chosen]
        late = rows["frame"] >= self.at
        for side, part in (("before", rows[~late]), ("from", rows[late])):
            if not placed(part).any():
                raise InputError(
                    f"track {self.track} has no position {side} frame {self.at}; "
                    f"it has in frames {found_in(rows)}"
                )
        second = emptied(rows, ~late).assign(track_id=new)
        return ordered(table[~chosen], emptied(rows, late), second)


class Delete(TrackEdit):
    """Tracks go, or what they have in some frames."""

    name: ClassVar[str] = "delete"
    tracks: TrackIds = option(..., "tracks to delete", min_length=1)
    frames: tuple[int, int] | None = option(
        None, "first and last frame in which they become lost; whole tracks when not given"
    )

    def words(self) -> str:
        """What goes."""
        if self.frames is None:
            return f"{listed(self.tracks)} deleted"
        return f"{listed(self.tracks)} lost in frames {self.frames[0]} to {self.frames[1]}"

    def apply(self, table: pd.DataFrame, extent: Extent) -> pd.DataFrame:
        """Whole tracks leave no row; in some frames the rows stay, as lost."""
        require_tracks(table, self.tracks)
        chosen = table["track_id"].isin(self.tracks)
        if self.frames is None:
            return ordered(table[~chosen])
        first, last = self.frames
        extent.check_frame(first)
        extent.check_frame(last)
        if first > last:
            raise InputError(f"frames {first}-{last} end before they begin")
        inside = table["frame"].between(first, last)
        for track in self.tracks:
            rows = table[table["track_id"] == track]
            has = placed(rows)
            if not has[inside].any():
                raise InputError(
                    f"track {track} has no position in frames {first}-{last}; "
                    f"it has in frames {found_in(rows)}"
                )
            if not has[~inside].any():
                raise InputError(
                    f"track {track} has no position but in frames {found_in(rows)}",
                    "leave --frames out to delete it",
                )
        return ordered(emptied(table, chosen & inside))


class Move(TrackEdit):
    """A track's spot in one frame is elsewhere, or there after all."""

    name: ClassVar[str] = "move"
    track: int = option(..., "track to move")
    frame: int = option(..., "frame", ge=0)
    x: float = option(..., "place, to the right", unit="px")
    y: float = option(..., "place, down", unit="px")

    def words(self) -> str:
        """Where to."""
        return f"track {self.track} in frame {self.frame} at x = {self.x:g}, y = {self.y:g}"

    def apply(self, table: pd.DataFrame, extent: Extent) -> pd.DataFrame:
        """The row becomes ``edited``; the ROI is the track's own, the score unknown."""
        require_tracks(table, [self.track])
        extent.check_frame(self.frame)
        extent.check_place(self.x, self.y)
        return _placed_at(table, self.track, self.frame, (self.x, self.y), None)


class Add(TrackEdit):
    """A new track with one spot; a tracker may then take it further."""

    name: ClassVar[str] = "add"
    frame: int = option(..., "frame", ge=0)
    x: float = option(..., "place, to the right", unit="px")
    y: float = option(..., "place, down", unit="px")
    size: float | None = option(
        None, "side of the ROI; the median of the others when not given", unit="px", gt=0
    )
    new: int | None = option(None, "number of the track; the next free one", ge=1)

    def words(self) -> str:
        """Where it is."""
        name = "a new track" if self.new is None else f"new track {self.new}"
        return f"{name} in frame {self.frame} at x = {self.x:g}, y = {self.y:g}"

    def apply(self, table: pd.DataFrame, extent: Extent) -> pd.DataFrame:
        """The track is ``edited`` in its frame and lost in all others."""
        import pandas as pd

        extent.check_frame(self.frame)
        extent.check_place(self.x, self.y)
        new = next_track(table) if self.new is None else self.new
        require_free(table, new)
        size = roi(table) if self.size is None else (self.size, self.size)
        rows = pd.DataFrame({"frame": np.arange(extent.n_frames), "track_id": new})
        rows = rows.assign(x=np.nan, y=np.nan, width=np.nan, height=np.nan, score=np.nan)
        rows = rows.assign(state=str(State.LOST))
        return _placed_at(ordered(table, rows), new, self.frame, (self.x, self.y), size)


class Swap(TrackEdit):
    """Two tracks went over to each other: from a frame on they change numbers."""

    name: ClassVar[str] = "swap"
    tracks: TrackIds = option(..., "the two tracks", min_length=2, max_length=2)
    at: int = option(..., "first frame in which they are exchanged", ge=0)

    def words(self) -> str:
        """Which, and from where."""
        return f"{listed(self.tracks)} exchanged from frame {self.at} on"

    def apply(self, table: pd.DataFrame, extent: Extent) -> pd.DataFrame:
        """Nothing but the numbers changes."""
        require_tracks(table, self.tracks)
        extent.check_frame(self.at)
        one, other = self.tracks
        numbers = table["track_id"]
        late = table["frame"] >= self.at
        changed = numbers.mask(late & (numbers == one), other).mask(late & (numbers == other), one)
        return ordered(table.assign(track_id=changed))


class Renumber(TrackEdit):
    """A track gets another number."""

    name: ClassVar[str] = "renumber"
    track: int = option(..., "track")
    to: int = option(..., "its new number", ge=1)

    def words(self) -> str:
        """From which to which."""
        return f"track {self.track} is called {self.to}"

    def apply(self, table: pd.DataFrame, extent: Extent) -> pd.DataFrame:
        """Nothing but the number changes."""
        require_tracks(table, [self.track])
        require_free(table, self.to)
        numbers = table["track_id"]
        return ordered(table.assign(track_id=numbers.mask(numbers == self.track, self.to)))


def _placed_at(
    table: pd.DataFrame,
    track: int,
    frame: int,
    place: tuple[float, float],
    size: tuple[float, float] | None,
) -> pd.DataFrame:
    """The table with a spot of a track set by hand."""
    width, height = roi(table, track, frame) if size is None else size
    here = (table["track_id"] == track) & (table["frame"] == frame)
    if not here.any():  # left by a tracker that was stopped
        raise InputError(f"track {track} has no row in frame {frame}: the tracks are not whole")
    values: dict[str, float | str] = {
        "x": place[0],
        "y": place[1],
        "width": width,
        "height": height,
        "score": np.nan,
        "state": str(State.EDITED),
    }
    return ordered(put(table, here, values))
