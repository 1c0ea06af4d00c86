"""The centre of the pattern in each frame: where the (0,0) beam is, or would be."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Literal, get_args

import numpy as np

from trackleed.analysis.centers.elliptic import (
    centers_from_ellipses,
    find_elliptic_rings,
    tracks_on,
)
from trackleed.analysis.centers.expansion import ASTRAY, Expansion, expansion_center
from trackleed.analysis.centers.pairs import centers_from_pairs, find_pairs
from trackleed.analysis.centers.rings import Near, centers_from_rings, find_rings
from trackleed.analysis.spots import REJECT, Array, Found, Spots, check_aspect
from trackleed.errors import InputError
from trackleed.tables import CENTERS, build

if TYPE_CHECKING:
    import pandas as pd

Mode = Literal["auto", "pairs", "circle", "ellipse", "energy", "fixed"]

NONE = "none"
"""Mode of a frame whose centre is not known."""

NEAR = 2.5
"""Tolerances within which a centre is near the point that the pattern contracts to: half of
the usual distance between two centres of symmetry of a lattice."""

PAIRED = 0.4
"""Share of a frame's spots that must have a partner before "auto" takes them for symmetric."""


def pattern_centers(
    fits: pd.DataFrame,
    frames: int | Sequence[int],
    *,
    mode: Mode = "auto",
    fixed: tuple[float, float] | None = None,
    index: pd.DataFrame | None = None,
    tracks: Sequence[int] | None = None,
    tolerance: float | None = None,
    pixel_aspect: float = 1.0,
    ring: Sequence[float] | None = None,
    ring_frame: int | None = None,
) -> pd.DataFrame:
    """Find the centre of the pattern in each frame.

    Which tracks are opposite each other, or share a ring, is decided once for the whole
    series, so that the centre does not jump when a spot fades; each frame then uses those that it
    has. Fits with status "ok" and "saturated" count: clipping takes a spot's height, not its
    place.

    Parameters
    ----------
    fits : DataFrame
        The ``fits`` table. Not modified.
    frames : int or sequence of int
        Number of frames of the series, or the frames wanted.
    mode : {"auto", "pairs", "circle", "ellipse", "energy", "fixed"}
        ``pairs``: weighted mean of the midpoints of opposite spots (inversion symmetry
        about an unknown centre). ``circle``: centre of the circle through the spots of
        one ring, the fullest. ``ellipse``: the same for pixels that are not square and
        screens that are tilted, with one shape in all frames; six spots in some of them, four
        in each. ``energy``: the point that the pattern contracts to when the
        energy rises (`expansion_center`). ``fixed``: ``fixed``, in every frame. ``auto``: pairs
        if 40 % of the spots have a partner, five of six or more, four of fewer, and are seen in
        half of the frames that have spots at all; else a circle if four tracks share one;
        whichever covers more frames. Where the pattern contracts, only centres near the
        point that it contracts to are looked at, because a dense superlattice is
        symmetric about many points, and that point itself if there are none.
    fixed : (float, float), optional
        x and y in px, for ``mode="fixed"``.
    index : DataFrame, optional
        The ``index`` table, for the energies; without it ``auto`` knows of no contraction.
    tracks : sequence of int, optional
        The only tracks to look at; all when not given.
    tolerance : float, optional
        How far from the symmetry a spot may lie, px. When not given, a tenth of the usual
        distance between neighbouring spots, 1.5 to 10 px.
    pixel_aspect : float
        Width of a pixel over its height, by which x is stretched before anything, and shrunk again
        after. ``rms`` and ``tolerance`` are in heights.
    ring : sequence of float, optional
        For ``circle`` and ``ellipse``: x, y, radius, or x, y, two half axes and angle, px and
        degrees, drawn by hand in one frame; the tracks with spots near it are the ring.
    ring_frame : int, optional
        That frame; the first with spots when not given.

    Returns
    -------
    DataFrame
        The ``centers`` table, a row for each frame. Errors hold those of the fits and the scatter
        of the spots about the symmetry over the series. A frame without a centre has
        NaN, ``n_spots`` 0 and mode "none"; ``rms`` is NaN where there are no more
        spots than the centre needs. The errors of a fixed centre are not known: NaN.

    Raises
    ------
    InputError
        If ``mode`` is unknown, "fixed" without a centre, or "energy" where the pattern does not
        contract; if the aspect is not positive, or the ring is none or has no spots.
    """
    if mode not in get_args(Mode):
        raise InputError(f"centre {mode!r} is not one of {', '.join(get_args(Mode))}")
    check_aspect(pixel_aspect)
    if ring is not None and mode not in ("circle", "ellipse"):
        raise InputError(f"centre {mode!r} takes no ring", "use circle or ellipse")
    wanted = np.unique(np.arange(frames) if isinstance(frames, int) else np.asarray(frames))
    if mode == "fixed":
        return _fixed(wanted, fixed)
    fits = fits.assign(x=fits["x"] * pixel_aspect, x_err=fits["x_err"] * pixel_aspect)
    spots = Spots.from_fits(fits, wanted, tracks)
    tolerance = tolerance or spots.tolerance()
    if ring is not None:
        unstretched = replace(spots, x=spots.x / pixel_aspect)
        rings = tracks_on(unstretched, ring, ring_frame, tolerance)
        by_ring = centers_from_rings if mode == "circle" else centers_from_ellipses
        found, how = by_ring(spots, rings, tolerance), str(mode)
    else:
        found, how = _by_mode(mode, fits, index, spots, tolerance)
    found = replace(found, x=found.x / pixel_aspect, x_err=found.x_err / pixel_aspect)
    return _table(wanted, found, np.where(found.known, how, NONE))


def _by_mode(
    mode: Mode, fits: pd.DataFrame, index: pd.DataFrame | None, spots: Spots, tolerance: float
) -> tuple[Found, str]:
    """The centres and how they were found."""
    expansion = _expansion(fits, index, spots, tolerance)
    if mode == "energy":
        if not expansion.known:
            raise InputError(f"no centre from the energy: {expansion.reason}", "use --center auto")
        return _by_energy(spots, expansion), mode
    if mode != "auto":
        # A lattice has full rings and pairs about other points too: first where the energies say.
        near = _reach(expansion, tolerance) if expansion.known else None
        found = _by_symmetry(mode, spots, tolerance, near)
        if near is not None and not found.known.any():
            found = _by_symmetry(mode, spots, tolerance, None)
        return found, mode
    return _near(spots, tolerance, expansion) if expansion.known else _by_either(spots, tolerance)


def _by_symmetry(mode: Mode, spots: Spots, tolerance: float, near: Near | None) -> Found:
    if mode == "pairs":
        return centers_from_pairs(spots, find_pairs(spots, tolerance, near=near), tolerance)
    if mode == "circle":
        return centers_from_rings(spots, find_rings(spots, tolerance, 3, near), tolerance)
    rings = find_elliptic_rings(spots, tolerance, near)
    return centers_from_ellipses(spots, rings, tolerance)


def _reach(expansion: Expansion, tolerance: float) -> Near:
    """Where the contraction puts the centre, and how far that of a symmetry may be from there."""
    reach = NEAR * tolerance + REJECT * float(np.hypot(expansion.x_err, expansion.y_err))
    return expansion.x, expansion.y, reach


def _with_spots(spots: Spots) -> int:
    """Frames that could have a centre, at least 1."""
    return max(int((np.isfinite(spots.x).sum(axis=1) >= 2).sum()), 1)


def _expansion(
    fits: pd.DataFrame, index: pd.DataFrame | None, spots: Spots, tolerance: float
) -> Expansion:
    if index is None:
        return Expansion.none(spots.frames[:0], "no beam energies are given")
    here = index[index["frame"].isin(spots.frames)]
    apart = max(tolerance, ASTRAY)
    return expansion_center(fits, here, tracks=spots.tracks.tolist(), tolerance=apart)


def _by_energy(spots: Spots, expansion: Expansion) -> Found:
    """The same point in every frame, with the spots that agree on it."""
    found = Found.nothing(len(spots.frames))
    found.x[:], found.y[:] = expansion.x, expansion.y
    found.x_err[:], found.y_err[:] = expansion.x_err, expansion.y_err
    row = np.searchsorted(spots.frames, expansion.frames)
    found.n_spots[row], found.rms[row] = expansion.n_spots, expansion.rms
    return found


def _by_pairs(spots: Spots, tolerance: float, share: float) -> Found:
    return centers_from_pairs(spots, find_pairs(spots, tolerance, share), tolerance)


def _by_circle(spots: Spots, tolerance: float, at_least: int) -> Found:
    return centers_from_rings(spots, find_rings(spots, tolerance, at_least), tolerance)


def _by_either(spots: Spots, tolerance: float) -> tuple[Found, str]:
    pairs = _by_pairs(spots, tolerance, PAIRED)
    if 2 * pairs.known.sum() >= _with_spots(spots):
        return pairs, "pairs"
    circle = _by_circle(spots, tolerance, 4)
    return (circle, "circle") if circle.known.sum() > pairs.known.sum() else (pairs, "pairs")


def _near(spots: Spots, tolerance: float, expansion: Expansion) -> tuple[Found, str]:
    """By symmetry near the point that the pattern contracts to, else that point itself."""
    near, with_spots = _reach(expansion, tolerance), _with_spots(spots)
    found = _by_symmetry("pairs", spots, tolerance, near)
    if 2 * found.known.sum() >= with_spots:
        return found, "pairs"
    found = _by_circle(spots, tolerance, 4)
    off = np.hypot(found.x - expansion.x, found.y - expansion.y)
    if 2 * (off < near[2]).sum() >= with_spots:
        return found, "circle"
    return _by_energy(spots, expansion), "energy"


def _fixed(frames: Array, fixed: tuple[float, float] | None) -> pd.DataFrame:
    if fixed is None or not np.isfinite(fixed).all():
        raise InputError(f"a fixed centre needs x and y in px, not {fixed}")
    found = Found.nothing(len(frames))
    found.x[:], found.y[:] = fixed
    return _table(frames, found, np.full(len(frames), "fixed"))


def _table(frames: Array, found: Found, mode: Array) -> pd.DataFrame:
    return build(
        CENTERS,
        {
            "frame": frames,
            "x": found.x,
            "y": found.y,
            "x_err": found.x_err,
            "y_err": found.y_err,
            "mode": mode,
            "n_spots": found.n_spots,
            "rms": found.rms,
        },
    )
