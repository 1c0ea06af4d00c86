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
_BESIDE = (-2, -1, 1, 2)  # frames in which a spot is looked for again
_AGAIN = 2  # of them, in which it must be found


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
        self.order = order
        self.rows, self.points = _by_frame(detections, len(order))
        self.spacing = _spacing(self.points)
        self.energy = None
        if energy is not None and (np.nan_to_num(energy) > 0).all():
            self.energy = energy if self._contracts(energy) else None

    def between(self, a: int, b: int) -> tuple[float, Array] | None:
        """Scale and shift (2,) from frame ``a`` to frame ``b``; None if they cannot be told."""
        scale = 1.0 if self.energy is None else float(np.sqrt(self.energy[a] / self.energy[b]))
        shift, count = self._shift(self.points[a], self.points[b], scale)
        poorer = min(len(self.points[a]), len(self.points[b]))
        return (scale, shift) if count >= max(_AGREE, _SHARE * poorer) else None

    def lasting(self, place: int) -> Array:
        """Which detections (k,) of a frame are no flicker: they are found again around.

        Parameters
        ----------
        place : int
            Of the frame in the order of the way.
        """
        frame = self.order[place]
        again = np.zeros(len(self.points[frame]), int)
        asked = 0
        for beside in [place + step for step in _BESIDE]:
            if 0 <= beside < len(self.order):
                common = self.between(frame, self.order[beside])
                if common is not None:
                    there = common[0] * self.points[frame] + common[1]
                    apart = there[:, None] - self.points[self.order[beside]]
                    again += (np.hypot(*apart.transpose(2, 0, 1)) <= _ALIKE).any(axis=1)
                    asked += 1
        return again >= min(asked, _AGAIN)

    def _contracts(self, energy: Array) -> bool:
        """Whether more spots agree on a shift with contraction than without."""
        order, votes = self.order, [0, 0]
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


def _by_frame(detections: Columns | None, n: int) -> tuple[list[Array], list[Array]]:
    """Rows (k,) of the table, and positions (k, 2), of each frame, the highest score first."""
    if detections is None:
        return [np.zeros(0, int)] * n, [np.zeros((0, 2))] * n
    names = ("x", "y", "score")
    values = np.stack([np.asarray(detections[name], dtype=float) for name in names], axis=1)
    frame = np.asarray(detections["frame"])
    rows = np.lexsort((values[:, 1], values[:, 0], -values[:, 2], frame))
    rows = rows[np.isfinite(values[rows, :2]).all(axis=1)]
    rows_of = np.split(rows, np.searchsorted(frame[rows], np.arange(1, n)))
    return rows_of, [values[here, :2] for here in rows_of]


def _spacing(points: list[Array]) -> float:
    """Usual distance, px, of a spot to the nearest of its frame; infinite if there is none."""
    nearest = []
    for xy in points:
        if len(xy) > 1:
            apart = np.hypot(*(xy[:, None] - xy).transpose(2, 0, 1))
            np.fill_diagonal(apart, np.inf)
            nearest.append(apart.min(axis=1))
    return float(np.median(np.concatenate(nearest))) if nearest else float("inf")
