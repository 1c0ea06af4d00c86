"""Pixels in 1/Å: the scale of each frame from a lattice that is known."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from trackleed.analysis.lattice.cells import length, log_area, variance
from trackleed.analysis.lattice.fitting import energies
from trackleed.analysis.spots import Array
from trackleed.errors import InputError
from trackleed.tables import SCALES, build

if TYPE_CHECKING:
    import pandas as pd

INVERSE_ANGSTROM = 0.512317
"""Wavenumber, in 1/Å, of an electron of 1 eV: sqrt(2 m e) / hbar (CODATA 2018)."""


def pixels_per_inverse_angstrom(
    lattice: pd.DataFrame,
    a: float,
    b: float | None = None,
    angle_deg: float = 120.0,
    *,
    index: pd.DataFrame | None = None,
    energy_shift: tuple[float, float] = (0.0, 0.0),
    reference: int | None = None,
    pixel_aspect: float = 1.0,
) -> pd.DataFrame:
    """Scale of each frame from a lattice that is known, and the vectors of all frames in 1/Å.

    Parameters
    ----------
    lattice : DataFrame
        The ``lattice`` table. Not modified.
    a, b : float
        Lattice constants of real space, Å; b as a when not given.
    angle_deg : float
        Angle between them.
    index : DataFrame, optional
        The ``index`` table, for a pattern that contracts as 1/sqrt(E + E0), or of one energy;
        without it all frames have the scale of the reference, and ``screen_radius`` is NaN.
    energy_shift : (float, float)
        E0 and its error, eV.
    reference : int, optional
        Frame in which the lattice has these constants, from which follow the vectors of all
        others; the first that has a lattice when not given.
    pixel_aspect : float
        Width of a pixel over its height.

    Returns
    -------
    DataFrame
        The ``scales`` table. ``scale`` is the root of the measured over the known area of the
        reciprocal cell, |a* x b*| = (2 pi)^2 / (a b sin(angle)), in each frame by itself, and
        ``screen_radius`` that times the wavenumber: a spot at r px has the in-plane component
        r / scale in 1/Å, and sin(theta) = r / screen_radius. ``a_star`` and ``b_star`` are
        |a*| and |b*| by the scale of the reference frame: they tell how the lattice changes.

    Raises
    ------
    InputError
        If lengths are not positive, the angle is not between 0 and 180 degrees, or the
        reference frame has no lattice.
    """
    b = a if b is None else b
    if not (a > 0 and b > 0 and 0 < angle_deg < 180):
        raise InputError(
            f"lattice a={a} Å, b={b} Å, angle={angle_deg}° is not allowed: "
            "lengths must be positive and the angle between 0 and 180"
        )
    frames = lattice["frame"].to_numpy()
    stretch = np.array([pixel_aspect, 1.0])
    vectors = lattice[["ax", "ay", "bx", "by"]].to_numpy().reshape(-1, 2, 2) * stretch
    covariance = _covariance(lattice) * np.outer(np.tile(stretch, 2), np.tile(stretch, 2))
    area, derivative = log_area(vectors)
    known = (2 * np.pi) ** 2 / (a * b * np.sin(np.radians(angle_deg)))
    scale = np.sqrt(np.exp(area) / known)
    relative2 = variance(derivative, covariance) / 4
    energy = np.full(len(frames), np.nan) if index is None else energies(index, frames)
    energy = energy + energy_shift[0]
    radius = scale * INVERSE_ANGSTROM * np.sqrt(energy)
    shifted2 = (energy_shift[1] / (2 * energy)) ** 2
    table = {
        "frame": frames,
        "scale": scale,
        "scale_err": scale * np.sqrt(relative2),
        "screen_radius": radius,
        "screen_radius_err": radius * np.sqrt(relative2 + shifted2),
    }
    row = _reference_row(lattice, reference)
    if row is None:
        return build(SCALES, table | dict.fromkeys(SCALES.names[5:], np.full(len(frames), np.nan)))
    above = np.ones(len(frames)) if index is None else energy
    there = scale[row] * np.sqrt(above[row] / above)
    by_shift2 = 0.0 if index is None else (energy_shift[1] * (1 / above - 1 / above[row]) / 2) ** 2
    for which, name in enumerate(("a_star", "b_star")):
        norm, by_vectors = length(vectors, which)
        by_vectors = by_vectors / norm[:, None]
        total2 = variance(by_vectors, covariance) + relative2[row] + by_shift2
        # In the reference itself length and scale come from the same vectors.
        total2[row] = variance(by_vectors - derivative / 2, covariance)[row]
        table[name], table[f"{name}_err"] = norm / there, norm / there * np.sqrt(total2)
    return build(SCALES, table)


def _reference_row(lattice: pd.DataFrame, reference: int | None) -> int | None:
    """Row of the reference frame; None if no frame has a lattice."""
    known = np.flatnonzero(lattice["ax"].notna())
    if reference is None:
        return int(known[0]) if len(known) else None
    row = known[lattice["frame"].to_numpy()[known] == reference]
    if len(row) == 0:
        raise InputError(f"reference frame {reference} has no lattice")
    return int(row[0])


def _covariance(lattice: pd.DataFrame) -> Array:
    """Covariance of (ax, ay, bx, by), (frame, 4, 4)."""
    covariance = np.zeros((len(lattice), 4, 4))
    for i, name in enumerate(("ax", "ay", "bx", "by")):
        covariance[:, i, i] = lattice[f"{name}_err"] ** 2
    for i, name in enumerate(("abx_cov", "aby_cov")):
        covariance[:, i, i + 2] = covariance[:, i + 2, i] = lattice[name]
    return covariance
