"""Which of the spots that were linked are spots."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.special import gammainc

from trackleed_trackers_box.compiled import places
from trackleed_trackers_box.compiled.steps import DISTORTION, ROI_PART
from trackleed_trackers_box.groups import Ground

if TYPE_CHECKING:
    from trackleed_trackers_box.following import Course, Series

    Array = np.ndarray[Any, np.dtype[Any]]

_TOGETHER = 0.5  # of the sightings of a spot, at most, together with those of one that is it
_CHANCE = 1e-2  # of one track, in all, that false detections make
_GATE = 4.0  # standard deviations between a spot and its detection
_STILL = 0.3  # scatter on the screen over that in the pattern, of what does not move with it
_CHANGES = 3.0  # times as bright at times, of what is no mark on the screen
_MOVED = 1.0  # px, scatter in the pattern from which that can be told
_BLURRED = 3.0  # times the usual scatter of the spots in a frame: out of focus
_WIDER = 1.5  # times the usual width of the spots in such a frame
_DENSE = 2  # times as many frames as sightings may lie between those that make a track
_WANDERS = 0.07  # of a ROI, usual distance from the middle of its places, of what wanders
_JUMPS = 0.025  # of a ROI, usual departure from a straight way, of what wanders
_SMOOTHLY = 10  # steps that can tell that
_LOOKED_AT = 25  # sightings that tell whether a spot is near the mask
_BLOCK = 5  # sightings, and as many to each side tell their middle: lens errors are slow


@dataclass(frozen=True)
class Sightings:
    """Detections that were linked, sorted by spot and frame: the spot with most of them first.

    Attributes
    ----------
    start : ndarray (spots + 1,)
        Where each spot begins.
    frame : ndarray (n,)
        From 0, in the order of linking.
    row : ndarray (n,)
        Of all detections, one frame after another.
    place : ndarray (n, 2)
        In the pattern, from the fixed point of the spot's group.
    group : ndarray (n,)
        Of the spot.
    stray : ndarray (n,)
        Distance to where the others around it are, px; 0 before it is told.
    """

    start: Array
    frame: Array
    row: Array
    place: Array
    group: Array
    stray: Array

    @property
    def spot(self) -> Array:
        """Of each, (n,), from 0."""
        return np.repeat(np.arange(len(self.start) - 1), np.diff(self.start))

    def some(self, number: Array) -> Sightings:
        """Those whose ``number`` (n,) is not negative: what has the same one is a spot.

        Those of one spot have to stand in the order of frames.
        """
        rows, start = places.grouped(number)
        return self._taken(rows, start)

    def reordered(self, rows: Array) -> Sightings:
        """The same in another order, for `some`."""
        return self._taken(rows, self.start)

    def _taken(self, rows: Array, start: Array) -> Sightings:
        columns = (self.frame, self.row, self.place, self.group, self.stray)
        return Sightings(start, *places.taken(rows, *columns))

    def of(self, wanted: Array) -> Sightings:
        """Those of the spots (spots,) that are ``wanted``."""
        many = int(wanted.sum())
        if not wanted[:many].all():
            return self.some(np.where(wanted[self.spot], self.spot, -1))
        columns = (self.frame, self.row, self.place, self.group, self.stray)
        start = self.start[: many + 1]
        return Sightings(start, *(column[: start[-1]] for column in columns))


def sightings(series: Series, course: Course) -> Sightings:
    """All of a pass, those of one spot in one place together, one a frame.

    The spot that is seen most takes in the sightings of the others in its place in frames in
    which it has none. Several groups of spots are told apart as `Ground.claims` says.
    """
    film, number = series.film, course.label
    rows, stray = np.arange(len(number)), np.zeros(len(number))
    if len(film.fixed) > 1:
        ground = Ground(series, course)
        number, group = ground.claims(course.group)
        columns = (ground.frame, rows, ground.place[group, rows], group, stray)
        return Sightings(film.start, *columns).some(number)
    frame, place = places.placed(film.points, film.start, course.motions)
    every = Sightings(film.start, frame, rows, place, np.zeros(len(number), np.int64), stray)
    rows, start = places.grouped(number)
    reach = max(_GATE * course.noise, ROI_PART * series.rules.side)
    reach *= float(np.exp(-np.median(course.motions[:, 2])))
    host = places.hosts(place, frame, rows, start, reach, _TOGETHER)
    one = host == np.arange(len(host))
    if not one.all():
        spot = np.repeat(np.arange(len(host)), np.diff(start))
        shared = np.isin(host, host[~one])[spot]
        number = np.full(len(number), -1)
        number[rows] = host[spot]
        # Of two in one frame that of the spot with more sightings stays.
        spot, rows = spot[shared], rows[shared]
        of = host[spot]
        sort = np.lexsort((spot, frame[rows], of))
        of, rows = of[sort], rows[sort]
        again = (np.diff(of) == 0) & (np.diff(frame[rows]) == 0)
        number[rows[1:][again]] = -1
    return every.some(number)


def tracks(found: Sightings, series: Series, course: Course, least: int) -> Sightings:
    """Those sightings that are of spots.

    That is: ``least`` sightings in sharp frames not far from each other, more than false
    detections bring together by chance, in one place of the pattern, and not still and as bright
    as ever on the screen while the pattern moves. What is far from the others is no sighting of
    theirs.
    """
    lengths = np.diff(found.start)
    single = int(lengths[lengths < max(least, 2)].sum())
    near = found.of(lengths >= least)
    near = replace(near, stray=_strays(near, series, course))
    near = near.some(np.where(near.stray <= ROI_PART * series.rules.side, near.spot, -1))
    sharp = _sharp(series, course)
    kept = places.densest(near.frame, near.start, sharp, _DENSE * least) >= least
    kept &= ~_by_chance(near, series, course, single, len(lengths))
    kept &= _in_one_place(near, series, course)
    still = kept & _still(near, series, course)
    if still.any():
        still &= ~_changeful(near, series)
    if 2 * still.sum() < kept.sum():
        # Marks and hot pixels are fewer than spots; half of the spots may stand while others pass.
        kept &= ~still
    return near.of(kept)


def _sharp(series: Series, course: Course) -> Array:
    """Whether frames (n,) are in focus.

    Out of focus spots scatter more than they use to; and they are wider, or scatter so much that
    detections are about as far from their own spots as others may be.
    """
    scatter, width = course.scatter, places.medians(series.boxes[:, 2], series.film.start)
    told = np.isfinite(scatter)
    if not told.any():
        return np.ones(len(scatter), bool)
    more = scatter > _BLURRED * float(np.median(scatter[told]))
    far = scatter > ROI_PART * series.rules.side / _GATE
    return np.asarray(~(more & (far | (width > _WIDER * series.rules.side))))


def _by_chance(found: Sightings, series: Series, course: Course, single: int, spots: int) -> Array:
    """Whether spots (spots,) are no more than ``single`` detections scattered at random make."""
    density = single / max(series.film.area * max(int(course.seen.sum()), 1), 1)
    area = np.pi * (_GATE * course.noise) ** 2
    counted, start = np.append(0, np.cumsum(course.seen)), found.start
    last, first = counted[found.frame[start[1:] - 1] + 1], counted[found.frame[start[:-1]]]
    # Poisson: as many further detections as these, or more, near the first.
    more = np.diff(start) - 1
    chance = gammainc(np.maximum(more, 1), density * area * (last - first)) * spots
    return np.asarray((more > 0) & (chance > _CHANCE))


def _strays(found: Sightings, series: Series, course: Course) -> Array:
    """How far (n,) sightings are from those around them, px, less what lens errors allow."""
    apart = places.strays(found.place, found.start, _BLOCK)
    if np.ptp(series.film.scale):
        scale = series.film.scale[found.frame]
        usual = np.repeat(places.medians(scale, found.start), np.diff(found.start))
        apart -= DISTORTION * np.abs(scale - usual) * np.hypot(*found.place.T)
    return np.asarray(apart * np.exp(course.motions[:, 2])[found.frame])


def _in_one_place(found: Sightings, series: Series, course: Course) -> Array:
    """Whether spots (spots,) keep to a place or leave it smoothly: by lens errors, or a phase's."""
    side, noise = series.rules.side, course.noise
    usual = places.medians(found.stray, found.start)
    limit = max(_WANDERS * side, _GATE * noise / 2)
    keeps = usual <= limit
    doubtful = ~keeps & (usual <= 2 * limit)
    if doubtful.any():
        # Next to the mask only a part of a spot is seen, and its place is pulled.
        points, valid = series.film.points[found.row], series.film.valid
        keeps |= doubtful & ~places.clear(
            points, found.start, doubtful, valid, int(side / 2), _LOOKED_AT
        )
    bends = places.bends(found.place, found.frame, found.start, ~keeps, _SMOOTHLY)
    bends *= float(np.exp(np.median(course.motions[:, 2])))
    return np.asarray(keeps | (bends <= max(_JUMPS * side, _GATE * noise / 2)))


def _still(found: Sightings, series: Series, course: Course) -> Array:
    """Whether spots (spots,) stay where they are on the screen while the pattern moves."""
    scale = np.exp(places.medians(course.motions[:, 2][found.frame], found.start))
    in_pattern = places.scatters(found.place, found.start) * scale
    on_screen = places.scatters(series.film.points[found.row], found.start)
    return np.asarray((in_pattern > _MOVED) & (on_screen < _STILL * in_pattern))


def _changeful(found: Sightings, series: Series) -> Array:
    """Whether spots (spots,) change their brightness as beams do and marks on a screen do not.

    The specular beam of a facet stands still at all energies, and is a spot.
    """
    start, score = found.start, series.boxes[found.row, 4]
    parts = [score[a:b] for a, b in pairwise(start)]
    low, high = np.array([np.quantile(part, [0.1, 0.9]) for part in parts]).reshape(-1, 2).T
    return np.asarray(high > _CHANGES * low)
