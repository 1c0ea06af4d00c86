"""Fit one batch of ROIs and gather what is known about each."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from trackleed.builtin.refiners import physical
from trackleed.builtin.refiners.cutouts import Cutouts, shaded
from trackleed.builtin.refiners.engine import Fit, covariance, fit
from trackleed.builtin.refiners.model import PEAK, Array, background, peak
from trackleed.builtin.refiners.neighbours import own_pixels
from trackleed.builtin.refiners.params import GaussianParams
from trackleed.builtin.refiners.start import linear_fit, start
from trackleed.frames import NoiseModel
from trackleed.tables import FITS

PIXELS = 4  # usable pixels for each parameter, at least
EXTENT = 3.0  # widths from its centre at which a spot ends


@dataclass
class Tracks:
    """n tracked ROIs; NaN where a track has no position."""

    frame: Array
    x: Array
    y: Array
    side: Array

    def __len__(self) -> int:
        return len(self.frame)

    def take(self, rows: Array) -> Tracks:
        """Some of the ROIs."""
        return Tracks(self.frame[rows], self.x[rows], self.y[rows], self.side[rows])


def blank(n: int) -> dict[str, Array]:
    """What `measure` returns, for n ROIs of which nothing is known."""
    return {
        **{c.name: np.full(n, np.nan) for c in FITS.columns if c.dtype == "float"},
        **{name: np.zeros(n) for name in ("inside", "shown", "core", "shift", "width", "sigma")},
        **{
            name: np.zeros(n, dtype=bool)
            for name in ("saturated", "clipped", "enough", "enough_alone", "converged", "faint")
        },
        "precision": np.full((n, 2, 2), np.nan),
    }


def measure(
    rois: Cutouts,
    tracks: Tracks,
    pair: tuple[Array, Array],
    noise: NoiseModel,
    params: GaussianParams,
) -> dict[str, Array]:
    """Columns of the table ``fits``, and the facts by which `status.judge` decides.

    Parameters
    ----------
    rois : Cutouts
        ROIs of one size.
    tracks : Tracks
        All ROIs of the block that ``rois.row`` counts in.
    pair : tuple of ndarray
        Neighbours among them, from `neighbours.pairs`.
    noise : NoiseModel
        Of the raw frames.
    params : GaussianParams

    Returns
    -------
    dict of ndarray (n, ...)
        With the names of `blank`.
    """
    x, y = tracks.x[rois.row], tracks.y[rois.row]
    alone = rois.shown & ~rois.clipped & ~shaded(rois, noise, x, y)
    usable = alone & own_pixels(rois, tracks.x, tracks.y, pair)
    shift = np.stack([x - rois.x, y - rois.y], axis=1)
    first = start(rois.counts, usable, shift, rois.side / 6, params.background == "plane")
    fitted = fit(rois.counts, usable, first, lambda model: rois.variance(noise, model))
    found = _numbers(rois, usable, fitted, params.scale_errors)
    known = [np.isfinite(v) for name, v in found.items() if v.ndim == 1 and "theta" not in name]
    found["converged"] = np.asarray(fitted.converged & np.logical_and.reduce(known))
    found["shift"] = np.hypot(found["x"] - x, found["y"] - y) / rois.side
    found["width"] = np.maximum(found["fwhm_x"], found["fwhm_y"]) / rois.side
    found["sigma"] = np.minimum(found["sigma_x"], found["sigma_y"])
    found["inside"] = rois.inside
    found["shown"] = rois.shown.mean(axis=(1, 2)) / np.maximum(rois.inside, 1e-12)
    middle = rois.distance2(x, y) <= (rois.side / 6) ** 2
    found["core"] = (rois.shown & middle).sum(axis=(1, 2)) / middle.sum(axis=(1, 2))
    found["saturated"] = np.asarray(rois.clipped.any(axis=(1, 2)))
    spot = middle | (_extent(fitted.k, rois.side) & found["converged"][:, None, None])
    found["clipped"] = np.asarray((rois.clipped & spot).any(axis=(1, 2)))
    least = PIXELS * first.shape[1]
    found["enough"] = np.count_nonzero(usable, axis=(1, 2)) >= least
    found["enough_alone"] = np.count_nonzero(alone, axis=(1, 2)) >= least
    found["faint"] = _faint(rois, usable, first, noise, params)
    return found


def _numbers(rois: Cutouts, usable: Array, fitted: Fit, scale_errors: bool) -> dict[str, Array]:
    """Columns of ``fits``, and ``precision``, of the fits as they came out."""
    count = np.count_nonzero(usable, axis=(1, 2))
    chi2_red = fitted.chi2 / np.maximum(count - fitted.k.shape[1], 1)
    errors = covariance(fitted.matrix)
    if scale_errors:
        errors *= np.maximum(1.0, chi2_red)[:, None, None]
    spots = physical.spots(fitted.k, rois.side)
    found = physical.columns(spots, errors)
    found["x"] = found["x"] + rois.x
    found["y"] = found["y"] + rois.y
    found["r_squared"] = _r_squared(rois, usable, fitted.k)
    found["chi2_red"] = chi2_red
    found["snr"] = found["volume"] / found["volume_err"]
    found["precision"] = np.linalg.inv(spots.moments)
    return found


def _extent(k: Array, side: int) -> Array:
    """Pixels within `EXTENT` widths of the fitted spots' centres, bool (n, side, side)."""
    spot = peak(k, side)
    spots = physical.spots(k, side)
    edge = spots.amplitude * np.exp(-0.5 * EXTENT**2)
    return np.asarray(spot > edge[:, None, None])


def _faint(
    rois: Cutouts, usable: Array, first: Array, noise: NoiseModel, params: GaussianParams
) -> Array:
    """Whether no round spot stands out of the noise where the fit started, bool (n,)."""
    level = peak(first, rois.side) + background(first, rois.side)
    weights = np.where(usable, 1 / rois.variance(noise, level), 0.0)
    values, cov = linear_fit(rois.counts, weights, first[:, :PEAK], first.shape[1] > PEAK + 1)
    return np.asarray(values[:, 0] < params.snr_min * np.sqrt(cov[:, 0, 0]))


def _r_squared(rois: Cutouts, usable: Array, k: Array) -> Array:
    """Coefficient of determination, 1 - SSE / SST, over the usable pixels, unweighted."""
    count = np.maximum(np.count_nonzero(usable, axis=(1, 2)), 1)
    mean = np.where(usable, rois.counts, 0.0).sum(axis=(1, 2)) / count
    model = peak(k, rois.side) + background(k, rois.side)
    left = np.where(usable, rois.counts - model, 0.0)
    spread = np.where(usable, rois.counts - mean[:, None, None], 0.0)
    return np.asarray(1 - (left**2).sum(axis=(1, 2)) / ((spread**2).sum(axis=(1, 2)) + 1e-300))
