"""The motion that all spots of a pattern share, found in one frame's detections."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from trackleed_trackers_box.compiled.jit import part
from trackleed_trackers_box.compiled.moving import SLACK, agreement, ballot, refined
from trackleed_trackers_box.compiled.near import gathered, hold

if TYPE_CHECKING:
    from trackleed_trackers_box.compiled.near import Pairs, View

    Array = np.ndarray[Any, np.dtype[Any]]

_BIN = 3.0  # px, of the votes for a shift
_REACH = 3.0  # spreads that a shift may be long
_CANDIDATES = 3  # shifts that are tried
_WORTH = 0.6  # votes of a shift that is tried, over those of the best
_APART = 2  # cells between two shifts that are tried
_TURNS = 0.05  # rad, that a pattern may be turned by when it is
_GATE = 4.0  # standard deviations between a spot and its detection
_MOST = 0.8  # of the detections, by weight, that leave no room for another motion
_MANY = 4  # detections, at least, that do


@part
def registered(
    seen: View,
    area: float,
    noise: float,
    expected: Array,
    spread: Array,
    usual: float,
    sure: float,
) -> tuple[Array, bool, Pairs]:
    """The motion (4,) of one frame, whether the frame shows it, and the pairs it rests on.

    Detections vote for the shifts that bring spots onto them; the best few are refined
    by iteratively reweighted least squares with the expectation as a prior, and that of
    the largest posterior is taken. It is known if its odds against a chance meeting of
    spots and false detections are good; if not, the expected motion is returned.

    Parameters
    ----------
    seen : View
        At least one spot and one detection.
    area : float
        Of the valid screen, px.
    noise : float
        Standard deviation of a detection's place, px.
    expected : ndarray (4,)
        Motion.
    spread : ndarray (4,)
        Standard deviations of the motion when the pattern jumps.
    usual : float
        The same of its shift, px, when it does not jump.
    sure : float
        Natural logarithm of the odds that make a motion known.
    """
    best, most, some = expected, -np.inf, len(seen.points)
    least = max(_GATE * noise, 1.0)
    reach, half = max(2 * _BIN, least), int(np.ceil(_REACH * spread[0] / _BIN))
    size = seen.far * np.exp(expected[2])
    worth = _worth(some, area, noise, 1.0)
    # First what is expected, then any shift, then any scale, then any turn: what explains enough
    # is taken.
    loose, enough = spread.copy(), False
    wide = gathered(seen, expected, reach + SLACK)
    known = wide
    for stage in range(4):
        offsets = np.zeros((1, 2))
        if stage == 1:
            wide = gathered(seen, expected, (half + 0.5) * _BIN + reach + SLACK)
        if stage == 2:
            offsets = _offsets(2 * spread[2], size, 0)
        if stage == 3:
            loose[3] = max(spread[3], _TURNS)
            offsets = _offsets(2 * loose[3], size, 1)
        if stage == 0:
            starts = expected.copy().reshape(1, 4)
        elif stage > 1 and len(offsets) == 1:
            continue
        else:
            starts = _starts(seen, wide, expected, offsets, loose, worth, half)
        for start in starts:
            motion, pairs = refined(seen, wide, start, expected, loose, noise, reach, least)
            hits, share, there, trust, misfit = agreement(seen, pairs, motion, _GATE * noise)
            if hits:
                # How many of the spots are there at all is not known, since most may have
                # vanished: the share that is seen is put in, at the price of one for each.
                odds = trust * (_worth(some, area, noise, there) - 1)
                odds -= 0.5 * misfit / noise**2 + _surprise(motion - expected, noise, spread, usual)
                if odds > most:
                    best, most, enough = motion, odds, hits >= _MANY and share > _MOST
                    known = pairs
        if enough:
            return best, True, known
    return (best if most > sure else expected), most > sure, known


@part
def _offsets(span: float, size: float, axis: int) -> Array:
    """Changes (n, 2) of scale and angle, along one axis, that move the outermost spot by cells."""
    count = int(np.ceil(span * size / _BIN - 0.5)) if span * size > _BIN / 2 else 0
    offsets = np.zeros((2 * count + 1, 2))
    for k in range(2 * count + 1):
        offsets[k, axis] = span * (k - count) / max(count, 1)
    return offsets


@part
def _starts(
    seen: View,
    wide: Pairs,
    expected: Array,
    offsets: Array,
    spread: Array,
    worth: float,
    half: int,
) -> Array:
    """The few motions (n, 4) that most pairs of spot and detection vote for, best first."""
    votes, tried = np.empty(_CANDIDATES * len(offsets)), np.empty((_CANDIDATES * len(offsets), 4))
    for k in range(len(offsets)):
        motion = expected.copy()
        motion[2] += offsets[k, 0]
        motion[3] += offsets[k, 1]
        reach = (half + 0.5) * _BIN
        pairs = wide if hold(seen, wide, motion, reach) else gathered(seen, motion, reach)
        table = ballot(pairs, motion, half, _BIN)
        rare = (offsets[k, 0] / spread[2]) ** 2 + (offsets[k, 1] / spread[3]) ** 2
        for row in range(len(table)):
            for column in range(len(table)):
                away = (row - half - 1) ** 2 + (column - half - 1) ** 2
                prior = away * (_BIN / spread[0]) ** 2 + rare
                table[row, column] = worth * table[row, column] - 0.5 * prior
        for n in range(_CANDIDATES * k, _CANDIDATES * (k + 1)):
            row, column = _peak(table)
            votes[n] = table[row, column]
            tried[n, 0] = motion[0] + (column - half - 1) * _BIN
            tried[n, 1] = motion[1] + (row - half - 1) * _BIN
            tried[n, 2], tried[n, 3] = motion[2], motion[3]
            for y in range(max(row - _APART, 0), min(row + _APART + 1, len(table))):
                for x in range(max(column - _APART, 0), min(column + _APART + 1, len(table))):
                    table[y, x] = -np.inf
    return _best(votes, tried)


@part
def _peak(table: Array) -> tuple[int, int]:
    """Row and column of the largest element."""
    row = column = 0
    for y in range(table.shape[0]):
        for x in range(table.shape[1]):
            if table[y, x] > table[row, column]:
                row, column = y, x
    return row, column


@part
def _best(votes: Array, tried: Array) -> Array:
    """The few motions (n, 4) with most votes that are not the same shift, best first."""
    starts, count, most = np.empty((_CANDIDATES, 4)), 0, votes.max()
    while count < _CANDIDATES:
        n = 0
        for k in range(len(votes)):
            if votes[k] > votes[n]:
                n = k
        if not votes[n] >= _WORTH * most:
            break
        votes[n], clear = -np.inf, True
        for k in range(count):
            dx, dy = tried[n, 0] - starts[k, 0], tried[n, 1] - starts[k, 1]
            clear = clear and max(abs(dx), abs(dy)) > _APART * _BIN
        if clear:
            for axis in range(4):
                starts[count, axis] = tried[n, axis]
            count += 1
    return starts[:count]


@part
def _worth(detections: int, area: float, noise: float, share: float) -> float:
    """Log odds of one meeting at no distance, when ``share`` of the spots are there."""
    chance = max(detections, 1) / area * 2 * np.pi * noise**2
    return max(np.log(share / chance), 0.0)


@part
def _surprise(step: Array, noise: float, spread: Array, usual: float) -> float:
    """Log odds against a step of the motion, and against one so exactly measured by chance.

    A pattern either goes on as usual or jumps, and is turned as usual or by much.
    """
    squared, odds = step[0] ** 2 + step[1] ** 2, np.inf
    for size in (usual, spread[0]):
        one = 0.5 * squared / size**2 + 2 * np.log(max(size / noise, 1.0)) + np.log(2)
        odds = min(odds, one)
    steady = (step[3] / spread[3]) ** 2
    turned = (step[3] / _TURNS) ** 2 + 2 * np.log(2 * _TURNS / spread[3])
    return odds + 0.5 * ((step[2] / spread[2]) ** 2 + min(steady, turned))
