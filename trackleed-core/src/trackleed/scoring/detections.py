"""How well detections and fits agree with the labels, position by position.

In each frame positions and labels are paired one to one: each is the other's nearest, in units of
how far a position may be from that label. A second position on a spot that has one is as wrong
as one on none.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from trackleed.scoring.labels import wanted
from trackleed.tables import State

if TYPE_CHECKING:
    import pandas as pd

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class DetectionScore:
    """Counts over a series.

    Parameters
    ----------
    wanted : int
        Labels that are to be found, over all frames.
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


def score_detections(detections: pd.DataFrame, labels: pd.DataFrame) -> DetectionScore:
    """Count what was found, missed and made up.

    Parameters
    ----------
    detections : DataFrame
        Columns frame, x, y.
    labels : DataFrame
        A `LABELS` table; frames without a label are left out.
    """
    labelled = detections[detections["frame"].isin(labels["frame"])]
    spot = pair(labelled, labels)
    asked = wanted(labels)
    found = np.zeros(len(labels), dtype=bool)
    found[spot[spot >= 0]] = True
    return DetectionScore(
        wanted=int(asked.sum()),
        found=int((asked & found).sum()),
        detections=len(labelled),
        false=int((spot < 0).sum()),
    )


def compare_fits(fits: pd.DataFrame, labels: pd.DataFrame) -> pd.DataFrame:
    """Fits beside the true spots that they belong to.

    Parameters
    ----------
    fits : DataFrame
        A ``fits`` table; rows without a position, or far from any spot, are left out.
    labels : DataFrame
        A `LABELS` table.

    Returns
    -------
    DataFrame
        ``frame, track_id, status``; ``spot``: the label's track_id; ``wanted``: whether it is to be
        found; its ``snr`` where the labels tell it; ``dx, dy``: fitted less true position in px;
        ``pull_x, pull_y``: the same over the fit's standard error.
    """
    placed = fits[fits["x"].notna() & fits["y"].notna()].reset_index(drop=True)
    spot = pair(placed, labels)
    fit = placed[spot >= 0].reset_index(drop=True)
    true = labels.iloc[spot[spot >= 0]].reset_index(drop=True)
    compared = fit[["frame", "track_id", "status"]].assign(
        spot=true["track_id"], wanted=wanted(true)
    )
    if "snr" in true:
        compared["snr"] = true["snr"]
    for axis in ("x", "y"):
        compared[f"d{axis}"] = fit[axis] - true[axis]
        compared[f"pull_{axis}"] = compared[f"d{axis}"] / fit[f"{axis}_err"]
    return compared


def pair(positions: pd.DataFrame, labels: pd.DataFrame, *, unlit: bool = False) -> NDArray[np.intp]:
    """Row number in ``labels`` of the spot that each position belongs to, -1 for none, (n,).

    Parameters
    ----------
    positions : DataFrame
        Columns frame, x, y.
    labels : DataFrame
    unlit : bool
        Whether a spot that is not there, but whose place is known, may have a position.
    """
    placed = labels["x"].notna() & (unlit | (labels["state"] != State.LOST))
    rows = np.flatnonzero(placed)
    spots = labels.iloc[rows]
    reach, frame_of = spots["reach"].to_numpy(), spots["frame"].to_numpy()
    spot_xy = spots[["x", "y"]].to_numpy()
    xy, frame = positions[["x", "y"]].to_numpy(), positions["frame"].to_numpy()
    paired = np.full(len(positions), -1)
    for number in np.unique(frame):
        here, there = np.flatnonzero(frame == number), np.flatnonzero(frame_of == number)
        nearest = _mutual(xy[here], spot_xy[there], reach[there])
        known = nearest >= 0
        paired[here[known]] = rows[there[nearest[known]]]
    return paired


def _mutual(xy: Floats, spots: Floats, reach: Floats) -> NDArray[Any]:
    """Index of the spot that each position is paired with, -1 for none."""
    if len(xy) == 0 or len(spots) == 0:
        return np.full(len(xy), -1)
    distance = np.hypot(*(xy[:, None, :] - spots).transpose(2, 0, 1)) / reach
    spot = distance.argmin(axis=1)
    rows = np.arange(len(xy))
    mutual = (distance.argmin(axis=0)[spot] == rows) & (distance[rows, spot] <= 1)
    return np.where(mutual, spot, -1)
