"""The centre of a pattern from pairs of opposite spots."""

from __future__ import annotations

import numpy as np
from scipy.spatial import KDTree

from trackleed.analysis.spots import (
    JUMP,
    REJECT,
    Array,
    Found,
    Spots,
    excess_variance,
    median,
    nearest_known,
)

SAMPLE_FRAMES = 48
SAMPLE_TRACKS = 64


def find_pairs(
    spots: Spots,
    tolerance: float,
    share: float = 0.0,
    near: tuple[float, float, float] | None = None,
) -> Array:
    """Pairs of tracks that lie opposite each other over the whole series.

    In each of a sample of frames every midpoint of two spots, and every spot by
    itself, is a candidate for the centre; its support is the number of spots that
    have a partner at ``-r`` about it (the (0,0) spot is its own). The candidate that explains
    the largest share of the spots, summed over the frames, starts the set; pairs join that share
    its midpoint in most frames where both are seen. Frames in which none of them is seen start
    again, with a candidate within a spot's spacing of the centre that is known for the nearest
    frame. A track has one partner at a time.

    Parameters
    ----------
    spots : Spots
    tolerance : float
        Distance in px within which midpoints agree.
    share : float
        Share of a frame's spots that must have a partner; at least 4 spots always, and 5
        where a share is asked for and there are 6 spots, of which two pairs agree by chance.
    near : (float, float, float), optional
        x, y and distance, px, within which the centre lies.

    Returns
    -------
    ndarray of int (pair, 2)
        Columns of ``spots``; twice the same for a spot in the centre itself.
    """
    rows, busy = spots.sample(SAMPLE_FRAMES, SAMPLE_TRACKS)
    first, second = np.triu_indices(len(busy))
    x, y = spots.x[np.ix_(rows, busy)], spots.y[np.ix_(rows, busy)]
    middle = np.stack([x[:, first] + x[:, second], y[:, first] + y[:, second]], axis=-1) / 2
    if near is not None:
        middle[np.hypot(*np.moveaxis(middle - near[:2], -1, 0)) > near[2]] = np.nan
    support = _support(middle, np.where(first == second, 1, 2), tolerance)
    n_spots = np.isfinite(x).sum(axis=1)[:, None]
    fewest = np.where((share > 0) & (n_spots > 5), 5, 4)
    enough = support >= np.maximum(fewest, share * n_spots)

    center = np.full((len(rows), 2), np.nan)
    members = np.zeros(len(first), dtype=bool)
    while (dark := np.isnan(center[:, 0])).any():
        often = 3 * enough[dark].sum(axis=0) > (support[dark] > 0).sum(axis=0)
        near = _nearness(middle, center, JUMP * tolerance)[dark]
        total = np.where(often, (near * support[dark] / n_spots[dark]).sum(axis=0), 0)
        if not total.any():
            break
        center[dark] = middle[dark, np.argmax(total)]
        members, center = _grow(middle, center, members, tolerance)
    kept = _one_partner(middle, center, members, first, second)
    return np.column_stack([busy[first[kept]], busy[second[kept]]])


def _support(middle: Array, weight: Array, tolerance: float) -> Array:
    """Spots with a partner about each candidate, (frame, candidate); 0 where it is not seen."""
    support = np.zeros(middle.shape[:2])
    for points, row in zip(middle, support, strict=True):
        seen = np.flatnonzero(np.isfinite(points[:, 0]))
        tree = KDTree(points[seen])
        near = tree.sparse_distance_matrix(tree, tolerance, output_type="coo_matrix")
        row[seen] = np.bincount(near.row, weights=weight[seen][near.col], minlength=len(seen))
    return support


def _nearness(middle: Array, center: Array, reach: float) -> Array:
    """1 for candidates at the centre of the nearest frame that has one, to 0 at ``reach``."""
    expected = nearest_known(center)
    if np.isnan(expected).all():
        return np.ones(middle.shape[:2])
    share2 = ((middle - expected[:, None]) ** 2).sum(axis=-1) / reach**2
    return np.where(share2 < 1, 1 / (1 + 4 * share2), 0)


def _grow(middle: Array, center: Array, members: Array, tolerance: float) -> tuple[Array, Array]:
    """Take in all pairs that share the centre, and let them carry it to further frames."""
    seen = np.isfinite(middle[..., 0])
    while True:
        both = seen & np.isfinite(center[:, :1])
        near = np.hypot(*np.moveaxis(middle - center[:, None], -1, 0)) < tolerance
        agree = near.sum(axis=0)
        enough = np.minimum(3, seen.sum(axis=0))
        joined = members | ((agree >= enough) & (2 * agree > both.sum(axis=0)) & (agree > 0))
        carried = median(np.where(joined[None, :, None], middle, np.nan), axis=1)
        if (joined == members).all():
            return members, np.where(np.isnan(center), carried, center)
        members, center = joined, np.where(np.isnan(carried), center, carried)


def _one_partner(
    middle: Array, center: Array, members: Array, first: Array, second: Array
) -> list[int]:
    """Members, the closest to the centre first, but those whose spots have a partner already."""
    off = median(np.hypot(*np.moveaxis(middle - center[:, None], -1, 0)), axis=0)
    seen = np.isfinite(middle[..., 0])
    kept: list[int] = []
    for pair in sorted(np.flatnonzero(members).tolist(), key=lambda p: float(off[p])):
        rivals = [p for p in kept if {first[p], second[p]} & {first[pair], second[pair]}]
        if not (seen[:, pair, None] & seen[:, rivals]).any():
            kept.append(pair)
    return kept


def centers_from_pairs(spots: Spots, pairs: Array, tolerance: float) -> Found:
    """Weighted mean of the pairs' midpoints in each frame.

    The weights hold the errors of both fits and the variance by which the pairs of the
    series disagree beyond these (`excess_variance`); the error of the
    mean follows from them. Midpoints away from the frame's median are left out.
    """
    one, two = pairs.T
    alone = one == two  # a spot in the centre is its own partner
    quarter = np.where(alone, 2, 4)
    middle = np.stack([spots.x[:, one] + spots.x[:, two], spots.y[:, one] + spots.y[:, two]]) / 2
    variance = np.stack(
        [
            (spots.x_var[:, one] + spots.x_var[:, two]) / quarter,
            (spots.y_var[:, one] + spots.y_var[:, two]) / quarter,
        ]
    )
    off = np.hypot(*(middle - median(middle)[..., None]))
    keep = off < tolerance

    def chi2(extra: float) -> float:
        return float(_pull2(middle, variance + extra, keep)[:, keep].sum())

    while True:
        extra = excess_variance(chi2, 2 * int((keep.sum(axis=1) - 1).clip(0).sum()))
        outliers = _worst(_pull2(middle, variance + extra, keep).sum(axis=0), keep)
        if not outliers.any():
            break
        keep = keep & ~outliers
    center, error = _mean(middle, variance + extra, keep)
    n_spots = np.where(keep, np.where(alone, 1, 2), 0).sum(axis=1)
    squares = np.where(keep, ((middle - center[..., None]) ** 2).sum(axis=0), 0).sum(axis=1)
    n_pairs = keep.sum(axis=1)
    rms = np.sqrt(squares / np.where(n_pairs > 1, n_pairs, np.nan))
    return Found(center[0], center[1], error[0], error[1], n_spots, rms)


def _worst(pull2: Array, keep: Array) -> Array:
    """The worst outlier of each frame; of two that disagree both, since either may be wrong."""
    pull2 = np.where(keep, pull2, 0)
    worst: Array = (pull2 >= REJECT**2) & (pull2 == pull2.max(axis=1, keepdims=True, initial=0))
    two = keep.sum(axis=1, keepdims=True) == 2
    worst |= keep & two & worst.any(axis=1, keepdims=True)
    return worst


def _mean(middle: Array, variance: Array, keep: Array) -> tuple[Array, Array]:
    """Weighted mean over the pairs and its error, both (axis, frame)."""
    weight = np.where(keep, 1 / variance, 0)
    total = weight.sum(axis=-1)
    total[total == 0] = np.nan
    return np.where(keep, weight * middle, 0).sum(axis=-1) / total, total**-0.5


def _pull2(middle: Array, variance: Array, keep: Array) -> Array:
    """Squared residuals in units of their variance, (axis, frame, pair)."""
    center, _ = _mean(middle, variance, keep)
    return (middle - center[..., None]) ** 2 / variance
