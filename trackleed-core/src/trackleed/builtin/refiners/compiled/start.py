"""Where a fit starts, and whether there is a spot at all."""

from __future__ import annotations

import math

from trackleed.builtin.refiners.compiled.jit import part
from trackleed.builtin.refiners.compiled.moments import (
    CHI2,
    FF,
    FIRST,
    FR,
    ONE,
    SUMS,
    F,
    R,
    Work,
    evaluate,
)
from trackleed.builtin.refiners.compiled.solve import Scratch, factor, solve
from trackleed.builtin.refiners.model import Array

PASSES = 2  # of a dim spot: a window that is off sees only part of the way
CLEAR = 10.0  # errors of its height from which the light tells a spot's shape
NARROW, WIDE = 0.7, 2.0  # px, and widths of the first window: between them are shapes


@part
def window(k: Array, u: float, v: float, a: float, b: float, c: float) -> None:
    """Peak of height 1 at (u, v), with precision matrix ((a, b), (b, c))."""
    k[:] = 0
    k[0] = -0.5 * (a * u * u + 2 * b * u * v + c * v * v)
    k[1], k[2] = a * u + b * v, b * u + c * v
    k[3], k[4], k[5] = -0.5 * a, -b, -0.5 * c


@part
def start(
    work: Work,
    room: Scratch,
    side: int,
    pixels: int,
    u: float,
    v: float,
    sigma: float,
    free: Array,
    tilted: bool,
    k: Array,
) -> float:
    """First parameters ``k`` (9,), from the light under a Gaussian window.

    The window is first round, of width ``sigma`` (in u) and at (u, v). A Gaussian spot's light
    under it is Gaussian again: with the precision matrices added, and with a centre between
    the two. From that follow the spot's own, and its height from the light as a whole. A
    dim spot keeps the window's shape and the height of a linear fit with it, and the window is
    moved to the light. The background is that of the linear fit.

    Returns
    -------
    float
        Height over its error, in the noise of the background.
    """
    sums = work.sums[SUMS:]
    background, light = room.step, room.trial
    a, b, c = 1 / sigma**2, 0.0, 1 / sigma**2
    clear = height = 0.0
    for _ in range(PASSES):
        window(k, u, v, a, b, c)
        evaluate(work, side, k, FIRST, 1 - FIRST)
        clear, scatter = _linear(sums, pixels, tilted, background, room)
        height = 1 + background[0]
        _light(sums, background, light)
        if not light[0] > 0:
            break
        mu, mv = light[1] / light[0], light[2] / light[0]
        if clear > CLEAR * scatter:
            pa, pb, pc = _shape(light, free, a, b, c)
            if _is_shape(pa, pb, pc, sigma, side):
                det = pa * pc - pb * pb
                du = (pa + a) * mu + (pb + b) * mv - a * u - b * v
                dv = (pb + b) * mu + (pc + c) * mv - b * u - c * v
                u, v = _within((pc * du - pb * dv) / det), _within((pa * dv - pb * du) / det)
                area = 2 * math.pi / math.sqrt((pa + a) * (pc + c) - (pb + b) ** 2)
                height = light[0] * pixels / (sums[ONE] * area * (side // 2) ** 2)
                a, b, c = pa, pb, pc
                break
        u, v = _within(2 * mu - u), _within(2 * mv - v)
    window(k, u, v, a, b, c)
    k[0] += math.log(max(height, 1e-3 * math.sqrt(_variance(work, background[1]))))
    k[6], k[7], k[8] = background[1], background[2], background[3]
    # The weights were those of a window of height 1 without background.
    return clear * math.sqrt(_variance(work, 0.5) / _variance(work, background[1]))


@part
def _variance(work: Work, level: float) -> float:
    """Of a pixel in the middle of the ROI."""
    m = len(work.gain) // 2
    return float(max(work.gain[m] * level + work.dark[m], work.floor[m]))


@part
def _shape(light: Array, free: Array, a: float, b: float, c: float) -> tuple[float, float, float]:
    """Precision matrix of the spot, from its light under a window with ((a, b), (b, c))."""
    mu, mv = light[1] / light[0], light[2] / light[0]
    uu, uv = light[3] / light[0] - mu * mu, light[4] / light[0] - mu * mv
    vv = light[5] / light[0] - mv * mv
    det = uu * vv - uv * uv
    pa, pb, pc = vv / det - a, -uv / det - b, uu / det - c
    if free[4] < 0:
        pb = 0.0
    if free[3] == free[5]:
        pa = pc = 0.5 * (pa + pc)
    return pa, pb, pc


@part
def _within(u: float) -> float:
    """A place in the middle half of the ROI."""
    return min(max(u, -0.5), 0.5)


@part
def _is_shape(a: float, b: float, c: float, sigma: float, side: int) -> bool:
    """Whether a precision matrix is that of a spot."""
    mean, split = 0.5 * (a + c), math.hypot(0.5 * (a - c), b)
    return mean - split > 1 / (WIDE * sigma) ** 2 and mean + split < (side // 2 / NARROW) ** 2


@part
def _linear(sums: Array, pixels: int, tilted: bool, x: Array, room: Scratch) -> tuple[float, float]:
    """Height less 1 and background that fit best under the window, into ``x``.

    Returns the height over the error that the weights imply, and what the scatter about the fit
    makes of that error.
    """
    matrix, lower, right, column = room.matrix, room.lower, room.gradient, room.unit
    n = 4 if tilted else 2
    matrix[0, 0] = sums[FF]
    matrix[1, 0], matrix[2, 0], matrix[3, 0] = sums[F], sums[F + 1], sums[F + 4]
    matrix[1, 1], matrix[2, 1], matrix[3, 1] = sums[ONE], sums[ONE + 1], sums[ONE + 3]
    matrix[2, 2], matrix[3, 2], matrix[3, 3] = sums[ONE + 2], sums[ONE + 4], sums[ONE + 5]
    right[0], right[1], right[2], right[3] = sums[FR], sums[R], sums[R + 1], sums[R + 2]
    x[2] = x[3] = 0.0
    if not factor(matrix, n, 0.0, lower):
        x[0] = x[1] = 0.0
        return 0.0, 1.0
    solve(lower, n, right, x)
    chi2 = sums[CHI2]
    for i in range(n):
        chi2 -= x[i] * right[i]
        right[i] = 0.0
    right[0] = 1.0
    solve(lower, n, right, column)
    clear = (1 + x[0]) / math.sqrt(column[0] + 1e-300)
    return clear, math.sqrt(max(chi2, 0.0) / max(pixels - n, 1))


@part
def _light(sums: Array, background: Array, light: Array) -> None:
    """Moments of the light under the window: of 1, u, v, u^2, uv, v^2."""
    ff, f = (0, 1, 5, 2, 6, 9), (0, 1, 4, 2, 5, 7)
    fu, fv = (1, 2, 5, 3, 6, 8), (4, 5, 7, 6, 8, 9)
    for n in range(6):
        light[n] = sums[FR + ff[n]] + sums[FF + ff[n]] - background[1] * sums[F + f[n]]
        light[n] -= background[2] * sums[F + fu[n]] + background[3] * sums[F + fv[n]]
