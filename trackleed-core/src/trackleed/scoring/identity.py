"""Whether each spot keeps its number: HOTA, IDF1, switches, fragments.

References
----------
HOTA: J. Luiten et al., Int. J. Comput. Vis. 129, 548 (2021). IDF1: E. Ristani et al., ECCV
Workshops, LNCS 9914, 17 (2016). Switches: K. Bernardin and R. Stiefelhagen, EURASIP J. Image
Video Process. 2008, 246309 (2008).
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from trackleed.scoring.sight import Floats, Ints, Sight

Counts: TypeAlias = dict[str, float | list[float]]

ALPHAS = np.arange(0.05, 0.99, 0.05)
"""Similarities from which on HOTA calls a pair matched, one after the other."""

_MATCH = 0.5  # similarity at the distance ``reach``
_EPSILON = 1e-9
_LASTING = 1000.0  # what a pair that was one in the frame before is worth more


def together(sight: Sight) -> Floats:
    """In how many frames each spot and each track are within reach, (spot, track)."""
    count = np.zeros((sight.n_spots, sight.n_tracks))
    for spots, tracks, alike in sight.frames:
        count[np.ix_(spots, tracks)] += alike >= _MATCH - _EPSILON
    return count


def partners(sight: Sight) -> Ints:
    """The track of each spot, -1 for none, (spot,): one to one, most frames in all."""
    count = together(sight)
    spots, tracks = linear_sum_assignment(-count)
    paired = np.full(sight.n_spots, -1)
    paired[spots] = np.where(count[spots, tracks] > 0, tracks, -1)
    return paired


def identity(sight: Sight) -> Counts:
    """``labels, positions`` and ``identified``, of which IDF1 is made."""
    count, paired = together(sight), partners(sight)
    has = paired >= 0
    return {
        "labels": float(sum(len(spots) for spots, _, _ in sight.frames)),
        "positions": float(sum(len(tracks) for _, tracks, _ in sight.frames)),
        "identified": float(count[np.flatnonzero(has), paired[has]].sum()),
    }


def clear(sight: Sight) -> Counts:
    """``found``: labels with a track; ``switches``: changes of a spot's track; ``fragments``.

    Fragments are the tracks of a spot beyond its first: pieces that somebody would have to put
    together. In each frame pairs that were one in the frame before stay one, if they can.
    """
    latest, last = np.full(sight.n_spots, -1), np.full(sight.n_spots, -1)
    had = np.zeros((sight.n_spots, sight.n_tracks), dtype=bool)
    found = switches = 0
    for spots, tracks, alike in sight.frames:
        lasting = (latest[spots][:, None] == tracks) * _LASTING
        score = np.where(alike >= _MATCH - _EPSILON, lasting + alike, 0.0)
        rows, columns = linear_sum_assignment(-score)
        matched = score[rows, columns] > 0
        spot, track = spots[rows[matched]], tracks[columns[matched]]
        found += len(spot)
        switches += int(((last[spot] >= 0) & (last[spot] != track)).sum())
        last[spot] = track
        latest[:] = -1
        latest[spot] = track
        had[spot, track] = True
    return {
        "found": float(found),
        "switches": float(switches),
        "fragments": float(np.maximum(had.sum(axis=1) - 1, 0).sum()),
        "spots": float(sight.n_spots),
        "ghosts": float(sight.ghosts),
    }


def hota(sight: Sight) -> Counts:
    """``hota_tp, hota_fn, hota_fp`` and ``hota_ass`` (sum over the pairs), one for each alpha."""
    shared, n_spot, n_track = _overlap(sight)
    alignment = shared / np.maximum(n_spot[:, None] + n_track - shared, 1)
    matched = np.zeros((len(ALPHAS), sight.n_spots, sight.n_tracks))
    for spots, tracks, alike in sight.frames:
        rows, columns = linear_sum_assignment(-alignment[np.ix_(spots, tracks)] * alike)
        good = alike[rows, columns] >= ALPHAS[:, None] - _EPSILON
        matched[:, spots[rows], tracks[columns]] += good
    tp = matched.sum(axis=(1, 2))
    jaccard = matched / np.maximum(n_spot[:, None] + n_track - matched, 1)
    return {
        "hota_tp": tp.tolist(),
        "hota_fn": (n_spot.sum() - tp).tolist(),
        "hota_fp": (n_track.sum() - tp).tolist(),
        "hota_ass": (matched * jaccard).sum(axis=(1, 2)).tolist(),
    }


def _overlap(sight: Sight) -> tuple[Floats, Floats, Floats]:
    """Soft number of frames that spot and track share (spot, track), and that each has."""
    shared = np.zeros((sight.n_spots, sight.n_tracks))
    n_spot, n_track = np.zeros(sight.n_spots), np.zeros(sight.n_tracks)
    for spots, tracks, alike in sight.frames:
        either: NDArray[np.float64] = alike.sum(axis=0) + alike.sum(axis=1)[:, None] - alike
        shared[np.ix_(spots, tracks)] += np.divide(
            alike, either, out=np.zeros_like(alike), where=either > _EPSILON
        )
        n_spot[spots] += 1
        n_track[tracks] += 1
    return shared, n_spot, n_track
