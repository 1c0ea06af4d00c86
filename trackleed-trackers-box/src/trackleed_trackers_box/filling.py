"""Where spots are in frames in which they were not detected."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from trackleed.tables import State
from trackleed_trackers_box.compiled import places
from trackleed_trackers_box.linking import within
from trackleed_trackers_box.motion import shown

if TYPE_CHECKING:
    from trackleed_trackers_box.following import Course, Series
    from trackleed_trackers_box.verdict import Sightings

    Array = np.ndarray[Any, np.dtype[Any]]

_JUMPY = 0.15  # of a ROI, usual jump of a pattern whose place is not known unless it is seen
_SMOOTH = 2  # detections to each side that a place is the mean of

_STATES = (State.LOST, State.SEED, State.MEASURED, State.MASKED, State.PREDICTED)
_NAMES = np.array([state.value for state in _STATES], dtype=object)


def filled(found: Sightings, series: Series, course: Course, max_gap: int) -> tuple[Array, Array]:
    """Boxes (n_frames, n_tracks, 5) and states (n_frames, n_tracks) of all tracks.

    A spot is predicted in up to ``max_gap`` frames from a detection, but in no more than it was
    detected in.
    """
    start, boxes = found.start, series.boxes[found.row]
    shape = len(series), len(start) - 1
    values, state = np.full((*shape, 5), np.nan), np.zeros(shape, np.uint8)
    values[found.frame, found.spot] = boxes
    state[found.frame, found.spot] = _STATES.index(State.MEASURED)
    state[found.frame[start[:-1]], np.arange(shape[1])] = _STATES.index(State.SEED)
    motions, known = bridged(series, course)
    frame, track, place = _unseen(found, known, max_gap)
    where = shown(motions[frame], place)
    last = np.array(series.film.valid.shape[::-1]) - 1
    inside = ((where >= 0) & (where <= last)).all(axis=1)
    frame, track, where = frame[inside], track[inside], where[inside]
    values[frame, track, :2] = where
    for side in (2, 3):
        values[frame, track, side] = places.medians(boxes[:, side], start)[track]
    hidden = ~within(where, series.film.valid)
    state[frame, track] = np.where(
        hidden, _STATES.index(State.MASKED), _STATES.index(State.PREDICTED)
    )
    return values, _NAMES[state]


def _unseen(found: Sightings, known: Array, max_gap: int) -> tuple[Array, Array, Array]:
    """Frame, track and place in the pattern of all that is to be predicted."""
    start = found.start
    shape, n = (len(known), len(start) - 1), len(found.frame)
    index = np.full(shape, -1)
    index[found.frame, found.spot] = np.arange(n)
    before = np.maximum.accumulate(index, axis=0)
    after = np.minimum.accumulate(np.where(index < 0, n, index)[::-1], axis=0)[::-1]
    frame, track = np.nonzero((index < 0) & known[:, None])
    before, after = before[frame, track], after[frame, track]
    # Beyond the first and the last detection the nearest one tells.
    before, after = np.where(before < 0, after, before), np.where(after == n, before, after)
    back, ahead = frame - found.frame[before], found.frame[after] - frame
    near = np.minimum(np.abs(back), np.abs(ahead)) <= np.minimum(max_gap, np.diff(start)[track])
    frame, track, before, after = (array[near] for array in (frame, track, before, after))
    part = back[near] / np.maximum((back + ahead)[near], 1)
    place = _smoothed(found)
    between = place[before] + part[:, None] * (place[after] - place[before])
    return frame, track, between


def _smoothed(found: Sightings) -> Array:
    """Running mean of the places (n, 2) of each spot, over fewer of them at the ends."""
    start, at = found.start, np.arange(len(found.frame))
    total = np.vstack([np.zeros((1, 2)), np.cumsum(found.place, axis=0)])
    low = np.maximum(at - _SMOOTH, start[found.spot])
    high = np.minimum(at + _SMOOTH + 1, start[found.spot + 1])
    return np.asarray((total[high] - total[low]) / (high - low)[:, None])


def bridged(series: Series, course: Course) -> tuple[Array, Array]:
    """Motions (n, 4) with those between known ones interpolated, and which are known (n,).

    Beyond the first and the last frame that shows the pattern nothing is known, nor between
    them if the pattern jumps about. The scale follows the expected one.
    """
    seen, frames = np.flatnonzero(course.seen), np.arange(len(course.motions))
    motions = course.motions - np.outer(series.film.scale, [0, 0, 1, 0])
    known = course.seen.copy()
    if len(seen):
        known[seen[0] : seen[-1] + 1] |= _steadiness(motions[seen, :2]) < _JUMPY * series.rules.side
        for column in range(4):
            motions[:, column] = np.interp(frames, seen, motions[seen, column])
    return motions + np.outer(series.film.scale, [0, 0, 1, 0]), known


def _steadiness(at: Array) -> float:
    """How far, px, the pattern usually is from the middle between its neighbours in time."""
    if len(at) < 3:
        return 0.0
    return float(np.median(np.hypot(*(at[1:-1] - (at[:-2] + at[2:]) / 2).T)))
