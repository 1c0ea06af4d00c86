"""Which spot is which beam: indices (h, k) from two spots that are named."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from trackleed.analysis.centers import pattern_centers
from trackleed.analysis.lattice.votes import Found, voted
from trackleed.analysis.spots import Array, Spots, median
from trackleed.errors import InputError
from trackleed.tables import TRACK_INDEX, build
from trackleed.wood import Matrix, superstructure_matrix

if TYPE_CHECKING:
    import pandas as pd

FLATTEST_DEG = 10.0  # angle between the basis vectors
GROWTH = 1.5  # of the region that is indexed, from one fit of the lattice to the next
FITS = 3  # of the lattice at each size of the region
STIFF = 0.05  # relative error that the lattice has before a fit
MEASURED = 0.25  # how far a superstructure's matrix may be from whole numbers in a measured cell


@dataclass(frozen=True)
class _Net:
    """Places of one superstructure: (h, k) = whole numbers @ ``steps``."""

    matrix: Array
    steps: Array

    def nearest(self, hk: Array) -> Array:
        """The place of the net nearest to each (h, k)."""
        found: Array = np.rint(hk @ self.matrix.T) @ self.steps
        return found

    def spacing(self, vectors: Array) -> Array:
        """Distance of neighbouring places, px, for vectors (frame, 2, 2)."""
        step = np.arange(-3, 4)
        some = np.stack(np.meshgrid(step, step), axis=-1).reshape(-1, 2)
        places = some[(some != 0).any(axis=1)] @ self.steps @ vectors
        shortest: Array = np.hypot(places[..., 0], places[..., 1]).min(axis=-1)
        return shortest


def index_spots(
    fits: pd.DataFrame,
    basis: tuple[int, int],
    *,
    centers: pd.DataFrame | None = None,
    specular: int | None = None,
    index: pd.DataFrame | None = None,
    superstructure: str | Matrix | Sequence[str | Matrix] | None = None,
    tolerance: float = 0.15,
    pixel_aspect: float = 1.0,
) -> pd.DataFrame:
    """Index the spots to (h, k), the two of ``basis`` being (1, 0) and (0, 1).

    In each frame the lattice starts from the basis spots and the centre, or from the nearest
    frame that has both. Spots near the centre are indexed first; a lattice fitted to these,
    with its own origin, indexes those further out, so that an error of the basis spots or of
    the centre does not grow with h and k. A track gets the indices that it has in most frames.

    Parameters
    ----------
    fits : DataFrame
        The ``fits`` table. Not modified.
    basis : (int, int)
        Tracks of the spots (1, 0) and (0, 1).
    centers : DataFrame, optional
        The ``centers`` table, where the lattice's origin starts; found from the fits
        (`pattern_centers`) when neither this nor ``specular`` is given.
    specular : int, optional
        Track of the (0,0) spot, instead of centres.
    index : DataFrame, optional
        The ``index`` table, for a pattern that contracts as 1/sqrt(E): serves frames in which the
        basis spots are not seen.
    superstructure : str, 2x2 integers, or a sequence of these, optional
        Wood's notation or matrix (`trackleed.wood`), one for each domain; the spots of the
        substrate only when not given.
    tolerance : float
        How far a spot may be from its place, over the distance between neighbouring places.
    pixel_aspect : float
        Width of a pixel over its height: Wood's notation needs the true angles.

    Returns
    -------
    DataFrame
        The ``track_index`` table, a row for each track; NaN and the reason where a track is not
        indexed.

    Raises
    ------
    InputError
        If a basis spot is never seen together with the other and the centre, if the two lie in
        one line with it, or if the superstructure cannot be read or does not fit.
    """
    if not 0 < tolerance < 0.5:
        raise InputError(f"tolerance {tolerance} is not allowed; it must be between 0 and 0.5")
    frames = np.unique(fits["frame"].to_numpy())
    spots = Spots.from_fits(fits, frames, None)
    if centers is None and specular is None:
        centers = pattern_centers(fits, frames.tolist(), pixel_aspect=pixel_aspect)
    origin = _origins(spots, centers, specular)
    lattice = _start(spots, basis, origin, _shrinkage(index, frames))
    stretch = np.array([pixel_aspect, 1.0])
    nets = _nets(median(lattice[:, 1:] * stretch, axis=0), superstructure)
    spacing = np.min([net.spacing(lattice[:, 1:]) for net in nets], axis=0)
    found = _grow(spots, lattice, nets, tolerance * spacing)
    return build(TRACK_INDEX, voted(np.unique(fits["track_id"].to_numpy()), spots, found))


def _origins(spots: Spots, centers: pd.DataFrame | None, specular: int | None) -> Array:
    """Where the (0,0) beam is in each frame, (frame, 2); that of the nearest frame if unknown."""
    if specular is not None:
        column = _column(spots, specular)
        origin = np.column_stack([spots.x[:, column], spots.y[:, column]])
    elif centers is not None:
        origin = centers.set_index("frame")[["x", "y"]].reindex(spots.frames).to_numpy(dtype=float)
    return _filled(origin, spots.frames, "the pattern's centre is not known in any frame")


def _filled(values: Array, frames: Array, complaint: str) -> Array:
    """Rows with NaN replaced by those of the nearest frame."""
    known = np.flatnonzero(np.isfinite(values).all(axis=tuple(range(1, values.ndim))))
    if len(known) == 0:
        raise InputError(complaint, "see the tracks: trackleed show RUN --tracks")
    nearest = np.abs(frames[:, None] - frames[known]).argmin(axis=1)
    filled: Array = values[known[nearest]]
    return filled


def _column(spots: Spots, track: int) -> int:
    where = np.flatnonzero(spots.tracks == track)
    if len(where) == 0:
        raise InputError(
            f"track {track} has no usable fit", "see the tracks: trackleed show RUN --tracks"
        )
    return int(where[0])


def _shrinkage(index: pd.DataFrame | None, frames: Array) -> Array:
    """Size of the pattern in each frame, up to a factor; 1 where the energies are not known."""
    if index is None:
        return np.ones(len(frames))
    energy = index.set_index("frame")["energy_eV"].reindex(frames).to_numpy(dtype=np.float64)
    return energy**-0.5 if np.isfinite(energy).all() else np.ones(len(frames))


def _start(spots: Spots, basis: tuple[int, int], origin: Array, shrinkage: Array) -> Array:
    """Origin and both vectors in each frame, (frame, 3, 2), from the basis spots."""
    if basis[0] == basis[1]:
        raise InputError(f"the basis needs two different tracks, not {basis[0]} twice")
    columns = [_column(spots, track) for track in basis]
    ends = np.stack([spots.x[:, columns], spots.y[:, columns]], axis=-1)
    vectors = (ends - origin[:, None]) / shrinkage[:, None, None]
    never = f"tracks {basis[0]} and {basis[1]} are never seen in the same frame"
    vectors = _filled(vectors, spots.frames, never) * shrinkage[:, None, None]
    (ax, ay), (bx, by) = median(vectors, axis=0)
    between = np.degrees(np.arctan2(abs(ax * by - ay * bx), ax * bx + ay * by))
    if not FLATTEST_DEG < between < 180 - FLATTEST_DEG:
        raise InputError(
            f"tracks {basis[0]} and {basis[1]} make no basis: their directions from the centre "
            f"are {between:.1f}° apart, which must be {FLATTEST_DEG:g}° to {180 - FLATTEST_DEG:g}°",
            "choose two spots that do not lie in one line with the centre",
        )
    return np.concatenate([origin[:, None], vectors], axis=1)


def _nets(
    vectors: Array, superstructure: str | Matrix | Sequence[str | Matrix] | None
) -> list[_Net]:
    several: Any = superstructure
    if superstructure is None:
        several = [((1, 0), (0, 1))]
    elif isinstance(superstructure, str) or _is_row(superstructure[0]):
        several = [superstructure]
    cell = np.linalg.inv(vectors).T
    matrices = [superstructure_matrix(cell, one, tolerance=MEASURED) for one in several]
    return [_Net(matrix, np.linalg.inv(matrix).T) for matrix in matrices]


def _is_row(first: Any) -> bool:
    """Whether what begins with this is one matrix rather than several superstructures."""
    return not isinstance(first, str) and np.ndim(first) == 1


def _grow(spots: Spots, lattice: Array, nets: list[_Net], reach: Array) -> Found:
    """Index from the centre outwards, fitting the lattice as it gets larger."""
    place = np.stack([spots.x, spots.y], axis=-1)
    size = np.abs(np.linalg.det(lattice[:, 1:])) ** 0.5
    distance = np.hypot(*np.moveaxis(place - lattice[:, :1], -1, 0)) / size[:, None]
    first = np.hypot(*np.moveaxis(lattice[:, 1:], -1, 0)).max(axis=1) / size
    region, last = GROWTH * float(first.max()), float(np.nanmax(distance))
    while True:
        for _ in range(FITS):
            hk, off = _assigned(place, lattice, nets)
            inside = (off < reach[:, None]) & (distance < region)
            lattice = _refitted(place, lattice, hk, inside, reach)
        if region > last:
            break
        region *= GROWTH
    hk, off = _assigned(place, lattice, nets)
    return Found(lattice, hk, off, reach)


def _assigned(place: Array, lattice: Array, nets: list[_Net]) -> tuple[Array, Array]:
    """The nearest place of any net for every spot, and the distance from it in px."""
    vectors = lattice[:, 1:]
    measured = (place - lattice[:, :1]) @ np.linalg.inv(vectors)
    best, nearest = np.full(place.shape, np.nan), np.full(place.shape[:2], np.nan)
    for net in nets:
        hk = net.nearest(measured)
        off = np.hypot(*np.moveaxis((measured - hk) @ vectors, -1, 0))
        closer = ~(off >= nearest) & np.isfinite(off)
        best[closer], nearest[closer] = hk[closer], off[closer]
    return best, nearest


def _refitted(place: Array, lattice: Array, hk: Array, inside: Array, reach: Array) -> Array:
    """The lattice through the spots ``inside``, held where they do not tell."""
    design = np.concatenate([np.ones((*hk.shape[:2], 1)), hk], axis=-1)
    design = np.where(inside[..., None], design, 0.0)
    error = np.concatenate(
        [reach[:, None], STIFF * np.hypot(*np.moveaxis(lattice[:, 1:], -1, 0))], axis=1
    )
    held = (reach[:, None] / 3 / error) ** 2
    normal = np.einsum("ftp,ftq->fpq", design, design) + held[:, :, None] * np.eye(3)
    known = np.einsum("ftp,fta->fpa", design, np.where(inside[..., None], place, 0.0))
    fitted: Array = np.linalg.solve(normal, known + held[:, :, None] * lattice)
    return fitted
