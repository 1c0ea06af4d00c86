"""The centre of a pattern from a circle through the spots of one ring."""

from __future__ import annotations

from itertools import combinations
from typing import TypeAlias

import numpy as np
from scipy.spatial import KDTree

from trackleed.analysis.centers.circle import Circle, circle_through, fit_circle
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

SAMPLE_FRAMES = 24
SAMPLE_TRACKS = 32
MOST_VOTES = 1000  # circles of one frame that are compared with each other
MAX_GAP = np.deg2rad(200)
"""Largest arc without a spot: a circle through less than about half a turn says little."""


Near: TypeAlias = tuple[float, float, float]
"""Where a centre is expected, x and y, and how far from there it may be, px."""


def find_rings(
    spots: Spots, tolerance: float, at_least: int, near: Near | None = None
) -> list[Array]:
    """Sets of tracks that lie on one circle over the whole series, the fullest first.

    In each of a sample of frames, the circle through every three spots is a
    candidate. Its score is the sum of ``1 - (distance / tolerance)**2`` over the spots on it
    [1]_, if these go round at least half of it, times the scores of all circles about
    the same centre: a lattice has full rings about other points of symmetry too, but fewer. The
    candidate with the largest score, summed over the frames, makes the first ring;
    frames in which it is not seen call for the next, concentric with it or, where they are never
    seen together, within a spot's spacing. With ``near``, rings count the less the
    farther from that place their centre is.

    Returns
    -------
    list of ndarray of int
        Columns of ``spots``, ``at_least`` in each.

    References
    ----------
    .. [1] Torr and Zisserman, Comput. Vis. Image Underst. 78, 138 (2000).
    """
    rows, busy = spots.sample(SAMPLE_FRAMES, SAMPLE_TRACKS)
    x, y = spots.x[np.ix_(rows, busy)], spots.y[np.ix_(rows, busy)]
    triples, circles, score = _candidates(x, y, tolerance, at_least, near)
    rings: list[Array] = []
    center = np.full((len(rows), 2), np.nan)
    while (dark := np.isnan(center[:, 0])).any() and score[dark].any():
        best = np.argmax(score[dark].sum(axis=0))
        used = score[:, best] > 0
        cx, cy, r = circles[used, best].T[..., None]
        on = np.abs(np.hypot(x[used] - cx, y[used] - cy) - r) < tolerance
        ring = np.flatnonzero(2 * on.sum(axis=0) > np.isfinite(x[used]).sum(axis=0))
        score[:, best] = 0
        if len(ring) >= at_least:
            rings.append(busy[ring])
            inside = np.isin(triples, ring).all(axis=1)
            seen = median(circles[:, inside, :2], axis=1)
            center = np.where(np.isnan(center), seen, center)
            score[:, _elsewhere(circles, center, tolerance)] = 0
    return rings


def ring_score(
    x: Array, y: Array, tolerance: float, at_least: int, near: Near | None = None
) -> float:
    """How well the best ring of `find_rings` fits spots (frame, track)."""
    score = _candidates(x, y, tolerance, at_least, near)[2]
    return float(score.sum(axis=0).max(initial=0)) if len(score) else 0.0


def _candidates(
    x: Array, y: Array, tolerance: float, at_least: int, near: Near | None
) -> tuple[Array, Array, Array]:
    """Triples of tracks, the circles through them and their scores, (frame, triple)."""
    triples = np.array(list(combinations(range(x.shape[1]), 3)), dtype=np.int64).reshape(-1, 3)
    circles = np.array([circle_through(a[triples], b[triples]) for a, b in zip(x, y, strict=True)])
    score = np.array(
        [_score(a, b, c, tolerance, at_least) for a, b, c in zip(x, y, circles, strict=True)]
    )
    if near is not None:
        off = np.hypot(circles[..., 0] - near[0], circles[..., 1] - near[1])
        score = score * np.clip(1 - (off / near[2]) ** 2, 0, None) ** 2
    return triples, circles, score


def _elsewhere(circles: Array, center: Array, tolerance: float) -> Array:
    """Candidates that, in most frames, are not where the centre is, or was in the nearest frame."""
    off = np.hypot(*np.moveaxis(circles[..., :2] - nearest_known(center)[:, None], -1, 0))
    allowed = np.where(np.isnan(center[:, :1]), JUMP * tolerance, tolerance)
    elsewhere: Array = 2 * (off > allowed).sum(axis=0) > np.isfinite(off).sum(axis=0)
    return elsewhere


def _score(x: Array, y: Array, circles: Array, tolerance: float, at_least: int) -> Array:
    """Score of every circle for the spots of one frame."""
    cx, cy, r = circles.T[..., None]
    dx, dy = x - cx, y - cy
    distance = np.abs(np.hypot(dx, dy) - r)
    near = distance < tolerance
    score = np.where(near, 1 - (distance / tolerance) ** 2, 0).sum(axis=1)
    score[near.sum(axis=1) < at_least] = 0
    candidates = np.flatnonzero(score)
    angle = np.arctan2(dy[candidates], dx[candidates])
    score[candidates[_gap(np.where(near[candidates], angle, np.nan)) > MAX_GAP]] = 0
    return _with_votes(score, circles, tolerance)


def _with_votes(score: Array, circles: Array, tolerance: float) -> Array:
    """Score of each circle times that of all circles concentric with it."""
    top = np.argsort(-score, kind="stable")[:MOST_VOTES]
    top = top[score[top] > 0]
    tree = KDTree(circles[top, :2])
    near = tree.sparse_distance_matrix(tree, tolerance, output_type="coo_matrix")
    votes = np.bincount(near.row, weights=score[top][near.col], minlength=len(top))
    voted = np.zeros_like(score)
    voted[top] = score[top] * votes
    return voted


def _gap(angle: Array) -> Array:
    """Largest gap between the angles of each row that are not NaN, in radians."""
    angle = np.sort(angle, axis=1)
    first, last = angle[:, 0], np.nanmax(angle, axis=1, initial=-np.inf)
    inside = np.nanmax(np.diff(angle, axis=1), axis=1, initial=0)
    gap: Array = np.maximum(inside, first + 2 * np.pi - last)
    return gap


def centers_from_rings(spots: Spots, rings: list[Array], tolerance: float) -> Found:
    """Centre of the circle through the ring's spots in each frame, by weighted least squares.

    A frame uses the first ring of which it has three spots. As for the pairs, the weights
    hold the variance by which the spots of the series leave the circle beyond the errors of
    their fits.
    """
    # Nothing is an outlier before it is known how far spots lie from the circle at all.
    first = _fit_rings(spots, rings, tolerance, 0.0, np.inf).values()
    dof = sum(len(c.residual) - 3 for c in first)

    def chi2(extra: float) -> float:
        return sum(float((c.residual**2 / (c.variance + extra)).sum()) for c in first)

    found = Found.nothing(len(spots.frames))
    circles = _fit_rings(spots, rings, tolerance, excess_variance(chi2, dof), REJECT)
    for row, c in circles.items():
        n = len(c.residual)
        found.x[row], found.y[row], found.x_err[row], found.y_err[row] = c.x, c.y, c.x_err, c.y_err
        found.n_spots[row] = n
        found.rms[row] = np.sqrt(np.mean(c.residual**2)) if n > 3 else np.nan
    return found


def _fit_rings(
    spots: Spots, rings: list[Array], tolerance: float, extra: float, reject: float
) -> dict[int, Circle]:
    """The circle of each frame that has one, by the frame's row in ``spots``."""
    circles: dict[int, Circle] = {}
    for ring in rings:
        for row in np.flatnonzero(np.isfinite(spots.x[:, ring]).sum(axis=1) >= 3).tolist():
            if row in circles:
                continue
            seen = ring[np.isfinite(spots.x[row, ring])]
            variances = spots.x_var[row, seen] + extra, spots.y_var[row, seen] + extra
            circle = fit_circle(
                spots.x[row, seen], spots.y[row, seen], *variances, tolerance, reject
            )
            if circle is not None:
                circles[row] = circle
    return circles
