"""Exporter ``csv``: the results as CSV files, for spreadsheets and other programs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd
import pyarrow as pa
import pyarrow.csv as pa_csv

from trackleed import tables
from trackleed.analysis.normalise import divisors, normalise
from trackleed.analysis.quality import uncertain_tracks
from trackleed.builtin.exporters._tables import (
    KEY,
    beside,
    full_rows,
    index_rows,
    require,
    table_schema,
    written_aside,
)
from trackleed.builtin.exporters.palette import track_colour
from trackleed.params import Params
from trackleed.tables import SEEN, FitStatus

if TYPE_CHECKING:
    from trackleed.backend import View


DERIVED = (
    *("track_index", "lattice", "scales", "radius_energy", "radius_residuals"),
    *("deviations", "track_quality", "frame_quality"),
)
"""Tables that each have a file of their name."""


class CsvExporter:
    """Writes one file after another; each is whole, or not there.

    UTF-8, comma, point, a line of column names; empty where a value is not known. Floats
    have as many digits as it takes to read the same number back.
    """

    def __init__(self, params: Params) -> None:
        self.params = params

    def export(self, view: View, folder: Path) -> Iterator[Path]:
        """Write what there are tables for; tracks and fits are needed.

        Raises
        ------
        InputError
            If there are no tracks or no fits.
        """
        require(view, "tracks", "fits")
        yield write_csv(folder / "full_analysis_per_spot.csv", full_rows(view))
        if view.has("centers"):
            yield write_csv(folder / "pattern_center_data.csv", [_centers(view)])
        if view.has("radii"):
            yield write_csv(folder / "average_radius_per_frame.csv", _mean_radii(view))
        yield write_csv(folder / "track_legend.csv", [_legend(view)])
        for name in filter(view.has, DERIVED):
            yield write_csv(folder / f"{name}.csv", _derived(view, name))
        if view.has("track_quality"):
            uncertain = uncertain_tracks(view.table("track_quality"))
            yield write_csv(folder / "uncertain_tracks.csv", [uncertain])
        if view.has("intensities") and divisors(view.index):
            yield write_csv(folder / "normalised_intensities.csv", _normalised(view))
        if view.has("positions"):
            yield from _positions(view, folder)


def write_csv(path: Path, blocks: Iterable[pd.DataFrame]) -> Path:
    """Write blocks of one table, one at a time in memory, to one file."""
    # Arrow's own file and one writer for all blocks: no bytes pass through Python.
    options = pa_csv.WriteOptions(include_header=False, batch_size=4096)
    with written_aside(path) as aside, pa.OSFile(str(aside), "wb") as file:
        writer = None
        for block in blocks:
            if writer is None:
                file.write((",".join(map(_quoted, block.columns)) + "\n").encode())
                schema = table_schema(block)
                writer = pa_csv.CSVWriter(file, schema, write_options=options)
            writer.write(pa.Table.from_pandas(block, schema=schema, preserve_index=False))
        if writer is not None:
            writer.close()
    return path


def _quoted(name: str) -> str:
    plain = not set(name) & set(',"\r\n')
    return name if plain else '"' + name.replace('"', '""') + '"'


def _centers(view: View) -> pd.DataFrame:
    centers = view.table("centers")
    known = index_rows(view.index, centers["frame"], list(centers.columns))
    return beside(centers[["frame"]], known, centers.drop(columns="frame"))


def _mean_radii(view: View) -> Iterator[pd.DataFrame]:
    for (radii,) in view.blocks("radii"):
        radius = radii.groupby("frame")["radius"]
        means = pd.DataFrame(
            {"radius_mean": radius.mean(), "radius_sem": radius.sem(), "n_tracks": radius.count()}
        ).reset_index()
        known = index_rows(view.index, means["frame"], list(means.columns))
        yield beside(means[["frame"]], known, means.drop(columns="frame"))


def _derived(view: View, name: str) -> Iterator[pd.DataFrame]:
    """A table as it is, and beside its frames what the index says of them."""
    if "frame" not in tables.SPECS[name].names:
        yield view.table(name)
        return
    for (rows,) in view.blocks(name):
        key = [column for column in KEY if column in rows]
        known = index_rows(view.index, rows["frame"], list(rows.columns))
        yield beside(rows[key], known, rows.drop(columns=key))


def _normalised(view: View) -> Iterator[pd.DataFrame]:
    """Intensities and usable volumes over exposure and beam current, as far as these are known."""
    used = " and ".join(divisors(view.index))
    for fits, intensities in view.blocks("fits", "intensities"):
        usable = fits.where(fits["status"] == FitStatus.OK)
        volumes = fits[KEY].assign(volume=usable["volume"], volume_err=usable["volume_err"])
        parts = [
            normalise(intensities, view.index, of="intensity"),
            normalise(volumes, view.index, of="volume").drop(columns=KEY),
        ]
        rows = beside(*(part.drop(columns="by") for part in parts)).assign(divided_by=used)
        known = index_rows(view.index, rows["frame"], list(rows.columns))
        yield beside(rows[KEY], known, rows.drop(columns=KEY))


def _positions(view: View, folder: Path) -> Iterator[Path]:
    """All relative positions in one file, and those of each group in one of its own."""
    positions = view.table("positions").sort_values(["group", "satellite", "frame"])
    known = index_rows(view.index, positions["frame"], list(positions.columns))
    rows = beside(positions[["frame"]], known, positions.drop(columns="frame"))
    yield write_csv(folder / "positions.csv", [rows])
    for group, own in rows.groupby("group"):
        yield write_csv(folder / f"positions_group_{group:02d}.csv", [own])


def _legend(view: View) -> pd.DataFrame:
    """Where each track was first and last seen, and its colour in the pictures."""
    parts, ids = [], set[int]()
    for (tracks,) in view.blocks("tracks"):
        seen = tracks[tracks["state"].isin(SEEN) & tracks["x"].notna()]
        ids.update(tracks["track_id"])
        parts.append(
            seen.groupby("track_id").agg(
                first_frame=("frame", "first"),
                last_frame=("frame", "last"),
                x_start=("x", "first"),
                y_start=("y", "first"),
                n_measured=("frame", "size"),
            )
        )
    how = dict.fromkeys(parts[0].columns, "first") | {"last_frame": "last", "n_measured": "sum"}
    legend = pd.concat(parts).groupby("track_id").agg(how).reindex(sorted(ids))
    whole = ["first_frame", "last_frame", "n_measured"]
    legend[whole] = legend[whole].astype("Int64")
    legend["n_measured"] = legend["n_measured"].fillna(0)
    legend["colour"] = [track_colour(track_id) for track_id in legend.index]
    return legend.rename_axis("track_id").reset_index()
