"""One frame after another: its motion, its links, and what they tell of the spots."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from trackleed_trackers_box.compiled.basics import in_pattern, on_screen
from trackleed_trackers_box.compiled.jit import entry, part
from trackleed_trackers_box.compiled.near import among, gathered, squares, view
from trackleed_trackers_box.compiled.pairs import crowded, paired
from trackleed_trackers_box.compiled.search import registered

if TYPE_CHECKING:
    from trackleed_trackers_box.compiled.model import Film, Path, Rules, Spots
    from trackleed_trackers_box.compiled.near import Pairs, View

    Array = np.ndarray[Any, np.dtype[Any]]

NOISE, WANDER, USUAL = 0, 1, 2  # places of `Spots.told`
ROI_PART = 0.25  # of a ROI's side: nothing nearer to a spot is another one
DISTORTION = 0.03  # px per px that a spot moves by the scale
LEAST_WANDER = 0.05  # px, that an offset changes from frame to frame

_GATE = 4.0  # standard deviations between a spot and its detection
_CROWDED = 0.45  # of the way to the next spot, of a gate
_NARROWEST = 1.0  # px, of such a gate
_FORGET = 0.15  # weight of the newest frame in a spot's presence
_NEW = 0.5  # presence of a spot that was seen once
FORGOTTEN = 0.05  # presence of a spot that never lasted
_THERE = 0.4  # presence of a spot that is a neighbour to be told from
_LEAST_NOISE, _MOST_NOISE = 0.3, 3.0  # px, limits to the scatter of detections
_SMOOTHING = 0.2  # weight of the newest frame in that scatter
_TELLING = 3  # spots that do not yet tell it
_ADAPT = 0.2  # of the logarithm of the wander, in a frame in which all errors last
_LASTING = 0.05  # correlation of errors that are allowed to
_LAGGING = 4.0  # variances, of two errors in a row along each other, that are no chance
_FAR = 3.0  # standard deviations from which a detection is doubted
_ROUGH = 1.0  # px, scatter of detections besides, when any scale is looked for


@entry
def pursued(
    film: Film,
    rules: Rules,
    spots: Spots,
    path: Path,
    first: int,
    before: int,
    order: Array,
    wide: float,
    sure: float,
) -> None:
    """Follow the spots from ``first`` on through the frames of ``order``, after ``before``.

    If ``wide`` is not 0 the scale is looked for in so wide a range, of its logarithm, about that
    of the frame before.
    """
    known = _muster(spots, first)
    for now in order:
        change = 0.0 if wide > 0 else film.scale[now] - film.scale[before]
        expected = path.motions[before].copy()
        expected[2] += change
        place, presence = _sorted(film, spots, known, expected)
        known, alive = spots.number[0], spots.alive[: spots.number[1]]
        loose = _loosen(spots, alive, expected[2], DISTORTION * abs(change))
        spread, usual = np.full(4, rules.shift), spots.told[USUAL]
        spread[2], spread[3] = rules.scale + rules.step * abs(change), rules.angle
        if wide > 0:
            spread[2], usual, loose = wide, rules.shift, _ROUGH
        points = film.points[film.start[now] : film.start[now + 1]]
        weights = film.weights[film.start[now] : film.start[now + 1]]
        if len(points) and len(place):
            both = view(place, presence, points, weights)
            noise = np.hypot(spots.told[NOISE], loose)
            motion, seen, pairs = registered(both, film.area, noise, expected, spread, usual, sure)
        else:
            motion, seen = expected, False
        path.seen[now] = seen
        for k in range(4):
            path.motions[now, k] = motion[k]
        if seen:
            step = motion - path.motions[before]
            usual += _FORGET * (np.hypot(step[0], step[1]) - usual)
            spots.told[USUAL] = max(usual, spots.told[NOISE])
            _linked(film, rules, spots, path, now, both, pairs)
        before = now


@part
def _muster(spots: Spots, first: int) -> int:
    """List the spots from ``first`` on that may still be seen; return how many spots there are."""
    known = spots.number[0]
    there = first + np.flatnonzero(spots.presence[first:known] > FORGOTTEN)
    there = there[np.argsort(spots.place[there, 0])]
    spots.alive[: len(there)] = there
    spots.number[1] = len(there)
    return known


@part
def _sorted(film: Film, spots: Spots, known: int, motion: Array) -> tuple[Array, Array]:
    """Bring the list of spots up to date, with those from number ``known`` on, by x on the screen.

    Returns
    -------
    place : ndarray (n, 2)
        Of those on the list.
    presence : ndarray (n,)
    """
    count, alive = 0, spots.alive
    for k in range(spots.number[1]):
        alive[count] = alive[k]
        count += spots.presence[alive[k]] > FORGOTTEN
    new = np.arange(known, spots.number[0])
    x, x_new = _by_x(film, spots, alive[:count], motion), _by_x(film, spots, new, motion)
    spots.number[1] = count + len(new)
    for k in range(len(new) - 1, -1, -1):
        while count and x[count - 1] > x_new[k]:
            count -= 1
            alive[count + k + 1] = alive[count]
        alive[count + k] = new[k]
    presence = np.empty(spots.number[1])
    for k in range(len(presence)):
        presence[k] = spots.presence[alive[k]]
    return _standing(film, spots, alive[: len(presence)], motion[2]), presence


@part
def _by_x(film: Film, spots: Spots, some: Array, motion: Array) -> Array:
    """Sort the numbers of some spots by x on the screen, which is returned; little moves."""
    place, x = _standing(film, spots, some, motion[2]), np.empty(len(some))
    cosine, sine = np.exp(motion[2]) * np.cos(motion[3]), np.exp(motion[2]) * np.sin(motion[3])
    for k in range(len(some)):
        spot, own, i = some[k], place[k, 0] * cosine - place[k, 1] * sine, k
        while i > 0 and x[i - 1] > own:
            some[i], x[i] = some[i - 1], x[i - 1]
            i -= 1
        some[i], x[i] = spot, own
    return x


@part
def _standing(film: Film, spots: Spots, alive: Array, scale: float) -> Array:
    """Places in the pattern (n, 2) at a scale, where groups but the first shift with it."""
    place, shift = np.empty((len(alive), 2)), film.fixed * np.exp(-scale)
    for k in range(len(alive)):
        spot, group = alive[k], spots.group[alive[k]]
        place[k, 0] = spots.place[spot, 0] + shift[group, 0]
        place[k, 1] = spots.place[spot, 1] + shift[group, 1]
    return place


@part
def _loosen(spots: Spots, alive: Array, scale: float, distortion: float) -> float:
    """Let spots be less certain by a step, and return by how much, px, they usually are."""
    size, arms = np.exp(scale), np.zeros(len(alive))
    for k in range(len(alive)):
        spot = alive[k]
        if distortion > 0:
            arms[k] = np.sqrt(spots.place[spot, 0] ** 2 + spots.place[spot, 1] ** 2) * size
        spots.variance[spot] += ((spots.told[WANDER] + distortion * arms[k]) / size) ** 2
    return distortion * np.median(arms) if distortion > 0 and len(arms) else 0.0


@part
def _linked(
    film: Film, rules: Rules, spots: Spots, path: Path, now: int, both: View, pairs: Pairs
) -> None:
    """Link the detections of a frame whose motion is known, and learn from it."""
    motion, alive = path.motions[now], spots.alive[: spots.number[1]]
    place, size = _standing(film, spots, alive, motion[2]), np.exp(motion[2])
    at = on_screen(motion, place)
    spread, gate = np.empty(len(alive)), np.empty(len(alive))
    for k in range(len(alive)):
        spread[k] = np.sqrt(spots.variance[alive[k]] * size**2 + spots.told[NOISE] ** 2)
        gate[k] = max(_GATE * spread[k], ROI_PART * rules.side)
    crowded(at, both.presence > _THERE, gate, _CROWDED, _NARROWEST)
    if len(film.fixed) > 1:
        # At another scale than was expected, spots of other groups stand elsewhere.
        both = view(place, both.presence, both.points, both.weights)
        pairs = gathered(both, motion, gate.max())
    else:
        pairs = among(both, pairs, motion, gate.max())
    chosen = paired(pairs, squares(pairs, motion), spread, gate, len(both.points))
    for k in range(len(alive)):
        column, row = int(np.rint(at[k, 0])), int(np.rint(at[k, 1]))
        inside = 0 <= row < film.valid.shape[0] and 0 <= column < film.valid.shape[1]
        if inside and film.valid[row, column]:
            spots.presence[alive[k]] *= 1 - _FORGET
        if chosen[k] >= 0:
            spots.presence[alive[k]] = min(spots.presence[alive[k]] + _FORGET, 1.0)
    place = in_pattern(motion, both.points)
    noise = spots.told[NOISE] / size
    shift = film.fixed / size
    scatter, agree = _updated(spots, alive, chosen, place, shift, noise)
    label = path.label[film.start[now] : film.start[now + 1]]
    hits = 0
    for k in range(len(alive)):
        if chosen[k] >= 0:
            label[chosen[k]] = alive[k]
            hits += 1
    if hits > _TELLING:
        # The median of a length of two normal errors is 1.18 standard deviations of each.
        path.scatter[now] = scatter / 1.18 * size
        _told(spots, path.scatter[now], agree)
    added(spots, label, place, shift, noise**2)


@part
def _told(spots: Spots, scatter: float, agree: float) -> None:
    """Scatter and wander, brought up to date by a frame."""
    noise = (1 - _SMOOTHING) * spots.told[NOISE] + _SMOOTHING * scatter
    spots.told[NOISE] = min(max(noise, _LEAST_NOISE), _MOST_NOISE)
    # Errors that last say that spots are followed too slowly (R. K. Mehra, IEEE Trans.
    # Autom. Control 15, 175, 1970).
    wander = spots.told[WANDER] * np.exp(_ADAPT * (agree - _LASTING))
    spots.told[WANDER] = min(max(wander, LEAST_WANDER), spots.told[NOISE])


@entry
def added(spots: Spots, label: Array, place: Array, shift: Array, variance: float) -> None:
    """A spot for each detection of a frame that has none yet; one of each group, as it may be.

    ``shift`` (groups, 2) is that of the groups in the pattern.
    """
    for i in range(len(label)):
        if label[i] >= 0:
            continue
        label[i] = spots.number[0]
        for group in range(len(shift)):
            spot = spots.number[0]
            spots.variance[spot], spots.presence[spot] = variance, _NEW / len(shift)
            spots.group[spot] = group
            for axis in range(2):
                spots.place[spot, axis] = place[i, axis] - shift[group, axis]
                spots.error[spot, axis] = 0.0
            spots.number[0] += 1


@part
def _updated(
    spots: Spots, alive: Array, chosen: Array, measured: Array, shift: Array, noise: float
) -> tuple[float, float]:
    """Take what was found into the state of the spots: a Kalman filter of two equal axes.

    What stands far from its place is hardly followed: it may be something else that passes.

    Returns
    -------
    scatter : float
        Median distance between spots and what was found, in the pattern.
    agree : float
        Correlation of errors with the errors before: positive if spots run ahead of their state.
    """
    apart, hits, together, both = np.empty(len(alive)), 0, 0.0, 0
    for k in range(len(alive)):
        if chosen[k] < 0:
            continue
        spot = alive[k]
        group = spots.group[spot]
        ex = measured[chosen[k], 0] - shift[group, 0] - spots.place[spot, 0]
        ey = measured[chosen[k], 1] - shift[group, 1] - spots.place[spot, 1]
        square = ex * ex + ey * ey
        apart[hits] = np.sqrt(square)
        hits += 1
        last = spots.error[spot]
        along = ex * last[0] + ey * last[1]
        if along > _LAGGING * (spots.variance[spot] + noise**2):
            # It runs ahead, as the specular beam of a facet does, which the scale does not move.
            spots.variance[spot] += along
        total = spots.variance[spot] + noise**2
        gain = spots.variance[spot] / total / (1 + square / (_FAR**2 * total))
        spots.place[spot, 0] += gain * ex
        spots.place[spot, 1] += gain * ey
        spots.variance[spot] *= 1 - gain
        before = last[0] ** 2 + last[1] ** 2
        if before > 0 and square > 0:
            # Unit vectors, so that one large error is no more than another.
            together += along / np.sqrt(square * before)
            both += 1
        last[0], last[1] = ex, ey
    return np.median(apart[:hits]) if hits else np.nan, together / max(both, 1)
