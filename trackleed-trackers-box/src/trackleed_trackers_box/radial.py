"""Points joined to tracks along the radii of a pattern.

Spots of a LEED pattern move towards the centre of the pattern or away from it, and hardly
sideways. So what is left between a point and where it is expected is split into a part along
the radius and one across, and the one across counts more.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.optimize import linear_sum_assignment

from trackleed_trackers_box.linking import labelled

if TYPE_CHECKING:
    from collections.abc import Sequence

    Array = np.ndarray[Any, np.dtype[Any]]

_USUAL = 4.0  # times the usual way of late, that a spot may be from where it is expected
_NEWEST = 0.3  # weight of the newest frame in that, and in the steps of a ring
_STEADY = 3  # frames whose steps tell the direction
_CLEAR = 0.3  # px, median step from which there is a direction
_FEW = 0.8  # of the spots of a ring: if fewer are paired, the full distance is tried
_AGAINST = 2.0  # times that a way against the direction counts


@dataclass(frozen=True)
class Rule:
    """How points are joined.

    Parameters
    ----------
    centre : ndarray (2,)
    scale : ndarray (n_frames,)
        Logarithm of the pattern's scale that is expected in each frame.
    max_distance : float
        Along the radius, between a point and where it is expected, px.
    least_distance : float
        What the dynamic maximum does not go under, px; `max_distance` to keep that fixed.
    lateral : float
        How many times a way across the radius counts.
    ring : float
        Width of the rings, px: a point belongs to the expected ring or the next.
    max_gap : int
        Frames without a point after which a track has ended.
    drifting : bool
        Expect the spots of a ring to go on as they went, instead of by the scale alone.
    """

    centre: Array
    scale: Array
    max_distance: float
    least_distance: float
    lateral: float
    ring: float
    max_gap: int
    drifting: bool


class Drift:
    """Steps along the radius, px a frame: those of each ring, and the direction of all."""

    def __init__(self, ring: float) -> None:
        self.ring = ring
        self.steps: dict[int, float] = {}
        self.medians: list[float] = []

    @property
    def direction(self) -> int:
        """1 outwards, -1 inwards, 0 unknown; it flips when the steps of late do."""
        if len(self.medians) < _STEADY:
            return 0
        usual = float(np.median(self.medians[-_STEADY:]))
        return int(np.sign(usual)) if abs(usual) > _CLEAR else 0

    def step(self, radius: Array) -> Array:
        """Expected step (n,) at each radius; that of all where a ring has not shown any."""
        of_all = self.medians[-1] if self.medians else 0.0
        ring = (radius / self.ring).astype(int)
        return np.array([self.steps.get(int(r), of_all) for r in ring], dtype=float)

    def learn(self, radius: Array, step: Array) -> None:
        """Take in the steps (n,) of one frame."""
        if not len(step):
            return
        self.medians.append(float(np.median(step)))
        ring = (radius / self.ring).astype(int)
        for number in np.unique(ring):
            new = float(np.median(step[ring == number]))
            old = self.steps.get(int(number), new)
            self.steps[int(number)] = old + _NEWEST * (new - old)


def link_radially(points: Sequence[Array], rule: Rule) -> list[Array]:
    """Number of the track (n,), from 0, that each point of each frame belongs to."""
    position, seen, name = np.zeros((0, 2)), np.zeros(0, int), np.zeros(0, int)
    count, labels, reach = 0, [], rule.max_distance
    drift = Drift(rule.ring)
    for now, found in enumerate(points):
        alive = now - seen <= rule.max_gap + 1
        position, seen, name = position[alive], seen[alive], name[alive]
        scale = np.exp(rule.scale[now] - rule.scale[seen])
        elapsed = now - seen
        expected, still = _expected(position, scale, elapsed, drift, rule)
        tracks, indices, ways = _pairs(expected, found, reach, drift.direction, rule)
        jumped = _jumped(expected, elapsed, tracks, rule)
        left = np.setdiff1d(np.arange(len(found)), indices)
        rest, others, far = _pairs(expected[jumped], found[left], rule.max_distance, None, rule)
        tracks, indices = np.append(tracks, jumped[rest]), np.append(indices, left[others])
        ways = np.append(ways, far)
        if len(tracks):
            wanted = _USUAL * float(np.median(ways))
            wanted = float(np.clip(wanted, rule.least_distance, rule.max_distance))
            reach += _NEWEST * (wanted - reach)
            radius = np.linalg.norm(found[indices] - rule.centre, axis=1)
            drift.learn(radius, (radius - still[tracks]) / elapsed[tracks])
        position[tracks], seen[tracks] = found[indices], now
        label, new = labelled(len(found), indices, name[tracks], count)
        labels.append(label)
        count += len(new)
        position, name = np.vstack([position, found[new]]), np.append(name, label[new])
        seen = np.append(seen, np.full(len(new), now))
    return labels


def _expected(
    position: Array, scale: Array, elapsed: Array, drift: Drift, rule: Rule
) -> tuple[Array, Array]:
    """Where tracks are expected (n, 2), and the radius (n,) that the scale alone would give."""
    arm = (position - rule.centre) * scale[:, None]
    radius = np.linalg.norm(arm, axis=1)
    if not rule.drifting:
        return rule.centre + arm, radius
    moved = np.maximum(radius + drift.step(radius) * elapsed, 0.0)
    return rule.centre + arm * (moved / np.maximum(radius, 1e-9))[:, None], radius


def _jumped(expected: Array, elapsed: Array, tracks: Array, rule: Rule) -> Array:
    """Tracks left over in rings of which many were left over: those have jumped or turned."""
    ring = (np.linalg.norm(expected - rule.centre, axis=1) / rule.ring).astype(int)
    paired = np.zeros(len(expected), bool)
    paired[tracks] = True
    of_late = np.bincount(ring[elapsed == 1], minlength=ring.max(initial=0) + 1)
    met = np.bincount(ring[paired], minlength=ring.max(initial=0) + 1)
    return np.flatnonzero(~paired & (met[ring] < _FEW * of_late[ring]))


def _pairs(
    expected: Array, found: Array, reach: float, direction: int | None, rule: Rule
) -> tuple[Array, Array, Array]:
    """Indices of tracks and points that belong together, and how far apart they count.

    Without a ``direction`` (None) all ways count alike.
    """
    arm = expected - rule.centre
    radius = np.linalg.norm(arm, axis=1)[:, None]
    # In the middle no direction is across.
    outward = arm / np.maximum(radius, 1e-9)
    apart = found[None] - expected[:, None]
    along = (apart * outward[:, None]).sum(axis=2)
    across = (apart**2).sum(axis=2) - along**2
    against = np.where(along * (direction or 0) < 0, _AGAINST, 1.0) if rule.drifting else 1.0
    middle = radius < 2 * rule.max_distance
    lateral = np.where(middle, 1.0, 1.0 if direction is None else rule.lateral)
    cost = (against * along) ** 2 + lateral**2 * across
    ring = (np.linalg.norm(found - rule.centre, axis=1)[None] / rule.ring).astype(int)
    near = (cost <= reach**2) & (np.abs(ring - (radius / rule.ring).astype(int)) <= 1)
    gain = np.where(near, reach**2 - cost, 0.0)
    tracks, indices = linear_sum_assignment(gain, maximize=True)
    paired = near[tracks, indices]
    tracks, indices = tracks[paired], indices[paired]
    return tracks, indices, np.sqrt(cost[tracks, indices])
