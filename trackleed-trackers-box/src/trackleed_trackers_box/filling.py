"""Where spots are in frames in which they were not detected."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from trackleed.tables import State
from trackleed_trackers_box.compiled import gaps
from trackleed_trackers_box.sharing import shared

if TYPE_CHECKING:
    from trackleed_trackers_box.following import Course, Series
    from trackleed_trackers_box.verdict import Sightings

    Array = np.ndarray[Any, np.dtype[Any]]

_JUMPY = 0.15  # of a ROI, usual jump of a pattern whose place is not known unless it is seen
_SMOOTH = 2  # detections to each side that a place is the mean of

_STATES = (State.LOST, State.SEED, State.MEASURED, State.MASKED, State.PREDICTED)
_NAMES = np.array([state.value for state in _STATES], dtype=object)  # as numbered in `gaps`


def filled(found: Sightings, series: Series, course: Course, max_gap: int) -> tuple[Array, Array]:
    """Boxes (n_frames, n_tracks, 5) and states (n_frames, n_tracks) of all tracks.

    A spot is predicted in up to ``max_gap`` frames from a detection, but in no more than it was
    detected in. Frames in which another spot is seen beside it do not count: one detection may
    stand for both.
    """
    motions, known = bridged(series, course)
    boxes, begin, start = series.boxes, series.film.start, found.start
    shape, owner = (len(series), len(start) - 1), np.full(len(boxes), -1)
    values, state = np.empty((*shape, 5)), np.empty(shape, np.uint8)
    shared(gaps.owners, start, start, found.row, owner)
    shared(gaps.seen, begin, begin, boxes, owner, values, state)
    told = boxes, begin, owner, found.row, found.frame, found.place
    fixed, valid = series.film.fixed[found.group], series.film.valid
    rules = fixed, start, motions, known, valid, max_gap, _SMOOTH
    shared(gaps.bridges, start, *told, *rules, values, state)
    return values, _NAMES[state]


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
