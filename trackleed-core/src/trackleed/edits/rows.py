"""What the edits of tracks have in common: choosing rows, emptying them, making new ones."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from trackleed.errors import InputError
from trackleed.tables import SEEN, State

if TYPE_CHECKING:
    import pandas as pd

    Mask: TypeAlias = pd.Series[bool] | np.ndarray[Any, np.dtype[Any]]

KEY = ["frame", "track_id"]
BOX = ["x", "y", "width", "height"]

MOST_RANGES = 8
"""Ranges of numbers that a message names."""


def placed(rows: pd.DataFrame) -> pd.Series[bool]:
    """Whether a row has a position."""
    return rows["x"].notna() & rows["y"].notna()


def seen(rows: pd.DataFrame) -> pd.Series[bool]:
    """Whether the spot was seen, and not only expected, where a row has it."""
    return rows["state"].isin(list(SEEN)) & placed(rows)


def require_tracks(table: pd.DataFrame, tracks: Iterable[int]) -> None:
    """Raise `InputError` for the first track that the table does not have."""
    known = set(table["track_id"].unique().tolist())
    for track in tracks:
        if track not in known:
            raise InputError(f"there is no track {track}; there are: {ranges(known)}")


def require_free(table: pd.DataFrame, track: int) -> None:
    """Raise `InputError` if the table has a track of that number."""
    if (table["track_id"] == track).any():
        raise InputError(
            f"there is a track {track} already; the next free number is {next_track(table)}"
        )


def next_track(table: pd.DataFrame) -> int:
    """The number of the next new track."""
    return int(table["track_id"].max()) + 1 if len(table) else 1


def emptied(rows: pd.DataFrame, where: pd.Series[bool]) -> pd.DataFrame:
    """Rows, ``lost`` and without any number where said."""
    rows = rows.copy()
    numbers = [name for name in rows if rows[name].dtype.kind == "f"]
    rows.loc[where, numbers] = np.nan
    rows.loc[where, "state"] = str(State.LOST)
    return rows


def ordered(*parts: pd.DataFrame) -> pd.DataFrame:
    """Parts of a table in one, by frame and track."""
    import pandas as pd

    kept = [part for part in parts if len(part)] or list(parts[:1])
    return pd.concat(kept).sort_values(KEY, kind="stable", ignore_index=True)


def put(table: pd.DataFrame, where: Mask, values: Mapping[str, float | str]) -> pd.DataFrame:
    """The table with these values in some of its rows."""
    table = table.copy()
    for name, value in values.items():
        table.loc[where, name] = value
    return table


def roi(table: pd.DataFrame, track: int | None = None, frame: int = 0) -> tuple[float, float]:
    """Width and height of the ROI of a track in the nearest frame that has one, px.

    Without a track, or where it has none: the median of the table.

    Raises
    ------
    InputError
        If the table has no ROI at all.
    """
    known = table.dropna(subset=["width", "height"])
    own = known[known["track_id"] == track] if track is not None else known[:0]
    if len(own):
        nearest = (own["frame"] - frame).abs().to_numpy().argmin()
        return float(own["width"].iloc[nearest]), float(own["height"].iloc[nearest])
    if not len(known):
        raise InputError("no ROI is known that a new spot could have", "say its side: --size PX")
    return float(known["width"].median()), float(known["height"].median())


def ranges(numbers: Iterable[int]) -> str:
    """``"1-4, 7, 9-12"``, cut after some ranges."""
    runs: list[list[int]] = []
    for number in sorted(set(numbers)):
        if runs and number == runs[-1][1] + 1:
            runs[-1][1] = number
        else:
            runs.append([number, number])
    if not runs:
        return "none"
    said = [f"{a}" if a == b else f"{a}-{b}" for a, b in runs[:MOST_RANGES]]
    return ", ".join(said) + (" ..." if len(runs) > MOST_RANGES else "")


def listed(tracks: Sequence[int]) -> str:
    """``"track 3"``, ``"tracks 3 and 7"``, ``"tracks 3, 7 and 9"``."""
    *first, last = map(str, tracks)
    return f"tracks {', '.join(first)} and {last}" if first else f"track {last}"


def found_in(rows: pd.DataFrame) -> str:
    """The frames in which rows have a position, for messages."""
    return ranges(rows.loc[placed(rows), "frame"].tolist())
