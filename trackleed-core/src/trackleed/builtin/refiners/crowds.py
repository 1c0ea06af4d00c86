"""Spots that stand in each other's ROIs: measured together where that can be done."""

from __future__ import annotations

import numpy as np

from trackleed.builtin.refiners.cutouts import Cutouts
from trackleed.builtin.refiners.groups import Together, fit_group, groups
from trackleed.builtin.refiners.measure import Tracks, columns, place, trusted
from trackleed.builtin.refiners.model import Array
from trackleed.builtin.refiners.params import GaussianParams
from trackleed.frames import NoiseModel


def measure_together(
    parts: list[Cutouts],
    tracks: Tracks,
    pair: tuple[Array, Array],
    found: dict[str, Array],
    noise: NoiseModel,
    params: GaussianParams,
) -> Array:
    """Replace numbers in ``found`` by those of the fits of whole groups.

    A group that does not settle loses its dimmest member, whose pixels are then cut off, and is
    tried again, down to two.

    Parameters
    ----------
    parts : list of Cutouts
        The ROIs, of one size after another.
    tracks, pair, found
        As in `measure.measure`; ``found`` with what the fits alone gave.

    Returns
    -------
    ndarray of bool
        Of each pair i, j, whether j was fitted together with i.
    """
    at = {int(row): (part, m) for part in parts for m, row in enumerate(part.row)}
    sound = found["settled"] & ~found["astray"] & (found["snr"] > params.snr_min)
    worth = np.where(sound, found["snr"], 0.0)
    seen = found["tracked"] & found["enough_alone"] & ~found["clipped"]
    seen &= (found["inside"] >= params.min_usable) & (found["core"] >= 0.5)
    near: dict[int, list[int]] = {}
    for i, j in zip(*(index.tolist() for index in pair), strict=True):
        near.setdefault(i, []).append(j)
    joined: dict[int, set[int]] = {}
    for rows, wanted in groups(pair, seen | sound, tracks.x, tracks.y):
        done = None
        while done is None and len(rows) > 1 and np.isin(wanted, rows).any():
            done = _together(rows, at, near, tracks, found, sound, noise, params)
            if done is None:
                rows = np.delete(rows, np.argmin(worth[rows]))
        if done is not None:
            kept = np.isin(done.rows, wanted)
            replace(found, done, kept, tracks)
            joined.update((row, set(done.rows.tolist())) for row in done.rows[kept].tolist())
    both = zip(*(index.tolist() for index in pair), strict=True)
    return np.array([j in joined.get(i, ()) for i, j in both], dtype=bool)


def _together(
    rows: Array,
    at: dict[int, tuple[Cutouts, int]],
    near: dict[int, list[int]],
    tracks: Tracks,
    found: dict[str, Array],
    sound: Array,
    noise: NoiseModel,
    params: GaussianParams,
) -> Together | None:
    members = [part.take(slice(m, m + 1)) for part, m in (at[int(row)] for row in rows)]
    others = sorted({j for row in rows.tolist() for j in near.get(row, [])} - set(rows.tolist()))
    position = np.stack([tracks.x, tracks.y], axis=1)
    usable = [trusted(member, tracks, noise) for member in members]
    start = np.where(sound[rows, None], found["k"][rows], np.nan)
    return fit_group(members, usable, start, position[rows], position[others], noise, params)


def replace(found: dict[str, Array], done: Together, kept: Array, tracks: Tracks) -> None:
    """Put the kept numbers of a group in the place of those of the fits alone."""
    rows = done.rows[kept]
    new = columns(done.numbers[kept])
    new["chi2_red"] = np.full(len(rows), done.chi2_red)
    new["r_squared"] = np.full(len(rows), done.r_squared)
    place(new, tracks.x[rows], tracks.y[rows], tracks.side[rows])
    new["converged"], new["gone"] = np.ones(len(rows), bool), np.zeros(len(rows), bool)
    for name, values in new.items():
        found[name][rows] = values
