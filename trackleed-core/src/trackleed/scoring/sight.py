"""A series as metrics of tracking see it: in each frame true spots, tracks, and how alike they are.

What need not be found is taken out beforehand, with the positions that stand on it, as the
benchmarks for pedestrians do with what is no pedestrian (Dendorfer et al., Int. J. Comput. Vis.
129, 845 (2021), sec. 5.2).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from trackleed.scoring.detections import pair
from trackleed.scoring.labels import wanted
from trackleed.tables import State

if TYPE_CHECKING:
    import pandas as pd

Ints = NDArray[np.intp]
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Sight:
    """What is compared with what.

    Attributes
    ----------
    frames : list of (spots (n,), tracks (m,), similarity (n, m))
        Numbers, from 0, of the spots to be found and of the tracks with a position in each
        frame. The similarity is ``1 - d / (2 reach)`` up to the distance d = reach, where it is
        1/2, and 0 beyond.
    n_spots, n_tracks : int
        How many different ones there are.
    track_ids : ndarray (n_tracks,)
        Number of each track in the table it comes from.
    spot_ids : ndarray (n_spots,)
    ghosts : int
        Tracks none of whose positions stands on any spot, bright or dim.
    """

    frames: list[tuple[Ints, Ints, Floats]]
    n_spots: int
    n_tracks: int
    track_ids: Ints
    spot_ids: Ints
    ghosts: int


def sight(tracks: pd.DataFrame, labels: pd.DataFrame) -> Sight:
    """Compare a ``tracks`` table with labels, in the frames that have any labels."""
    rows = tracks[tracks["x"].notna() & tracks["frame"].isin(labels["frame"])]
    rows = rows.reset_index(drop=True)
    spot = pair(rows, labels, unlit=True)
    asked = wanted(labels)
    dark = (labels["state"] == State.LOST).to_numpy()
    # What claims to be seen where there is no light is wrong; a prediction there is not.
    excused = (spot >= 0) & ~asked[spot] & ~(wanted(rows) & dark[spot])
    kept, true = rows[~excused], labels[asked]
    track_ids, track = np.unique(kept["track_id"], return_inverse=True)
    spot_ids, number = np.unique(true["track_id"], return_inverse=True)
    return Sight(
        list(_frames(labels, true, number, kept, track)),
        len(spot_ids),
        len(track_ids),
        track_ids,
        spot_ids,
        ghosts=len(np.setdiff1d(rows["track_id"], rows["track_id"][spot >= 0])),
    )


def _frames(
    labels: pd.DataFrame, true: pd.DataFrame, number: Ints, kept: pd.DataFrame, track: Ints
) -> list[tuple[Ints, Ints, Floats]]:
    found = []
    spot_frame, track_frame = true["frame"].to_numpy(), kept["frame"].to_numpy()
    spot_xy, xy = true[["x", "y"]].to_numpy(), kept[["x", "y"]].to_numpy()
    reach = true["reach"].to_numpy()
    for frame in np.unique(labels["frame"]):
        there, here = np.flatnonzero(spot_frame == frame), np.flatnonzero(track_frame == frame)
        distance = np.hypot(*(spot_xy[there][:, None] - xy[here]).transpose(2, 0, 1))
        relative = distance / reach[there][:, None]
        alike = np.where(relative <= 1, 1 - relative / 2, 0.0)
        found.append((number[there], track[here], alike))
    return found
