"""From indices in every frame to one (h, k) for each track."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from trackleed.analysis.spots import Array, Spots

AGREE = 0.5
"""Share of a track's frames that must have the same indices."""

DIGITS = 6
"""To which indices are told apart."""


@dataclass(frozen=True)
class Found:
    """Lattice and indices in every frame.

    Attributes
    ----------
    lattice : ndarray (frame, 3, 2)
        Origin, a* and b* as rows, px.
    hk : ndarray (frame, track, 2)
        The place nearest to each spot.
    off : ndarray (frame, track)
        Distance from it, px.
    reach : ndarray (frame,)
        Distance from which on a spot is not indexed, px.
    """

    lattice: Array
    hk: Array
    off: Array
    reach: Array


def voted(tracks: Array, spots: Spots, found: Found) -> dict[str, Array]:
    """One (h, k) for each track, or why it has none: columns of ``track_index``.

    Of two tracks in the same place, seen in the same frame, the one with more frames has it.
    """
    columns = {int(track): column for column, track in enumerate(spots.tracks)}
    rows = {track: _unindexed("it has no usable fit") for track in tracks.tolist()}
    rows |= {track: _vote(found, column) for track, column in columns.items()}
    owners: dict[tuple[float, float], list[int]] = {}
    for track in sorted(columns, key=lambda t: (-rows[t]["n_frames"], rows[t]["residual"])):
        place = rows[track]["h"], rows[track]["k"]
        if not rows[track]["ok"]:
            continue
        rivals = [o for o in owners.get(place, []) if _together(spots, columns[o], columns[track])]
        if rivals:
            rows[track] = _unindexed(
                f"({place[0]:.3g},{place[1]:.3g}) is track {rivals[0]} already"
            )
        else:
            owners.setdefault(place, []).append(track)
    names = ("h", "k", "residual", "n_frames", "ok", "reason")
    voted = {name: np.array([rows[t][name] for t in tracks.tolist()]) for name in names}
    return {"track_id": tracks, **voted}


def _together(spots: Spots, one: int, two: int) -> bool:
    return bool((np.isfinite(spots.x[:, one]) & np.isfinite(spots.x[:, two])).any())


def _unindexed(reason: str) -> dict[str, Any]:
    nothing = dict.fromkeys(("h", "k", "residual"), np.nan)
    return {**nothing, "n_frames": 0, "ok": False, "reason": reason}


def _vote(found: Found, column: int) -> dict[str, Any]:
    off, hk = found.off[:, column], found.hk[:, column]
    seen = np.isfinite(off)
    inside = seen & (off < found.reach)
    if 2 * inside.sum() < seen.sum() or not inside.any():
        away = float(np.median(off[seen]))
        allowed = float(np.median(found.reach[seen]))
        return _unindexed(
            f"between the places of the lattice: {away:.1f} px off, {allowed:.1f} allowed"
        )
    places, count = np.unique(np.round(hk[inside], DIGITS), axis=0, return_counts=True)
    h, k = places[count.argmax()]
    if count.max() < AGREE * seen.sum():
        return _unindexed(
            f"it changes places: ({h:.3g},{k:.3g}) in {count.max()} of {seen.sum()} frames"
        )
    same = inside & (np.round(hk, DIGITS) == (h, k)).all(axis=1)
    return {
        "h": h,
        "k": k,
        "residual": float(np.median(off[same])),
        "n_frames": int(same.sum()),
        "ok": True,
        "reason": "",
    }
