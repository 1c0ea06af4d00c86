"""Figures of what follows from the fits: lattice, radius against energy, satellites, groups."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from trackleed.builtin.exporters._change import BANDS, draw_middle
from trackleed.builtin.exporters._panels import Line, panels
from trackleed.builtin.exporters._plotting import (
    BLUE,
    INK,
    RED,
    TEXT,
    by_track,
    curve,
    explain,
    fair_limits,
    new_figure,
    style,
)
from trackleed.builtin.exporters.palette import on_paper
from trackleed.tables import PositionStatus

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from trackleed.backend import View
    from trackleed.builtin.exporters._axes import Axis
    from trackleed.builtin.exporters._curves import Groups


def further_figures(view: View, axis: Axis) -> Iterator[tuple[str, Figure]]:
    """Figures of the further analyses that the view has, with their names."""
    if view.has("lattice") and view.table("lattice")["ax"].notna().any():
        yield "lattice", lattice_figure(_along(view.table("lattice"), view.index, axis), axis)
    if view.has("radius_residuals") and view.table("radius_residuals")["residual"].notna().any():
        yield "radius_residuals", residual_figure(view, axis)
    if view.has("positions"):
        yield from _satellites(view, axis)


def lattice_figure(lattice: pd.DataFrame, axis: Axis) -> Figure:
    """Strain, rotation, angle and scatter of the lattice, with bands of one standard error."""
    figure = new_figure(11, 7)
    strain, turn, angle, rms = figure.subplots(2, 2).ravel()
    x = lattice[axis.column].to_numpy()
    style(strain, axis.label, "Change of lattice constant (%)", "Strain from the reference frame")
    for name, label, colour in (("strain_a", "a", BLUE), ("strain_b", "b", RED)):
        _line(strain, lattice, x, name, colour, label)
    fair_limits(strain, lattice[["strain_a", "strain_b"]].to_numpy())
    strain.legend(frameon=False, fontsize=TEXT - 1)
    style(turn, axis.label, "Turn, clockwise (°)", "Rotation from the reference frame")
    style(angle, axis.label, "Angle of a* and b* (°)", "Angle between the vectors")
    for axes, name in ((turn, "rotation_deg"), (angle, "angle_deg")):
        _line(axes, lattice, x, name, INK)
        fair_limits(axes, lattice[name].to_numpy())
    n, left_out = lattice.loc[lattice["ax"].notna(), "n_spots"], lattice["n_outliers"].sum()
    title = f"Scatter of {n.min()} to {n.max()} spots; {left_out} left out in all"
    style(rms, axis.label, "Distance from the lattice, rms (px)", title)
    curve(rms, x, lattice["rms"].to_numpy(), None, INK)
    rms.set_ylim(bottom=0)
    return figure


def residual_figure(view: View, axis: Axis) -> Figure:
    """What r^2 (E + E0) = const leaves of each track: in percent, and of the radius in px."""
    fitted = view.table("radius_energy").set_index("track_id")
    rows = _along(view.table("radius_residuals"), view.index, axis)
    constant = rows["track_id"].map(fitted["constant"])
    rows["change"] = 100 * (rows["product"] / constant - 1)
    rows["change_err"] = 100 * rows["product_err"] / constant
    rows["residual_err"] = _radius_err(view, rows)
    figure = new_figure(11, 4.8)
    left, right = figure.subplots(1, 2)
    shift = fitted.iloc[0]
    title = f"r² (E + E₀), E₀ = {shift['shared_shift']:.2f} ± {shift['shared_shift_err']:.2f} eV"
    style(left, axis.label, "Change from each track's constant (%)", title)
    style(right, axis.label, "Radius less that of the fit (px)", "Residual of the radius")
    tracks = by_track(rows[rows["residual"].notna()])
    for axes, name in ((left, "change"), (right, "residual")):
        for track_id, track in tracks.items():
            error = track[f"{name}_err"].to_numpy() if len(tracks) <= BANDS else None
            x, y = track[axis.column].to_numpy(), track[name].to_numpy()
            curve(axes, x, y, error, on_paper(track_id), linewidth=0.7, alpha=0.7)
        draw_middle(axes, rows.set_index(axis.column)[name])
    return figure


def group_figure(
    rows: pd.DataFrame, curves: pd.DataFrame, groups: Groups, axis: Axis, name: str, ylabel: str
) -> Figure:
    """Mean intensity of each chosen group, over those of its tracks.

    The band is one standard error of the mean from how much the tracks differ or, of a single
    track, from the noise of the pixels.
    """
    across = min(3, len(groups))
    down = -(-len(groups) // across)
    figure = new_figure(max(5.0, 4.2 * across), 3.2 * down + 0.5)
    grid = figure.subplots(down, across, squeeze=False).ravel()
    at = rows.groupby("frame")[axis.column].first()
    for axes, (label, members) in zip(grid, groups.items(), strict=False):
        style(axes, axis.label, ylabel, label)
        for track_id, track in by_track(rows[rows["track_id"].isin(members)]).items():
            look = {"linewidth": 0.8, "alpha": 0.7}
            x, y = track[axis.column].to_numpy(), track[name].to_numpy()
            curve(axes, x, y, None, on_paper(track_id), **look)
        mean = curves[curves["curve"] == label]
        error = mean[f"{name}_sem"].fillna(mean[f"{name}_err"]).to_numpy()
        x = at.reindex(mean["frame"]).to_numpy()
        curve(axes, x, mean[name].to_numpy(), error, INK, linewidth=2.0)
        if mean[name].isna().all():
            explain(axes, "none is known: masked or clipped pixels in the apertures")
    for axes in grid[len(groups) :]:
        axes.set_axis_off()
    legend = "black: mean of the group and its standard error   colour: its tracks"
    figure.suptitle(legend, fontsize=9, color=INK)
    return figure


def _satellites(view: View, axis: Axis) -> Iterator[tuple[str, Figure]]:
    """Distance and direction of each satellite from its reference."""
    rows = _along(view.table("positions"), view.index, axis)
    rows["track_id"] = rows["satellite"]
    for name in ("r", "angle_deg"):
        rows[name] = rows[name].where(rows["status"] == PositionStatus.OK)
    references = rows.groupby("satellite")["reference"].first()
    names = {int(str(track)): f"from {reference}" for track, reference in references.items()}
    legend = "of satellites from their reference; usable positions"
    yield (
        "satellite_distance",
        panels(rows, axis, names, [Line("r")], "Distance (px)", f"distance {legend}"),
    )
    yield (
        "satellite_angle",
        panels(rows, axis, names, [Line("angle_deg")], "Angle (°)", f"angle {legend}"),
    )


def _along(rows: pd.DataFrame, index: pd.DataFrame, axis: Axis) -> pd.DataFrame:
    """The rows, with the column of the axis."""
    if axis.column in rows:
        return rows.copy()
    return rows.assign(**{axis.column: rows["frame"].map(index.set_index("frame")[axis.column])})


def _radius_err(view: View, rows: pd.DataFrame) -> pd.Series:
    keys = ["frame", "track_id"]
    errors = view.table("radii").set_index(keys)["radius_err"]
    found: pd.Series = errors.reindex(pd.MultiIndex.from_frame(rows[keys])).set_axis(rows.index)
    return found


def _line(
    axes: Axes, table: pd.DataFrame, x: np.ndarray, name: str, colour: str, label: str = ""
) -> None:
    error = table[f"{name}_err"].to_numpy()
    curve(axes, x, table[name].to_numpy(), error, colour, label=label)
