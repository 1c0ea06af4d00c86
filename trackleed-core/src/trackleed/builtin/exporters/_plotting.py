"""Figures without any state of matplotlib's own: lines with error bands, labels, fair limits."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke

from trackleed.builtin.exporters._tables import written_aside
from trackleed.builtin.exporters.palette import on_paper

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

    from trackleed.builtin.exporters.params import PlotsParams

Array: TypeAlias = np.ndarray[Any, np.dtype[Any]]

INK = "#22252b"
FAINT = "#7b818c"
GRID = "#e4e6ea"
BLUE, RED = "#3461c1", "#c8553d"
"""Two lines that are no tracks."""

GOOD, CLIPPED, UNUSED = "#2f9e6e", "#e0a030", "#c2c7d0"
"""Usable fits, those with clipped pixels, and the rest."""

TEXT = 10
"""Size of all letters in points but those of titles and of numbers of tracks."""

FEW_POINTS = 25
"""Points of a curve up to which each is marked."""


def new_figure(
    width: float, height: float, layout: Literal["constrained"] | None = "constrained"
) -> Figure:
    """An empty figure, in inches, drawn by Agg."""
    figure = Figure(figsize=(width, height), layout=layout, facecolor="white")
    FigureCanvasAgg(figure)
    return figure


def style(axes: Axes, xlabel: str = "", ylabel: str = "", title: str = "") -> Axes:
    """Labels, ticks and frame as in all plots."""
    axes.set_xlabel(xlabel, fontsize=TEXT, color=INK)
    axes.set_ylabel(ylabel, fontsize=TEXT, color=INK)
    if title:
        axes.set_title(title, fontsize=TEXT + 1, color=INK, loc="left")
    axes.tick_params(labelsize=TEXT - 1, colors=INK, length=3)
    axes.grid(True, color=GRID, linewidth=0.6)
    axes.set_axisbelow(True)
    for side, spine in axes.spines.items():
        spine.set_visible(side in ("left", "bottom"))
        spine.set_color(FAINT)
    return axes


def curve(axes: Axes, x: Array, y: Array, error: Array | None, colour: str, **line: Any) -> None:
    """A line through the points in the order of ``x`` with its band, broken where y is unknown.

    Where one ``x`` comes twice no line is drawn, but points; points without a line have bars.
    """
    order = np.argsort(x, kind="stable")
    x, y = x[order], y[order]
    known = np.isfinite(x) & np.isfinite(y)
    lone = known & ~np.r_[False, known[:-1]] & ~np.r_[known[1:], False]
    twice = len(np.unique(x[known])) < known.sum()
    few = known.sum() <= FEW_POINTS
    look: dict[str, Any] = {"linewidth": 1.3, "color": colour, "markersize": 4} | line
    look |= {"linestyle": "none"} if twice else {}
    axes.plot(x, y, marker="." if few or twice else "", **look)
    if not few and not twice and lone.any():
        axes.plot(x[lone], y[lone], linestyle="none", marker=".", markersize=3, color=colour)
    if error is None:
        return
    half, bare = np.nan_to_num(error[order]), known if twice else lone
    if not twice:
        axes.fill_between(x, y - half, y + half, color=colour, alpha=0.22, linewidth=0)
    if bare.any():
        bars: dict[str, Any] = {"fmt": "none", "ecolor": colour, "elinewidth": 0.9, "alpha": 0.6}
        axes.errorbar(x[bare], y[bare], half[bare], **bars)


def fair_limits(axes: Axes, values: Array) -> None:
    """Limits of y that a few wild points do not stretch: the middle 94 % and as much again."""
    known = values[np.isfinite(values)]
    if len(known) == 0:
        return
    low, high = np.percentile(known, [3, 97])
    room = max(high - low, 1e-9 * max(abs(high), 1))
    low, high = max(low - 0.5 * room, known.min()), min(high + 0.5 * room, known.max())
    margin = 0.06 * max(high - low, 1e-9)
    axes.set_ylim(low - margin, high + margin)


def number_tracks(figure: Figure, axes: Axes, ends: dict[int, tuple[float, float]]) -> None:
    """Numbers of tracks where their curves end.

    Those that end at the right stand beside the plot, moved apart so that none hides another.
    """
    figure.draw_without_rendering()  # until then the axes have no size
    height = axes.get_position().height * figure.get_size_inches()[1] * 72
    low, high = axes.get_ylim()
    right = max((x for x, _ in ends.values()), default=0)
    edge = axes.get_xlim()[1] - 2 * (axes.get_xlim()[1] - right)
    last = sorted((y, t) for t, (x, y) in ends.items() if x >= edge and low <= y <= high)
    places = spread_apart([y for y, _ in last], (high - low) * 8.5 / height, (low, high))
    for (y, track_id), place in zip(last, places, strict=True):
        _number(axes, track_id, (ends[track_id][0], y), (axes.get_xlim()[1], place), "data")
    for track_id in ends.keys() - {t for _, t in last}:
        _number(axes, track_id, ends[track_id], (3, 2), "offset points")


def _number(
    axes: Axes, track_id: int, end: tuple[float, float], place: tuple[float, float], unit: str
) -> None:
    colour = on_paper(track_id)
    beside = unit == "data"
    axes.annotate(
        str(track_id),
        end,
        xytext=place,
        textcoords=unit,
        fontsize=8 if beside else 7,
        color=colour,
        va="center",
        annotation_clip=not beside,
        path_effects=[withStroke(linewidth=1.5, foreground="white")],
        arrowprops={"arrowstyle": "-", "color": colour, "lw": 0.4} if beside else None,
    )


def explain(axes: Axes, text: str) -> None:
    """A small note in the lower left corner."""
    rim = [withStroke(linewidth=2, foreground="white")]
    place = axes.transAxes
    axes.text(0.01, 0.02, text, fontsize=8, color=INK, transform=place, path_effects=rim)


def spread_apart(places: list[float], least: float, span: tuple[float, float]) -> list[float]:
    """Sorted places moved as little as it takes to be ``least`` apart, inside the span."""
    moved = list(places)
    for i in range(1, len(moved)):
        moved[i] = max(moved[i], moved[i - 1] + least)
    if moved and moved[-1] > span[1]:
        moved[-1] = span[1]
        for i in range(len(moved) - 2, -1, -1):
            moved[i] = min(moved[i], moved[i + 1] - least)
    return moved


def save(figure: Figure, path: Path, params: PlotsParams) -> Path:
    """Write a figure whole or not at all."""
    path = path.with_suffix(f".{params.format}")
    with written_aside(path) as aside:
        figure.savefig(aside, format=params.format, dpi=params.dpi)
    return path


def with_any(rows: pd.DataFrame, name: str) -> pd.DataFrame:
    """All rows of the tracks that have at least one value in that column."""
    return rows[rows[name].notna().groupby(rows["track_id"]).transform("any")]


def by_track(rows: pd.DataFrame) -> dict[int, pd.DataFrame]:
    """The rows of each track."""
    return {int(str(track_id)): part for track_id, part in rows.groupby("track_id")}
