"""How far every spot is from where the others say it should be."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from trackleed.analysis.centers import expansion_center
from trackleed.analysis.spots import REJECT, Array, Spots, median
from trackleed.tables import DEVIATIONS, build

if TYPE_CHECKING:
    import pandas as pd

NEIGHBOURS = 4  # positions on either side that make the smooth path
SHARED = 5  # tracks of a frame whose common deviation is not their own
POLISHES = 4  # of tracks' offsets and frames' shifts, each from what the other leaves
LEAST_JUMP = 1.5  # px

LATTICE, ENERGY, SMOOTH, NONE = "lattice", "energy", "smooth", ""


def deviations(
    fits: pd.DataFrame,
    *,
    index: pd.DataFrame | None = None,
    indices: pd.DataFrame | None = None,
    lattice: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Compare every spot's position with the best model that there is for it.

    ``lattice``: its place in the frame's lattice, where the track is indexed, less the
    median by which a distorted screen keeps it off. ``energy``: motion as 1/sqrt(E + E0) about
    the point that the pattern contracts to, where it does (`expansion_center`). ``smooth``: the
    line through the nearest positions of the same track, four on either side, without the
    position itself (median of slopes [1]_). What five tracks or more of a frame have in common,
    such as shaking, is kept apart.

    Parameters
    ----------
    fits : DataFrame
        The ``fits`` table. Not modified.
    index : DataFrame, optional
        The ``index`` table; without it there is no model ``energy``.
    indices, lattice : DataFrame, optional
        The ``track_index`` and ``lattice`` tables; without both there is no model ``lattice``.

    Returns
    -------
    DataFrame
        The ``deviations`` table, a row for every row of ``fits``; NaN where the position does not
        count, or there is no model. A jump is a step from the last frame in which the track was
        seen, of more than 1.5 px and five times its usual scatter and error.

    References
    ----------
    .. [1] Sen, J. Am. Stat. Assoc. 63, 1379 (1968).
    """
    frames = np.unique(fits["frame"].to_numpy())
    spots = Spots.from_fits(fits, frames, None)
    place = np.stack([spots.x, spots.y], axis=-1)
    smooth = place - _smooth(place, frames)
    shift = _shared(smooth)
    off, path = smooth - shift[:, None], place - shift[:, None]
    model = np.where(np.isfinite(off[..., 0]), SMOOTH, NONE).astype(object)
    better = [] if index is None else [(ENERGY, _contracting(fits, index, spots))]
    if indices is not None and lattice is not None:
        better.append((LATTICE, _in_lattice(indices, lattice, spots)))
    for name, expected in better:
        away, common = _polished(place - expected)
        known = np.isfinite(away)
        off = np.where(known, away, off)
        path = np.where(known.any(axis=0), away, path)
        shift = np.where(known.any(axis=1), common, shift)
        model[known.all(axis=2)] = name
    jump = _jumps(path, frames, np.sqrt(spots.x_var + spots.y_var))
    return _table(fits, spots, off, shift, jump, model)


def _table(
    fits: pd.DataFrame, spots: Spots, off: Array, shift: Array, jump: Array, model: Array
) -> pd.DataFrame:
    row = np.searchsorted(spots.frames, fits["frame"].to_numpy())
    track = fits["track_id"].to_numpy()
    known = np.isin(track, spots.tracks)
    column = np.searchsorted(spots.tracks, track[known])
    table = {"frame": fits["frame"].to_numpy(), "track_id": track}
    cells = {"dx": off[..., 0], "dy": off[..., 1], "jump": jump, "model": model}
    for name, values in cells.items():
        blank = {"jump": False, "model": NONE}.get(name, np.nan)
        table[name] = np.full(len(track), blank, dtype=values.dtype)
        table[name][known] = values[row[known], column]
    for axis, letter in enumerate("xy"):
        table[f"shift_{letter}"] = shift[row, axis]
    return build(DEVIATIONS, table)


def _contracting(fits: pd.DataFrame, index: pd.DataFrame, spots: Spots) -> Array:
    """Where each track is expected to be, (frame, track, 2), if the pattern contracts."""
    found = expansion_center(fits, index)
    center = np.array([found.x, found.y])
    energy = index.set_index("frame")["energy_eV"].reindex(spots.frames).to_numpy(dtype=float)
    g = (energy + (found.energy_shift if found.known else np.nan))[:, None, None] ** -0.5
    from_center = np.stack([spots.x, spots.y], axis=-1) - center
    return center + median(from_center / g, axis=0) * g


def _in_lattice(indices: pd.DataFrame, lattice: pd.DataFrame, spots: Spots) -> Array:
    """Where the lattice has each track, (frame, track, 2)."""
    hk = indices.set_index("track_id").reindex(spots.tracks)[["h", "k"]].to_numpy(dtype=float)
    at = lattice.set_index("frame").reindex(spots.frames)
    origin, a, b = (
        at[list(names)].to_numpy()[:, None] for names in (("x", "y"), ("ax", "ay"), ("bx", "by"))
    )
    places: Array = origin + hk[:, :1] * a + hk[:, 1:] * b
    return places


def _shared(off: Array) -> Array:
    """What the tracks of each frame have in common, (frame, 2); 0 where they are too few."""
    shared: Array = median(off, axis=1)
    shared[np.isfinite(off[..., 0]).sum(axis=1) < SHARED] = 0
    return shared


def _polished(off: Array) -> tuple[Array, Array]:
    """Deviations without the offset of each track, and the shift of each frame."""
    shift = np.zeros((len(off), 2))
    for _ in range(POLISHES):
        off = off - median(off, axis=0)
        shared = _shared(off)
        off, shift = off - shared[:, None], shift + shared
    return off, shift


def _smooth(place: Array, frames: Array) -> Array:
    """Where the neighbouring frames of each track put it, (frame, track, 2)."""
    expected = np.full(place.shape, np.nan)
    for track in range(place.shape[1]):
        rows = np.flatnonzero(np.isfinite(place[:, track, 0]))
        if len(rows) > 2:
            expected[rows, track] = _lines(frames[rows].astype(float), place[rows, track])
    return expected


def _lines(time: Array, value: Array) -> Array:
    """Value at each time of the line through its neighbours, (n, 2)."""
    n = len(time)
    width = min(2 * NEIGHBOURS, n - 1)
    first = np.clip(np.arange(n) - NEIGHBOURS, 0, n - 1 - width)
    near = first[:, None] + np.arange(width)
    near += near >= np.arange(n)[:, None]  # without itself
    t, v = time[near] - time[:, None], value[near]
    one, two = np.triu_indices(width, 1)
    slope = np.median((v[:, two] - v[:, one]) / (t[:, two] - t[:, one])[..., None], axis=1)
    line: Array = np.median(v - slope[:, None] * t[..., None], axis=1)
    return line


def _jumps(path: Array, frames: Array, error: Array) -> Array:
    """Whether each track jumps into a frame, bool (frame, track)."""
    jump = np.zeros(path.shape[:2], dtype=bool)
    for track in range(path.shape[1]):
        rows = np.flatnonzero(np.isfinite(path[:, track, 0]))
        if len(rows) < 3:
            continue
        gap = np.diff(frames[rows])[:, None]
        step = np.diff(path[rows, track], axis=0)
        step = step - np.median(step / gap, axis=0) * gap
        size = np.hypot(step[:, 0], step[:, 1])
        scatter = 1.4826 * float(np.median(size))
        own = np.hypot(error[rows[1:], track], error[rows[:-1], track])
        least = REJECT * np.maximum(scatter, own)
        jump[rows[1:], track] = size > np.maximum(LEAST_JUMP, least)
    return jump
