"""Which spot each detection is of, where groups of spots pass through each other.

Seen from the fixed point of its own group a spot stands still, whatever crosses its way: there
its detections of all frames heap up, while the spots of other groups pass.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.spatial import cKDTree

from trackleed_trackers_box.compiled import by_spot
from trackleed_trackers_box.compiled.steps import DISTORTION, ROI_PART
from trackleed_trackers_box.following import Series, follow, placed

if TYPE_CHECKING:
    from trackleed_trackers_box.following import Course

    Array = np.ndarray[Any, np.dtype[Any]]

_GATE = 4.0  # standard deviations between a spot and its detection
_LEAST = 3  # detections of a spot
_MORE = 1.1  # times as many detections that groups explain
_MIDDLES = 2  # times that a spot's place is told anew by what it finds
_WIDER = 2.0  # times the distance at which its detections may be before that


def followed(series: Series) -> tuple[Series, Course]:
    """A series followed in all its groups, or as one where they hardly explain more.

    A pattern that jumps about or turns can seem to have fixed points that are none.
    """
    course = follow(series)
    if len(series.film.fixed) == 1:
        return series, course
    one = replace(series, film=series.film._replace(fixed=series.film.fixed[:1]))
    alone = follow(one)
    if Ground(series, course).explained() < _MORE * Ground(one, alone).explained():
        return one, alone
    return series, course


@dataclass
class _Spot:
    """A spot that there may be.

    Parameters
    ----------
    group : int
    place : ndarray (2,)
        From the fixed point of its group.
    scale : float
        Logarithm of the scale at which it was there.
    near : ndarray of int
        Detections that may be of it.
    """

    group: int
    place: Array
    scale: float
    near: Array


class Ground:
    """All detections as they stand from the fixed point of each group.

    Parameters
    ----------
    series : Series
    course : Course

    Attributes
    ----------
    frame : ndarray (n,)
        Of each detection.
    place : ndarray (groups, n, 2)
    """

    def __init__(self, series: Series, course: Course) -> None:
        film, motions = series.film, course.motions
        self.frame, place = placed(series, course)
        self.scale = motions[self.frame, 2]
        self.place = place - film.fixed[:, None] * np.exp(-self.scale)[:, None]
        self.label = course.label
        size = float(np.exp(-np.median(motions[:, 2])))
        self.reach = _GATE * course.noise * size
        self.close = ROI_PART * series.rules.side * size

    def claims(self, group: Array) -> tuple[Array, Array]:
        """Number (n,) of the spot that each detection is of, -1 for none, and its group (n,).

        The spot that finds most detections takes them, then the one that finds most of the
        others. What is left of what was linked is a spot, too, of the ``group`` (spots,) that it
        was taken for; but not what was linked to a spot for the most part, nor near one: where
        two spots meet, one detection stands for both and is at neither's place.
        """
        number, found = self._taken()
        of, mine = group[self.label], np.flatnonzero(number >= 0)
        of[mine] = np.array([spot.group for spot in found], int)[number[mine]]
        taken = np.bincount(self.label[mine] + 1, minlength=len(group) + 1)
        left = np.bincount(self.label[number < 0] + 1, minlength=len(group) + 1)
        rest = np.flatnonzero((number < 0) & (self.label >= 0) & (left > taken)[self.label + 1])
        rest = rest[~self._near(rest, number, found)]
        number[rest] = len(found) + self.label[rest]
        return number, of

    def _near(self, rows: Array, number: Array, found: list[_Spot]) -> Array:
        """Whether detections (n,) are near a spot that was there before and after."""
        near = np.zeros(len(rows), bool)
        sightings, start = by_spot.grouped(number)
        for first, last in pairwise(start):
            spot, frames = found[number[sightings[first]]], self.frame[sightings[first:last]]
            apart = np.hypot(*(self.place[spot.group][rows] - spot.place).T)
            during = (self.frame[rows] >= frames[0]) & (self.frame[rows] <= frames[-1])
            near |= during & (apart <= self.close)
        return near

    def explained(self) -> int:
        """Detections that are of spots, less what as many spots find in any case."""
        number, found = self._taken()
        return int((number >= 0).sum()) - _LEAST * len(found)

    def _taken(self) -> tuple[Array, list[_Spot]]:
        """Number (n,) of the spot that each detection is of, -1 for none, and the spots."""
        number, spots, found = np.full(len(self.frame), -1), self._candidates(), []
        most = np.full(len(spots), len(self.frame))
        while most.max(initial=0) >= _LEAST:
            which = int(most.argmax())
            rows = self._found(spots[which], number)
            if len(rows) < most[which]:
                most[which] = len(rows)  # another one may find more
                continue
            number[rows], most[which] = len(found), 0
            found.append(spots[which])
        return number, found

    def _candidates(self) -> list[_Spot]:
        """What was linked, as it were in each of the groups."""
        rows, start = by_spot.grouped(self.label)
        parts = [part for part in np.split(rows, start[1:-1]) if len(part) > 1]
        spots = []
        for group, place in enumerate(self.place):
            tree = cKDTree(place)
            for part in parts:
                middle = np.median(place[part], axis=0)
                reach = self.reach + DISTORTION * np.hypot(*middle) * np.ptp(self.scale)
                near = np.array(tree.query_ball_point(middle, _WIDER * reach), dtype=int)
                spots.append(_Spot(group, middle, float(np.median(self.scale[part])), near))
        return spots

    def _found(self, spot: _Spot, number: Array) -> Array:
        """Detections (k,) in the place of a spot, which they tell anew, that are of no other.

        One a frame; as far away as noise and lens errors allow.
        """
        free = spot.near[number[spot.near] < 0]
        place, scale, frame = (self.place[spot.group][free], self.scale[free], self.frame[free])
        for again in range(_MIDDLES + 1):
            arm = DISTORTION * np.hypot(*spot.place)
            apart = np.hypot(*(place - spot.place).T)
            within = np.flatnonzero(apart <= self.reach + arm * np.abs(scale - spot.scale))
            within = within[np.lexsort((apart[within], frame[within]))]
            within = within[np.diff(frame[within], prepend=-1) > 0]
            if again < _MIDDLES and len(within):
                spot.place, spot.scale = (place[within].mean(axis=0), float(scale[within].mean()))
        return free[within]
