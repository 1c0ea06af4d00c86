"""Tracks as those of points: the metrics of TAP-Vid, and errors of the positions.

References
----------
TAP-Vid: C. Doersch et al., Adv. Neural Inf. Process. Syst. 35, 13610 (2022), sec. 3.1. Distances
are px of the frames themselves: TAP-Vid's are of frames scaled to 256 px.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from trackleed.scoring.detections import pair
from trackleed.scoring.identity import Counts, partners
from trackleed.scoring.labels import wanted
from trackleed.scoring.sight import Sight
from trackleed.tables import FitStatus, State

if TYPE_CHECKING:
    import pandas as pd

THRESHOLDS = np.array([1.0, 2.0, 4.0, 8.0, 16.0])
"""Distances in px within which a point is right, one after the other."""

_USABLE = (FitStatus.OK, FitStatus.SATURATED)


def tap(sight: Sight, tracks: pd.DataFrame, labels: pd.DataFrame) -> Counts:
    """Counts for delta_avg, occlusion accuracy and average Jaccard.

    Each spot is a query in the first frame in which it is to be found, its track that of
    `partners`, and later frames are judged: the spot is visible where it is to be found,
    occluded where it is masked or lost. Rows that need not be found are left out.

    Returns
    -------
    dict
        ``tap_points``: all that is judged; ``tap_visible``; ``tap_flags``: where visible or not is
        right; ``tap_within``, ``tap_true`` and ``tap_false``, one for each of `THRESHOLDS`.
    """
    known = np.append(sight.track_ids, -1)[partners(sight)]
    track_of = dict(zip(sight.spot_ids.tolist(), known.tolist(), strict=True))
    asked = labels.assign(visible=wanted(labels))
    asked = asked[asked["track_id"].isin(track_of)]
    first = asked[asked["visible"]].groupby("track_id")["frame"].min()
    judged = asked["visible"] | asked["state"].isin((State.MASKED, State.LOST))
    asked = asked[judged & (asked["frame"] > asked["track_id"].map(first))]
    asked = asked.assign(track=asked["track_id"].map(track_of))
    claims = tracks[["frame", "track_id", "x", "y"]].assign(seen=wanted(tracks))
    claims = claims.rename(columns={"track_id": "track"})
    both = asked.merge(claims, on=["frame", "track"], how="left", suffixes=("", "_track"))
    visible = both["visible"].to_numpy(dtype=bool)
    seen = both["seen"].eq(True).to_numpy()
    x, y, track_x, track_y = both[["x", "y", "x_track", "y_track"]].to_numpy().T
    distance = np.hypot(x - track_x, y - track_y)
    within = visible & (distance < THRESHOLDS[:, None])
    return {
        "tap_points": float(len(both)),
        "tap_visible": float(visible.sum()),
        "tap_flags": float((visible == seen).sum()),
        "tap_within": within.sum(axis=1).astype(float).tolist(),
        "tap_true": (within & seen).sum(axis=1).astype(float).tolist(),
        "tap_false": (~within & seen).sum(axis=1).astype(float).tolist(),
    }


def errors(tracks: pd.DataFrame, fits: pd.DataFrame, labels: pd.DataFrame) -> Counts:
    """Squares of the errors, in px^2, before and after refinement, and of the bound.

    They are summed over x and y of the rows that claim to see a spot that is to be found, whose
    fit can be used, and whose label tells the Cramér-Rao bound; over all usable ones if no label
    tells it, and the bound is then NaN.
    """
    rows = tracks[["frame", "track_id", "x", "y", "state"]].merge(
        fits[["frame", "track_id", "x", "y", "status"]],
        on=["frame", "track_id"],
        suffixes=("", "_fit"),
    )
    rows = rows[wanted(rows) & rows["x"].notna()].reset_index(drop=True)
    spot = pair(rows, labels)
    usable = rows["status"].isin(_USABLE) & rows["x_fit"].notna()
    good = (spot >= 0) & wanted(labels)[spot] & usable.to_numpy()
    bounded = labels["x_err"].notna().to_numpy()[spot]
    if (good & bounded).any():
        good &= bounded
    rows, true = rows[good], labels.iloc[spot[good]]
    return {
        "measured": float(len(rows)),
        "square_track": _square(rows["x"] - true["x"].to_numpy(), rows["y"] - true["y"].to_numpy()),
        "square_fit": _square(
            rows["x_fit"] - true["x"].to_numpy(), rows["y_fit"] - true["y"].to_numpy()
        ),
        "square_bound": _square(true["x_err"], true["y_err"]),
    }


def _square(x: pd.Series, y: pd.Series) -> float:
    return float((x.to_numpy() ** 2 + y.to_numpy() ** 2).sum())
