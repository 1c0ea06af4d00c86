"""The centre of the pattern in each frame: where the (0,0) beam is, or would be."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal, get_args

import numpy as np

from trackleed.analysis._pairs import centers_from_pairs, find_pairs
from trackleed.analysis._rings import centers_from_rings, find_rings
from trackleed.analysis._spots import Array, Found, Spots
from trackleed.errors import InputError
from trackleed.tables import CENTERS, build

if TYPE_CHECKING:
    import pandas as pd

Mode = Literal["auto", "pairs", "circle", "fixed"]

NONE = "none"
"""Mode of a frame whose centre is not known."""

PAIRED = 0.4
"""Share of a frame's spots that must have a partner before "auto" takes them for symmetric."""


def pattern_centers(
    fits: pd.DataFrame,
    frames: int | Sequence[int],
    *,
    mode: Mode = "auto",
    fixed: tuple[float, float] | None = None,
    tracks: Sequence[int] | None = None,
    tolerance: float | None = None,
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
    mode : {"auto", "pairs", "circle", "fixed"}
        ``pairs``: weighted mean of the midpoints of opposite spots (inversion symmetry
        about an unknown centre). ``circle``: centre of the circle through the spots of
        one ring, the fullest. ``fixed``: ``fixed``, in every frame. ``auto``: pairs if 40 % of
        the spots have a partner, five of six or more, four of fewer, and are seen in half of
        the frames that have spots at all; else a circle if four tracks share one; whichever
        covers more frames.
    fixed : (float, float), optional
        x and y in px, for ``mode="fixed"``.
    tracks : sequence of int, optional
        The only tracks to look at; all when not given.
    tolerance : float, optional
        How far from the symmetry a spot may lie, px. When not given, a tenth of the usual
        distance between neighbouring spots, 1.5 to 10 px.

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
        If ``mode`` is unknown, or "fixed" without a centre.
    """
    if mode not in get_args(Mode):
        raise InputError(f"centre {mode!r} is not one of {', '.join(get_args(Mode))}")
    wanted = np.unique(np.arange(frames) if isinstance(frames, int) else np.asarray(frames))
    if mode == "fixed":
        return _fixed(wanted, fixed)
    spots = Spots.from_fits(fits, wanted, tracks)
    tolerance = tolerance or spots.tolerance()
    if mode == "pairs":
        found, how = _by_pairs(spots, tolerance, 0.0), "pairs"
    elif mode == "circle":
        found, how = _by_circle(spots, tolerance, 3), "circle"
    else:
        found, how = _by_either(spots, tolerance)
    return _table(wanted, found, np.where(found.known, how, NONE))


def _by_pairs(spots: Spots, tolerance: float, share: float) -> Found:
    return centers_from_pairs(spots, find_pairs(spots, tolerance, share), tolerance)


def _by_circle(spots: Spots, tolerance: float, at_least: int) -> Found:
    return centers_from_rings(spots, find_rings(spots, tolerance, at_least), tolerance)


def _by_either(spots: Spots, tolerance: float) -> tuple[Found, str]:
    pairs = _by_pairs(spots, tolerance, PAIRED)
    with_spots = int((np.isfinite(spots.x).sum(axis=1) >= 2).sum())
    if 2 * pairs.known.sum() >= max(with_spots, 1):
        return pairs, "pairs"
    circle = _by_circle(spots, tolerance, 4)
    return (circle, "circle") if circle.known.sum() > pairs.known.sum() else (pairs, "pairs")


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
