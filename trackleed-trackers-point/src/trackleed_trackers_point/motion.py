"""How the pattern as a whole moves, told from the detections: x' = scale * x + shift.

The pattern contracts with the energy as 1/sqrt(E) about a point that need not be
known: with the scale given, all true pairs of spots of two frames have one shift in common,
and that shift holds the expansion centre and any jump of the pattern. Where the
spots stay in place while the energy changes (LEEM), the scale is 1.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from trackleed.tables import Columns

    Array = np.ndarray[Any, np.dtype[Any]]

_TELLING = 1.15  # ratio of energies at which contraction is plain to see
_ASKED = 24  # pairs of frames asked whether there is any
_ALIKE = 3.0  # px, shifts that may be one
_AGREE = 3  # spots, at least, that must have the shift in common
_SHARE = 0.3  # of the spots of the poorer frame, likewise


class Motion:
    """Common motion between any two frames.

    Parameters
    ----------
    detections : mapping, optional
        The ``detections`` table.
    energy : ndarray (frames,), optional
        Beam energies in eV.
    order : ndarray of int (frames,)
        Frame numbers in the order in which they follow each other.
    shape : (int, int)
        Of the frames (y, x).
    """

    def __init__(
        self, detections: Columns | None, energy: Array | None, order: Array, shape: tuple[int, int]
    ) -> None:
        self.middle = (np.array([shape[1], shape[0]]) - 1) / 2
        self.points = _by_frame(detections, len(order))
        self.spacing = _spacing(self.points)
        self.energy = None
        if energy is not None and (np.nan_to_num(energy) > 0).all():
            self.energy = energy if self._contracts(energy, order) else None

    def between(self, a: int, b: int) -> tuple[float, Array] | None:
        """Scale and shift (2,) from frame ``a`` to frame ``b``; None if they cannot be told."""
        scale = 1.0 if self.energy is None else float(np.sqrt(self.energy[a] / self.energy[b]))
        shift, count = self._shift(self.points[a], self.points[b], scale)
        poorer = min(len(self.points[a]), len(self.points[b]))
        return (scale, shift) if count >= max(_AGREE, _SHARE * poorer) else None

    def _contracts(self, energy: Array, order: Array) -> bool:
        """Whether more spots agree on a shift with contraction than without."""
        votes = [0, 0]
        for place in np.unique(np.linspace(0, len(order) - 1, _ASKED).astype(int)):
            a = order[place]
            ratio = energy[order[place:]] / energy[a]
            far = np.flatnonzero(np.maximum(ratio, 1 / ratio) >= _TELLING)
            if len(far):
                b = order[place + far[0]]
                for model, scale in enumerate((1.0, np.sqrt(energy[a] / energy[b]))):
                    votes[model] += self._shift(self.points[a], self.points[b], scale)[1]
        return votes[1] > votes[0]

    def _shift(self, before: Array, after: Array, scale: float) -> tuple[Array, int]:
        """The shift that most pairs have in common, and how many spots have it.

        Of shifts that are equally common the smallest is taken: a lattice fits on itself.
        """
        still = (1 - scale) * self.middle  # contraction about the middle of the frame
        shifts = (after[None] - scale * before[:, None] - still).reshape(-1, 2)
        reach = self.spacing + abs(1 - scale) * self.middle.min() / 2
        shifts = shifts[np.hypot(*shifts.T) <= reach]
        if not len(shifts):
            return still, 0
        shifts = shifts[np.argsort(np.hypot(*shifts.T), kind="stable")]
        close = np.hypot(*(shifts[:, None] - shifts).transpose(2, 0, 1)) <= _ALIKE
        best = close[int(close.sum(axis=1).argmax())]
        shift = np.median(shifts[best], axis=0)
        return shift + still, int(best.sum())


def _by_frame(detections: Columns | None, n: int) -> list[Array]:
    """Positions (k, 2) of the detections of each frame."""
    if detections is None:
        return [np.zeros((0, 2))] * n
    xy = np.stack([np.asarray(detections["x"], float), np.asarray(detections["y"], float)], axis=1)
    frame = np.asarray(detections["frame"])
    placed = np.isfinite(xy).all(axis=1)
    xy, frame = xy[placed], frame[placed]
    sort = np.lexsort((xy[:, 1], xy[:, 0], frame))
    return np.split(xy[sort], np.searchsorted(frame[sort], np.arange(1, n)))


def _spacing(points: list[Array]) -> float:
    """Usual distance, px, of a spot to the nearest of its frame; infinite if there is none."""
    nearest = []
    for xy in points:
        if len(xy) > 1:
            apart = np.hypot(*(xy[:, None] - xy).transpose(2, 0, 1))
            np.fill_diagonal(apart, np.inf)
            nearest.append(apart.min(axis=1))
    return float(np.median(np.concatenate(nearest))) if nearest else float("inf")
