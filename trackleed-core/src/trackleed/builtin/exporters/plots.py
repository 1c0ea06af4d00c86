"""Exporter ``plots``: radius, intensity, widths and positions as curves, and one overview sheet."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from trackleed.analysis.normalise import unit
from trackleed.builtin.exporters._axes import FRAME, Axis, varying
from trackleed.builtin.exporters._change import draw_change
from trackleed.builtin.exporters._curves import (
    Groups,
    beam_label,
    beams_of,
    choose_groups,
    mean_curves,
    measured_rows,
)
from trackleed.builtin.exporters._further import further_figures, group_figure
from trackleed.builtin.exporters._panels import Line, panels
from trackleed.builtin.exporters._plotting import (
    by_track,
    curve,
    new_figure,
    number_tracks,
    save,
    style,
    with_any,
)
from trackleed.builtin.exporters._sheet import overview_sheet
from trackleed.builtin.exporters._tables import require
from trackleed.builtin.exporters._trust import trust_figure
from trackleed.builtin.exporters.palette import on_paper
from trackleed.builtin.exporters.params import PlotsParams
from trackleed.tables import FitStatus

if TYPE_CHECKING:
    from trackleed.backend import View

PLACED = (FitStatus.OK, FitStatus.SATURATED)
"""Fits whose position counts."""


class PlotsExporter:
    """Draws curves of every track against whatever varied, and an overview of the run."""

    def __init__(self, params: PlotsParams) -> None:
        self.params = params

    def export(self, view: View, folder: Path) -> Iterator[Path]:
        """Write ``plots/``: figures of what there are tables for.

        Raises
        ------
        InputError
            If there are no tracks, fits, centres, radii or intensities, or no track of a number
            in a group.
        """
        require(view, "tracks", "fits", "centers", "radii", "intensities")
        rows, centers = with_moves(measured_rows(view)), view.table("centers")
        names = {t: beam_label(*hk) for t, hk in beams_of(view).items()}
        axes, folder = [*varying(view.index), FRAME], folder / "plots"
        groups = choose_groups(view, self.params.groups) if self.params.groups else {}
        sheet = overview_sheet(view, rows, centers, names, axes[0])
        yield save(sheet, folder / "overview_sheet", self.params)
        if view.has("track_quality"):
            figure = trust_figure(view, names, axes[0])
            yield save(figure, folder / "quality", self.params)
        for axis in axes:
            figures = [_figures(rows, names, axis), further_figures(view, axis)]
            for name, figure in chain(*figures, _of_groups(rows, groups, axis)):
                yield save(figure, folder / f"{name}_against_{axis.name}", self.params)


def _figures(rows: pd.DataFrame, names: dict[int, str], axis: Axis) -> Iterator[tuple[str, Figure]]:
    by = str(rows["normalised_by"].iloc[0])
    end = "_norm" if by else ""
    draw = partial(panels, rows, axis, names)
    yield "radius", radius_figure(rows, axis)
    lines = [Line(f"intensity{end}"), Line(f"volume{end}", grey=True)]
    legend = "colour: sum over the aperture   grey: volume of the fit"
    if rows["volume_clipped"].notna().any():
        lines.append(Line(f"volume_clipped{end}", grey=True, style=":"))
        legend += "   dotted: fit to the flanks, top clipped"
    yield "intensity", draw(lines, f"Intensity ({unit(by)})", legend)
    yield (
        "widths",
        draw(
            [Line("width_x"), Line("width_y", grey=True)],
            "Full width at half maximum (px)",
            "colour: along the axis nearest to x   grey: along the other",
            same_scale=True,
        ),
    )
    yield (
        "positions",
        draw(
            [Line("move_x"), Line("move_y", grey=True)],
            "Distance from the mean position (px)",
            "colour: to the right   grey: down",
            same_scale=True,
        ),
    )


def _of_groups(rows: pd.DataFrame, groups: Groups, axis: Axis) -> Iterator[tuple[str, Figure]]:
    if not groups:
        return
    by = str(rows["normalised_by"].iloc[0])
    name = "intensity_norm" if by else "intensity"
    curves, ylabel = mean_curves(rows, groups), f"Intensity ({unit(by)})"
    yield "group_intensity", group_figure(rows, curves, groups, axis, name, ylabel)


def with_moves(rows: pd.DataFrame) -> pd.DataFrame:
    """The rows with ``move_x`` and ``move_y`` from a track's mean place, ``width_x``, ``width_y``.

    Only of fits whose position or width counts; NaN elsewhere.
    """
    rows, ok, placed = rows.copy(), rows["status"] == FitStatus.OK, rows["status"].isin(PLACED)
    for axis in ("x", "y"):
        place = rows[axis].where(placed)
        rows[f"move_{axis}"] = place - place.groupby(rows["track_id"]).transform("mean")
        rows[f"move_{axis}_err"] = rows[f"{axis}_err"]
        rows[f"width_{axis}"] = rows[f"fwhm_{axis}"].where(ok)
        rows[f"width_{axis}_err"] = rows[f"fwhm_{axis}_err"]
    return rows


def radius_figure(rows: pd.DataFrame, axis: Axis) -> Figure:
    """Radius of every track in px, and by how much it departs from what is expected."""
    tracks = by_track(with_any(rows, "radius"))
    figure = new_figure(11, _height(len(tracks)))
    left, right = figure.subplots(1, 2)
    style(left, axis.label, "Distance from the pattern's centre (px)", "Radius")
    ends = {}
    for track_id, track in tracks.items():
        x, radius = track[axis.column].to_numpy(), track["radius"].to_numpy()
        curve(left, x, radius, track["radius_err"].to_numpy(), on_paper(track_id))
        ends[track_id] = _end(x, radius)
    draw_change(right, rows, axis)
    number_tracks(figure, left, ends)
    return figure


def _height(n_tracks: int) -> float:
    """Height in inches that leaves room for the numbers of all tracks."""
    return max(4.8, 0.125 * n_tracks + 1)


def _end(x: np.ndarray, y: np.ndarray) -> tuple[float, float]:
    """The known point with the largest x."""
    known = np.flatnonzero(np.isfinite(x) & np.isfinite(y))
    last = known[np.argmax(x[known])] if len(known) else 0
    return float(x[last]), float(y[last])
