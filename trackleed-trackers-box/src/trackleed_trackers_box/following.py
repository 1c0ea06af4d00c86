"""Spots followed through a series in the pattern's own coordinates.

Each frame's motion is estimated from the spots known so far; what is then left to tell of a
spot is a small offset that changes slowly, by lens errors and by noise: a Kalman filter
(R. E. Kalman, J. Basic Eng. 82, 35, 1960) of two equal axes.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from trackleed_trackers_box.linking import nearest, pair_gated, within
from trackleed_trackers_box.motion import Scene, Spread, placed, register, shown

if TYPE_CHECKING:
    from collections.abc import Sequence

    Array = np.ndarray[Any, np.dtype[Any]]

_GATE = 4.0  # standard deviations between a spot and its detection
ROI_PART = 0.25  # of a ROI's side: nothing nearer to a spot is another one
_CROWDED = 0.45  # of the way to the next spot, of a gate
_WANDER = 0.05  # px, that an offset changes from frame to frame
DISTORTION = 0.03  # px per px that a spot moves by the scale
_FORGET = 0.15  # weight of the newest frame in a spot's presence
_NOISE = (0.3, 3.0)  # px, limits to the scatter of detections
_RETURN = 3  # frames that a new pattern is seen in
_ENOUGH = 6  # detections, and spots, in which the pattern may be looked for at any scale
_ANY_SCALE = 0.25  # spread of its logarithm
_FAST = 0.06  # the same, where no energies tell that it should be another
_SURE = 12.0  # natural logarithm of the odds that are asked for then
_FAR = 3.0  # standard deviations from which a detection is doubted
_THERE = 0.4  # presence of a spot that is a neighbour to be told from
_FORGOTTEN = 0.05  # presence of a spot that never lasted


@dataclass(frozen=True)
class Series:
    """What is linked, in the order of linking.

    Parameters
    ----------
    boxes : sequence of ndarray (n, 5)
        x, y, width, height and score of the detections of each frame.
    valid : ndarray of bool (y, x)
    area : float
        Of what is valid, px.
    scale : ndarray (n_frames,)
        Logarithm of the scale that is expected.
    centre : ndarray (2,)
        Fixed point of the pattern.
    spread : Spread
        From frame to frame.
    side : float
        Usual side of a ROI, px.
    step : float
        Part of a step of the scale that may be wrong.
    """

    boxes: Sequence[Array]
    valid: Array
    area: float
    scale: Array
    centre: Array
    spread: Spread
    side: float
    step: float = 0.1


@dataclass
class Course:
    """What is known after a pass.

    Attributes
    ----------
    motions : ndarray (n_frames, 4)
    seen : ndarray of bool (n_frames,)
        Whether a frame shows the motion.
    labels : list of ndarray (n,)
        Spot, from 0, of each detection of each frame; -1 for none.
    spots : Spots
    noise : float
        Scatter of detections about their spots, px, of late.
    scatter : ndarray (n_frames,)
        The same of each frame; NaN where it cannot be told.
    usual : float
        How far the pattern shifts from frame to frame, px, of late.
    """

    motions: Array
    seen: Array
    labels: list[Array]
    spots: Spots
    scatter: Array
    usual: float
    noise: float = 1.0


@dataclass
class Spots:
    """State of the spots: place in the pattern, its variance, and in how many frames seen."""

    place: Array = field(default_factory=lambda: np.zeros((0, 2)))
    variance: Array = field(default_factory=lambda: np.zeros(0))
    presence: Array = field(default_factory=lambda: np.zeros(0))
    hits: Array = field(default_factory=lambda: np.zeros(0, int))

    def __len__(self) -> int:
        return len(self.hits)

    def add(self, place: Array, variance: float) -> None:
        """Spots seen for the first time."""
        new = len(place)
        self.place = np.vstack([self.place, place])
        self.variance = np.append(self.variance, np.full(new, variance))
        self.presence = np.append(self.presence, np.full(new, 0.5))
        self.hits = np.append(self.hits, np.ones(new, int))


def follow(series: Series) -> Course:
    """Link all detections, from the frame with most of them both ways."""
    n = len(series.boxes)
    points = [box[:, :2] for box in series.boxes]
    scores = np.concatenate([box[:, 4] for box in series.boxes])
    usual = float(np.median(scores)) if len(scores) else 1.0
    rich = [int((box[:, 4] >= usual).sum()) for box in series.boxes]
    origin = int(np.argmax(rich))
    labels = [np.full(len(p), -1) for p in points]
    course = Course(
        np.zeros((n, 4)),
        np.zeros(n, bool),
        labels,
        Spots(),
        np.full(n, np.nan),
        series.spread.usual,
    )
    course.motions[origin, :2] = series.centre
    course.motions[origin, 2] = series.scale[origin]
    if not len(points[origin]):
        return course
    _pass(series, course, origin, np.arange(n), usual)
    lost = np.flatnonzero(~course.seen)
    for now in lost[np.argsort(np.abs(lost - origin), kind="stable")]:
        _find(series, course, int(now), usual)
    # A pattern that comes back as another one is followed on its own.
    rest = np.flatnonzero(~course.seen & (np.array([len(p) for p in points]) > 0))
    while len(rest) >= _RETURN:
        origin = int(rest[np.argmax(np.array(rich)[rest])])
        near = np.flatnonzero(course.seen)
        near = near[np.argmin(np.abs(near - origin))]
        course.motions[origin] = course.motions[near]
        course.motions[origin, 2] += series.scale[origin] - series.scale[near]
        _pass(series, course, origin, rest, usual)
        again = rest[course.seen[rest]]
        if len(again) < _RETURN:
            course.seen[again] = False
            for frame in again:
                course.labels[frame][:] = -1
            break
        rest = rest[~course.seen[rest]]
    return course


def _pass(series: Series, course: Course, origin: int, frames: Array, usual: float) -> None:
    """Follow what is seen in one of ``frames`` through them, both ways."""
    first = len(course.spots)
    points, motion = series.boxes[origin][:, :2], course.motions[origin]
    course.seen[origin] = True
    course.labels[origin] = first + np.arange(len(points))
    course.spots.add(placed(motion, points), course.noise**2 * np.exp(-2 * motion[2]))
    for order in (frames[frames > origin], frames[frames < origin][::-1]):
        before = origin
        for now in order:
            _step(series, course, before, int(now), usual, first)
            before = int(now)


def _step(series: Series, course: Course, before: int, now: int, usual: float, first: int) -> None:
    """One frame: its motion, its links, and what they tell of the spots."""
    spots = course.spots
    change = series.scale[now] - series.scale[before]
    expected = course.motions[before] + np.array([0, 0, change, 0])
    spread = Spread(
        series.spread.shift, course.usual, series.spread.scale + series.step * abs(change)
    )
    arm = np.hypot(*spots.place.T) * np.exp(expected[2])
    wander = _WANDER + DISTORTION * abs(change) * arm
    spots.variance += (wander * np.exp(-expected[2])) ** 2
    alive = first + np.flatnonzero(spots.presence[first:] > _FORGOTTEN)
    noise = DISTORTION * abs(change) * float(np.median(arm))
    motion, seen = register(
        spots.place[alive],
        spots.presence[alive],
        _scene(series, course, now, usual, noise),
        expected,
        spread,
    )
    course.motions[now], course.seen[now] = motion, seen
    if seen:
        shift = float(np.hypot(*(motion - course.motions[before])[:2]))
        course.usual = max(course.usual + _FORGET * (shift - course.usual), course.noise)
        _assign(series, course, now, alive)


def _find(series: Series, course: Course, now: int, usual: float) -> None:
    """Look for the pattern in a frame that does not show it at the scale that is expected.

    An energy can be wrong in the log, or unknown and far from that of the frame before. Much
    else fits at some scale, so that more is asked.
    """
    spots = course.spots
    alive = np.flatnonzero(spots.presence > _FORGOTTEN)
    if len(series.boxes[now]) < _ENOUGH or len(alive) < _ENOUGH:
        return
    near = np.flatnonzero(course.seen)
    expected = course.motions[near[np.argmin(np.abs(near - now))]]
    wide = _ANY_SCALE if np.ptp(series.scale) else _FAST
    spread = Spread(series.spread.shift, series.spread.shift, wide)
    scene = _scene(series, course, now, usual, 1.0)
    motion, seen = register(
        spots.place[alive], spots.presence[alive], scene, expected, spread, _SURE
    )
    if seen:
        course.motions[now], course.seen[now] = motion, True
        _assign(series, course, now, alive)


def _scene(series: Series, course: Course, now: int, usual: float, noise: float) -> Scene:
    """A frame, in which spots scatter by ``noise`` more than they do."""
    box = series.boxes[now]
    scatter = float(np.hypot(course.noise, noise))
    return Scene(box[:, :2], box[:, 4] / (box[:, 4] + usual), series.area, scatter)


def _assign(series: Series, course: Course, now: int, alive: Array) -> None:
    """Link the detections of a frame whose motion is known."""
    spots, motion, points = course.spots, course.motions[now], series.boxes[now][:, :2]
    expected = shown(motion, spots.place[alive])
    spread = np.sqrt(spots.variance[alive] * np.exp(2 * motion[2]) + course.noise**2)
    gate = np.maximum(_GATE * spread, ROI_PART * series.side)
    there = spots.presence[alive] > _THERE
    gate[there] = np.minimum(gate[there], np.maximum(_CROWDED * nearest(expected[there]), 1.0))
    rows, columns = pair_gated(expected, points, spread, gate)
    _learn(series, course, now, alive, rows, columns)


def _learn(
    series: Series, course: Course, now: int, alive: Array, rows: Array, columns: Array
) -> None:
    """Take what was found in a frame into the state of the spots."""
    spots, motion, points = course.spots, course.motions[now], series.boxes[now][:, :2]
    found, measured = alive[rows], placed(motion, points[columns])
    noise = course.noise**2 * np.exp(-2 * motion[2])
    error = measured - spots.place[found]
    total = spots.variance[found] + noise
    # What stands far from its place is hardly followed: it may be something else that passes.
    gain = spots.variance[found] / total / (1 + (error**2).sum(axis=1) / (_FAR**2 * total))
    spots.place[found] += gain[:, None] * error
    spots.variance[found] *= 1 - gain
    spots.hits[found] += 1
    looked = alive[within(shown(motion, spots.place[alive]), series.valid)]
    spots.presence[looked] *= 1 - _FORGET
    spots.presence[found] += _FORGET * (1 if len(looked) else 0)
    spots.presence = np.minimum(spots.presence, 1.0)
    if len(found) > 3:
        # The median of a length of two normal errors is 1.18 standard deviations of each.
        scatter = float(np.median(np.hypot(*error.T)) / 1.18 * np.exp(motion[2]))
        course.scatter[now] = scatter
        course.noise = float(np.clip(0.8 * course.noise + 0.2 * scatter, *_NOISE))
    course.labels[now][columns] = found
    new = np.flatnonzero(course.labels[now] < 0)
    course.labels[now][new] = len(spots) + np.arange(len(new))
    spots.add(placed(motion, points[new]), noise)
