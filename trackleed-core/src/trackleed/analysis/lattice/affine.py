"""A lattice through the spots of each frame, by robust linear least squares."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from trackleed.analysis.spots import REJECT, Array, Spots, excess_variance

ROUNDS = 8
L1_STEPS = 20
SOFT = 0.05
"""Residual, in px, below which the start weighs all spots alike."""

MOST = 2 / 3
"""Share of a frame's indexed spots that must agree on the lattice."""

FLAT = 1e-6
"""Spread of the indices across a line, over that along it, below which they lie in one line."""


@dataclass(frozen=True)
class Lattices:
    """Lattices of all frames; NaN where there is none.

    Attributes
    ----------
    vectors : ndarray (frame, 3, 2)
        Origin, a* and b* as rows, px.
    covariance : ndarray (frame, 2, 3, 3)
        Covariance of origin, a* and b* along x and along y, px^2.
    off : ndarray (frame, track)
        Distance of the spots from the lattice, px.
    keep : ndarray of bool (frame, track)
        Spots that it rests on.
    """

    vectors: Array
    covariance: Array
    off: Array
    keep: Array

    @property
    def known(self) -> Array:
        """Frames that have a lattice, bool (frame,)."""
        return np.isfinite(self.vectors[:, 0, 0])


def fit_lattices(spots: Spots, hk: Array) -> Lattices:
    """Fit origin, a* and b* to the indexed spots of each frame.

    Starts from the least sum of distances (iteratively reweighted least squares), then weights
    with the errors of the fits and the variance that all spots of the series scatter beyond them
    (`excess_variance`), leaving out residuals of more than five standard deviations.

    Parameters
    ----------
    spots : Spots
    hk : ndarray (track, 2)
        Their indices; NaN for spots to leave out.

    Returns
    -------
    Lattices
        Frames with fewer than three spots, with spots in one line, or with more than a third
        of outliers have none.
    """
    place = np.stack([spots.x, spots.y])  # (axis, frame, track)
    variance = np.stack([spots.x_var, spots.y_var])
    design = np.column_stack([np.ones(len(hk)), hk])
    indexed = np.isfinite(hk).all(axis=1)
    design[~indexed] = 0
    seen = np.isfinite(spots.x) & indexed
    keep = seen & _enough(design, seen)[:, None]
    residual, keep = _least_distances(place, design, keep)
    extra = _robust_excess(residual, variance, keep)
    for _ in range(ROUNDS):
        inside = keep & (residual**2 < REJECT**2 * (variance + extra)).all(axis=0)
        inside &= _enough(design, inside)[:, None]
        theta, inverse, residual = _solve(place, design, inside, variance + extra)
        extra = _excess(residual, variance, inside)
        again: Array = seen & (residual**2 < REJECT**2 * (variance + extra)).all(axis=0)
        if np.array_equal(again, keep):
            break
        keep = again
    theta, inverse, residual = _solve(place, design, inside, variance + extra)
    nowhere = inside.sum(axis=1) < np.maximum(MOST * seen.sum(axis=1), 1)
    theta[:, nowhere], inverse[:, nowhere] = np.nan, np.nan
    off = np.where(nowhere[:, None], np.nan, np.hypot(*residual))
    return Lattices(np.moveaxis(theta, 0, -1), np.moveaxis(inverse, 0, 1), off, inside)


def _enough(design: Array, seen: Array) -> Array:
    """Frames with three indexed spots or more that do not lie in one line, bool (frame,)."""
    n = seen.sum(axis=1)
    mean = (seen @ design[:, 1:]) / np.maximum(n, 1)[:, None]
    square = np.einsum("ft,tp,tq->fpq", seen.astype(np.float64), design[:, 1:], design[:, 1:])
    spread = np.linalg.eigvalsh(square - n[:, None, None] * mean[:, :, None] * mean[:, None, :])
    enough: Array = (n >= 3) & (spread[:, 0] > FLAT * spread[:, 1])
    return enough


def _solve(place: Array, design: Array, keep: Array, variance: Array) -> tuple[Array, Array, Array]:
    """Parameters (axis, frame, 3), their covariance, and residuals (axis, frame, track)."""
    weight = np.where(keep, 1 / variance, 0)
    normal = np.einsum("aft,tp,tq->afpq", weight, design, design)
    normal[:, ~keep.any(axis=1)] = np.eye(3)
    inverse = np.linalg.inv(normal)
    known = np.einsum("aft,tp,aft->afp", weight, design, np.where(keep, place, 0))
    theta = (inverse @ known[..., None])[..., 0]
    return theta, inverse, place - theta @ design.T


def _least_distances(place: Array, design: Array, keep: Array) -> tuple[Array, Array]:
    """Residuals about the lattice with the least sum of distances, and spots to judge them by."""
    distance = np.ones(keep.shape)
    for _ in range(L1_STEPS):
        variance = np.broadcast_to(np.hypot(distance, SOFT), place.shape)
        _, _, residual = _solve(place, design, keep, variance)
        distance = np.where(keep, np.hypot(*residual), 1.0)
    return residual, keep


def _freedom(keep: Array) -> int:
    return 2 * int((keep.sum(axis=1) - 3).clip(0).sum())


def _robust_excess(residual: Array, variance: Array, keep: Array) -> float:
    """Variance that the median residual has beyond the errors of the fits."""
    if _freedom(keep) < 1:
        return 0.0
    median = 1.4826 * float(np.median(np.abs(residual[:, keep])))
    scatter2 = median**2 * 2 * int(keep.sum()) / _freedom(keep)
    return max(0.0, scatter2 - float(np.median(variance[:, keep])))


def _excess(residual: Array, variance: Array, keep: Array) -> float:
    squares, own = residual[:, keep] ** 2, variance[:, keep]
    return excess_variance(lambda t: float((squares / (own + t)).sum()), _freedom(keep))
