"""Pixels in the shade, of many ROIs: `cutouts.shaded` says what that is."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from trackleed.builtin.refiners.compiled.jit import entry, part
from trackleed.builtin.refiners.model import Array

AROUND = 0.42  # of the ROI's side, from the spot to where the background is looked at
SHADE = 6.0  # spreads below the background from which a pixel is in the shade
SUSPECT = 4.5  # spreads below the ROI's rim from which a pixel is looked at closely
RIM = 2  # px, width of that rim
PENUMBRA = 2  # px beyond the shade in which a spot is dimmed, but brighter than the background


@part
def noise_of(variance: Array, j: int, i: int, level: float) -> float:
    """Standard deviation of a pixel at a level, from gain, dark and floor (3, side or 1, ...)."""
    y, x = j % variance.shape[1], i % variance.shape[2]
    return math.sqrt(max(variance[0, y, x] * level + variance[1, y, x], variance[2, y, x]))


@part
def is_suspect(counts: Array, shown: Array, variance: Array) -> bool:
    """Whether an ROI is worth a closer look, which takes longer than its fit."""
    if not shown.all():
        return True
    rim = counts[:RIM].mean() + counts[-RIM:].mean()
    level = (rim + counts[:, :RIM].mean() + counts[:, -RIM:].mean()) / 4
    spread = 0.0
    for j in range(variance.shape[1]):
        for i in range(variance.shape[2]):
            spread = max(spread, noise_of(variance, j, i, level))
    return bool(counts.min() < level - SUSPECT * spread)


@part
def around(counts: Array, shown: Array, x: float, y: float) -> Array:
    """The pixels not near the spot that are shown; all of the ROI if there are none."""
    side = len(counts)
    values = np.empty(side * side)
    n = 0
    for j in range(side):
        for i in range(side):
            far = (i - side // 2 - x) ** 2 + (j - side // 2 - y) ** 2 > (AROUND * side) ** 2
            if far and shown[j, i]:
                values[n] = counts[j, i]
                n += 1
    return values[:n] if n else counts.copy().reshape(-1)


@part
def add_edges(dark: Array, shown: Array) -> None:
    """Add to the dark pixels what lies near a patch of them, or of the mask, in place.

    A patch is at least two pixels wide and high.
    """
    side = len(dark)
    hidden = dark | ~shown
    for j in range(side - 1):
        for i in range(side - 1):
            if hidden[j, i] and hidden[j, i + 1] and hidden[j + 1, i] and hidden[j + 1, i + 1]:
                for row in range(max(j - PENUMBRA, 0), min(j + 2 + PENUMBRA, side)):
                    reach = PENUMBRA - max(j - row, row - j - 1, 0)
                    dark[row, max(i - reach, 0) : i + 2 + reach] = True


def _make(sources: int) -> Callable[[Array, Array, Array, Array, Array], None]:
    def shade(counts: Array, shown: Array, variance: Array, shift: Array, dark: Array) -> None:
        _ = sources  # part of the key, see `jit.entry`
        side = counts.shape[1]
        for m in range(len(counts)):
            noise = variance[m % len(variance)]
            if not is_suspect(counts[m], shown[m], noise):
                continue
            values = around(counts[m], shown[m], shift[m, 0], shift[m, 1])
            level = np.median(values)
            spread = 1.4826 * np.median(np.abs(values - level))
            for j in range(side):
                for i in range(side):
                    least = level - SHADE * max(spread, noise_of(noise, j, i, level))
                    dark[m, j, i] = counts[m, j, i] < least
            add_edges(dark[m], shown[m])

    return shade


shade = entry(_make)
"""Find the pixels in the shade of n ROIs.

Parameters, in this order
-------------------------
counts, shown : ndarray (n, side, side)
    float64 and bool.
variance : ndarray (n or 1, 3, side or 1, side or 1)
    The variance of a pixel is ``max(gain * level + dark, floor)``.
shift : ndarray (n, 2)
    The spot, from the ROI's centre to the right and down, px.
dark : ndarray (n, side, side) of bool
    Written to; False before.
"""
