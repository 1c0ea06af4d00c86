"""Points about which spots contract: the pattern's, and those of facets.

Two detections of one spot, in frames whose scales are known, tell the point about which the one
would go to the other. Pairs that belong together agree on it, in all frames. The spots of a facet
go towards the specular beam of the facet, which stands elsewhere on the screen than that of the
surface (M. Henzler, Surf. Sci. 22, 12, 1970).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.ndimage import uniform_filter
from scipy.spatial import cKDTree

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    Array = np.ndarray[Any, np.dtype[Any]]
    Pairs = Sequence[tuple[int, int]]
    Points = Sequence[Array] | Mapping[int, Array]

_CELL = 6.0  # px, of the votes
_BIN = 2.0  # px, that spots are uncertain by
_CLEAR = 0.07  # change of the (log) scale that tells one point from another
_ALIKE = 0.3  # the same, over which spots are looked for again
_NEAR = 3.0  # px, from where they are expected
_AGAIN = 0.5  # of the frames, in which a spot is found again
_APART = 3  # cells, at least, between two points
_MOST = 6  # points
_PART = 0.1  # of the votes for the first point, that another one has
_CHANCE = 8.0  # standard deviations above the usual point


def best(points: Points, pairs: Pairs, scale: Array, shape: tuple[int, int]) -> tuple[float, Array]:
    """Votes for the best fixed point, and where it is (2,).

    Parameters
    ----------
    points : sequence of ndarray (n, 2)
        Detections of each frame.
    pairs : sequence of (int, int)
        Frames that are asked.
    scale : ndarray (n_frames,)
        Its logarithm.
    shape : (int, int)
        Height and width of the frames.
    """
    votes = _votes(points, pairs, scale, shape)
    centre = _place(votes, shape)
    return float(votes.max()), _sharper(points, pairs, scale, centre) if votes.any() else centre


def others(
    points: Points, pairs: Pairs, scale: Array, shape: tuple[int, int], centre: Array
) -> Array:
    """Fixed points (n, 2) of spots that do not go towards the ``centre``; see `best`.

    What a point explains is taken away, and the rest votes again.
    """
    pairs = [(a, b) for a, b in pairs if abs(scale[b] - scale[a]) >= _CLEAR]
    left = {frame: points[frame] for pair in pairs for frame in pair}
    votes, known = _votes(left, pairs, scale, shape), [centre]
    enough = _PART * float(_around(votes, centre, shape).max(initial=0.0))
    while len(known) < _MOST:
        left = _unexplained(left, scale, known[-1])
        votes = _votes(left, pairs, scale, shape)
        chance = votes.mean()
        for point in known:
            _around(votes, point, shape)[:] = 0.0
        if votes.max() <= max(enough, chance + _CHANCE * np.sqrt(chance + 1.0)):
            break
        known.append(_sharper(left, pairs, scale, _place(votes, shape)))
    return np.array(known[1:]).reshape(-1, 2)


def _votes(points: Points, pairs: Pairs, scale: Array, shape: tuple[int, int]) -> Array:
    """Votes for each cell of an area twice as high and wide as the frames, around them."""
    votes = np.zeros((int(2 * shape[0] / _CELL) + 1, int(2 * shape[1] / _CELL) + 1))
    for first, second in pairs:
        ratio = float(np.exp(scale[second] - scale[first]))
        at = _cell(_fixed_points(points[first], points[second], ratio), shape)
        votes += _agreeing(at, ratio, votes.shape)
    return votes


def _cell(at: Array, shape: tuple[int, int]) -> Array:
    """Row and column (n, 2) of points (n, 2)."""
    return np.rint((at[..., ::-1] + 0.5 * np.array(shape)) / _CELL).astype(int)


def _place(votes: Array, shape: tuple[int, int]) -> Array:
    """Where most votes are (2,)."""
    cell = np.array(np.unravel_index(int(votes.argmax()), votes.shape))
    return np.asarray(_CELL * cell - 0.5 * np.array(shape))[::-1]


def _around(votes: Array, point: Array, shape: tuple[int, int]) -> Array:
    """The cells around a point."""
    row, column = _cell(point, shape)
    return votes[
        max(row - _APART, 0) : max(row + _APART + 1, 0),
        max(column - _APART, 0) : max(column + _APART + 1, 0),
    ]


def _unexplained(points: Points, scale: Array, fixed: Array) -> dict[int, Array]:
    """Detections of each frame that hardly ever have a partner where the fixed point says."""
    trees = {frame: cKDTree(at) for frame, at in points.items()}
    left = {}
    for frame, at in points.items():
        change = {other: scale[other] - scale[frame] for other in points}
        told = [other for other in points if _CLEAR / 2 <= abs(change[other]) <= _ALIKE]
        again = np.zeros(len(at))
        for other in told:
            expected = fixed + np.exp(change[other]) * (at - fixed)
            again += trees[other].query(expected)[0] < _NEAR
        left[frame] = at[again <= _AGAIN * len(told)]
    return left


def _fixed_points(before: Array, after: Array, ratio: float) -> Array:
    """Point (n, 2) about which each point before would go to each point after."""
    return np.asarray((after[None] - ratio * before[:, None]).reshape(-1, 2) / (1 - ratio))


def _agreeing(cell: Array, ratio: float, shape: tuple[int, ...]) -> Array:
    """Votes of one pair of frames for each cell, from as far as spots are uncertain."""
    inside = (cell >= 0).all(axis=1) & (cell < shape).all(axis=1)
    votes = np.zeros(shape)
    np.add.at(votes, tuple(cell[inside].T), 1.0)
    width = 1 + 2 * int(np.ceil(_BIN / abs(1 - ratio) / _CELL / 2))
    return np.asarray(uniform_filter(votes, width, mode="constant") * width**2)


def _sharper(points: Points, pairs: Pairs, scale: Array, centre: Array) -> Array:
    """The fixed point to a fraction of a cell: a robust mean of the votes that agree with it."""
    at, weight = [], []
    for first, second in pairs:
        ratio = float(np.exp(scale[second] - scale[first]))
        voted = _fixed_points(points[first], points[second], ratio)
        at.append(voted)
        weight.append(np.full(len(voted), (1 - ratio) ** 2))
    every, worth = np.concatenate(at), np.concatenate(weight)
    for reach in (3 * _CELL, 2 * _CELL, 2 * _CELL):
        near = ((every - centre) ** 2).sum(axis=1) < reach**2
        if near.any():
            centre = np.average(every[near], axis=0, weights=worth[near])
    return np.asarray(centre)
