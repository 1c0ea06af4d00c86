"""The point about which a pattern contracts when the beam energy rises: the (0,0) beam."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from trackleed.analysis.contraction import HELD, Contraction, Problem, fit_contraction
from trackleed.analysis.spots import Array, Spots, median, spread

if TYPE_CHECKING:
    import pandas as pd

SAMPLE_FRAMES = 16
SAMPLE_TRACKS = 64
TRIALS = 200
ASTRAY = 4.0
"""Pixels that distortion and bright neighbours may shift a spot by, however dense spots are."""

LEVER = 0.01
"""Least relative change of the pattern's size over a track that counts."""

AGREE = 0.5
"""Share of the positions that must follow the contraction."""

BETWEEN = (0.7, 1.3)
"""Measured over expected contraction, of a pattern that contracts."""

SIGNIFICANT = 5.0
"""Standard errors that the contraction must differ from none."""


@dataclass(frozen=True)
class Expansion:
    """Where a pattern contracts to.

    Attributes
    ----------
    x, y, x_err, y_err : float
        px; NaN where it does not contract.
    xy_cov : float
        Covariance of x and y, px^2.
    energy_shift, energy_shift_err : float
        E0, eV.
    contraction, contraction_err : float
        How much the spots move towards (x, y), over what r ~ 1/sqrt(E + E0) asks for: about 1,
        and 0 in a microscope that corrects for the energy.
    frames : ndarray of int (frame,)
        Frames whose energies are known.
    n_spots, rms : ndarray (frame,)
        Positions that the point rests on in each of these, and their scatter in px.
    reason : str
        Why there is no such point; empty where there is.
    """

    x: float
    y: float
    x_err: float
    y_err: float
    xy_cov: float
    energy_shift: float
    energy_shift_err: float
    contraction: float
    contraction_err: float
    frames: Array
    n_spots: Array
    rms: Array
    reason: str = ""

    @classmethod
    def none(cls, frames: Array, reason: str) -> Expansion:
        """No such point."""
        zero, nan = np.zeros(len(frames), dtype=np.int64), np.full(len(frames), np.nan)
        return cls(*(float("nan"),) * 9, frames, zero, nan, reason)

    @property
    def known(self) -> bool:
        """Whether the pattern contracts."""
        return not self.reason


def expansion_center(
    fits: pd.DataFrame,
    index: pd.DataFrame,
    *,
    energy_shift: tuple[float, float] = (0.0, 10.0),
    tracks: Sequence[int] | None = None,
    tolerance: float | None = None,
) -> Expansion:
    """Find the point about which the pattern contracts when the energy rises.

    Each track's position is ``c + v / sqrt(E + E0)``, with its own ``v`` and one ``c``; E0 is
    known beforehand within its error, and fitted with them. The fit starts from the point on
    which most positions agree (random sample consensus [1]_ over two positions of a track), so
    that tracks which change over to another spot do no harm.

    A field that deflects the beams alike moves the pattern as 1/sqrt(E) too, and cannot be
    told from the contraction: ``c`` is where the (0,0) beam is at infinite energy.

    Parameters
    ----------
    fits, index : DataFrame
        The tables of these names. Not modified. Frames without an energy are left out.
    energy_shift : (float, float)
        E0 and its error before the fit, eV: contact potentials, offset of the supply, and the
        part of the screen's distortion that looks like them.
    tracks : sequence of int, optional
        The only tracks to look at.
    tolerance : float, optional
        How far from the contraction a spot may lie, px. When not given, a tenth of the usual
        distance between neighbouring spots, 4 to 10 px.

    Returns
    -------
    Expansion
        With NaN and the reason where the energies are not known or all the same, where less than
        half of the positions agree, or where the contraction is not that of 1/sqrt(E + E0), or
        too weak to tell.

    References
    ----------
    .. [1] Fischler and Bolles, Commun. ACM 24, 381 (1981).
    """
    known = index[np.isfinite(index["energy_eV"])].sort_values("frame")
    frames, energy = known["frame"].to_numpy(), known["energy_eV"].to_numpy()
    if len(np.unique(energy)) < 2:
        return Expansion.none(frames, "fewer than two beam energies are known")
    spots = Spots.from_fits(fits, frames, tracks)
    seen = np.isfinite(spots.x)
    useful = _lever(energy, seen) > LEVER
    if useful.sum() < 2:
        return Expansion.none(frames, "fewer than two tracks are seen over a range of energies")
    spots = spots.only(useful)
    shift, shift_err = energy_shift
    problem = _problem(spots, energy, (shift, max(shift_err, HELD)))
    tolerance = tolerance or max(spots.tolerance(), ASTRAY)
    keep = _agreeing(problem, tolerance)
    share = keep.sum() / np.isfinite(problem.values).sum()
    if share < AGREE:
        return Expansion.none(
            frames, f"the pattern does not contract: {share:.0%} of the positions move as 1/sqrt(E)"
        )
    fitted = fit_contraction(problem, keep)
    if fitted is None:
        return Expansion.none(
            frames, "the positions do not determine where the pattern contracts to"
        )
    return _checked(problem, fitted, frames)


def _checked(problem: Problem, fitted: Contraction, frames: Array) -> Expansion:
    contraction, error = _measured_contraction(problem, fitted)
    reason = ""
    if not contraction / error > SIGNIFICANT:
        reason = f"contraction of {contraction:.2f} ± {error:.2f} of that expected is too weak"
    elif not BETWEEN[0] < contraction < BETWEEN[1]:
        reason = f"the pattern contracts {contraction:.2f} ± {error:.2f} times as 1/sqrt(E)"
    n = len(problem.cluster) // 2
    both = fitted.keep[:, :n] & fitted.keep[:, n:]
    squares = np.where(both, fitted.residual[:, :n] ** 2 + fitted.residual[:, n:] ** 2, 0)
    n_spots = both.sum(axis=1)
    covariance = fitted.covariance
    place = (*fitted.linear, *np.sqrt(np.diag(covariance)[:2]), covariance[0, 1])
    x, y, x_err, y_err, xy_cov = (float(v) if not reason else np.nan for v in place)
    return Expansion(
        x,
        y,
        x_err,
        y_err,
        xy_cov,
        fitted.shift,
        float(np.sqrt(covariance[2, 2])),
        contraction,
        error,
        frames,
        n_spots,
        np.sqrt(squares.sum(axis=1) / np.where(n_spots > 0, n_spots, np.nan)),
        reason,
    )


def _lever(energy: Array, seen: Array) -> Array:
    """Relative change of the expected size over each track, (track,)."""
    g = np.where(seen, energy[:, None] ** -0.5, np.nan)
    high = np.max(np.where(seen, g, 0), axis=0, initial=0)
    low = np.min(np.where(seen, g, np.inf), axis=0, initial=np.inf)
    return np.where(seen.any(axis=0), high / low - 1, 0.0)


def _problem(spots: Spots, energy: Array, prior: tuple[float, float]) -> Problem:
    """The contraction of both coordinates: x of all tracks, then y of all tracks."""
    n = len(spots.tracks)
    columns = np.zeros((2, len(energy), 2 * n))
    columns[0, :, :n] = columns[1, :, n:] = 1
    return Problem(
        np.concatenate([spots.x, spots.y], axis=1),
        np.concatenate([spots.x_var, spots.y_var], axis=1),
        energy,
        columns,
        np.tile(np.arange(n), 2),
        prior,
    )


def _agreeing(problem: Problem, tolerance: float) -> Array:
    """Positions within ``tolerance`` of the contraction on which most of them agree."""
    n = len(problem.cluster) // 2
    x, y = problem.values[:, :n], problem.values[:, n:]
    g = problem.shrinkage(problem.prior[0])
    seen = np.isfinite(x)
    rows = np.argsort(g[:, 0])[spread(len(g), SAMPLE_FRAMES)]
    busy = np.argsort(-seen.sum(axis=0), kind="stable")[:SAMPLE_TRACKS]
    best, most = np.zeros(2), -1.0
    for center in _candidates(x, y, g, rows, busy):
        off = _off(x[np.ix_(rows, busy)], y[np.ix_(rows, busy)], g[rows], center)
        score = float(np.where(off < tolerance, 1 - (off / tolerance) ** 2, 0).sum())
        if score > most:
            best, most = center, score
    off = _off(x, y, g, best) < tolerance
    return np.concatenate([off, off], axis=1)


def _candidates(x: Array, y: Array, g: Array, rows: Array, busy: Array) -> Array:
    """Where two positions of one track, both at their size, put the centre: (candidate, 2)."""
    one, two = np.triu_indices(len(rows), 1)
    one, two = rows[one], rows[two]
    g1, g2 = g[one], g[two]
    apart = np.abs(g2 / g1 - 1) > LEVER
    with np.errstate(invalid="ignore", divide="ignore"):
        places = [
            np.where(apart, (a[one] * g2 - a[two] * g1) / (g2 - g1), np.nan)[:, busy]
            for a in (x, y)
        ]
    found = np.stack([p.ravel() for p in places], axis=1)
    found = found[np.isfinite(found[:, 0])]
    if len(found) > TRIALS:
        found = np.random.default_rng(0).choice(found, TRIALS, replace=False)
    return found


def _off(x: Array, y: Array, g: Array, center: Array) -> Array:
    """Distance of positions from the contraction to ``center``, the median one of their track."""
    dx, dy = x - center[0], y - center[1]
    ex, ey = (d - median(d / g, axis=0) * g for d in (dx, dy))
    distance: Array = np.hypot(ex, ey)
    return distance


def _measured_contraction(problem: Problem, fitted: Contraction) -> tuple[float, float]:
    """How much spots move with the energy over what their distances from each other ask for.

    Each coordinate ``u`` of each track is regressed on ``g - <g>``; the slopes of all tracks are
    regressed on their mean positions, of which the slope is the contraction.
    """
    weight = np.where(fitted.keep, 1 / fitted.variance, 0)
    total = weight.sum(axis=0)
    used = total > 0
    weight, u = weight[:, used], np.where(fitted.keep, problem.values, 0)[:, used]
    total = total[used]
    g = problem.shrinkage(fitted.shift) * np.ones_like(u)
    mean_g, mean_u = (weight * g).sum(axis=0) / total, (weight * u).sum(axis=0) / total
    information = (weight * (g - mean_g) ** 2).sum(axis=0)
    levered = information > 0
    information = np.where(levered, information, 1)
    slope = (weight * (g - mean_g) * (u - mean_u)).sum(axis=0) / information
    w = np.where(levered, information, 0)
    axis = (np.arange(len(problem.cluster)) >= len(problem.cluster) // 2)[used]
    place = (mean_u - fitted.linear[axis.astype(int)]) / mean_g
    across = np.zeros_like(place)
    rise = np.zeros_like(slope)
    for one in (~axis, axis):
        across[one] = place[one] - np.average(place[one], weights=w[one] + 1e-300)
        rise[one] = slope[one] - np.average(slope[one], weights=w[one] + 1e-300)
    spread2 = float((w * across**2).sum())
    if spread2 == 0:
        return float("nan"), float("inf")
    return float((w * across * rise).sum() / spread2), spread2**-0.5
