"""How a pattern's scale goes with the beam energy, and about which point.

A beam leaves the surface at an angle whose sine goes with 1/sqrt(E), so that on a LEED
screen the pattern contracts about (0,0) as the energy goes up (L. J. Clarke, Surface
Crystallography, Wiley 1985). A LEEM shows the same angle at another energy in another
place only as far as its lenses let it: there the pattern keeps its size.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.ndimage import uniform_filter

from trackleed.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    Array = np.ndarray[Any, np.dtype[Any]]

_PAIRS = 24  # pairs of frames that are asked
_CHANGES = (0.03, 0.10, 0.25)  # of the scale between the frames of a pair, if it changes so much
_CELL = 6.0  # px, of the votes for a fixed point
_BIN = 2.0  # px, of the votes for a shift
_SHIFTED = np.array([0.0, -0.15, -0.1, -0.05, 0.05, 0.1, 0.15, 0.2])  # E0 over the least energy
_SHIFTS = 8  # bins that a shift may be long


def known(energy: Array | None) -> bool:
    """Whether energies tell a scale: those of all frames, positive."""
    return energy is not None and bool(np.all(np.isfinite(energy)) and np.all(energy > 0))


def expected(
    mode: str,
    bright: Sequence[Array],
    energy: Array | None,
    order: Array,
    shape: tuple[int, int],
    tracker: str,
) -> tuple[Array, Array | None, str]:
    """Expected (log) scale of each frame, the fixed point if it is told, and the mode.

    ``mode`` is ``"auto"``, ``"energy"``, ``"constant"`` or ``"free"``; the first is decided.

    Raises
    ------
    InputError
        If the scale should follow energies that are not known.
    """
    scale = np.zeros(len(bright))
    if energy is not None and known(energy) and mode in ("auto", "energy"):
        told, centre, follows = contraction(bright, np.asarray(energy)[order], shape)
        follows = follows and bool(np.ptp(energy))
        if follows or mode == "energy":
            return told, centre, "energy"
        return scale, None, "constant"
    if mode == "energy":
        raise InputError(
            f"{tracker}: scale = 'energy' needs the beam energy of every frame",
            "say: --set tracker.scale=free",
        )
    return scale, None, "free" if mode == "auto" else mode


def frame_pairs(scale: Array) -> list[tuple[int, int]]:
    """Pairs of frames, spread over the series, whose (log) scales differ well but not widely."""
    pairs = []
    changes = [change for change in _CHANGES if change < np.ptp(scale)][-2:]
    for first in range(len(scale)):
        for change in changes:
            far = np.abs(scale - scale[first])
            far[: first + 1] = np.inf
            far[far < 0.7 * change] = np.inf
            second = int(np.argmin(np.abs(far - change)))
            if far[second] < 2 * change:
                pairs.append((first, second))
    pairs = sorted(set(pairs))
    chosen = np.unique(np.linspace(0, len(pairs) - 1, _PAIRS).astype(int)) if pairs else []
    return [pairs[k] for k in chosen]


def contraction(
    points: Sequence[Array], energy: Array, shape: tuple[int, int]
) -> tuple[Array, Array | None, bool]:
    """How a pattern contracts, about which point, and whether it does.

    Each pair of detections of two frames that differ in energy votes for the fixed point
    about which the one would go to the other. Pairs that belong together agree, in all
    frames. The shift of the energy, E0 in r^2 (E + E0) = const, is the one for which
    most agree. If more pairs agree on plain shifts, the pattern does not contract.

    Parameters
    ----------
    points : sequence of ndarray (n, 2)
        Detections of the frames, the brighter ones.
    energy : ndarray (n_frames,)
        eV.
    shape : (int, int)
        Height and width of the frames.

    Returns
    -------
    scale : ndarray (n_frames,)
        Logarithm of the scale that the energies tell; its mean is 0.
    centre : ndarray (2,) or None
        The fixed point; None if nothing tells.
    contracts : bool
    """
    pairs = frame_pairs(-0.5 * np.log(energy))
    best = (0.0, 0.0, np.zeros(2), 1.0)
    for shift in _SHIFTED * float(energy.min()):
        votes, centre = _fixed_point(points, pairs, energy + shift, shape)
        best = max(best, (votes, float(shift), centre, 1.0), key=lambda tried: tried[0])
    most, shift, centre, _ = best
    scale = -0.5 * np.log(energy + shift)
    if not most:
        return scale - scale.mean(), None, True
    still = moving = 0.0
    for first, second in pairs:
        ratio = float(np.exp(scale[second] - scale[first]))
        before, after = points[first], points[second]
        still += _shifts(before, after)
        moving += _shifts(centre + ratio * (before - centre), after)
    return scale - scale.mean(), centre, moving >= still


def _fixed_point(
    points: Sequence[Array],
    pairs: Sequence[tuple[int, int]],
    energy: Array,
    shape: tuple[int, int],
) -> tuple[float, Array]:
    """Votes for the best fixed point, and where it is (2,)."""
    votes = np.zeros((int(shape[0] / _CELL) + 1, int(shape[1] / _CELL) + 1))
    ratios = [float(np.sqrt(energy[first] / energy[second])) for first, second in pairs]
    for (first, second), ratio in zip(pairs, ratios):  # noqa: B905
        votes += _agreeing(_fixed_points(points[first], points[second], ratio), ratio, votes.shape)
    row, column = np.unravel_index(int(votes.argmax()), votes.shape)
    centre = _CELL * np.array([column, row], dtype=float)
    return float(votes.max()), _sharper(points, pairs, ratios, centre) if votes.any() else centre


def _fixed_points(before: Array, after: Array, ratio: float) -> Array:
    """Point (n, 2) about which each point before would go to each point after."""
    return np.asarray((after[None] - ratio * before[:, None]).reshape(-1, 2) / (1 - ratio))


def _agreeing(at: Array, ratio: float, shape: tuple[int, ...]) -> Array:
    """Votes of one pair of frames for each cell, from as far as spots are uncertain."""
    cell = np.rint(at[:, ::-1] / _CELL).astype(int)
    inside = (cell >= 0).all(axis=1) & (cell < shape).all(axis=1)
    votes = np.zeros(shape)
    np.add.at(votes, tuple(cell[inside].T), 1.0)
    width = 1 + 2 * int(np.ceil(_BIN / abs(1 - ratio) / _CELL / 2))
    return np.asarray(uniform_filter(votes, width, mode="constant") * width**2)


def _shifts(before: Array, after: Array) -> float:
    """Most votes for one plain shift of up to a few cells."""
    apart = (after[None] - before[:, None]).reshape(-1, 2)
    cell = np.rint(apart / _BIN).astype(int)
    cell = cell[(np.abs(cell) <= _SHIFTS).all(axis=1)] + _SHIFTS
    votes = np.zeros((2 * _SHIFTS + 1, 2 * _SHIFTS + 1))
    np.add.at(votes, tuple(cell.T), 1.0)
    return float(uniform_filter(votes, 3, mode="constant").max() * 9)


def _sharper(
    points: Sequence[Array],
    pairs: Sequence[tuple[int, int]],
    ratios: Sequence[float],
    centre: Array,
) -> Array:
    """The fixed point to a fraction of a cell: a robust mean of the votes that agree with it."""
    at, weight = [], []
    for (first, second), ratio in zip(pairs, ratios):  # noqa: B905
        voted = _fixed_points(points[first], points[second], ratio)
        at.append(voted)
        weight.append(np.full(len(voted), (1 - ratio) ** 2))
    every, worth = np.concatenate(at), np.concatenate(weight)
    for reach in (3 * _CELL, 2 * _CELL, 2 * _CELL):
        near = ((every - centre) ** 2).sum(axis=1) < reach**2
        if near.any():
            centre = np.average(every[near], axis=0, weights=worth[near])
    return np.asarray(centre)
