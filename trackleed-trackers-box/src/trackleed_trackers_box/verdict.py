"""Which of the spots that were linked are spots, and where they are when they are not seen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.ndimage import minimum_filter
from scipy.spatial import cKDTree
from scipy.special import gammainc

from trackleed_trackers_box.following import DISTORTION, ROI_PART
from trackleed_trackers_box.linking import within
from trackleed_trackers_box.motion import placed, shown

if TYPE_CHECKING:
    from collections.abc import Sequence

    from trackleed_trackers_box.following import Course, Series

    Array = np.ndarray[Any, np.dtype[Any]]

_CHANCE = 1e-2  # of one track, in all, that false detections make
_GATE = 4.0  # standard deviations between a spot and its detection
_STILL = 0.3  # scatter on the screen over that in the pattern, of what does not move with it
_MOVED = 1.0  # px, scatter in the pattern from which that can be told
_BLURRED = 3.0  # times the usual scatter of the spots in a frame: out of focus
_GOOD = 0.3  # px, scatter that is never taken for that
_DENSE = 2  # times as many frames as sightings may lie between those that make a track
_WANDERS = 0.07  # of a ROI, usual distance from the middle of its places, of what wanders
_JUMPS = 0.025  # of a ROI, usual step from frame to frame, of what wanders without a reason
_JUMPY = 0.15  # of a ROI, usual jump of a pattern whose place is not known unless it is seen
_SMOOTHLY = 10  # steps that can tell that
_SMOOTH = 2  # detections to each side that a place is the mean of


@dataclass(frozen=True)
class Sightings:
    """Every detection that was linked, sorted by spot and frame.

    Attributes
    ----------
    frame, row : ndarray (n,)
    spot : ndarray (n,)
    point, place : ndarray (n, 2)
        On the screen, in the pattern.
    """

    frame: Array
    row: Array
    spot: Array
    point: Array
    place: Array


def sightings(series: Series, course: Course) -> Sightings:
    """All of a pass."""
    counts = [len(label) for label in course.labels]
    frame = np.repeat(np.arange(len(counts)), counts)
    row = np.concatenate([np.arange(count) for count in counts])
    spot = np.concatenate(course.labels)
    point = np.concatenate([box[:, :2] for box in series.boxes])
    place = np.concatenate(
        [placed(m, box[:, :2]) for m, box in zip(course.motions, series.boxes)]  # noqa: B905
    )
    sort = np.lexsort((frame, spot))
    sort = sort[spot[sort] >= 0]
    return Sightings(frame[sort], row[sort], spot[sort], point[sort], place[sort])


def joined(found: Sightings, series: Series, course: Course) -> list[Array]:
    """Sightings (n,) of each spot, one a frame; what is in one place is one spot.

    The spot that is seen most comes first, and takes in the sightings of the others in frames
    in which it has none.
    """
    spots, start = np.unique(found.spot, return_index=True)
    groups = np.split(np.arange(len(found.spot)), start[1:]) if len(spots) else []
    groups.sort(key=len, reverse=True)
    centre = np.array([found.place[group].mean(axis=0) for group in groups]).reshape(-1, 2)
    reach = max(_GATE * course.noise, ROI_PART * series.side)
    reach *= float(np.exp(-np.median(course.motions[:, 2])))
    near = cKDTree(centre).query_ball_point(centre, reach) if len(groups) else []
    taken, result = np.zeros(len(groups), bool), []
    for k, group in enumerate(groups):
        if taken[k]:
            continue
        for other in sorted(near[k]):
            if other > k and not taken[other]:
                more = groups[other]
                group = np.append(group, more[~np.isin(found.frame[more], found.frame[group])])
                taken[other] = True
        result.append(group[np.argsort(found.frame[group])])
    return result


def tracks(
    groups: Sequence[Array], found: Sightings, series: Series, course: Course, least: int
) -> list[Array]:
    """Those groups of sightings that are spots.

    That is: ``least`` sightings in sharp frames not far from each other, more than false
    detections bring together by chance, in one place of the pattern, and not still on the
    screen while the pattern moves. What is far from the others is no sighting of theirs.
    """
    single = sum(len(group) for group in groups if len(group) < max(least, 2))
    density = single / max(series.area * max(course.seen.sum(), 1), 1)
    area = np.pi * (_GATE * course.noise) ** 2
    counted = np.append(0, np.cumsum(course.seen))
    sharp = _sharp(course)
    clear = minimum_filter(series.valid, 2 * int(series.side / 2) + 1, mode="nearest")
    kept = []
    for whole in groups:
        group = whole[_strays(whole, found, series, course) <= ROI_PART * series.side]
        frame = found.frame[group]
        if _densest(frame[sharp[frame]], _DENSE * least) < least:
            continue
        # Poisson: as many further detections as these, or more, near the first.
        by_chance = density * area * (counted[frame[-1] + 1] - counted[frame[0]])
        if len(group) > 1 and gammainc(len(group) - 1, by_chance) * len(groups) > _CHANCE:
            continue
        if _one_place(group, found, series, course, clear) and not _still(group, found, course):
            kept.append(group)
    return kept


def _sharp(course: Course) -> Array:
    """Frames (n,) in which spots do not scatter unusually, as they do out of focus."""
    told = course.scatter[np.isfinite(course.scatter)]
    limit = max(_BLURRED * float(np.median(told)), _GOOD) if len(told) else np.inf
    return np.asarray(~(course.scatter > limit))


def _densest(frames: Array, window: int) -> int:
    """Most of the sorted frames within a window."""
    if not len(frames):
        return 0
    return int((np.searchsorted(frames, frames + window) - np.arange(len(frames))).max())


def _strays(group: Array, found: Sightings, series: Series, course: Course) -> Array:
    """How far (n,) sightings are from the middle of them, px, less what lens errors allow."""
    scale, place = series.scale[found.frame[group]], found.place[group]
    size = np.exp(course.motions[found.frame[group], 2])
    middle = np.median(place, axis=0)
    allowed = DISTORTION * np.abs(scale - np.median(scale)) * np.hypot(*middle)
    return np.asarray((np.hypot(*(place - middle).T) - allowed) * size)


def _one_place(
    group: Array, found: Sightings, series: Series, course: Course, clear: Array
) -> bool:
    """Whether sightings keep to a place, or leave it smoothly as lens errors make spots do."""
    usual = float(np.median(_strays(group, found, series, course)))
    limit = max(_WANDERS * series.side, _GATE * course.noise / 2)
    # Next to the mask only a part of a spot is seen, and its place is pulled.
    if usual <= (limit if within(found.point[group], clear).mean() > 0.5 else 2 * limit):
        return True
    frame, place = found.frame[group], found.place[group]
    next_frame = np.diff(frame) == 1
    size = np.exp(course.motions[frame[1:], 2])[next_frame]
    step = np.hypot(*np.diff(place, axis=0)[next_frame].T) * size
    return len(step) >= _SMOOTHLY and float(np.median(step)) <= _JUMPS * series.side


def _still(group: Array, found: Sightings, course: Course) -> bool:
    """Whether something stays where it is on the screen while the pattern moves."""
    scale = float(np.exp(course.motions[found.frame[group], 2]).mean())
    in_pattern = float(np.hypot(*found.place[group].std(axis=0))) * scale
    on_screen = float(np.hypot(*found.point[group].std(axis=0)))
    return in_pattern > _MOVED and on_screen < _STILL * in_pattern


def unseen(
    group: Array, found: Sightings, motions: Array, known: Array, max_gap: int
) -> tuple[Array, Array]:
    """Frames (k,) near enough to a sighting to know where the spot is, and where, (k, 2).

    That is ``max_gap`` frames, but no more than the spot was seen in.
    """
    at, frames = found.frame[group], np.arange(len(known))
    after = np.clip(np.searchsorted(at, frames), 0, len(at) - 1)
    before = np.clip(after - 1, 0, None)
    apart = np.minimum(np.abs(frames - at[after]), np.abs(frames - at[before]))
    wanted = np.flatnonzero((apart > 0) & (apart <= min(max_gap, len(at))) & known)
    place = _smoothed(found.place[group])
    between = np.stack([np.interp(wanted, at, place[:, axis]) for axis in (0, 1)], axis=1)
    where = [shown(motions[f], u) for f, u in zip(wanted, between)]  # noqa: B905
    return wanted, np.array(where).reshape(-1, 2)


def _smoothed(place: Array) -> Array:
    """Running mean, over fewer places at the ends."""
    total = np.vstack([np.zeros((1, 2)), np.cumsum(place, axis=0)])
    at = np.arange(len(place))
    low, high = np.clip(at - _SMOOTH, 0, None), np.clip(at + _SMOOTH + 1, None, len(place))
    return np.asarray((total[high] - total[low]) / (high - low)[:, None])


def bridged(series: Series, course: Course) -> tuple[Array, Array]:
    """Motions (n, 4) with those between known ones interpolated, and which are known (n,).

    Beyond the first and the last frame that shows the pattern nothing is known, nor between
    them if the pattern jumps about. The scale follows the expected one.
    """
    seen, frames = np.flatnonzero(course.seen), np.arange(len(course.motions))
    motions = course.motions - np.outer(series.scale, [0, 0, 1, 0])
    known = course.seen.copy()
    if len(seen):
        known[seen[0] : seen[-1] + 1] |= _steadiness(motions[seen, :2]) < _JUMPY * series.side
        for column in range(4):
            motions[:, column] = np.interp(frames, seen, motions[seen, column])
    return motions + np.outer(series.scale, [0, 0, 1, 0]), known


def _steadiness(at: Array) -> float:
    """How far, px, the pattern usually is from the middle between its neighbours in time."""
    if len(at) < 3:
        return 0.0
    return float(np.median(np.hypot(*(at[1:-1] - (at[:-2] + at[2:]) / 2).T)))
