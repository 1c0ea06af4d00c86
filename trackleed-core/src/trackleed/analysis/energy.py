"""Radius against energy: r^2 (E + E0) is constant for a diffracted beam."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from trackleed.analysis.contraction import Contraction, Problem, fit_contraction
from trackleed.analysis.spots import EXACT, REJECT, Array, median
from trackleed.tables import RADIUS_ENERGY, RADIUS_RESIDUALS, build

if TYPE_CHECKING:
    import pandas as pd

SHIFTS = 61  # tried before the fit
FEWEST = 3  # energies that a track's own E0 needs
UNKNOWN = 0.25  # error of E0, over the energy, from which on it tells nothing
LOWEST = -0.8  # E0 over the lowest energy, below which nothing shrinks as 1/sqrt(E)


def radius_energy(radii: pd.DataFrame, index: pd.DataFrame) -> pd.DataFrame:
    """Fit r^2 (E + E0) = const, to each track and to all of them with one E0.

    On a hemispherical screen about the sample, and far from it on a flat one,
    ``r ~ g / sqrt(E + E0)``. E0 holds the contact potential between cathode and sample, the offset
    of the supply, and what of the screen's distortion looks like them.

    Radii are fitted, weighted by their errors and by what they scatter beyond them; the start
    is the E0 with the least sum of absolute residuals, and outliers are left out.
    Errors hold for radii that a distorted screen or a wrong centre shifts alike over a track.

    Parameters
    ----------
    radii, index : DataFrame
        The tables of these names. Not modified. Frames without an energy do not count.

    Returns
    -------
    DataFrame
        The ``radius_energy`` table, a row for each track; NaN where the energies do not
        determine a value, and the reason why a track has no E0 of its own.
    """
    tracks = np.unique(radii["track_id"].to_numpy())
    problem = _problem(radii, index, tracks)
    n_energies = [len(np.unique(problem.energy[seen])) for seen in np.isfinite(problem.values).T]
    shared = _fit(problem) if max(n_energies, default=0) > 1 else None
    rows = [
        {"track_id": track, **_own(problem, column, n), **_in_common(problem, column, shared)}
        for column, (track, n) in enumerate(zip(tracks, n_energies, strict=True))
    ]
    names = RADIUS_ENERGY.names
    return build(RADIUS_ENERGY, {name: np.array([row[name] for row in rows]) for name in names})


def _own(problem: Problem, column: int, n_energies: int) -> dict[str, Any]:
    """E0 of one track, or why it has none."""
    found = {"energy_shift": np.nan, "energy_shift_err": np.nan, "reason": ""}
    if n_energies < FEWEST:
        return found | {"reason": f"seen at {n_energies} known energies, its own E0 needs {FEWEST}"}
    fitted = _fit(_one(problem, column))
    error = float("inf") if fitted is None else float(np.sqrt(fitted.covariance[-1, -1]))
    lowest = LOWEST * float(problem.energy.min())
    if fitted is None or error > UNKNOWN * problem.reference or fitted.shift < lowest:
        return found | {"reason": "its radii do not shrink as 1/sqrt(E + E0) would"}
    return found | {"energy_shift": fitted.shift, "energy_shift_err": error}


def _in_common(problem: Problem, column: int, shared: Contraction | None) -> dict[str, Any]:
    """What the fit of all tracks says of one."""
    names = ("shared_shift", "shared_shift_err", "constant", "constant_err", "scatter", "rms")
    found: dict[str, Any] = dict.fromkeys(names, np.nan)
    n_seen = int(np.isfinite(problem.values[:, column]).sum())
    if shared is None:
        return found | {"n_frames": 0, "n_outliers": 0}
    found["shared_shift"] = shared.shift
    found["shared_shift_err"] = float(np.sqrt(shared.covariance[-1, -1]))
    keep = shared.keep[:, column]
    n = int(keep.sum())
    if n > 0:
        size, above = shared.size[column], problem.reference + shared.shift
        found["constant"] = size**2 * above
        by_size, by_shift = 2 * size * above, size**2
        variance = (
            (by_size * shared.size_err[column]) ** 2
            + by_shift**2 * shared.covariance[-1, -1]
            + 2 * by_size * by_shift * shared.size_shift[column]
        )
        found["constant_err"] = float(np.sqrt(variance))
    if n > 1:
        product = problem.values[keep, column] ** 2 * (problem.energy[keep] + shared.shift)
        found["scatter"] = float(np.std(product, ddof=1) / np.mean(product))
        found["rms"] = float(np.sqrt(np.mean(shared.residual[keep, column] ** 2)))
    return found | {"n_frames": n, "n_outliers": n_seen - n}


def radius_residuals(
    radii: pd.DataFrame, index: pd.DataFrame, fitted: pd.DataFrame
) -> pd.DataFrame:
    """r^2 (E + E0) and the residual of the radius, row by row.

    Parameters
    ----------
    radii, index, fitted : DataFrame
        The ``radii``, ``index`` and ``radius_energy`` tables. Not modified.

    Returns
    -------
    DataFrame
        The ``radius_residuals`` table, a row for each row of ``radii``. The error of the product
        is that of the radius; that of E0 is common to all.
    """
    energy = radii["frame"].map(index.set_index("frame")["energy_eV"]).to_numpy(dtype=float)
    at = fitted.set_index("track_id").reindex(radii["track_id"])
    radius, error = radii["radius"].to_numpy(), radii["radius_err"].to_numpy()
    above = energy + at["shared_shift"].to_numpy()
    return build(
        RADIUS_RESIDUALS,
        {
            "frame": radii["frame"].to_numpy(),
            "track_id": radii["track_id"].to_numpy(),
            "product": radius**2 * above,
            "product_err": 2 * radius * above * error,
            "residual": radius - np.sqrt(at["constant"].to_numpy() / above),
        },
    )


def _problem(radii: pd.DataFrame, index: pd.DataFrame, tracks: Array) -> Problem:
    known = index[np.isfinite(index["energy_eV"])].sort_values("frame")
    frames, energy = known["frame"].to_numpy(), known["energy_eV"].to_numpy()
    usable = radii[np.isfinite(radii["radius"]) & radii["frame"].isin(frames)]
    row = np.searchsorted(frames, usable["frame"].to_numpy())
    column = np.searchsorted(tracks, usable["track_id"].to_numpy())
    values, variance = np.full((2, len(frames), len(tracks)), np.nan)
    values[row, column] = usable["radius"]
    variance[row, column] = np.nan_to_num(usable["radius_err"].to_numpy() ** 2) + EXACT
    none = np.empty((0, *values.shape))
    return Problem(values, variance, energy, none, np.arange(len(tracks)), (0.0, np.inf))


def _one(problem: Problem, column: int) -> Problem:
    one = slice(column, column + 1)
    return replace(
        problem,
        values=problem.values[:, one],
        variance=problem.variance[:, one],
        columns=problem.columns[:, :, one],
        cluster=np.zeros(1, dtype=np.int64),
    )


def _fit(problem: Problem) -> Contraction | None:
    start, residual = min(
        (_tried(problem, shift) for shift in _shifts(problem.energy)),
        key=lambda tried: float(np.nansum(np.abs(tried[1]))),
    )
    n = int(np.isfinite(residual).sum())
    free = n - problem.values.shape[1] - 1
    robust2 = (1.4826 * float(np.nanmedian(np.abs(residual)))) ** 2 * n / max(free, 1)
    keep = residual**2 < REJECT**2 * (problem.variance + robust2)
    return fit_contraction(problem, keep, start=start)


def _shifts(energy: Array) -> Array:
    """Shifts to start from, eV: up to half of the lowest energy below, and as much above."""
    low = float(energy.min())
    shifts: Array = np.linspace(-low / 2, low / 2, SHIFTS)
    return shifts


def _tried(problem: Problem, shift: float) -> tuple[float, Array]:
    g = problem.shrinkage(shift)
    return shift, problem.values - median(problem.values / g, axis=0) * g
