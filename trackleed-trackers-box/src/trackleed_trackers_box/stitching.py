"""Pieces of one spot put together: its way before another spot crossed it, and after.

Where two spots pass through each other, one detection stands for both, and one of the two is lost
until they part. It goes on as it went before.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.optimize import linear_sum_assignment

from trackleed_trackers_box.compiled import by_spot
from trackleed_trackers_box.compiled.steps import ROI_PART

if TYPE_CHECKING:
    from trackleed_trackers_box.following import Course, Series
    from trackleed_trackers_box.verdict import Sightings

    Array = np.ndarray[Any, np.dtype[Any]]

_TELLING = 12  # sightings, at most, at an end of a piece that tell its way
_LEAST = 4  # sightings of a piece, at least


def stitched(found: Sightings, series: Series, course: Course) -> Sightings:
    """Sightings whose spots are whole.

    A piece goes on as another one if that begins later, after no more frames than either was seen
    in, and the straight ways in the pattern on which the one ends and the other begins meet: half
    way between them they are no farther apart than detections of one spot may be, and do not
    get so far apart while they tell their ways. The sum of squared distances is the least.
    """
    start, count = found.start, np.diff(found.start)
    if len(count) < 2:
        return found
    first, last = found.frame[start[:-1]], found.frame[start[1:] - 1]
    ends = np.flatnonzero((last < len(series) - 1) & (count >= _LEAST))
    begins = np.flatnonzero((first > 0) & (count >= _LEAST))
    gap = first[begins] - last[ends][:, None]
    group = found.group
    near = (group[ends][:, None] == group[begins]) & (gap > 0)
    near &= gap <= np.minimum(count[ends][:, None], count[begins])
    if not near.any():
        return found
    at, speed = _ways(found, ends, -1)
    to, speed_to = _ways(found, begins, 1)
    half = 0.5 * gap[..., None]
    apart = np.linalg.norm(at[:, None] + half * speed[:, None] - to + half * speed_to, axis=2)
    turn = np.linalg.norm(speed[:, None] - speed_to, axis=2) * (gap + _TELLING) / 2
    reach = ROI_PART * series.rules.side * float(np.exp(-np.median(course.motions[:, 2])))
    near &= (apart <= reach) & (turn <= reach)
    one, other = linear_sum_assignment(np.where(near, apart**2 - reach**2, 0.0))
    joined = near[one, other]
    whole = np.arange(len(count))
    # Earlier pieces first, so that each finds the beginning of its spot.
    pairs = zip(begins[other[joined]].tolist(), ends[one[joined]].tolist(), strict=True)
    for piece, before in sorted(pairs, key=lambda pair: int(first[pair[0]])):
        whole[piece] = whole[before]
    if not joined.any():
        return found
    # Earlier pieces first here, too.
    order = np.concatenate([np.arange(start[k], start[k + 1]) for k in np.argsort(first)])
    rows, start = by_spot.grouped(whole[found.spot][order])
    return found.ordered(order[rows], start)


def _ways(found: Sightings, spots: Array, sense: int) -> tuple[Array, Array]:
    """Place (k, 2) where spots begin (sense 1) or end (-1), and its change a frame (k, 2).

    By a straight line through a few sightings from there on.
    """
    edge = found.start[spots] if sense > 0 else found.start[spots + 1] - 1
    rows = edge[:, None] + sense * np.arange(_TELLING)
    mine = (rows >= found.start[spots][:, None]) & (rows < found.start[spots + 1][:, None])
    rows = np.where(mine, rows, edge[:, None])
    weight = mine / mine.sum(axis=1, keepdims=True)
    time, place = (found.frame[rows] - found.frame[edge][:, None]).astype(float), found.place[rows]
    middle, mean = (weight * time).sum(axis=1), (weight[..., None] * place).sum(axis=1)
    time -= middle[:, None]
    slope = (weight * time)[..., None] * (place - mean[:, None])
    speed = slope.sum(axis=1) / (weight * time**2).sum(axis=1)[:, None]
    return mean - middle[:, None] * speed, speed
