"""Cutting ROIs out of a frame."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from trackleed.builtin.refiners.compiled.jit import entry
from trackleed.builtin.refiners.model import Array

Cutter = Callable[
    [Array, Array, Array, float, Array, Array, int, int, Array, Array, Array, Array], None
]


def _make(sources: int) -> Cutter:
    def cut(
        raw: Array,
        corrected: Array,
        valid: Array,
        saturation: float,
        centre_x: Array,
        centre_y: Array,
        start: int,
        stop: int,
        counts: Array,
        shown: Array,
        clipped: Array,
        inside: Array,
    ) -> None:
        _ = sources  # part of the key, see `jit.entry`
        height, width = raw.shape
        side = counts.shape[1]
        for m in range(start, stop):
            x, y = centre_x[m] - side // 2, centre_y[m] - side // 2
            first, last = max(-x, 0), min(side, width - x)
            top, bottom = max(-y, 0), min(side, height - y)
            inside[m] = max(last - first, 0) * max(bottom - top, 0) / side**2
            for j in range(top, bottom):
                for i in range(first, last):
                    value = np.float64(corrected[y + j, x + i])
                    if valid[y + j, x + i] and np.isfinite(value):
                        counts[m, j, i] = value
                        shown[m, j, i] = True
                        clipped[m, j, i] = raw[y + j, x + i] >= saturation

    return cut


cut = entry(_make)
"""Cut ROIs ``start`` to ``stop`` out of one frame; nothing is shown beyond its edge.

Parameters, in this order
-------------------------
raw, corrected, valid : ndarray (y, x)
    The frame as the camera wrote it and as it is used, and where it can be trusted.
saturation : float
    From which raw pixels are clipped.
centre_x, centre_y : ndarray (n,) of int
    The pixel at the centre of each ROI.
start, stop : int
counts, shown, clipped : ndarray (n, side, side)
    Written to where something is shown: float64, and bool.
inside : ndarray (n,)
    Written to: part of the ROI that lies inside the frame.
"""
