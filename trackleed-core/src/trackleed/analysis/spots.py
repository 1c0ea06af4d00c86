"""The usable fits of a series as dense arrays, and statistics that both kinds of centre share."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from scipy.optimize import brentq
from scipy.spatial import KDTree

from trackleed.errors import InputError
from trackleed.tables import FitStatus

if TYPE_CHECKING:
    import pandas as pd

Array: TypeAlias = np.ndarray[Any, np.dtype[Any]]

PLACED = (FitStatus.OK, FitStatus.SATURATED)
"""Fits whose position counts: clipping takes a spot's height, not its place."""

EXACT = 1e-12
"""Variance, in px^2, that stands for an error that a fit does not tell."""

JUMP = 10.0
"""Tolerances (about one spacing of spots) that the centre may move while it is not seen."""

REJECT = 5.0
"""Residuals of more standard deviations than this are outliers."""


def check_aspect(pixel_aspect: float) -> None:
    """Raise InputError if the width of a pixel over its height is not a positive number."""
    if not 0 < pixel_aspect < np.inf:
        raise InputError(f"pixel aspect {pixel_aspect} is not a positive number")


@dataclass(frozen=True)
class Spots:
    """Fitted positions, arrays (frame, track), NaN where a track has none that counts."""

    frames: Array
    tracks: Array
    x: Array
    y: Array
    x_var: Array
    y_var: Array

    @classmethod
    def from_fits(cls, fits: pd.DataFrame, frames: Array, tracks: Sequence[int] | None) -> Spots:
        """Gather the fits whose position counts, of all tracks or of those named."""
        usable = fits["status"].isin(PLACED) & np.isfinite(fits["x"] + fits["y"])
        usable &= fits["frame"].isin(frames)
        if tracks is not None:
            usable &= fits["track_id"].isin(tracks)
        fits = fits[usable]
        ids, column = np.unique(fits["track_id"].to_numpy(), return_inverse=True)
        row = np.searchsorted(frames, fits["frame"].to_numpy())

        def dense(values: Array) -> Array:
            array = np.full((len(frames), len(ids)), np.nan)
            array[row, column] = values
            return array

        variances = [
            np.nan_to_num(fits[name].to_numpy() ** 2, posinf=0.0) + EXACT
            for name in ("x_err", "y_err")
        ]
        positions = [fits[name].to_numpy() for name in ("x", "y")]
        return cls(frames, ids, *map(dense, [*positions, *variances]))

    def only(self, chosen: Array) -> Spots:
        """The chosen tracks alone, by number of their column or bool (track,)."""
        arrays = (self.x, self.y, self.x_var, self.y_var)
        return Spots(self.frames, self.tracks[chosen], *(array[:, chosen] for array in arrays))

    def sample(self, n_frames: int, n_tracks: int) -> tuple[Array, Array]:
        """Rows of at most ``n_frames`` frames, evenly spread, and columns of the busiest tracks."""
        seen = np.isfinite(self.x)
        busy = np.sort(np.argsort(-seen.sum(axis=0), kind="stable")[:n_tracks])
        rows = np.flatnonzero(seen[:, busy].sum(axis=1) >= 3)
        return rows[spread(len(rows), n_frames)], busy

    def tolerance(self) -> float:
        """How far from symmetry a spot may lie: a tenth of the usual spacing, 1.5 to 10 px."""
        rows, _ = self.sample(50, len(self.tracks))
        nearest = [np.nan]
        for row in rows:
            here = np.isfinite(self.x[row])
            points = np.column_stack([self.x[row, here], self.y[row, here]])
            distances, _ = KDTree(points).query(points, k=[2])
            nearest.append(float(np.median(distances)))
        spacing = median(np.array(nearest))
        return float(np.clip(spacing / 10, 1.5, 10.0)) if np.isfinite(spacing) else 10.0


@dataclass
class Found:
    """Centre of each frame, arrays (frame,); NaN where it was not found."""

    x: Array
    y: Array
    x_err: Array
    y_err: Array
    n_spots: Array
    rms: Array

    @classmethod
    def nothing(cls, n: int) -> Found:
        """No centre in any of ``n`` frames."""
        x, y, x_err, y_err, rms = (np.full(n, np.nan) for _ in range(5))
        return cls(x, y, x_err, y_err, np.zeros(n, dtype=np.int64), rms)

    @property
    def known(self) -> Array:
        """Frames in which there is a centre, bool (frame,)."""
        return np.isfinite(self.x)


def spread(n: int, most: int) -> Array:
    """At most ``most`` of the numbers below ``n``, evenly spread, with the first and the last."""
    return np.unique(np.linspace(0, n - 1, min(n, most)).round().astype(np.int64))


def nearest_known(center: Array) -> Array:
    """Centre of the nearest frame that has one, for each frame; array (frame, xy) with NaN."""
    known = np.flatnonzero(np.isfinite(center[:, 0]))
    if len(known) == 0:
        return center
    nearest: Array = known[np.argmin(np.abs(np.arange(len(center))[:, None] - known), axis=1)]
    return center[nearest]


def median(values: Array, axis: int = -1) -> Array:
    """Median of the values that are not NaN, along one axis; NaN where there are none."""
    values = np.moveaxis(np.sort(values, axis=axis), axis, -1)  # sorting puts NaN last
    if values.shape[-1] == 0:
        return np.full(values.shape[:-1], np.nan)
    n = np.isfinite(values).sum(axis=-1, keepdims=True)
    low = np.take_along_axis(values, np.maximum(n - 1, 0) // 2, axis=-1)
    high = np.take_along_axis(values, np.minimum(n // 2, values.shape[-1] - 1), axis=-1)
    return np.where(n > 0, (low + high) / 2, np.nan)[..., 0]


def excess_variance(chi2: Callable[[float], float], dof: int) -> float:
    """Variance beyond the errors of the fits that the scatter calls for, px^2.

    A distorted pattern scatters more than its fits' errors allow. Solves
    ``chi2(t) = dof`` for the variance ``t >= 0`` that is added to every spot's [1]_.

    Parameters
    ----------
    chi2 : callable
        Weighted squares of the series' residuals when ``t`` is added; falls with ``t``.
    dof : int
        Degrees of freedom of the series.

    References
    ----------
    .. [1] Paule and Mandel, J. Res. Natl. Bur. Stand. 87, 377 (1982).
    """
    if dof < 1 or chi2(0.0) <= dof:
        return 0.0
    high = 1.0
    while chi2(high) > dof:
        high *= 4
    return float(brentq(lambda t: chi2(t) - dof, 0.0, high, xtol=1e-9))
