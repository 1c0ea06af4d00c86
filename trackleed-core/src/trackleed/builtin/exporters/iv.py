"""Exporter ``iv``: intensities as curves against energy, temperature, coverage and time."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from trackleed.analysis.normalise import DIVISORS, unit
from trackleed.builtin.exporters._axes import FRAME, Axis, varying
from trackleed.builtin.exporters._curves import (
    QUANTITIES,
    beam_label,
    beams_of,
    choose_groups,
    mean_curves,
    measured_rows,
)
from trackleed.builtin.exporters._tables import beside, index_rows, write_text
from trackleed.builtin.exporters.csv_files import write_csv
from trackleed.builtin.exporters.params import IvParams
from trackleed.tables import FitStatus

if TYPE_CHECKING:
    from trackleed.backend import View

SPOT_COLUMNS = [
    *("state", "status"),
    *("intensity", "intensity_err", "background", "volume", "volume_err"),
    *("intensity_norm", "intensity_norm_err", "volume_norm", "volume_norm_err", "normalised_by"),
]


class IvExporter:
    """Writes one table of all intensities, and one curve after another beside each other."""

    def __init__(self, params: IvParams) -> None:
        self.params = params

    def export(self, view: View, folder: Path) -> Iterator[Path]:
        """Write ``iv/``: CSV files, and ``notes.txt`` that says what is in them.

        Raises
        ------
        InputError
            If there are no tracks, fits or intensities, or no track of a number in a group.
        """
        rows = measured_rows(view)
        groups = choose_groups(view, self.params.groups)
        curves = mean_curves(rows, groups)
        index, folder = view.index, folder / "iv"
        axes = varying(index)
        by = str(rows["normalised_by"].iloc[0]) if len(rows) else ""
        yield write_csv(folder / "intensity_per_spot.csv", [_per_spot(rows, axes)])
        yield write_csv(folder / "curves.csv", [_with_axes(curves, index, axes)])
        for axis in axes or [FRAME]:
            for quantity in QUANTITIES:
                name = f"{quantity}_norm" if by else quantity
                table = _side_by_side(curves, index, axis, name)
                yield write_csv(folder / f"{quantity}_against_{axis.name}.csv", [table])
        if any(axis.column == "energy_eV" for axis in axes):
            yield _write_beams(view, rows, by, folder)
        yield write_text(folder / "notes.txt", _notes(rows, index, by, groups))


def _per_spot(rows: pd.DataFrame, axes: list[Axis]) -> pd.DataFrame:
    known = [axis.column for axis in axes] + [name for name in DIVISORS if rows[name].notna().any()]
    return rows[["track_id", "frame", *known, *SPOT_COLUMNS]].sort_values(["track_id", "frame"])


def _with_axes(curves: pd.DataFrame, index: pd.DataFrame, axes: list[Axis]) -> pd.DataFrame:
    known = index_rows(index[["frame", *(a.column for a in axes)]], curves["frame"], [])
    key = ["curve", "frame"]
    return beside(curves[key], known, curves.drop(columns=key))


def _side_by_side(
    curves: pd.DataFrame, index: pd.DataFrame, axis: Axis, quantity: str
) -> pd.DataFrame:
    """A row for each frame in the order of the axis, a column and its error for each curve."""
    wide = {name: index[name].to_numpy() for name in dict.fromkeys((axis.column, "frame"))}
    for label, curve in curves.groupby("curve", sort=False):
        by_frame = curve.set_index("frame").reindex(wide["frame"])
        wide[str(label)] = by_frame[quantity].to_numpy()
        wide[f"{label} error"] = by_frame[f"{quantity}_err"].to_numpy()
    return pd.DataFrame(wide).dropna(subset=[axis.column]).sort_values(axis.column, kind="stable")


def _write_beams(view: View, rows: pd.DataFrame, by: str, folder: Path) -> Path:
    """The I(V) curves in the layout that ViPErLEED reads: E, then a column for each (h|k).

    Without indices the columns are called by track, for the user to rename.
    """
    beams = beams_of(view)
    value = "intensity_norm" if by else "intensity"
    used = rows[np.isfinite(rows["energy_eV"]) & np.isfinite(rows[value])]
    if beams:
        used = used[used["track_id"].isin(list(beams))]
        labels = {track_id: beam_label(h, k) for track_id, (h, k) in sorted(beams.items())}
    else:
        labels = {int(t): f"track {t}" for t in np.unique(used["track_id"])}
    used = used.assign(beam=used["track_id"].map(labels))
    table = used.pivot_table(index="energy_eV", columns="beam", values=value, sort=True)
    table = table.reindex(columns=list(dict.fromkeys(labels.values())))
    text = table.to_csv(index_label="E", na_rep="NaN", lineterminator="\n")
    return write_text(folder / ("EXPBEAMS.csv" if beams else "EXPBEAMS_by_track.csv"), text)


def _notes(rows: pd.DataFrame, index: pd.DataFrame, by: str, groups: dict[str, list[int]]) -> str:
    clipped = rows["status"] == FitStatus.SATURATED
    n_cut = int((rows["intensity"].isna() & rows["background"].notna() & ~clipped).sum())
    lines = [
        "intensity  sum over the aperture less the local background",
        "volume     integral of the fitted Gaussian, where the fit is usable",
        "",
        _about_division(index, by),
        f"There are {int(rows['intensity'].notna().sum())} intensities; "
        f"{int(clipped.sum())} spots have clipped pixels and therefore none, "
        f"{n_cut} have masked or clipped pixels in their aperture or leave the frame.",
        "",
        "intensity_per_spot.csv     all of it, in counts and divided",
        "curves.csv                 mean of each curve's tracks in each frame, and their number",
        "*_against_*.csv            the same side by side, divided where that is known",
        "EXPBEAMS*.csv              I(V) as ViPErLEED reads it: the aperture's intensity; the mean",
        "                           of frames of one energy and of tracks of one beam",
        "",
        "Errors (_err) are standard errors from the noise of the pixels; that of a mean follows",
        "from its tracks'. _sem is the standard error of a mean from how much its tracks differ.",
        "",
        "curve: tracks",
        *(f"{label}: {', '.join(map(str, tracks))}" for label, tracks in groups.items()),
    ]
    return "\n".join(lines) + "\n"


def _about_division(index: pd.DataFrame, by: str) -> str:
    if by:
        told = f"Divided by {by}: in {unit(by)}."
    else:
        told = "In counts: not divided by exposure or beam current."
    for name in DIVISORS:
        known = int((index[name] > 0).sum())
        if name not in by:
            told += f" {name} is known in {known} of {len(index)} frames."
    return told
