"""How well detections and fits agree with the truth of a simulated series.

In each frame positions and true spots are paired one to one: each is the other's nearest,
in units of how far a position may be from that spot. That is 1.5 times the spot's larger width,
or 3 times where the spot's centre is not on the valid screen: there only
its wing shows, and a maximum of light beside the shadow is rightly found. A second position on
a spot that has one is as wrong as one on none.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from trackleed.simulate.lattice import Floats

if TYPE_CHECKING:
    import pandas as pd

_REACH = 1.5  # widths that a position may be from a spot
_WING = 3.0  # the same, from one that is behind something
_SMALLEST = 2.0  # px, what a position may be off even from a very sharp spot


@dataclass(frozen=True)
class DetectionScore:
    """Counts over a series.

    Parameters
    ----------
    wanted : int
        True spots that are visible and bright enough, over all frames.
    found : int
        Those of them that have a detection.
    detections : int
        All detections.
    false : int
        Detections that belong to no spot, bright or dim.
    """

    wanted: int
    found: int
    detections: int
    false: int

    @property
    def recall(self) -> float:
        """Part of the wanted spots that was found; NaN if none was wanted."""
        return self.found / self.wanted if self.wanted else float("nan")

    @property
    def precision(self) -> float:
        """Part of the detections that is right; NaN if there are none."""
        return 1 - self.false / self.detections if self.detections else float("nan")


def score_detections(
    detections: pd.DataFrame, truth: pd.DataFrame, snr: float = 4.0
) -> DetectionScore:
    """Count what was found, missed and made up.

    Parameters
    ----------
    detections : DataFrame
        Columns frame, x, y.
    truth : DataFrame
        A `TRUTH` table.
    snr : float
        Of the spots that should be found.
    """
    spot = pair(detections, truth)
    wanted = truth["visible"] & (truth["snr"] >= snr)
    found = np.zeros(len(truth), dtype=bool)
    found[spot[spot >= 0]] = True
    return DetectionScore(
        wanted=int(wanted.sum()),
        found=int((wanted & found).sum()),
        detections=len(detections),
        false=int((spot < 0).sum()),
    )


def compare_fits(fits: pd.DataFrame, truth: pd.DataFrame) -> pd.DataFrame:
    """Fits beside the true spots that they belong to.

    Parameters
    ----------
    fits : DataFrame
        A ``fits`` table; rows without a position, or far from any spot, are left out.
    truth : DataFrame
        A `TRUTH` table.

    Returns
    -------
    DataFrame
        ``frame, track_id, status``; ``spot, visible`` and ``snr`` of the truth; ``dx, dy``: fitted
        less true position in px; ``pull_x, pull_y``: the same over the fit's standard error.
    """
    placed = fits[fits["x"].notna() & fits["y"].notna()].reset_index(drop=True)
    spot = pair(placed, truth)
    fit = placed[spot >= 0].reset_index(drop=True)
    true = truth.iloc[spot[spot >= 0]].reset_index(drop=True)
    compared = fit[["frame", "track_id", "status"]].join(true[["spot", "visible", "snr"]])
    for axis in ("x", "y"):
        compared[f"d{axis}"] = fit[axis] - true[axis]
        compared[f"pull_{axis}"] = compared[f"d{axis}"] / fit[f"{axis}_err"]
    return compared


def pair(positions: pd.DataFrame, truth: pd.DataFrame) -> NDArray[np.intp]:
    """Row number in ``truth`` of the spot that each position belongs to, -1 for none, (n,)."""
    lit = np.flatnonzero(truth["x"].notna() & (truth["amplitude"] > 0))
    spots = truth.iloc[lit]
    width = spots[["sigma_x", "sigma_y"]].max(axis=1).to_numpy()
    hidden = (spots["snr"] == 0).to_numpy()
    reach = np.maximum(np.where(hidden, _WING, _REACH) * width, _SMALLEST)
    spot_xy, spot_frame = spots[["x", "y"]].to_numpy(), spots["frame"].to_numpy()
    xy, frame = positions[["x", "y"]].to_numpy(), positions["frame"].to_numpy()
    paired = np.full(len(positions), -1)
    for number in np.unique(frame):
        here, there = np.flatnonzero(frame == number), np.flatnonzero(spot_frame == number)
        nearest = _mutual(xy[here], spot_xy[there], reach[there])
        known = nearest >= 0
        paired[here[known]] = lit[there[nearest[known]]]
    return paired


def _mutual(xy: Floats, spots: Floats, reach: Floats) -> NDArray[np.intp]:
    """Index of the spot that each position is paired with, -1 for none."""
    if len(xy) == 0 or len(spots) == 0:
        return np.full(len(xy), -1)
    distance = np.hypot(*(xy[:, None, :] - spots).transpose(2, 0, 1)) / reach
    spot = distance.argmin(axis=1)
    rows = np.arange(len(xy))
    mutual = (distance.argmin(axis=0)[spot] == rows) & (distance[rows, spot] <= 1)
    return np.where(mutual, spot, -1)
