"""Pictures of a benchmark's table."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter

from trackleed.bench.table import DETECTIONS, HEADINGS

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

PANELS = (
    "idf1",
    "hota",
    "recall",
    "precision",
    "fragments_per_spot",
    "average_jaccard",
    "fit_over_bound",
    "frames_per_s",
)
_MARKS = "osD^vPX*<>"


def plot(lines: pd.DataFrame, path: Path, title: str) -> Path:
    """One panel for each of `PANELS`: scenarios from top to bottom, a mark for each tracker."""
    shown = lines[lines["tracker"] != DETECTIONS]
    scenarios = list(dict.fromkeys(shown["scenario"]))
    figure = Figure(figsize=(14, 2.6 + 0.7 * len(scenarios)), layout="constrained")
    FigureCanvasAgg(figure)
    figure.suptitle(title, x=0.01, ha="left")
    axes = figure.subplots(2, len(PANELS) // 2, sharey=True)
    for name, panel in zip(PANELS, axes.flat, strict=True):
        _panel(panel, shown, scenarios, name)
    handles, labels = axes.flat[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=8, frameon=False)
    figure.savefig(path, dpi=110)
    return path


def _panel(axes: Axes, lines: pd.DataFrame, scenarios: list[str], name: str) -> None:
    trackers = list(dict.fromkeys(lines["tracker"]))
    for number, tracker in enumerate(trackers):
        own = lines[lines["tracker"] == tracker].set_index("scenario").reindex(scenarios)
        # Marks of one scenario stand a little apart, so that none hides another.
        y = np.arange(len(scenarios)) + 0.6 * (number / max(len(trackers) - 1, 1) - 0.5)
        axes.plot(
            own[name].to_numpy(dtype=float), y, _MARKS[number % len(_MARKS)], ms=5, label=tracker
        )
    axes.set_title(next(h.text for h in HEADINGS if h.name == name), loc="left", fontsize=10)
    axes.set_yticks(range(len(scenarios)), scenarios)
    axes.set_ylim(len(scenarios) - 0.4, -0.6)
    axes.grid(True, axis="x", color="#e4e6ea", linewidth=0.6)
    for edge in np.arange(len(scenarios) - 1) + 0.5:
        axes.axhline(edge, color="#e4e6ea", linewidth=0.6)
    if name == "frames_per_s" and (lines[name] > 0).any():
        axes.set_xscale("log")
        axes.xaxis.set_major_locator(LogLocator(subs=(1, 3)))
        axes.xaxis.set_major_formatter("{x:g}")
        axes.xaxis.set_minor_formatter(NullFormatter())
