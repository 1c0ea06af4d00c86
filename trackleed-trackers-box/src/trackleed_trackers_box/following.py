"""Spots followed through a series in the pattern's own coordinates.

Each frame's motion is estimated from the spots known so far; what is then left to tell of a
spot is a small offset that changes slowly, by lens errors and by noise: a Kalman filter
(R. E. Kalman, J. Basic Eng. 82, 35, 1960) of two equal axes. How slowly is learned.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from trackleed_trackers_box.compiled import places, steps
from trackleed_trackers_box.compiled.model import Film, Path, Rules, Spots
from trackleed_trackers_box.motion import placed as placed_by
from trackleed_trackers_box.sharing import shared

if TYPE_CHECKING:
    Array = np.ndarray[Any, np.dtype[Any]]

_FIRST_NOISE = 1.0  # px, scatter of detections that nothing has told yet
_RETURN = 3  # frames that a new pattern is seen in
_ENOUGH = 6  # detections, and spots, in which the pattern may be looked for at any scale
_ANY_SCALE = 0.25  # spread of its logarithm
_FAST = 0.06  # the same, where no energies tell that it should be another
_EVIDENCE = 3.0  # natural logarithm of the odds that make a motion known
_SURE = 12.0  # the same, at any scale


@dataclass(frozen=True)
class Series:
    """What is linked, in the order of linking.

    Parameters
    ----------
    boxes : ndarray (n, 5)
        x, y, width, height and score of all detections: frame after frame, by x in a frame.
    film : Film
        The same as compiled functions want it.
    centre : ndarray (2,)
        Fixed point of the pattern.
    rules : Rules
    """

    boxes: Array
    film: Film
    centre: Array
    rules: Rules

    def __len__(self) -> int:
        return len(self.film.scale)


@dataclass(frozen=True)
class Course:
    """What is known after all frames; see `trackleed_trackers_box.compiled.model.Path`.

    Parameters
    ----------
    motions, seen, scatter, label : ndarray
    group : ndarray (spots,)
        That each spot was taken to belong to.
    noise : float
        Scatter of detections about their spots, px, of late.
    """

    motions: Array
    seen: Array
    scatter: Array
    label: Array
    group: Array
    noise: float


def placed(series: Series, course: Course) -> tuple[Array, Array]:
    """Frame (n,) of all detections, and their places (n, 2) in the pattern."""
    film, many = series.film, len(series.boxes)
    frame, place = np.empty(many, np.int64), np.empty((many, 2))
    shared(places.placed, film.start, film.points, film.start, course.motions, frame, place)
    return frame, place


def follow(series: Series) -> Course:
    """Link all detections, from the frame with most bright ones both ways."""
    n, many = len(series), len(series.boxes)
    path = Path(np.zeros((n, 4)), np.zeros(n, bool), np.full(n, np.nan), np.full(many, -1))
    spots = _none(many * len(series.film.fixed))
    if not many:
        return Course(*path, np.zeros(0, np.int64), _FIRST_NOISE)
    rich = _rich(series.boxes[:, 4], series.film.start)
    origin = int(np.argmax(rich))
    path.motions[origin, :2] = series.centre
    path.motions[origin, 2] = series.film.scale[origin]
    _pass(series, path, spots, origin, np.arange(n))
    lost = np.flatnonzero(~path.seen)
    for now in lost[np.argsort(np.abs(lost - origin), kind="stable")]:
        _find(series, path, spots, int(now))
    _others(series, path, spots, rich)
    group = spots.group[: spots.number[0]]
    return Course(*path, group, float(spots.told[steps.NOISE]))


def _rich(score: Array, start: Array) -> Array:
    """How many of the brighter half of all detections each frame has, (n_frames,)."""
    half = len(score) // 2
    before = np.append(0, np.cumsum(score >= np.partition(score, half)[half]))
    return np.diff(before[start])


def _none(most: int) -> Spots:
    """No spots, with room for so many."""
    told = np.zeros(3)
    told[steps.NOISE], told[steps.WANDER] = _FIRST_NOISE, steps.LEAST_WANDER
    told[steps.USUAL] = _FIRST_NOISE
    return Spots(
        place=np.zeros((most, 2)),
        group=np.zeros(most, np.int64),
        variance=np.zeros(most),
        presence=np.zeros(most),
        error=np.zeros((most, 2)),
        alive=np.zeros(most, np.int64),
        number=np.zeros(2, np.int64),
        told=told,
    )


def _pass(series: Series, path: Path, spots: Spots, origin: int, frames: Array) -> None:
    """Follow what is seen in one of ``frames`` through them, both ways."""
    film, first = series.film, int(spots.number[0])
    rows = slice(film.start[origin], film.start[origin + 1])
    path.seen[origin] = True
    path.label[rows] = -1
    motion = path.motions[origin]
    variance = float(spots.told[steps.NOISE] ** 2 * np.exp(-2 * motion[2]))
    place, shift = placed_by(motion, film.points[rows]), film.fixed * np.exp(-motion[2])
    steps.added(spots, path.label[rows], place, shift, variance)
    mine = slice(first, int(spots.number[0]))
    start = [array[mine].copy() for array in (spots.place, spots.variance, spots.presence)]
    for order in (frames[frames > origin], frames[frames < origin][::-1]):
        # Both ways begin with what the origin shows.
        spots.place[mine], spots.variance[mine], spots.presence[mine] = start
        spots.error[first:] = 0.0
        steps.pursued(film, series.rules, spots, path, first, origin, order, 0.0, _EVIDENCE)


def _find(series: Series, path: Path, spots: Spots, now: int) -> None:
    """Look for the pattern in a frame that does not show it at the scale that is expected.

    An energy can be wrong in the log, or unknown and far from that of the frame before. Much
    else fits at some scale, so that more is asked.
    """
    film, near = series.film, np.flatnonzero(path.seen)
    before = int(near[np.argmin(np.abs(near - now))])
    some = film.start[now + 1] - film.start[now]
    if some < _ENOUGH or (spots.presence > steps.FORGOTTEN).sum() < _ENOUGH:
        return
    wide = _ANY_SCALE if np.ptp(film.scale) else _FAST
    order = np.array([now])
    steps.pursued(film, series.rules, spots, path, 0, before, order, wide, _SURE)


def _others(series: Series, path: Path, spots: Spots, rich: Array) -> None:
    """A pattern that comes back as another one is followed on its own."""
    film = series.film
    rest = np.flatnonzero(~path.seen & (np.diff(film.start) > 0))
    while len(rest) >= _RETURN:
        origin = int(rest[np.argmax(rich[rest])])
        near = np.flatnonzero(path.seen)
        near = near[np.argmin(np.abs(near - origin))]
        path.motions[origin] = path.motions[near]
        path.motions[origin, 2] += film.scale[origin] - film.scale[near]
        _pass(series, path, spots, origin, rest)
        again = rest[path.seen[rest]]
        if len(again) < _RETURN:
            path.seen[again] = False
            for frame in again:
                path.label[film.start[frame] : film.start[frame + 1]] = -1
            break
        rest = rest[~path.seen[rest]]
