"""Spots whose ROIs overlap, fitted together."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from trackleed.builtin.refiners import engine
from trackleed.builtin.refiners.compiled.bends import second
from trackleed.builtin.refiners.compiled.group import Group
from trackleed.builtin.refiners.compiled.physical import NUMBERS
from trackleed.builtin.refiners.compiled.single import CONVERGED
from trackleed.builtin.refiners.compiled.solve import scratch
from trackleed.builtin.refiners.compiled.together import together
from trackleed.builtin.refiners.cutouts import Cutouts
from trackleed.builtin.refiners.model import PEAK, Array, half
from trackleed.builtin.refiners.neighbours import SEPARABLE
from trackleed.builtin.refiners.params import GaussianParams
from trackleed.frames import NoiseModel

X_ERR, Y_ERR = NUMBERS.index("x_err"), NUMBERS.index("y_err")
LARGEST = 7  # spots in a group: a spot and six satellites


@dataclass
class Together:
    """A group that was fitted; arrays (m, ...) over its members."""

    rows: Array
    k: Array  # (m, 9)
    numbers: Array  # (m, len(NUMBERS)), x and y in the frame
    places: Array  # (m, 2, m, 2), covariance of all members' x and y, px^2
    slope: Array  # (2,), of the background, counts per px
    chi2_red: float
    r_squared: float


def groups(
    pair: tuple[Array, Array], there: Array, x: Array, y: Array
) -> Iterator[tuple[Array, Array]]:
    """Rows to be fitted together, and those of them whose numbers are wanted.

    Groups are those that hang together by overlapping ROIs. In a crowd of more than
    `LARGEST` each spot is fitted with its nearest neighbours, for its own numbers.

    Parameters
    ----------
    pair : tuple of ndarray
        From `neighbours.pairs`.
    there : ndarray (n,) of bool
        Where there may be a spot.
    x, y : ndarray (n,)
        Tracked positions.
    """
    i, j = pair
    distance = np.hypot(x[i] - x[j], y[i] - y[j])
    twin = np.zeros(len(there), bool)
    twin[i[(distance < SEPARABLE) & there[i] & there[j]]] = True
    apart = there & ~twin
    joined = apart[i] & apart[j]
    i, j, distance = i[joined], j[joined], distance[joined]
    near: dict[int, list[tuple[float, int]]] = {}
    for a, b, d in zip(i.tolist(), j.tolist(), distance.tolist(), strict=True):
        near.setdefault(a, []).append((d, b))
        near.setdefault(b, []).append((d, a))
    seen: set[int] = set()
    for first in sorted(near):
        if first in seen:
            continue
        crowd, ahead = {first}, [first]
        while ahead:
            new = {b for _, b in near[ahead.pop()]} - crowd
            crowd |= new
            ahead += new
        seen |= crowd
        if len(crowd) <= LARGEST:
            rows = np.array(sorted(crowd))
            yield rows, rows
            continue
        for row in sorted(crowd):
            closest = sorted(set(near[row]))[: LARGEST - 1]
            yield np.array([row, *(b for _, b in closest)]), np.array([row])


def fit_group(
    members: list[Cutouts],
    usable: list[Array],
    start: Array,
    tracked: Array,
    others: Array,
    noise: NoiseModel,
    params: GaussianParams,
    alike: bool = False,
    roaming: bool = False,
) -> Together | None:
    """Fit the spots of one group on one background; None if that does not settle.

    Parameters
    ----------
    members : list of Cutouts
        One ROI each.
    usable : list of ndarray (1, side, side)
        Pixels of those ROIs that count, whoever they belong to.
    start : ndarray (m, 9)
        Where to start: the fits alone; NaN for spots that have none.
    tracked : ndarray (m, 2)
        Tracks of the members, x and y in the frame.
    others : ndarray (l, 2)
        Tracks near them that are not in the group: the pixels nearer to one of those than to
        any member are left out.
    alike : bool
        Whether all members have the same shape; their ROIs are then of one size.
    roaming : bool
        Whether a member may come nearer to another's track than to its own.
    """
    group, corner = _group(members, usable, tracked, others, noise, params, alike)
    if roaming:
        group = group._replace(limit=params.max_shift * group.side)
    n = int(group.below.max()) + 1
    k, b = _start(group, start)
    if alike:
        for m in range(1, len(k)):
            k[m, :PEAK] = standing(*top(k[m]), k[0, 3:PEAK])
    room = scratch(n)
    numbers = np.full((len(members), len(NUMBERS)), np.nan)
    outcome, chi2, squares = together(
        group, k, b, k.copy(), b.copy(), room, second(len(members)), params.scale_errors,
        params.second_order, engine.MAX_STEPS, numbers,
    )  # fmt: skip
    if outcome != CONVERGED:
        return None
    numbers[:, :2] += group.middle + corner
    seen = group.counts[group.usable]
    rows = np.array([member.row[0] for member in members])
    chi2_red = chi2 / max(len(seen) - n, 1)
    slopes = _place_slopes(group, k, n)
    places = np.einsum("mai,ij,lbj->malb", slopes, room.inverse, slopes)
    # As large as the errors that the table has, which may be of the second order.
    errors = numbers[:, X_ERR : Y_ERR + 1] / np.sqrt(np.einsum("mama->ma", places))
    return Together(
        rows=rows,
        k=k,
        numbers=numbers,
        places=places * errors[:, :, None, None] * errors,
        slope=b[1:] / group.reach,
        chi2_red=chi2_red,
        r_squared=float(1 - squares / ((seen - seen.mean()) ** 2).sum()),
    )


def _group(
    members: list[Cutouts],
    usable: list[Array],
    tracked: Array,
    others: Array,
    noise: NoiseModel,
    params: GaussianParams,
    alike: bool,
) -> tuple[Group, Array]:
    """The pixels of all members' ROIs in one array; and its corner in the frame."""
    side = np.array([member.side for member in members])
    place = np.array([(member.x[0], member.y[0]) for member in members])
    corner = (place - side[:, None] // 2).min(axis=0)
    width, height = (place + side[:, None] // 2).max(axis=0) - corner + 1
    counts, variance = np.zeros((height, width)), np.ones((3, height, width))
    counted = np.zeros((height, width), bool)
    for member, yes in zip(members, usable, strict=True):
        x, y = (member.x[0], member.y[0]) - corner - member.side // 2
        at = np.s_[..., y : y + member.side, x : x + member.side]
        counts[at] = np.where(yes[0], member.counts[0], counts[at])
        variance[at] = np.where(yes[0], member.variance(noise)[0], variance[at])
        counted[at] |= yes[0]
    rows, columns = np.mgrid[:height, :width] + corner[::-1, None, None]
    mine, theirs = (
        np.min([(columns - x) ** 2 + (rows - y) ** 2 for x, y in places], axis=0, initial=np.inf)
        for places in (tracked, others)
    )
    apart = np.hypot(*(tracked[:, None] - tracked).T)
    np.fill_diagonal(apart, np.inf)
    free = engine.free_parameters(params.shape, params.background)
    each = 3 if alike else int(free[:PEAK].max()) + 1  # a spot's height and place, or all of it
    last = each * (len(members) - 1)
    own = np.where(free[:PEAK] < 0, -1, free[:PEAK] + each * np.arange(len(members))[:, None])
    if alike:
        own[:, 3:] = np.where(free[3:PEAK] < 0, -1, free[3:PEAK] + last)
    below = np.where(free[PEAK:] < 0, -1, free[PEAK:] + last)
    group = Group(
        counts=counts,
        usable=counted & (mine <= theirs),
        variance=variance,
        weights=np.zeros((2, height, width)),
        side=side,
        middle=np.asarray(place - corner, float),
        tracked=np.asarray(tracked - place, float),
        limit=np.minimum(params.max_shift * side, 0.5 * apart.min(axis=0)),
        own=own,
        below=below,
        reach=float(max(width, height)),
    )
    return group, corner


def _start(group: Group, alone: Array) -> tuple[Array, Array]:
    """First parameters (m, 9) and background (3,): of the fits alone, where there are any.

    A spot that has none, drowned in a neighbour's light, starts round at its track, as
    high as the pixel there stands over the background of the brightest.
    """
    k, known = alone.copy(), np.isfinite(alone[:, 0])
    level, tilt = float(np.median(group.counts[group.usable])), np.zeros(2)
    if known.any():
        brightest = int(np.nanargmax(k[:, 0]))
        tilt = k[brightest, PEAK + 1 :] * group.reach / half(int(group.side[brightest]))
        level = k[brightest, PEAK] - tilt @ group.middle[brightest] / group.reach
    for m in np.flatnonzero(~known):
        side = int(group.side[m])
        at = group.tracked[m] / half(side)
        column, row = np.rint(group.middle[m] + group.tracked[m]).astype(int)
        below = level + tilt @ (group.middle[m] + group.tracked[m]) / group.reach
        noise = np.sqrt(group.variance[2, row, column])
        height = max(group.counts[row, column] - below, noise)
        tightness = (half(side) / (side / engine.WIDTH)) ** 2
        k[m] = 0.0
        k[m, :PEAK] = standing(
            height, at[0], at[1], np.array([-0.5 * tightness, 0.0, -0.5 * tightness])
        )
    return k, np.array([level, *tilt])


def standing(height: float, u: float, v: float, shape: Array) -> Array:
    """Parameters (6,) of a spot of that height at (u, v); ``shape``: its k3, k4, k5."""
    k3, k4, k5 = shape
    k1, k2 = -(2 * k3 * u + k4 * v), -(2 * k5 * v + k4 * u)
    return np.array([np.log(height) - 0.5 * (k1 * u + k2 * v), k1, k2, k3, k4, k5])


def top(k: Array) -> tuple[float, float, float]:
    """Height and place (u, v) of the peak of a spot."""
    u, v = _moments(k) @ k[1:3]
    return float(np.exp(k[0] + 0.5 * (k[1] * u + k[2] * v))), float(u), float(v)


def _moments(k: Array) -> Array:
    """Matrix of the second moments of a spot; times (k1, k2) it is the peak's place."""
    return np.linalg.inv([[-2 * k[3], -k[4]], [-k[4], -2 * k[5]]])


def _place_slopes(group: Group, k: Array, n: int) -> Array:
    """Derivatives of the members' x and y, px, by the ``n`` free parameters; (m, 2, n)."""
    slopes = np.zeros((len(k), 2, n))
    for m, own in enumerate(group.own):
        moments = _moments(k[m])
        u, v = moments @ k[m, 1:3]
        by = moments @ [[0, 1, 0, 2 * u, v, 0], [0, 0, 1, 0, u, 2 * v]]
        for a in np.flatnonzero(own >= 0):
            slopes[m, :, own[a]] += by[:, a] * half(int(group.side[m]))
    return slopes
