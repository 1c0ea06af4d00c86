"""One small panel for each track, which stays readable when there are sixty."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from trackleed.builtin.exporters._plotting import (
    FAINT,
    INK,
    TEXT,
    by_track,
    curve,
    fair_limits,
    new_figure,
    style,
)
from trackleed.builtin.exporters.palette import on_paper

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from trackleed.builtin.exporters._axes import Axis

MOST = 60
"""Panels in one figure."""

WIDTH, HEIGHT = 2.3, 1.6
"""Size of a panel, inches."""

FEWEST = 2
"""Values that make a curve."""


@dataclass(frozen=True)
class Line:
    """A column that each panel shows, in the colour of the track or in grey."""

    column: str
    grey: bool = False
    style: str = "-"


def panels(
    rows: pd.DataFrame,
    axis: Axis,
    names: dict[int, str],
    lines: Sequence[Line],
    ylabel: str,
    legend: str,
    *,
    same_scale: bool = False,
) -> Figure:
    """A panel for each track, the first line in front.

    The heading names the tracks that have no curve, and counts those beyond the sixty longest.
    """
    columns = [line.column for line in lines]
    counts = rows.groupby("track_id")[columns].count().max(axis=1)
    drawn = counts[counts >= FEWEST].sort_values(ascending=False, kind="stable").index[:MOST]
    tracks = {t: part for t, part in by_track(rows).items() if t in drawn}
    across = max(2, min(10, int(np.ceil(np.sqrt(1.3 * len(tracks))))))
    figure, grid = _grid(max(1, -(-len(tracks) // across)), across)
    known = rows.loc[rows["track_id"].isin(list(tracks)), [axis.column, *columns]].dropna(how="all")
    span = np.array([known[axis.column].min(), known[axis.column].max()])
    for n, (plot, (track_id, track)) in enumerate(zip(grid, tracks.items(), strict=False)):
        style(plot).set_xlim(*(span + 0.03 * np.ptp(span) * np.array([-1, 1])))
        plot.set_autoscale_on(False)  # which would look at everything again with each line
        fair_limits(plot, (known if same_scale else track)[columns].to_numpy())
        _draw(plot, track, axis, lines)
        label = f"{track_id}   {names.get(track_id, '')}"
        plot.set_title(label, fontsize=9, color=on_paper(track_id), loc="left", pad=2)
        plot.tick_params(labelsize=7)
        plot.tick_params(labelbottom=n + across >= len(tracks))
        plot.tick_params(labelleft=not same_scale or n % across == 0)
        if not same_scale:
            plot.ticklabel_format(axis="y", scilimits=(-2, 4), useMathText=True)
            plot.yaxis.get_offset_text().set_fontsize(7)
    for plot in grid[len(tracks) :]:
        plot.set_axis_off()
    width, height = figure.get_size_inches()
    figure.supxlabel(axis.label, fontsize=TEXT, color=INK, y=0.08 / height)
    figure.supylabel(ylabel, fontsize=TEXT, color=INK, x=0.1 / width)
    heading = _heading(counts, list(tracks), legend)
    figure.suptitle(heading, fontsize=9, color=INK, y=1 - 0.08 / height, va="top")
    return figure


def _grid(down: int, across: int) -> tuple[Figure, list[Axes]]:
    """A figure with room for its labels; computed, as layout engines take seconds for this."""
    width, height = WIDTH * across + 0.6, HEIGHT * down + 1.0
    figure = new_figure(width, height, layout=None)
    space = {"left": 0.85 / width, "right": 1 - 0.15 / width}
    space |= {"bottom": 0.55 / height, "top": 1 - 0.6 / height, "wspace": 0.22, "hspace": 0.4}
    return figure, list(figure.subplots(down, across, squeeze=False, gridspec_kw=space).ravel())


def _draw(plot: Axes, track: pd.DataFrame, axis: Axis, lines: Sequence[Line]) -> None:
    x = track[axis.column].to_numpy()
    for line in reversed(lines):
        colour = FAINT if line.grey else on_paper(int(track["track_id"].iloc[0]))
        y, error = track[line.column].to_numpy(), track[f"{line.column}_err"].to_numpy()
        curve(plot, x, y, error, colour, linestyle=line.style)


def _heading(counts: pd.Series, drawn: list[int], legend: str) -> str:
    missing = [str(t) for t in counts.index if t not in drawn]
    few = [t for t in missing if counts[int(t)] < FEWEST]
    text = legend
    if few:
        text += f"   no curve: {_shorten(few)}"
    if len(missing) > len(few):
        text += f"   and {len(missing) - len(few)} shorter tracks"
    return text


def _shorten(numbers: list[str]) -> str:
    return ", ".join(numbers[:12]) + (f" and {len(numbers) - 12} more" if len(numbers) > 12 else "")
