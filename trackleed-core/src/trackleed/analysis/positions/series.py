"""Whether a satellite is where its own series puts it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from trackleed.analysis.spots import median

if TYPE_CHECKING:
    import pandas as pd

Array: TypeAlias = np.ndarray[Any, np.dtype[Any]]

FEWEST = 4  # frames of a satellite from which its series says something
NEAR = 10  # other frames, the nearest in energy or time, that each is compared with
LEAST = 0.5  # px; what is less is no jump


@dataclass
class Jumps:
    """Which rows stand away from their series, and how far; arrays (n,)."""

    jumped: Array
    away: Array

    def told(self, row: int) -> str:
        """In words."""
        return f"{self.away[row]:.1f} px from where the other frames put it"


def find_jumps(
    vectors: Mapping[str, Array], trusted: Array, index: pd.DataFrame | None, most: float
) -> Jumps:
    """Compare each vector with the median of those of the nearest other frames.

    Where the energies are known and the vectors times sqrt(E) scatter less than the vectors, they
    are compared so.

    Parameters
    ----------
    vectors : mapping of ndarray (n,)
        ``frame``, ``group``, ``satellite``, ``dx``, ``dy``, ``dx_err``, ``dy_err``.
    trusted : ndarray (n,) of bool
        Rows that nothing else speaks against; the others are neither compared nor compared with.
    index : DataFrame, optional
        Table ``index``.
    most : float
        Standard deviations from which it is a jump.
    """
    n = len(trusted)
    found = Jumps(np.zeros(n, dtype=bool), np.full(n, np.nan))
    energy = _energies(vectors["frame"], index)
    series = np.stack([vectors["group"], vectors["satellite"]], axis=1)
    for one in np.unique(series, axis=0):
        rows = np.flatnonzero((series == one).all(axis=1) & trusted)
        if len(rows) < FEWEST:
            continue
        order = energy if np.isfinite(energy[rows]).all() else vectors["frame"]
        rows = rows[np.argsort(order[rows], kind="stable")]
        vector = np.stack([vectors["dx"][rows], vectors["dy"][rows]], axis=1)
        error = np.hypot(vectors["dx_err"][rows], vectors["dy_err"][rows])
        rest = _rest(vector, energy[rows])
        away = np.hypot(*rest.T)
        spread = 1.4826 * median(np.abs(rest).ravel()) * np.sqrt(2)
        found.away[rows] = away
        found.jumped[rows] = (away > most * np.hypot(error, spread)) & (away > LEAST)
    return found


def _energies(frame: Array, index: pd.DataFrame | None) -> Array:
    if index is None:
        return np.full(len(frame), np.nan)
    return index.set_index("frame")["energy_eV"].reindex(frame).to_numpy(dtype=float)


def _rest(vector: Array, energy: Array) -> Array:
    """What the vectors (n, 2) differ by from their neighbours in the series, px."""
    plain = vector - _expected(vector)
    if not np.isfinite(energy).all() or energy.max() == energy.min():
        return np.asarray(plain)
    scale = np.sqrt(energy / np.median(energy))[:, None]
    scaled = vector - _expected(vector * scale) / scale
    # Not the median: where most energies are alike, it tells little of the law.
    shrinks = np.less(*(np.quantile(np.hypot(*rest.T), 0.75) for rest in (scaled, plain)))
    return np.asarray(scaled if shrinks else plain)


def _expected(vector: Array) -> Array:
    """Median of the nearest other rows, for each row of (n, 2)."""
    place = np.arange(len(vector))
    expected = np.empty_like(vector)
    for i in place:
        others = np.argsort(np.where(place == i, np.inf, np.abs(place - i)), kind="stable")
        expected[i] = np.median(vector[others[: min(NEAR, len(vector) - 1)]], axis=0)
    return expected
