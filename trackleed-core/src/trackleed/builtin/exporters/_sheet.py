"""One page about a run: where the spots went, what came of them, and whether to trust it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke
from matplotlib.ticker import MaxNLocator
from scipy.ndimage import binary_closing

from trackleed.builtin.exporters._axes import AXES, Axis
from trackleed.builtin.exporters._change import contracts, draw_change
from trackleed.builtin.exporters._grey import grey_for
from trackleed.builtin.exporters._plotting import (
    BLUE,
    CLIPPED,
    FAINT,
    GOOD,
    GRID,
    INK,
    RED,
    TEXT,
    UNUSED,
    by_track,
    curve,
    fair_limits,
    new_figure,
    style,
)
from trackleed.builtin.exporters.palette import on_paper, track_colour
from trackleed.builtin.exporters.params import GreyParams
from trackleed.tables import FitStatus, State

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import SubFigure

    from trackleed.backend import View

SIZE = (13.33, 7.5)
"""Inches: a slide of 16:9."""

FRAMES = 40
"""Frames at most that the picture of the series is made from."""

LOOK = GreyParams(black=25, white=0.5, gamma=0.7)

CURVES = 8
"""Intensity curves at most: those of the tracks that were seen longest."""

EDGE = 6
"""Pixels shown round what the mask leaves."""

PLACED = (FitStatus.OK, FitStatus.SATURATED)
"""Fits whose position counts."""

RIM = [withStroke(linewidth=1.5, foreground="black")]


def overview_sheet(
    view: View, rows: pd.DataFrame, centers: pd.DataFrame, names: dict[int, str], axis: Axis
) -> Figure:
    """A slide with the pattern and its trajectories, centre, radii, intensities, fits, numbers."""
    figure = new_figure(*SIZE)
    left, right = figure.subfigures(1, 2, squeeze=False, width_ratios=(4.6, 8.7))[0]
    top, bottom = left.subfigures(2, 1, squeeze=False, height_ratios=(4.6, 2.9))[:, 0]
    _pattern(top.subplots(), view, rows, centers)
    _numbers(bottom, view, rows, centers)
    grid = right.subplots(2, 2)
    _centre(grid[0, 0], rows, centers, axis)
    _radius(grid[0, 1], rows, axis)
    _intensity(grid[1, 0], rows, names, axis)
    _quality(grid[1, 1], rows, axis)
    figure.suptitle(view.path.stem, fontsize=14, color=INK, x=0.01, ha="left", weight="bold")
    return figure


def _pattern(axes: Axes, view: View, rows: pd.DataFrame, centers: pd.DataFrame) -> None:
    """The brightest that each pixel was, with the path of every track."""
    n, valid = len(view.frames), view.frames.valid
    some = sorted({round(i) for i in np.linspace(0, n - 1, min(n, FRAMES)).tolist()})
    light = np.max([view.frames[i] for i in some], axis=0)
    levels = grey_for([light], valid, LOOK)(light)
    axes.imshow(levels, cmap="gray", interpolation="antialiased", vmin=0, vmax=280)
    if not valid.all():
        axes.contour(binary_closing(valid, iterations=2), [0.5], colors="#3fb8af", linewidths=0.6)
    for track_id, track in by_track(rows[rows["status"].isin(PLACED)]).items():
        colour = track_colour(track_id)
        axes.plot(track["x"], track["y"], color=colour, linewidth=1.2)
        last = track.iloc[-1]
        axes.plot(last["x"], last["y"], ".", color=colour, markersize=4)
        axes.annotate(
            str(track_id),
            (last["x"], last["y"]),
            (4, 4),
            fontsize=7,
            color=colour,
            textcoords="offset points",
            path_effects=RIM,
        )
    axes.plot(centers["x"], centers["y"], color="white", linewidth=1)
    axes.plot(centers["x"].median(), centers["y"].median(), "+", color="white", markersize=9)
    below, across = np.nonzero(valid)
    axes.set(xlim=(across.min() - EDGE, across.max() + EDGE))
    axes.set(ylim=(below.max() + EDGE, below.min() - EDGE))
    axes.set_axis_off()


def _centre(axes: Axes, rows: pd.DataFrame, centers: pd.DataFrame, axis: Axis) -> None:
    along = rows.groupby("frame")[axis.column].first().reindex(centers["frame"]).to_numpy()
    style(axes, axis.label, "Shift from the median (px)", "Centre of the pattern")
    shifts = []
    for name, colour in (("x", BLUE), ("y", RED)):
        shift = (centers[name] - centers[name].median()).to_numpy()
        curve(axes, along, shift, centers[f"{name}_err"].to_numpy(), colour, label=name)
        shifts.append(shift)
    fair_limits(axes, np.concatenate(shifts))
    axes.legend(frameon=False, fontsize=TEXT - 1, loc="best")


def _radius(axes: Axes, rows: pd.DataFrame, axis: Axis) -> None:
    if axis.column != "energy_eV" or not contracts(rows):
        draw_change(axes, rows, axis)
        return
    style(axes, "1/√E  (eV$^{-1/2}$)", "Radius (px)", "Radius against energy")
    seen = []
    for track_id, track in by_track(rows).items():
        x = 1 / np.sqrt(track["energy_eV"].to_numpy())
        radius, error = track["radius"].to_numpy(), track["radius_err"].to_numpy()
        if np.isfinite(radius).any():
            slope = np.nanmedian(radius / x)
            axes.plot((0, 0.2), (0, 0.2 * slope), "--", color=GRID, linewidth=1, zorder=1)
            curve(axes, x, radius, error, on_paper(track_id))
            seen.append((x[np.isfinite(radius)].max(), np.nanmax(radius)))
    if seen:
        widest, largest = np.max(seen, axis=0)
        axes.set(xlim=(0, 1.05 * widest), ylim=(0, 1.05 * largest))


def _intensity(axes: Axes, rows: pd.DataFrame, names: dict[int, str], axis: Axis) -> None:
    """Curves of the tracks seen longest, each to its own height and above one another."""
    end = "_norm" if str(rows["normalised_by"].iloc[0]) else ""
    name, clipped = f"intensity{end}", f"volume_clipped{end}"
    counts = (rows[name].notna() | rows[clipped].notna()).groupby(rows["track_id"]).sum()
    counts = counts.sort_values(ascending=False, kind="stable")
    longest = sorted(int(str(t)) for t in counts[counts >= 2].index[:CURVES])
    what = f"{len(longest)} of {len(counts)} tracks"
    style(axes, axis.label, "Intensity over its maximum", f"Intensity, {what}")
    for level, track_id in enumerate(reversed(longest)):
        track, colour = rows[rows["track_id"] == track_id], on_paper(track_id)
        x, highest = track[axis.column].to_numpy(), track[[name, clipped]].abs().max(axis=None)
        axes.axhline(level, color=GRID, linewidth=0.6)
        for column, line in ((clipped, ":"), (name, "-")):
            y, error = (track[c].to_numpy() / highest for c in (column, f"{column}_err"))
            curve(axes, x, level + y, error, colour, linestyle=line)
        label, place = names.get(track_id, str(track_id)), axes.get_yaxis_transform()
        axes.text(1.01, level + 0.15, label, color=colour, fontsize=8, transform=place)
    if rows.loc[rows["track_id"].isin(longest), clipped].notna().any():
        axes.set_title("dotted: fit to the flanks", fontsize=8, color=INK, loc="right")
    axes.set_yticks([])
    axes.grid(False)


def _quality(axes: Axes, rows: pd.DataFrame, axis: Axis) -> None:
    """How many spots of each frame have a fit that can be used."""
    style(axes, axis.label, "Tracked spots", "Fits")
    seen = rows[rows["state"] != State.LOST]
    kinds = {
        "usable": (seen["status"] == FitStatus.OK, GOOD),
        "clipped pixels": (seen["status"] == FitStatus.SATURATED, CLIPPED),
        "not usable": (~seen["status"].isin([FitStatus.OK, FitStatus.SATURATED]), UNUSED),
    }
    counts = [is_kind.groupby(seen[axis.column]).sum() for is_kind, _ in kinds.values()]
    if len(seen):
        axes.stackplot(
            counts[0].index.to_numpy(),
            *(count.to_numpy() for count in counts),
            labels=list(kinds),
            colors=[colour for _, colour in kinds.values()],
            step="mid",
        )
        axes.legend(
            frameon=False,
            fontsize=8,
            loc="lower right",
            bbox_to_anchor=(1, 0.99),
            ncols=3,
            borderpad=0,
            columnspacing=1,
            handlelength=1,
        )
        axes.yaxis.set_major_locator(MaxNLocator(integer=True))
    axes.set_ylim(bottom=0)


def _numbers(figure: SubFigure, view: View, rows: pd.DataFrame, centers: pd.DataFrame) -> None:
    """What one would say of the run in a sentence each."""
    lines = [*_series_lines(view), *_result_lines(rows, centers)]
    for n, (name, text) in enumerate(lines):
        y = 0.97 - n / max(len(lines), 10)
        figure.text(0.03, y, name, fontsize=TEXT - 1, color=FAINT, va="top")
        figure.text(0.27, y, text, fontsize=TEXT - 1, color=INK, va="top")


def _series_lines(view: View) -> list[tuple[str, str]]:
    frames, index = view.frames, view.index
    height, width = frames.shape
    lines = [("frames", f"{len(frames)} of {width} x {height} px")]
    for axis in AXES:
        known = index[axis.column].dropna()
        if len(known):
            unit = axis.label[axis.label.index("(") + 1 : -1]
            low, high = f"{known.min():g}", f"{known.max():g}"
            lines.append((axis.name, f"{low} {unit}" if low == high else f"{low} to {high} {unit}"))
    return lines


def _result_lines(rows: pd.DataFrame, centers: pd.DataFrame) -> list[tuple[str, str]]:
    tracked, ok = rows[rows["state"] != State.LOST], rows[rows["status"] == FitStatus.OK]
    lines = [
        ("tracks", f"{rows['track_id'].nunique()}, seen in {len(tracked)} of {len(rows)} places"),
        ("usable fits", f"{len(ok)} of {len(tracked)}"),
    ]
    if len(ok):
        error = ((ok["x_err"] ** 2 + ok["y_err"] ** 2) ** 0.5).median()
        width = ((ok["fwhm_x"] * ok["fwhm_y"]) ** 0.5).median()
        lines += [
            ("position error", f"{error:.3f} px (median)"),
            ("FWHM", f"{width:.2f} px (median)"),
            ("chi² reduced", f"{ok['chi2_red'].median():.2f} (median)"),
        ]
    found = centers[centers["x"].notna()]
    if len(found):
        place = f"x {found['x'].median():.2f}, y {found['y'].median():.2f} px"
        lines.append(("centre", f"{place}, in {len(found)} of {len(centers)} frames"))
    return lines
