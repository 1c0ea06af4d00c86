"""Points of successive frames joined to tracks by the least sum of squared distances.

Pure functions on arrays; a frame's points are an array (n, 2) of x, y in px.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.optimize import linear_sum_assignment
from scipy.spatial import cKDTree

if TYPE_CHECKING:
    from collections.abc import Sequence

    Array = np.ndarray[Any, np.dtype[Any]]

_NEWEST = 0.5  # weight of the newest step in a track's velocity


def pair(expected: Array, points: Array, max_distance: float) -> tuple[Array, Array]:
    """Indices (k,), (k,) of expected positions and points that belong together.

    The sum over pairs of the squared distance, plus ``max_distance**2`` for
    each expected position left alone, is the least possible (H. W. Kuhn, Nav.
    Res. Logist. Q. 2, 83, 1955). So a pair is never farther apart than
    ``max_distance``, and one that is better left alone is left alone.
    """
    apart = expected[:, None, :] - points[None, :, :]
    cost = (apart**2).sum(axis=2)
    limit = max_distance**2
    # A column for each expected position stands for "no point".
    alone = np.full((len(expected), len(expected)), limit)
    tracks, columns = linear_sum_assignment(
        np.hstack([np.where(cost <= limit, cost, 1e3 * limit), alone])
    )
    paired = columns < len(points)
    return tracks[paired], columns[paired]


def link(
    points: Sequence[Array], max_distance: float, max_gap: int, velocity: bool = False
) -> list[Array]:
    """Number of the track (n,), from 0, that each point of each frame belongs to.

    Parameters
    ----------
    points : sequence of ndarray (n, 2)
        Points of the frames, in the order in which they are linked.
    max_distance : float
        Between a point and where it is expected, px.
    max_gap : int
        Frames without a point after which a track has ended.
    velocity : bool
        Expect a track at a constant velocity, not where it was last.
    """
    position, speed = np.zeros((0, 2)), np.zeros((0, 2))
    seen, name = np.zeros(0, int), np.zeros(0, int)
    count, labels = 0, []
    for now, found in enumerate(points):
        alive = now - seen <= max_gap + 1
        position, speed, seen, name = position[alive], speed[alive], seen[alive], name[alive]
        elapsed = (now - seen)[:, None]
        tracks, indices = pair(position + speed * elapsed * velocity, found, max_distance)
        step = (found[indices] - position[tracks]) / elapsed[tracks]
        speed[tracks] += _NEWEST * (step - speed[tracks])
        position[tracks], seen[tracks] = found[indices], now
        label, new = labelled(len(found), indices, name[tracks], count)
        labels.append(label)
        count += len(new)
        position, name = np.vstack([position, found[new]]), np.append(name, label[new])
        speed = np.vstack([speed, np.zeros((len(new), 2))])
        seen = np.append(seen, np.full(len(new), now))
    return labels


def labelled(n: int, indices: Array, names: Array, count: int) -> tuple[Array, Array]:
    """Track (n,) of each point of a frame, and indices of the points that begin one.

    Points ``indices`` are of the tracks ``names``; the others get numbers from ``count`` on.
    """
    label = np.full(n, -1)
    label[indices] = names
    new = np.flatnonzero(label < 0)
    label[new] = count + np.arange(len(new))
    return label, new


def longest_runs(labels: Sequence[Array]) -> Array:
    """Frames in a row, at most, in which each track has a point (tracks,)."""
    n_tracks = 1 + max((int(label.max(initial=-1)) for label in labels), default=-1)
    run, longest = np.zeros(n_tracks, int), np.zeros(n_tracks, int)
    for label in labels:
        here = np.zeros(n_tracks, bool)
        here[label] = True
        run = np.where(here, run + 1, 0)
        longest = np.maximum(longest, run)
    return longest


def spacing(points: Sequence[Array]) -> float:
    """Median distance, px, of a point to the nearest in its frame; NaN if there is none."""
    nearest = [cKDTree(p).query(p, k=2)[0][:, 1] for p in points if len(p) > 1]
    return float(np.median(np.concatenate(nearest))) if nearest else float("nan")


def usual_step(points: Sequence[Array]) -> float:
    """Median way of a point to the next frame, px; NaN if it cannot be told.

    Taken over points that are each other's nearest in successive frames.
    """
    steps = []
    for i in range(1, len(points)):
        before, after = points[i - 1], points[i]
        if len(before) and len(after):
            distance, there = cKDTree(after).query(before)
            back = cKDTree(before).query(after)[1]
            steps.append(distance[back[there] == np.arange(len(before))])
    return float(np.median(np.concatenate(steps))) if steps else float("nan")


def within(points: Array, valid: Array) -> Array:
    """Whether each point (n, 2) lies on the valid screen."""
    column, row = np.rint(points).astype(int).T
    inside = (column >= 0) & (row >= 0) & (row < valid.shape[0]) & (column < valid.shape[1])
    inside[inside] = valid[row[inside], column[inside]]
    return np.asarray(inside)
