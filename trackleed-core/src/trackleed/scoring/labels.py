"""Labels: where each true spot is in each frame, made by hand or by the simulator.

A label is a row of ``frame, track_id, x, y`` and ``state``. The state says what is asked of a
tracker there:

- seed, measured, saturated, edited: the spot is seen, and is to be found (`WANTED`);
- predicted: it is there, but too dim or too near to a brighter one: it may be found or not;
- masked: its place is hidden; its wing may show, and may be found;
- lost: it is not there. Where a place is given, a prediction may stand on it, but nothing
  can be seen on it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from trackleed.errors import TableError
from trackleed.tables import FRAME, TRACK, Column, State, TableSpec, build, columns

if TYPE_CHECKING:
    import pandas as pd

WANTED = (State.SEED, State.MEASURED, State.SATURATED, State.EDITED)
"""States of a label that is to be found, and of a track's row that claims to see a spot."""

LABELS_CSV = "labels.csv"
"""Name of a file of labels: beside the frames, in ``truth/`` of simulated ones, or in a session."""

REACH = 4.0
"""How far, in px, a position may be from a label that says nothing about its width."""

MIN_SNR = 3.0
"""True spots with less need not be found."""

_REACH = 1.5  # widths that a position may be from a spot
_WING = 3.0  # the same, from one that is behind something
_SMALLEST = 2.0  # px, what a position may be off even from a very sharp spot
_SPARROW = 2.0  # widths: two equal Gaussians that are nearer have one maximum between them

LABELS = TableSpec(
    "labels",
    ("frame", "track_id"),
    (
        FRAME,
        TRACK,
        Column("x", "float", "px", "centre, to the right; may be NaN where the spot is not there"),
        Column("y", "float", "px", "centre, down"),
        Column("state", "str", "", "what is asked of a tracker: one of " + ", ".join(State)),
        Column("reach", "float", "px", "how far a position may be and still be on the spot"),
        Column("x_err", "float", "px", "smallest possible standard error of x; NaN if unknown"),
        Column("y_err", "float", "px", "smallest possible standard error of y; NaN if unknown"),
    ),
)


def by_hand(table: pd.DataFrame, reach: float = REACH) -> pd.DataFrame:
    """Labels from rows of ``frame, track_id, x, y`` and, if there is one, ``state``.

    Parameters
    ----------
    table : DataFrame
        A ``tracks`` table does. Rows without a state are to be found; those without a place
        are not there.
    reach : float
        How far a position may be from a label, in px, unless there is a column ``reach``.

    Raises
    ------
    TableError
        If a column is missing or wrong, or a spot has two rows in one frame.
    """
    given = table[[name for name in table.columns if name in LABELS.names]]
    if {"x", "y"} <= set(given.columns):
        nowhere = given["x"].isna() | given["y"].isna()
        state = given["state"] if "state" in given else nowhere.map(lambda _: State.MEASURED.value)
        state = state.fillna(State.MEASURED.value).astype(object)
        given = given.assign(state=state.mask(nowhere, State.LOST.value))
    _check_states(given)
    for name, value in (("reach", reach), ("x_err", np.nan), ("y_err", np.nan)):
        if name not in given:
            given = given.assign(**{name: value})
    return build(LABELS, given)


def _check_states(table: pd.DataFrame) -> None:
    odd = sorted(set(table.get("state", [])) - set(State))
    if odd:
        raise TableError(f"labels: state {odd[0]!r} is not known; allowed are {', '.join(State)}")


def of_truth(truth: pd.DataFrame, snr: float = MIN_SNR) -> pd.DataFrame:
    """Labels from a simulation's truth.

    A spot is to be found where it is visible, has at least ``snr``, and no brighter spot is
    nearer than two widths: nearer ones have one maximum of light between them (Sparrow,
    Astrophys. J. 44, 76 (1916)). A position may be 1.5 of the spot's larger width away,
    but always 2 px; or three widths where its place is hidden.

    Parameters
    ----------
    truth : DataFrame
        A ``truth`` table of `trackleed.simulate`.
    snr : float

    Returns
    -------
    DataFrame
        A `LABELS` table; the truth's ``snr`` is kept as a further column.
    """
    width = truth[["sigma_x", "sigma_y"]].max(axis=1).to_numpy()
    there = truth["x"].notna().to_numpy() & (truth["amplitude"] > 0).to_numpy()
    hidden = there & (truth["snr"] == 0).to_numpy()
    wanted = truth["visible"].to_numpy() & (truth["snr"] >= snr).to_numpy()
    wanted &= ~_outshone(truth, width, there)
    state = np.select(
        [~there, hidden, wanted], [State.LOST, State.MASKED, State.MEASURED], State.PREDICTED
    )
    kept = truth[["frame", "spot", "x", "y", "x_err", "y_err", "snr"]]
    made = {
        **columns(kept.rename(columns={"spot": "track_id"})),
        "state": state.astype(object),
        "reach": np.maximum(np.where(hidden, _WING, _REACH) * width, _SMALLEST),
    }
    return build(LABELS, made)


def wanted(table: pd.DataFrame) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Whether rows are labels to be found, or claims to see a spot, (n,)."""
    return np.asarray(table["state"].isin(WANTED), dtype=bool)


def _outshone(
    truth: pd.DataFrame, width: np.ndarray, there: np.ndarray
) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Whether a brighter spot stands so near that only one of them can be seen, (n,)."""
    result = np.zeros(len(truth), dtype=bool)
    x, y, height = (truth[name].to_numpy() for name in ("x", "y", "amplitude"))
    frame = truth["frame"].to_numpy()
    for number in np.unique(frame):
        rows = np.flatnonzero((frame == number) & there)
        near = np.hypot(x[rows][:, None] - x[rows], y[rows][:, None] - y[rows])
        limit = _SPARROW * (width[rows][:, None] + width[rows]) / 2
        brighter = height[rows] > height[rows][:, None]
        result[rows] = ((near < limit) & brighter).any(axis=1)
    return result
