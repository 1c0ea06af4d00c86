"""The tables of a view side by side, one row for each track and frame, a block at a time."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa

from trackleed.errors import InputError

if TYPE_CHECKING:
    from trackleed.backend import View

KEY = ["frame", "track_id"]

_AFTER_FITS = {
    "radii": ["radius", "radius_err"],
    "intensities": ["intensity", "intensity_err", "background"],
}


def require(view: View, *tables: str) -> None:
    """Raise `InputError` for the first of these tables that the view does not have."""
    commands = {"detections": "detect", "tracks": "track", "fits": "refine"}
    for table in tables:
        if not view.has(table):
            command = f"trackleed {commands.get(table, 'analyse')}"
            raise InputError(f"nothing to export: there are no {table}", f"run: {command}")


def full_rows(view: View) -> Iterator[pd.DataFrame]:
    """Everything about every spot, a block of frames at a time.

    Columns: track_id, frame, those of the index, state, those of the fits, then radius and
    intensity as far as these were worked out. A row for each row of ``tracks``.

    Raises
    ------
    InputError
        If there are no tracks or no fits.
    """
    require(view, "tracks", "fits")
    further = [name for name in _AFTER_FITS if view.has(name)]
    index = view.index
    for tracks, fits, *others in view.blocks("tracks", "fits", *further):
        parts = [tracks[["state"]], _along(tracks, fits).drop(columns=KEY)]
        for name, table in zip(further, others, strict=True):
            parts.append(_along(tracks, table)[_AFTER_FITS[name]])
        measured = beside(*parts)
        known = index_rows(index, tracks["frame"], [*KEY, *measured.columns])
        yield beside(tracks[["track_id", "frame"]], known, measured)


def beside(*tables: pd.DataFrame) -> pd.DataFrame:
    """Tables of the same rows as one."""
    return pd.concat([table.reset_index(drop=True) for table in tables], axis=1)


def index_rows(index: pd.DataFrame, frames: Any, taken: list[str]) -> pd.DataFrame:
    """What the index says of each of these frames, without the frame's number.

    A column of the user's own that has a ``taken`` name is called ``index_NAME``.
    """
    rows = index.set_index("frame").reindex(frames).reset_index(drop=True)
    return rows.rename(columns={name: f"index_{name}" for name in rows if name in taken})


def _along(tracks: pd.DataFrame, table: pd.DataFrame) -> pd.DataFrame:
    """Rows of ``table`` in the order of those of ``tracks``; empty where it has none."""
    same = len(table) == len(tracks) and all(
        np.array_equal(table[name].to_numpy(), tracks[name].to_numpy()) for name in KEY
    )
    if same:
        return table
    return tracks[KEY].merge(table, how="left", on=KEY, validate="one_to_one")


def table_schema(block: pd.DataFrame) -> pa.Schema:
    """Types of the columns of a table, from its first block."""
    schema = pa.Schema.from_pandas(block, preserve_index=False).remove_metadata()
    # A text that the first block does not know may be known in the next.
    known = [f.with_type(pa.string()) if pa.types.is_null(f.type) else f for f in schema]
    return pa.schema(known)


@contextmanager
def written_aside(path: Path) -> Iterator[Path]:
    """A path to write to, which becomes ``path`` when all is written, and else is removed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_name(f"{path.name}.part")
    try:
        yield aside
        aside.replace(path)
    finally:
        aside.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> Path:
    """Write a UTF-8 text whole or not at all."""
    with written_aside(path) as aside:
        aside.write_text(text, encoding="utf-8", newline="\n")
    return path
