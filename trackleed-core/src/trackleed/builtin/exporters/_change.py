"""By how much radii depart from what they should be: their mean, or 1/sqrt(E)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from trackleed.builtin.exporters._plotting import (
    INK,
    by_track,
    curve,
    explain,
    fair_limits,
    style,
)
from trackleed.builtin.exporters.palette import on_paper

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from trackleed.builtin.exporters._axes import Axis


CENTRAL = 0.1
"""Radius, over that of the outermost track, below which its relative change tells nothing."""

BANDS = 12
"""Tracks up to which each has its error band; more of them hide one another."""


def contracts(rows: pd.DataFrame) -> bool:
    """Whether radii shrink with the energy, rather as 1/sqrt(E) than not at all.

    The pattern of a microscope at fixed magnification does not.
    """
    radius, root = rows["radius"], np.sqrt(rows["energy_eV"])
    scatter = []
    for values in (radius, radius * root):
        by_track = values.groupby(rows["track_id"])
        scatter.append(float((by_track.std() / by_track.mean()).median()))
    return scatter[1] < scatter[0]


def draw_change(axes: Axes, rows: pd.DataFrame, axis: Axis) -> None:
    """Radius of every track over its mean, in percent, and the median over the tracks.

    Of a pattern that contracts with the energy it is r sqrt(E), which should stay the same.
    """
    scaled = axis.column == "energy_eV" and contracts(rows)
    what = "r √E over each track's mean" if scaled else "Radius over each track's mean"
    style(axes, axis.label, "Change (%)", what)
    means = rows.groupby("track_id")["radius"].mean()
    outer = means.index[means > CENTRAL * means.max()]
    changes = []
    for track_id, track in by_track(rows[rows["track_id"].isin(outer)]).items():
        x = track[axis.column].to_numpy()
        scale = np.sqrt(x) if scaled else np.ones(len(x))
        share = scale / np.nanmean(scale * track["radius"].to_numpy())
        change = 100 * (share * track["radius"].to_numpy() - 1)
        error = 100 * share * track["radius_err"].to_numpy()
        band = error if len(outer) <= BANDS else None
        curve(axes, x, change, band, on_paper(track_id), linewidth=0.7, alpha=0.7)
        changes.append(pd.Series(change, index=x))
    draw_middle(axes, pd.concat(changes) if changes else pd.Series(dtype=float))


def draw_middle(axes: Axes, values: pd.Series) -> None:
    """Median and middle half of values of several tracks, whose index is x; and limits for all."""
    known = values[values.notna()]
    if len(known):
        by_x = known.groupby(level=0)
        middle, low, high = (by_x.quantile(q) for q in (0.5, 0.25, 0.75))
        axes.fill_between(middle.index, low, high, color=INK, alpha=0.15, linewidth=0)
        curve(axes, middle.index.to_numpy(), middle.to_numpy(), None, INK, linewidth=2.0)
        fair_limits(axes, known.to_numpy())
    axes.axhline(0, color=INK, linewidth=0.6)
    explain(axes, "black: median and middle half of the tracks")
