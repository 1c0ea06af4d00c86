"""Fit one batch of ROIs and gather what is known about each."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from trackleed.builtin.refiners.compiled.physical import NUMBERS
from trackleed.builtin.refiners.compiled.single import CONVERGED, GONE, UNSETTLED, Results
from trackleed.builtin.refiners.cutouts import Cutouts, shaded
from trackleed.builtin.refiners.engine import fit, free_parameters
from trackleed.builtin.refiners.model import PARAMETERS, Array, peak
from trackleed.builtin.refiners.neighbours import own_pixels
from trackleed.builtin.refiners.params import GaussianParams
from trackleed.frames import NoiseModel
from trackleed.tables import FITS

PIXELS = 4  # usable pixels for each parameter, at least
FWHM = 2 * np.sqrt(2 * np.log(2))  # full width at half maximum over sigma
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
        **{name: np.zeros(n) for name in ("inside", "shown", "core", "shift", "width", "pixels")},
        **{
            name: np.zeros(n, dtype=bool)
            for name in (
                "saturated",
                "clipped",
                "enough",
                "enough_alone",
                "converged",
                "gone",
                "faint",
            )
        },
        "precision": np.full((n, 2, 2), np.nan),
        "k": np.full((n, PARAMETERS), np.nan),
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
    alone = trusted(rois, tracks, noise)
    usable = alone & own_pixels(rois, tracks.x, tracks.y, pair)
    fitted = fit(
        rois.counts,
        usable,
        rois.variance(noise),
        np.stack([x - rois.x, y - rois.y], axis=1),
        params.shape,
        params.background,
        params.scale_errors,
        params.estimator,
        params.second_order,
    )
    fitted.numbers[:, 0] += rois.x
    fitted.numbers[:, 1] += rois.y
    found = columns(fitted.numbers)
    found["chi2_red"] = fitted.chi2 / np.maximum(fitted.pixels - parameters(params), 1)
    found["r_squared"] = 1 - fitted.squares / np.maximum(fitted.spread, 1e-300)
    known = [np.isfinite(v) for name, v in found.items() if v.ndim == 1 and "theta" not in name]
    found["converged"] = np.logical_and.reduce(known)
    # Less light at the track than around it: what there is stands elsewhere.
    elsewhere = (fitted.outcome == UNSETTLED) & (fitted.clear < -params.snr_min)
    found["gone"] = (fitted.outcome == GONE) | elsewhere
    place(found, x, y, rois.side)
    found["k"], found["pixels"] = fitted.k, fitted.pixels
    found["inside"] = rois.inside
    found["shown"] = rois.shown.mean(axis=(1, 2)) / np.maximum(rois.inside, 1e-12)
    middle = rois.distance2(x, y) <= (rois.side / 6) ** 2
    found["core"] = (rois.shown & middle).sum(axis=(1, 2)) / middle.sum(axis=(1, 2))
    found["saturated"] = np.asarray(rois.clipped.any(axis=(1, 2)))
    found["clipped"] = _clipped(rois, middle, fitted)
    least = PIXELS * parameters(params)
    found["enough"] = fitted.pixels >= least
    found["enough_alone"] = np.count_nonzero(alone, axis=(1, 2)) >= least
    found["faint"] = np.abs(fitted.clear) < params.snr_min
    return found


def trusted(rois: Cutouts, tracks: Tracks, noise: NoiseModel) -> Array:
    """Pixels that count, whichever track they are nearest to, bool (n, side, side)."""
    dark = shaded(rois, noise, tracks.x[rois.row], tracks.y[rois.row])
    return np.asarray(rois.shown & ~rois.clipped & ~dark)


def parameters(params: GaussianParams) -> int:
    """How many parameters are fitted."""
    return int(free_parameters(params.shape, params.background).max()) + 1


def columns(numbers: Array) -> dict[str, Array]:
    """Columns of ``fits``, and ``precision``, from the engine's numbers (n, len(NUMBERS))."""
    found = dict(zip(NUMBERS, numbers.T.copy(), strict=True))
    for name in ("fwhm_x", "fwhm_y", "fwhm_x_err", "fwhm_y_err"):
        found[name] = FWHM * found[name.replace("fwhm", "sigma")]
    found["snr"] = found["volume"] / found["volume_err"]
    p_xx, p_xy, p_yy = (found.pop(name) for name in ("p_xx", "p_xy", "p_yy"))
    found["precision"] = np.stack([p_xx, p_xy, p_xy, p_yy], axis=1).reshape(-1, 2, 2)
    return found


def place(found: dict[str, Array], x: Array, y: Array, side: Array | int) -> None:
    """Add where the fits stand against their tracks, in sides of their ROIs."""
    found["shift"] = np.hypot(found["x"] - x, found["y"] - y) / side
    found["width"] = np.maximum(found["fwhm_x"], found["fwhm_y"]) / side


def _clipped(rois: Cutouts, middle: Array, fitted: Results) -> Array:
    """Whether pixels of the spot are saturated: of the ROI's middle, or under the fitted peak."""
    clipped = np.asarray((rois.clipped & middle).any(axis=(1, 2)))
    asked = np.flatnonzero(rois.clipped.any(axis=(1, 2)) & ~clipped & (fitted.outcome == CONVERGED))
    if len(asked):
        spot = peak(fitted.k[asked], rois.side)
        amplitude = fitted.numbers[asked, NUMBERS.index("amplitude")]
        edge = amplitude * np.exp(-0.5 * EXTENT**2)
        under = rois.clipped[asked] & (spot > edge[:, None, None])
        clipped[asked] = under.any(axis=(1, 2))
    return clipped
