"""The sums over the pixels of an ROI that a step of the fit is made of.

A spot is ``f = exp(k0 + k1 u + k2 v + k3 u^2 + k4 u v + k5 v^2)`` on a background
``k6 + k7 u + k8 v``, where u and v run from -1 to 1 over the ROI, to the right and down. This is
the elliptical Gaussian with any orientation, without an angle that a round spot leaves undefined.
Every derivative is f, or 1, times a monomial, so that gradient and matrix of the least-squares step
are moments of five images: w f^2, w f, w, w f r and w r, with weights w and residuals r.
From one row of pixels to the next f goes on by multiplication: six exponentials will do.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple, cast

import numpy as np

from trackleed.builtin.refiners.compiled.jit import part
from trackleed.builtin.refiners.compiled.lanes import (
    WIDTH,
    fused,
    larger,
    load,
    quotient,
    splat,
    store,
    totals,
)
from trackleed.builtin.refiners.model import Array

FF, F, ONE, FR, R, CHI2 = 0, 15, 25, 31, 46, 49
"""Where the moments of each image start in the sums: of degree 4, 3, 2, 4 and 1."""
OLD = 50  # chi-squared with the weights from before
SUMS = 56  # whole registers
FIRST = cast("int", np.int64(0))
"""Half of the weights and the sums to begin with; numba would compile anew for a literal."""
PEAK2, LIGHT = 0, 28
"""Where those of w f^2, of degree 6, and of w f, of degree 5, start in the sums of `higher`."""
HIGHEST = 300.0  # logarithm of the highest peak: more is a fit that runs away


class Work(NamedTuple):
    """One ROI, rows padded to whole registers with pixels of no weight; flat float64 arrays.

    The variance of a pixel is ``max(gain * model + dark, floor)``; these three have one row only
    where all pixels are alike, which keeps the rest in the processor's nearest cache.
    """

    data: Array
    usable: Array  # 1 where a pixel counts, 0 elsewhere
    gain: Array
    dark: Array
    floor: Array
    weights: Array  # two of them, used in turn
    across: Array  # f along the row nearest to the peak
    down: Array  # f of the next row over that
    columns: Array  # u of each column
    blocks: Array  # SUMS registers
    sums: Array  # two of them, used in turn


def work(side: int, alike: bool) -> Work:
    """Room for ROIs of one size, each array on cache lines of its own.

    ``alike``: whether all pixels have the same noise.
    """
    padded = -(-side // WIDTH) * WIDTH
    pixels = side * padded
    noise = padded if alike else pixels
    lengths = [pixels] * 2 + [noise] * 3 + [2 * pixels] + [padded] * 3 + [SUMS * WIDTH, 2 * SUMS]
    memory = np.zeros(sum(lengths) + WIDTH)
    first = -(memory.ctypes.data // memory.itemsize) % WIDTH
    room = Work(*np.split(memory[first : first + sum(lengths)], np.cumsum(lengths)[:-1]))
    room.floor[:] = 1.0  # pixels without weight must not divide by zero, nor columns without f
    room.down[:] = 1.0
    room.columns[:] = (np.arange(padded) - side // 2) / (side // 2)
    return room


@part
def centre(k: Array) -> tuple[float, float]:
    """Where the peak is highest, in u and v."""
    a, b, c = -2 * k[3], -k[4], -2 * k[5]
    det = a * c - b * b
    return (c * k[1] - b * k[2]) / det, (a * k[2] - b * k[1]) / det


@part
def trace(work: Work, side: int, k: Array) -> int:
    """Row nearest to the peak; f along it goes to ``work.across``, on the way down to ``down``."""
    half = side // 2
    d = 1.0 / half
    u, v = centre(k)
    i = int(half * (1.0 + min(max(u, -1.0), 1.0)) + 0.5)
    j = int(half * (1.0 + min(max(v, -1.0), 1.0)) + 0.5)
    u, v = (i - half) * d, (j - half) * d
    height = k[0] + k[1] * u + k[2] * v + k[3] * u * u + k[4] * u * v + k[5] * v * v
    here = math.exp(height) if height < HIGHEST else np.nan
    right = math.exp(d * (k[1] + k[4] * v + k[3] * (2 * u + d)))
    bend = math.exp(2 * k[3] * d * d)
    below = math.exp(d * (k[2] + k[4] * u + k[5] * (2 * v + d)))
    shear = math.exp(k[4] * d * d)
    f, ratio, step = here, right, below
    for n in range(i, side):
        work.across[n], work.down[n] = f, step
        f *= ratio
        ratio *= bend
        step *= shear
    f, ratio, step = here, bend / right, below
    for n in range(i - 1, -1, -1):
        f *= ratio
        ratio *= bend
        step /= shear
        work.across[n], work.down[n] = f, step
    return j


@part
def evaluate(work: Work, side: int, k: Array, old: int, new: int) -> None:
    """All sums at parameters ``k`` (9,), into half ``new`` of ``work.sums``.

    Parameters
    ----------
    old : int
        Which half of ``work.weights`` the sum `OLD` is taken with.
    new : int
        Which half the weights that the model implies are written to; all other sums
        are taken with them.
    """
    padded = len(work.across)
    row = trace(work, side, k)
    bend = splat(math.exp(2 * k[5] / (side // 2) ** 2))
    for block in range(0, padded, WIDTH):
        _columns(work, side, k, row, bend, block, old, new)
    for n in range(0, SUMS, WIDTH):
        store(work.sums, new * SUMS + n, totals(work.blocks, n * WIDTH))


@part
def _columns(
    work: Work,
    side: int,
    k: Array,
    row: int,
    bend: Any,
    block: int,
    old: int,
    new: int,
) -> None:
    """Add what eight columns give to ``work.blocks``."""
    # Taken out of the tuple here: within the loop each use would be counted.
    data, usable, weights, blocks = work.data, work.usable, work.weights, work.blocks
    gain, dark, floor = work.gain, work.dark, work.floor
    padded = len(work.across)
    half = side // 2
    pixels = side * padded
    noise_row = padded if len(gain) > padded else 0
    d = splat(1.0 / half)
    u = load(work.columns, block)
    first, down = load(work.across, block), load(work.down, block)
    level, tilt = fused(splat(k[7]), u, splat(k[6])), splat(k[8])
    ff0 = ff1 = ff2 = ff3 = ff4 = f0 = f1 = f2 = f3 = w0 = w1 = w2 = splat(0.0)
    fr0 = fr1 = fr2 = fr3 = fr4 = r0 = r1 = chi2 = before = splat(0.0)
    for way in (1, -1):
        if way == 1:
            f, ratio, j, count = first, down, row, side - row
        else:
            ratio = bend / down
            f, ratio, j, count = first * ratio, ratio * bend, row - 1, row
        v, step = splat((j - half) / half), splat(float(way)) * d
        for n in range(count):
            place = (j + way * n) * padded + block
            noise = (j + way * n) * noise_row + block
            model = f + fused(tilt, v, level)
            rest = load(data, place) - model
            before = fused(load(weights, old * pixels + place) * rest, rest, before)
            spread = fused(load(gain, noise), model, load(dark, noise))
            w = quotient(load(usable, place), larger(spread, load(floor, noise)))
            store(weights, new * pixels + place, w)
            wr, wf = w * rest, w * f
            wff, wfr = wf * f, wf * rest
            v2 = v * v
            v3, v4 = v2 * v, v2 * v2
            chi2 = fused(wr, rest, chi2)
            ff0, ff1, ff2 = ff0 + wff, fused(wff, v, ff1), fused(wff, v2, ff2)
            ff3, ff4 = fused(wff, v3, ff3), fused(wff, v4, ff4)
            f0, f1, f2, f3 = f0 + wf, fused(wf, v, f1), fused(wf, v2, f2), fused(wf, v3, f3)
            w0, w1, w2 = w0 + w, fused(w, v, w1), fused(w, v2, w2)
            fr0, fr1, fr2 = fr0 + wfr, fused(wfr, v, fr1), fused(wfr, v2, fr2)
            fr3, fr4 = fused(wfr, v3, fr3), fused(wfr, v4, fr4)
            r0, r1 = r0 + wr, fused(wr, v, r1)
            f = f * ratio
            ratio = ratio * bend
            v = v + step
    new_sum = block == 0
    u2 = u * u
    u3, u4 = u2 * u, u2 * u2
    for n, term in enumerate(
        (
            ff0, ff0 * u, ff0 * u2, ff0 * u3, ff0 * u4, ff1, ff1 * u, ff1 * u2, ff1 * u3,
            ff2, ff2 * u, ff2 * u2, ff3, ff3 * u, ff4,
            f0, f0 * u, f0 * u2, f0 * u3, f1, f1 * u, f1 * u2, f2, f2 * u, f3,
            w0, w0 * u, w0 * u2, w1, w1 * u, w2,
            fr0, fr0 * u, fr0 * u2, fr0 * u3, fr0 * u4, fr1, fr1 * u, fr1 * u2, fr1 * u3,
            fr2, fr2 * u, fr2 * u2, fr3, fr3 * u, fr4,
            r0, r0 * u, r1, chi2, before,
        )
    ):  # fmt: skip
        if new_sum:
            store(blocks, n * WIDTH, term)
        else:
            store(blocks, n * WIDTH, load(blocks, n * WIDTH) + term)


@part
def higher(work: Work, side: int, k: Array, half: int, sums: Array) -> None:
    """Moments of w f^2 and w f up to the degrees that the second order takes, into ``sums``.

    ``half`` is that of ``work.weights`` that belongs to ``k``.
    """
    weights, blocks = work.weights, work.blocks
    padded = len(work.across)
    pixels, unit = side * padded, side // 2
    row = trace(work, side, k)
    bend = splat(math.exp(2 * k[5] / unit**2))
    for block in range(0, padded, WIDTH):
        first, down = load(work.across, block), load(work.down, block)
        a0 = a1 = a2 = a3 = a4 = a5 = a6 = b0 = b1 = b2 = b3 = b4 = b5 = splat(0.0)
        for way in (1, -1):
            if way == 1:
                f, ratio, j, count = first, down, row, side - row
            else:
                ratio = bend / down
                f, ratio, j, count = first * ratio, ratio * bend, row - 1, row
            v, step = splat((j - unit) / unit), splat(way / unit)
            for n in range(count):
                wf = load(weights, half * pixels + (j + way * n) * padded + block) * f
                wff = wf * f
                v2 = v * v
                v3 = v2 * v
                v4, v5, v6 = v2 * v2, v2 * v3, v3 * v3
                a0, a1, a2, a3 = a0 + wff, fused(wff, v, a1), fused(wff, v2, a2), fused(wff, v3, a3)
                a4, a5, a6 = fused(wff, v4, a4), fused(wff, v5, a5), fused(wff, v6, a6)
                b0, b1, b2 = b0 + wf, fused(wf, v, b1), fused(wf, v2, b2)
                b3, b4, b5 = fused(wf, v3, b3), fused(wf, v4, b4), fused(wf, v5, b5)
                f = f * ratio
                ratio = ratio * bend
                v = v + step
        u = load(work.columns, block)
        u2 = u * u
        u3 = u2 * u
        u4, u5, u6 = u2 * u2, u2 * u3, u3 * u3
        new_sum = block == 0
        for n, term in enumerate(
            (
                a0, a0 * u, a0 * u2, a0 * u3, a0 * u4, a0 * u5, a0 * u6,
                a1, a1 * u, a1 * u2, a1 * u3, a1 * u4, a1 * u5,
                a2, a2 * u, a2 * u2, a2 * u3, a2 * u4,
                a3, a3 * u, a3 * u2, a3 * u3, a4, a4 * u, a4 * u2, a5, a5 * u, a6,
                b0, b0 * u, b0 * u2, b0 * u3, b0 * u4, b0 * u5,
                b1, b1 * u, b1 * u2, b1 * u3, b1 * u4,
                b2, b2 * u, b2 * u2, b2 * u3, b3, b3 * u, b3 * u2, b4, b4 * u, b5,
            )
        ):  # fmt: skip
            if new_sum:
                store(blocks, n * WIDTH, term)
            else:
                store(blocks, n * WIDTH, load(blocks, n * WIDTH) + term)
    for n in range(0, SUMS, WIDTH):
        store(sums, n, totals(blocks, n * WIDTH))
