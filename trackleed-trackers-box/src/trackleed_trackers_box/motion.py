"""The motion that all spots of a pattern share, estimated from one frame's detections.

A motion is an array (4,): x and y, in px, of the pattern's fixed point, the logarithm of
its scale and the angle, in radians from +x towards +y, that it is turned by. A spot's
place in the pattern is where it stands, from the fixed point, at scale 1 and angle 0.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.spatial import cKDTree

if TYPE_CHECKING:
    from collections.abc import Iterator

    Array = np.ndarray[Any, np.dtype[Any]]

_BIN = 3.0  # px, of the votes for a shift
_REACH = 3.0  # spreads that a shift may be long
_CANDIDATES = 3  # shifts that are tried
_PEAKS = 12  # cells, of one scale, that are looked at
_WORTH = 0.6  # votes of a shift that is tried, over those of the best
_GATE = 4.0  # standard deviations between a spot and its detection
_ITERATIONS = 8
_SETTLED = 0.02  # px, of the last step
_MOST = 0.8  # of the detections, by weight, that leave no room for another motion
_MANY = 4  # detections, at least, that do
_EVIDENCE = 3.0  # natural logarithm of the odds that make a motion known


@dataclass(frozen=True)
class Spread:
    """How far a motion may be from what is expected: standard deviations.

    Parameters
    ----------
    shift : float
        Of x and y, px, when the pattern jumps.
    usual : float
        Of x and y, px, when it does not.
    scale : float
        Of the logarithm of the scale.
    angle : float
        rad.
    """

    shift: float
    usual: float
    scale: float
    angle: float = 0.003

    @property
    def array(self) -> Array:
        """All four."""
        return np.array([self.shift, self.shift, self.scale, self.angle])


@dataclass(frozen=True)
class Scene:
    """What one frame shows.

    Parameters
    ----------
    points : ndarray (n, 2)
        Detections.
    weights : ndarray (n,)
        How far each can be trusted, in (0, 1).
    area : float
        Of the valid screen, px.
    noise : float
        Standard deviation of a detection's place, px.
    """

    points: Array
    weights: Array
    area: float
    noise: float


def shown(motion: Array, places: Array) -> Array:
    """Positions on the screen (n, 2) of places in the pattern (n, 2)."""
    return np.asarray(places @ _matrix(motion) + motion[:2])


def placed(motion: Array, points: Array) -> Array:
    """Places in the pattern (n, 2) of positions on the screen (n, 2)."""
    return np.asarray((points - motion[:2]) @ np.linalg.inv(_matrix(motion)))


def _matrix(motion: Array) -> Array:
    cosine, sine = np.exp(motion[2]) * np.cos(motion[3]), np.exp(motion[2]) * np.sin(motion[3])
    return np.array([[cosine, sine], [-sine, cosine]])


def register(
    places: Array,
    presence: Array,
    scene: Scene,
    expected: Array,
    spread: Spread,
    sure: float = _EVIDENCE,
) -> tuple[Array, bool]:
    """The motion of one frame, and whether the frame shows it.

    Detections vote for the shifts that bring spots onto them; the best few are refined
    by iteratively reweighted least squares with the expectation as a prior, and that of
    the largest posterior is taken. It is known if its odds against a chance meeting of
    spots and false detections are good; if not, the expected motion is returned.

    Parameters
    ----------
    places : ndarray (m, 2)
        Spots known so far, in the pattern.
    presence : ndarray (m,)
        In what part of the frames each was seen, in (0, 1).
    scene : Scene
    expected : ndarray (4,)
        Motion.
    spread : Spread
    sure : float
        Natural logarithm of the odds that make a motion known.
    """
    if not len(places) or not len(scene.points):
        return expected, False
    tree = cKDTree(scene.points)
    motion = _refined(places, presence, scene, tree, expected, expected, spread)
    if _explains(places, scene, tree, motion):
        return motion, True
    best, most = expected, -np.inf
    for start in _candidates(places, presence, scene, tree, expected, spread):
        motion = _refined(places, presence, scene, tree, start, expected, spread)
        odds = _evidence(places, presence, scene, tree, motion, expected, spread)
        if odds > most:
            best, most = motion, odds
    return (best, True) if most > sure else (expected, False)


def _explains(places: Array, scene: Scene, tree: cKDTree, motion: Array) -> bool:
    """Whether so many detections are spots that no other motion can be better."""
    apart, spot = tree.query(shown(motion, places), distance_upper_bound=_GATE * scene.noise)
    hit = np.unique(spot[np.isfinite(apart)])
    share = scene.weights[hit].sum() / scene.weights.sum()
    return len(hit) >= _MANY and float(share) > _MOST


def _candidates(
    places: Array, presence: Array, scene: Scene, tree: cKDTree, expected: Array, spread: Spread
) -> Iterator[Array]:
    """Motions that most pairs of spot and detection vote for."""
    now = shown(expected, places)
    size = float(np.hypot(*(now - expected[:2]).T).max())
    span = 2 * spread.scale
    count = 1 + 2 * int(np.ceil(span * size / _BIN - 0.5)) if span * size > _BIN / 2 else 1
    reach = _REACH * spread.shift + _BIN + (span * size if count > 1 else 0.0)
    near = cKDTree(now).sparse_distance_matrix(tree, reach, p=np.inf, output_type="ndarray")
    spot, point = near["i"], near["j"]
    worth = _worth(scene, 1.0) * np.sqrt(presence[spot] * scene.weights[point])
    tried = []
    for offset in np.linspace(-span, span, count) if count > 1 else [0.0]:
        moved = shown(expected + np.array([0, 0, offset, 0]), places)
        prior = 0.5 * (offset / spread.scale) ** 2
        for votes, shift in _votes(scene.points[point] - moved[spot], worth, spread.shift):
            tried.append((votes - prior, *shift, offset))
    tried.sort(reverse=True)
    chosen: list[tuple[float, float]] = []
    for votes, dx, dy, offset in tried:
        if votes < _WORTH * tried[0][0] or len(chosen) == _CANDIDATES:
            return
        if all(max(abs(dx - x), abs(dy - y)) > 2 * _BIN for x, y in chosen):
            chosen.append((dx, dy))
            yield expected + np.array([dx, dy, offset, 0])


def _votes(apart: Array, worth: Array, reach: float) -> Iterator[tuple[float, tuple[float, float]]]:
    """Votes for the best shifts, each with the shift in px, of pairs that are ``apart``."""
    half = int(np.ceil(_REACH * reach / _BIN))
    side = 2 * half + 3
    cell = np.rint(apart / _BIN).astype(int)
    close = (np.abs(cell) <= half).all(axis=1)
    index = (cell[close] + half + 1) @ np.array([1, side])
    votes = np.bincount(index, worth[close], minlength=side * side).astype(float)
    votes = votes.reshape(side, side)
    # A pair near the border of a cell is as good a vote for the next one.
    around = votes.copy()
    around[1:-1] += votes[:-2] + votes[2:]
    sideways = around.copy()
    around[:, 1:-1] += sideways[:, :-2] + sideways[:, 2:]
    step = (np.arange(side) - half - 1) * _BIN
    around -= 0.5 * (step[:, None] ** 2 + step[None] ** 2) / reach**2
    peaks = np.flatnonzero(around >= _WORTH * around.max())
    for flat in peaks[np.argsort(around.flat[peaks])[: -_PEAKS - 1 : -1]]:
        y, x = divmod(int(flat), side)
        yield float(around[y, x]), (float(step[x]), float(step[y]))


def _refined(
    places: Array,
    presence: Array,
    scene: Scene,
    tree: cKDTree,
    start: Array,
    expected: Array,
    spread: Spread,
) -> Array:
    """The motion near ``start`` of the least weighted squares."""
    motion, gate = start, 2 * _BIN
    least = max(_GATE * scene.noise, 1.0)
    precision = np.diag((scene.noise / spread.array) ** 2)
    for _ in range(_ITERATIONS):
        now = shown(motion, places)
        distance, index = tree.query(now, distance_upper_bound=gate)
        hit = np.isfinite(distance)
        if not hit.any():
            return motion
        index = index[hit]
        error = scene.points[index] - now[hit]
        weight = presence[hit] * scene.weights[index] / (1 + (distance[hit] / scene.noise) ** 2)
        arm = now[hit] - motion[:2]
        design = np.zeros((2, len(arm), 4))
        design[0, :, 0], design[1, :, 1] = 1, 1
        design[0, :, 2], design[1, :, 2] = arm.T
        design[0, :, 3], design[1, :, 3] = -arm[:, 1], arm[:, 0]
        weighted = design * weight[:, None]
        normal = np.einsum("ani,anj->ij", weighted, design) + precision
        right = np.einsum("ani,na->i", weighted, error) + precision @ (expected - motion)
        step = np.linalg.solve(normal, right)
        motion = motion + step
        if gate == least and np.abs(step[:2]).max() < _SETTLED:
            return motion
        gate = max(gate / 2, least)
    return motion


def _worth(scene: Scene, share: float) -> float:
    """Log odds of one meeting at no distance, when ``share`` of the spots are there."""
    chance = max(len(scene.points), 1) / scene.area * 2 * np.pi * scene.noise**2
    return max(float(np.log(share / chance)), 0.0)


def _evidence(
    places: Array,
    presence: Array,
    scene: Scene,
    tree: cKDTree,
    motion: Array,
    expected: Array,
    spread: Spread,
) -> float:
    """Log odds of a motion against detections that fell where they are by chance.

    How many of the spots are there at all is not known, since most may have vanished:
    the share that is seen is put in, at the price of one for each spot that is.
    """
    gate = _GATE * scene.noise
    distance, index = tree.query(shown(motion, places), distance_upper_bound=gate)
    hit = np.flatnonzero(np.isfinite(distance))
    if not len(hit):
        return -np.inf
    # A detection is one spot, the nearest.
    hit = hit[np.argsort(distance[hit])]
    hit = hit[np.unique(index[hit], return_index=True)[1]]
    trust = presence[hit] * scene.weights[index[hit]]
    share = min(float(presence[hit].sum() / presence.sum()), 1.0)
    each = _worth(scene, share) - 1 - 0.5 * (distance[hit] / scene.noise) ** 2
    return float((np.sqrt(trust) * each).sum() - _surprise(motion - expected, scene.noise, spread))


def _surprise(step: Array, noise: float, spread: Spread) -> float:
    """Log odds against a step of the motion, and against one so exactly measured by chance.

    A pattern either goes on as usual or jumps.
    """
    squared = float((step[:2] ** 2).sum())
    shifts = [
        0.5 * squared / size**2 + 2 * np.log(max(size / noise, 1.0)) + np.log(2)
        for size in (spread.usual, spread.shift)
    ]
    return min(shifts) + 0.5 * float(((step[2:] / spread.array[2:]) ** 2).sum())
