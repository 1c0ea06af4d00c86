"""Which of the spots that were linked are spots."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.ndimage import minimum_filter
from scipy.spatial import cKDTree
from scipy.special import gammainc

from trackleed_trackers_box.compiled import places
from trackleed_trackers_box.compiled.steps import DISTORTION, ROI_PART
from trackleed_trackers_box.linking import within
from trackleed_trackers_box.motion import placed

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
_BLOCK = 5  # sightings, and as many to each side tell their middle: lens errors are slow


@dataclass(frozen=True)
class Sightings:
    """Detections that were linked, sorted by spot and frame: the spot with most of them first.

    Attributes
    ----------
    spot, frame : ndarray (n,)
        From 0; frames in the order of linking.
    row : ndarray (n,)
        Of all detections, one frame after another.
    point, place : ndarray (n, 2)
        On the screen, in the pattern.
    stray : ndarray (n,)
        Distance to where the others around it are, px; 0 before it is told.
    """

    spot: Array
    frame: Array
    row: Array
    point: Array
    place: Array
    stray: Array

    @property
    def start(self) -> Array:
        """Where each spot begins, (spots + 1,)."""
        return np.append(0, np.cumsum(np.bincount(self.spot)))

    def some(self, wanted: Array, spot: Array) -> Sightings:
        """What is ``wanted`` (n,), of spots (n,) that it is told: the one with most first.

        Those of one spot have to stand in the order of frames.
        """
        rows = np.flatnonzero(wanted)
        counts = np.bincount(spot[rows])
        by_count = np.argsort(-counts, kind="stable")[: int((counts > 0).sum())]
        rank = np.zeros(len(counts), int)
        rank[by_count] = np.arange(len(by_count))
        rank = rank[spot[rows]]
        sort = places.grouped(rank, len(by_count))
        rows = rows[sort]
        columns = (self.frame, self.row, self.point, self.place, self.stray)
        return Sightings(rank[sort], *(column[rows] for column in columns))


def sightings(series: Series, course: Course) -> Sightings:
    """All of a pass, those of one spot in one place together, one a frame.

    The spot that is seen most takes in the sightings of the others in its place in frames in
    which it has none.
    """
    spot, frame, point = course.label, series.frame, series.film.points
    place = placed(course.motions[frame], point)
    every = Sightings(spot, frame, np.arange(len(spot)), point, place, np.zeros(len(spot)))
    found = every.some(spot >= 0, spot)
    host = _hosts(found, series, course)
    shared = np.isin(host, host[host != np.arange(len(host))])[found.spot]
    if not shared.any():
        return found
    # Of two in one frame that of the spot with more sightings stays.
    of, rows = host[found.spot], np.flatnonzero(shared)
    rows = rows[np.lexsort((found.spot[rows], found.frame[rows], of[rows]))]
    again = (np.diff(of[rows]) == 0) & (np.diff(found.frame[rows]) == 0)
    number = np.full(len(spot), -1)
    number[found.row] = of
    number[found.row[rows[1:][again]]] = -1
    return every.some(number >= 0, number)


def _hosts(found: Sightings, series: Series, course: Course) -> Array:
    """Spot (spots,) that each spot is one with; they are numbered by how often they are seen."""
    start = found.start
    host = np.arange(len(start) - 1)
    if not len(host):
        return host
    centre = np.add.reduceat(found.place, start[:-1]) / np.diff(start)[:, None]
    reach = max(_GATE * course.noise, ROI_PART * series.rules.side)
    reach *= float(np.exp(-np.median(course.motions[:, 2])))
    pairs = np.sort(cKDTree(centre).query_pairs(reach, output_type="ndarray"), axis=1)
    for first, second in pairs[np.lexsort(pairs.T[::-1])].tolist():
        if host[first] == first and host[second] == second:
            one, other = (found.frame[start[k] : start[k + 1]] for k in (first, second))
            # Two that are seen together are two.
            both = (np.searchsorted(one, other, side="right") > np.searchsorted(one, other)).sum()
            if both <= _TOGETHER * len(other):
                host[second] = first
    return host


def tracks(found: Sightings, series: Series, course: Course, least: int) -> Sightings:
    """Those sightings that are of spots.

    That is: ``least`` sightings in sharp frames not far from each other, more than false
    detections bring together by chance, in one place of the pattern, and not still and as bright
    as ever on the screen while the pattern moves. What is far from the others is no sighting of
    theirs.
    """
    lengths = np.diff(found.start)
    single = int(lengths[lengths < max(least, 2)].sum())
    near = found.some((lengths >= least)[found.spot], found.spot)
    near = replace(near, stray=_strays(near, series, course))
    near = near.some(near.stray <= ROI_PART * series.rules.side, near.spot)
    kept = _lasting(near, _sharp(series, course), least)
    kept &= ~_by_chance(near, series, course, single, len(lengths))
    kept &= _in_one_place(near, series, course)
    still = kept & _still(near, course)
    if still.any():
        still &= ~_changeful(near, series)
    if 2 * still.sum() < kept.sum():
        # Marks and hot pixels are fewer than spots; half of the spots may stand while others pass.
        kept &= ~still
    return near.some(kept[near.spot], near.spot)


def _lasting(found: Sightings, sharp: Array, least: int) -> Array:
    """Whether spots (spots,) are seen so often, in ``sharp`` frames not far from each other."""
    sharp = sharp[found.frame]
    start = np.append(0, np.cumsum(sharp))[found.start]
    return np.asarray(places.densest(found.frame[sharp], start, _DENSE * least) >= least)


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
    start = found.start
    apart = places.strays(found.place, start, _BLOCK)
    scale = series.film.scale[found.frame]
    usual = places.medians(scale, start)[found.spot]
    allowed = DISTORTION * np.abs(scale - usual) * np.hypot(*found.place.T)
    return np.asarray((apart - allowed) * np.exp(course.motions[found.frame, 2]))


def _in_one_place(found: Sightings, series: Series, course: Course) -> Array:
    """Whether spots (spots,) keep to a place or leave it smoothly: by lens errors, or a phase's."""
    start = found.start
    side, noise = series.rules.side, course.noise
    usual = places.medians(found.stray, start)
    limit = max(_WANDERS * side, _GATE * noise / 2)
    clear = minimum_filter(series.film.valid, 2 * int(series.rules.side / 2) + 1, mode="nearest")
    free = np.bincount(found.spot, within(found.point, clear)) > 0.5 * np.diff(start)
    # Next to the mask only a part of a spot is seen, and its place is pulled.
    keeps = usual <= np.where(free, limit, 2 * limit)
    bends = places.bends(found.place, found.frame, start, _SMOOTHLY)
    bends *= float(np.exp(np.median(course.motions[:, 2])))
    return np.asarray(keeps | (bends <= max(_JUMPS * side, _GATE * noise / 2)))


def _still(found: Sightings, course: Course) -> Array:
    """Whether spots (spots,) stay where they are on the screen while the pattern moves."""
    scale = _means(np.exp(course.motions[found.frame, 2])[:, None], found.start)[:, 0]
    in_pattern = _scatter(found.place, found.start) * scale
    on_screen = _scatter(found.point, found.start)
    return np.asarray((in_pattern > _MOVED) & (on_screen < _STILL * in_pattern))


def _changeful(found: Sightings, series: Series) -> Array:
    """Whether spots (spots,) change their brightness as beams do and marks on a screen do not.

    The specular beam of a facet stands still at all energies, and is a spot.
    """
    start, score = found.start, series.boxes[found.row, 4]
    parts = [score[a:b] for a, b in pairwise(start)]
    low, high = np.array([np.quantile(part, [0.1, 0.9]) for part in parts]).reshape(-1, 2).T
    return np.asarray(high > _CHANGES * low)


def _means(value: Array, start: Array) -> Array:
    """Mean (spots, k) of the values (n, k) of each spot."""
    if len(start) < 2:
        return np.zeros((0, value.shape[1]))
    return np.asarray(np.add.reduceat(value, start[:-1]) / np.diff(start)[:, None])


def _scatter(at: Array, start: Array) -> Array:
    """Standard deviation (spots,) of the positions (n, 2) of each spot."""
    middle = np.repeat(_means(at, start), np.diff(start), axis=0)
    return np.asarray(np.sqrt(_means((at - middle) ** 2, start).sum(axis=1)))
