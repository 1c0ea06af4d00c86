"""Which of the spots that were linked are spots."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.special import gammainc

from trackleed_trackers_box.compiled import by_spot, places
from trackleed_trackers_box.compiled.steps import DISTORTION, ROI_PART
from trackleed_trackers_box.following import placed
from trackleed_trackers_box.groups import Ground
from trackleed_trackers_box.sharing import shared

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
    group : ndarray (spots,)
    """

    start: Array
    frame: Array
    row: Array
    place: Array
    group: Array

    @property
    def spot(self) -> Array:
        """Of each, (n,), from 0."""
        return np.repeat(np.arange(len(self.start) - 1), np.diff(self.start))

    def ordered(self, rows: Array, start: Array) -> Sightings:
        """Some of them in another order, in which spots begin at ``start``."""
        n = len(rows)
        columns = (np.empty(n, np.int64), np.empty(n, np.int64), np.empty((n, 2)))
        shared(by_spot.taken, start, start, rows, (self.frame, self.row, self.place), columns)
        spot = np.searchsorted(self.start, rows[start[:-1]], side="right") - 1
        return Sightings(start, *columns, self.group[spot])

    def of(self, wanted: Array) -> Sightings:
        """Those of the spots (spots,) that are ``wanted``."""
        many = int(wanted.sum())
        if not wanted[:many].all():
            return self.ordered(*by_spot.grouped(np.where(wanted[self.spot], self.spot, -1)))
        start, n = self.start[: many + 1], self.start[many]
        return Sightings(start, self.frame[:n], self.row[:n], self.place[:n], self.group[:many])


def sightings(series: Series, course: Course) -> Sightings:
    """All of a pass, those of one spot in one place together, one a frame.

    The spot that is seen most takes in the sightings of the others in its place in frames in
    which it has none. Several groups of spots are told apart as `Ground.claims` says.
    """
    film = series.film
    if len(film.fixed) > 1:
        ground = Ground(series, course)
        number, group = ground.claims(course.group)
        place = ground.place[group, np.arange(len(number))]
        start, frame, row, place = by_spot.together(number, ground.frame, place)
        return Sightings(start, frame, row, place, group[row[start[:-1]]])
    every = placed(series, course)
    start, frame, row, place = by_spot.together(course.label, *every)
    reach = max(_GATE * course.noise, ROI_PART * series.rules.side)
    reach *= float(np.exp(-np.median(course.motions[:, 2])))
    host = by_spot.hosts(place, frame, start, reach, _TOGETHER)
    if (host != np.arange(len(host))).any():
        number = by_spot.united(host, start, frame, row, len(course.label), len(series))
        start, frame, row, place = by_spot.together(number, *every)
    return Sightings(start, frame, row, place, np.zeros(len(start) - 1, np.int64))


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
    stray = _strays(near, series, course)
    rows, start = by_spot.grouped(np.where(stray <= ROI_PART * series.rules.side, near.spot, -1))
    near, stray = near.ordered(rows, start), stray[rows]
    sharp = _sharp(series, course)
    kept = places.densest(near.frame, near.start, sharp, _DENSE * least) >= least
    kept &= ~_by_chance(near, series, course, single, len(lengths))
    kept &= _in_one_place(near, stray, series, course)
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
    scatter, start = course.scatter, series.film.start
    told = np.isfinite(scatter)
    if not told.any():
        return np.ones(len(scatter), bool)
    blurred = scatter > _BLURRED * float(np.median(scatter[told]))
    for now in np.flatnonzero(blurred & (scatter <= ROI_PART * series.rules.side / _GATE)):
        width = np.median(series.boxes[start[now] : start[now + 1], 2])
        blurred[now] = width > _WIDER * series.rules.side
    return np.asarray(~blurred)


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
    scale, size = series.film.scale, np.exp(course.motions[:, 2])
    distortion, apart = DISTORTION if np.ptp(scale) else 0.0, np.empty(len(found.frame))
    given = (found.start, found.place, found.frame, scale, size, distortion, _BLOCK, apart)
    shared(places.strays, found.start, *given)
    return apart


def _in_one_place(found: Sightings, stray: Array, series: Series, course: Course) -> Array:
    """Whether spots (spots,) keep to a place or leave it smoothly: by lens errors, or a phase's."""
    side, noise = series.rules.side, course.noise
    limit = max(_WANDERS * side, _GATE * noise / 2)
    usual = places.medians(stray, found.start, limit)
    keeps = usual <= limit
    doubtful = ~keeps & (usual <= 2 * limit)
    if doubtful.any():
        # Next to the mask only a part of a spot is seen, and its place is pulled.
        given = (series.film.points, found.row, found.start, doubtful, series.film.valid)
        keeps |= doubtful & ~places.clear(*given, int(side / 2), _LOOKED_AT)
    bends = places.bends(found.place, found.frame, found.start, ~keeps, _SMOOTHLY)
    bends *= float(np.exp(np.median(course.motions[:, 2])))
    return np.asarray(keeps | (bends <= max(_JUMPS * side, _GATE * noise / 2)))


def _still(found: Sightings, series: Series, course: Course) -> Array:
    """Whether spots (spots,) stay where they are on the screen while the pattern moves."""
    scale, result = course.motions[:, 2].copy(), np.zeros(len(found.start) - 1, bool)
    given = (found.place, found.row, found.frame, series.film.points, scale)
    shared(places.standing, found.start, found.start, *given, _MOVED, _STILL, result)
    return result


def _changeful(found: Sightings, series: Series) -> Array:
    """Whether spots (spots,) change their brightness as beams do and marks on a screen do not.

    The specular beam of a facet stands still at all energies, and is a spot.
    """
    start, score = found.start, series.boxes[found.row, 4]
    parts = [score[a:b] for a, b in pairwise(start)]
    low, high = np.array([np.quantile(part, [0.1, 0.9]) for part in parts]).reshape(-1, 2).T
    return np.asarray(high > _CHANGES * low)
