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
from trackleed_trackers_box import fixed

if TYPE_CHECKING:
    from collections.abc import Sequence

    Array = np.ndarray[Any, np.dtype[Any]]

_PAIRS = 24  # pairs of frames that are asked
_CHANGES = (0.03, 0.10, 0.25)  # of the scale between the frames of a pair, if it changes so much
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
        votes, centre = fixed.best(points, pairs, -0.5 * np.log(energy + shift), shape)
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


def _shifts(before: Array, after: Array) -> float:
    """Most votes for one plain shift of up to a few cells."""
    apart = (after[None] - before[:, None]).reshape(-1, 2)
    cell = np.rint(apart / _BIN).astype(int)
    cell = cell[(np.abs(cell) <= _SHIFTS).all(axis=1)] + _SHIFTS
    votes = np.zeros((2 * _SHIFTS + 1, 2 * _SHIFTS + 1))
    np.add.at(votes, tuple(cell.T), 1.0)
    return float(uniform_filter(votes, 3, mode="constant").max() * 9)
