"""A figure of what to trust: quality of the frames, and of the tracks with the reasons."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from matplotlib.ticker import MaxNLocator

from trackleed.builtin.exporters._plotting import (
    CLIPPED,
    GOOD,
    INK,
    TEXT,
    UNUSED,
    curve,
    fair_limits,
    new_figure,
    style,
)

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from trackleed.backend import View
    from trackleed.builtin.exporters._axes import Axis

MOST = 40
"""Tracks that have a bar: the uncertain ones first."""

LETTERS = 70
"""Of a reason that is longer only the beginning is shown."""

MEDIANS = {
    "snr": "Volume over its error",
    "chi2_red": "Reduced chi²",
    "fwhm": "Width, FWHM (px)",
    "deviation": "Off from the model (px)",
}


def trust_figure(view: View, names: dict[int, str], axis: Axis) -> Figure:
    """Medians of each frame on the left; tracks, uncertain ones first, on the right."""
    tracks, frames = view.table("track_quality"), view.table("frame_quality")
    shown = tracks.sort_values("reason", key=lambda r: r == "", kind="stable").head(MOST)
    figure = new_figure(13.33, max(7.5, 0.22 * len(shown) + 1.5))
    left, right = figure.subfigures(1, 2, squeeze=False, width_ratios=(4.5, 8.8))[0]
    x = view.index.set_index("frame", drop=False)[axis.column].reindex(frames["frame"]).to_numpy()
    for axes, (name, label) in zip(left.subplots(4, 1, sharex=True), MEDIANS.items(), strict=True):
        style(axes, axis.label if name == "deviation" else "", label)
        curve(axes, x, frames[name].to_numpy(), None, INK)
        fair_limits(axes, frames[name].to_numpy())
    left.suptitle("Medians of the usable fits of a frame", fontsize=TEXT + 1, color=INK)
    _bars(right.subplots(), shown, len(tracks), names)
    return figure


def _bars(axes: Axes, shown: pd.DataFrame, n_tracks: int, names: dict[int, str]) -> None:
    n_uncertain = int((shown["reason"] != "").sum())
    title = f"{n_uncertain} of {n_tracks} tracks are uncertain"
    if n_tracks > len(shown):
        title = f"{title}; {len(shown)} tracks are shown"
    style(axes, "", "", title).set_xlabel("Frames", fontsize=TEXT, color=INK, loc="left")
    y = np.arange(len(shown))
    usable, lost = shown["n_usable"].to_numpy(), shown["n_lost"].to_numpy()
    clipped = shown["n_saturated"].to_numpy()
    rest = shown["n_frames"].to_numpy() - usable - lost - clipped
    start = np.zeros(len(shown))
    for counts, colour, label in (
        (usable, GOOD, "usable"),
        (clipped, CLIPPED, "clipped pixels"),
        (rest, UNUSED, "seen, not usable"),
    ):
        axes.barh(y, counts, left=start, color=colour, height=0.7, label=label)
        start = start + counts
    end = shown["n_frames"].max()
    for row, reason in zip(y, shown["reason"], strict=True):
        text = reason if len(reason) <= LETTERS else f"{reason[: LETTERS - 3]}..."
        axes.text(1.03 * end, float(row), text, fontsize=8, color=INK, va="center")
    labels = [f"{track}  {names.get(track, '')}".rstrip() for track in shown["track_id"]]
    axes.set_yticks(y, labels, fontsize=8)
    axes.set_xticks(MaxNLocator(6, integer=True).tick_values(0, end))
    axes.set_xlim(0, 2.2 * end)
    axes.set_ylim(len(shown) - 0.4, -0.6)
    axes.grid(False, axis="y")
    axes.legend(frameon=False, fontsize=8, loc="lower right", bbox_to_anchor=(1, 1), ncols=3)
