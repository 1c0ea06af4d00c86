"""The reciprocal lattice of each frame: vectors, strain and rotation."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from trackleed.analysis.lattice.affine import Lattices, fit_lattices
from trackleed.analysis.lattice.cells import (
    angle,
    error,
    length,
    log_spacing,
    rotation,
    variance,
)
from trackleed.analysis.spots import Array, Spots, check_aspect
from trackleed.errors import InputError
from trackleed.tables import LATTICE, build

if TYPE_CHECKING:
    import pandas as pd


def fit_lattice(
    fits: pd.DataFrame,
    indices: pd.DataFrame,
    *,
    index: pd.DataFrame | None = None,
    energy_shift: tuple[float, float] = (0.0, 0.0),
    reference: int | None = None,
    pixel_aspect: float = 1.0,
) -> pd.DataFrame:
    """Fit the reciprocal lattice to the indexed spots of each frame.

    Spots are weighted by the errors of their fits and by the variance, common to the series, that
    they scatter beyond these about the lattice; outliers are left out. The distortion of a
    screen shifts spots alike in all frames, but counts as such scatter: errors of strain and
    rotation, in which it cancels, are then too large rather than too small.

    Parameters
    ----------
    fits, indices : DataFrame
        The ``fits`` and ``track_index`` tables. Not modified.
    index : DataFrame, optional
        The ``index`` table, for a pattern that contracts as 1/sqrt(E + E0): strain is then
        freed from the contraction, and NaN where the energy is not known.
    energy_shift : (float, float)
        E0 and its error, eV.
    reference : int, optional
        Frame that strain and rotation refer to; the first that has a lattice when not given.
    pixel_aspect : float
        Width of a pixel over its height.

    Returns
    -------
    DataFrame
        The ``lattice`` table, a row for each frame of ``fits``. Strain is the change of the lattice
        constants of real space, from both reciprocal vectors and the angle between
        them. Origin and vectors are in px of the picture; lengths, angle, strain and rotation hold
        the pixels' aspect. Errors of strain and rotation hold those of the reference frame. All
        are NaN where there are fewer than three spots, where all lie in one line, or where
        more than a third of them are outliers.

    Raises
    ------
    InputError
        If there is no lattice in the reference frame, or ``pixel_aspect`` is not positive.
    """
    check_aspect(pixel_aspect)
    frames = np.unique(fits["frame"].to_numpy())
    spots = Spots.from_fits(fits, frames, None)
    hk = _indexed(indices, spots.tracks)
    found = fit_lattices(spots, hk)
    row = _reference_row(found, frames, reference)
    stretch = np.array([pixel_aspect, 1.0])
    vectors = found.vectors[:, 1:] * stretch
    covariance = _of_vectors(found) * np.outer(np.tile(stretch, 2), np.tile(stretch, 2))
    energy = None if index is None else energies(index, frames)
    table = {
        "frame": frames,
        **_in_pixels(found),
        **_shape(vectors, covariance),
        **_rotation(vectors, covariance, row),
        **_strain(vectors, covariance, row, energy, energy_shift),
        **_support(found, np.isfinite(spots.x) & np.isfinite(hk[:, 0])),
    }
    return build(LATTICE, table)


def _indexed(indices: pd.DataFrame, tracks: Array) -> Array:
    """Indices of the tracks, (track, 2); NaN for those that have none."""
    good = indices[indices["ok"]].set_index("track_id")[["h", "k"]]
    hk: Array = good.reindex(tracks).to_numpy(dtype=np.float64)
    return hk


def _reference_row(found: Lattices, frames: Array, reference: int | None) -> int:
    known = np.flatnonzero(found.known)
    if reference is None:
        return int(known[0]) if len(known) else 0
    if reference not in frames[known]:
        some = f"{frames[known[0]]} to {frames[known[-1]]}" if len(known) else "none"
        raise InputError(
            f"reference frame {reference} has no lattice; frames that have one: {some}"
        )
    return int(np.searchsorted(frames, reference))


def energies(index: pd.DataFrame, frames: Array) -> Array:
    """Beam energies of these frames, eV; NaN where unknown."""
    energy: Array = index.set_index("frame")["energy_eV"].reindex(frames).to_numpy(dtype=np.float64)
    return energy


def _of_vectors(found: Lattices) -> Array:
    """Covariance of (ax, ay, bx, by), (frame, 4, 4): x and y are fitted apart."""
    covariance = np.zeros((len(found.vectors), 4, 4))
    covariance[:, 0::2, 0::2] = found.covariance[:, 0, 1:, 1:]
    covariance[:, 1::2, 1::2] = found.covariance[:, 1, 1:, 1:]
    return covariance


def _in_pixels(found: Lattices) -> dict[str, Array]:
    """Origin and vectors as they are in the picture."""
    table = {}
    for axis, letter in enumerate("xy"):
        for row, name in enumerate((letter, f"a{letter}", f"b{letter}")):
            table[name] = found.vectors[:, row, axis]
            table[f"{name}_err"] = np.sqrt(found.covariance[:, axis, row, row])
        table[f"ab{letter}_cov"] = found.covariance[:, axis, 1, 2]
    return table


def _shape(vectors: Array, covariance: Array) -> dict[str, Array]:
    table = {}
    for which, letter in enumerate("ab"):
        value, derivative = length(vectors, which)
        table[f"length_{letter}"] = value
        table[f"length_{letter}_err"] = error(derivative, covariance)
    value, derivative = angle(vectors)
    table["angle_deg"] = np.degrees(value)
    table["angle_deg_err"] = np.degrees(error(derivative, covariance))
    return table


def _rotation(vectors: Array, covariance: Array, row: int) -> dict[str, Array]:
    if np.isnan(vectors[row]).any():
        nothing = np.full(len(vectors), np.nan)
        return {"rotation_deg": nothing, "rotation_deg_err": nothing}
    known = np.isfinite(vectors[:, 0, 0])
    usable = np.where(known[:, None, None], vectors, vectors[row])
    turn, derivative = rotation(usable, vectors[row])
    # The reference is turned the other way from the frame: the same formula, with both exchanged.
    _, back = rotation(np.broadcast_to(vectors[row], vectors.shape), usable)
    total = variance(derivative, covariance) + variance(back, covariance[[row]])
    total[row] = 0
    return {
        "rotation_deg": np.where(known, np.degrees(turn), np.nan),
        "rotation_deg_err": np.degrees(np.sqrt(total)),
    }


def _strain(
    vectors: Array,
    covariance: Array,
    row: int,
    energy: Array | None,
    energy_shift: tuple[float, float],
) -> dict[str, Array]:
    """Strain in percent; the vectors shrink as 1/sqrt(E + E0) where energies are given."""
    above = np.ones(len(vectors)) if energy is None else energy + energy_shift[0]
    by_shift2 = np.zeros(len(vectors))
    if energy is not None:
        by_shift2 = (energy_shift[1] * (1 / above - 1 / above[row]) / 2) ** 2
    table: dict[str, Array] = {}
    for which, letter in enumerate("ab"):
        log, derivative = log_spacing(vectors, which)
        log = log - np.log(above) / 2
        own = variance(derivative, covariance)
        total = own + own[row] + by_shift2
        total[row] = 0
        table[f"strain_{letter}"] = 100 * np.expm1(log - log[row])
        table[f"strain_{letter}_err"] = 100 * np.exp(log - log[row]) * np.sqrt(total)
    return table


def _support(found: Lattices, seen: Array) -> dict[str, Array]:
    n_spots = found.keep.sum(axis=1)
    squares = np.where(found.keep, found.off**2, 0).sum(axis=1)
    return {
        "rms": np.sqrt(squares / np.where(found.known & (n_spots > 3), n_spots, np.nan)),
        "n_spots": n_spots,
        "n_outliers": seen.sum(axis=1) - n_spots,
    }
