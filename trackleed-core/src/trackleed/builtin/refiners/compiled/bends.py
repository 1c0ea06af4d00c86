"""First and second derivatives of a spot's numbers by the parameters of its fit.

With M the matrix of second moments and H the second derivatives, by u and v, of what a parameter
multiplies: the peak moves by M times the slope of that, M itself changes by M H M, and the
logarithm of the height by the value of it at the peak.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from trackleed.builtin.refiners.compiled.jit import part
from trackleed.builtin.refiners.compiled.lanes import WIDTH
from trackleed.builtin.refiners.compiled.moments import SUMS
from trackleed.builtin.refiners.compiled.physical import clear, d_centre, d_moment
from trackleed.builtin.refiners.model import PARAMETERS, PEAK, Array

X, Y, AMPLITUDE, SIGMA_X, SIGMA_Y, VOLUME = range(6)


class Second(NamedTuple):
    """Room for the second order of one of m spots; flat arrays hold a register of numbers a place.

    The spot itself comes first, then the others, six parameters each, then the background.
    """

    expected: Array  # (6 m + 3, 6 m + 3), covariance from the expected information
    d: Array  # (9,), t' of one number
    bend: Array  # (6, 6), t'' of one number, upper triangle
    steep: Array  # (6, 2), slopes at the peak of what each parameter multiplies
    move: Array  # (6, 2), how the peak moves with each parameter
    sums: Array  # (SUMS,), from `moments.higher`
    z: Array  # 6 m + 3 registers: C t'
    variance: Array  # 1 register: t' C t'
    curve: Array  # 36 m registers: M, a block for each spot; the background is straight
    turned: Array  # (6 m)^2 registers: M C
    terms: Array  # 3 registers: bias, lean and spread


def second(spots: int = 1) -> Second:
    """Room for the second order of one of so many spots."""
    size = PEAK * spots
    shapes = [(size + 3, size + 3), PARAMETERS, (PEAK, PEAK), (PEAK, 2), (PEAK, 2), SUMS]
    registers = [size + 3, 1, PEAK * size, size**2, 3]
    return Second(*(np.zeros(n) for n in shapes), *(np.zeros(WIDTH * n) for n in registers))


@part
def moves(room: Second, xx: float, xy: float, yy: float, u: float, v: float) -> None:
    """The slope of what each parameter multiplies, at the peak; how far that moves the peak."""
    steep, move = room.steep, room.move
    steep[1, 0] = steep[2, 1] = 1.0
    steep[3, 0], steep[4, 0], steep[4, 1], steep[5, 1] = 2 * u, v, u, 2 * v
    for a in range(PEAK):
        move[a, 0] = xx * steep[a, 0] + xy * steep[a, 1]
        move[a, 1] = xy * steep[a, 0] + yy * steep[a, 1]


@part
def _hessian(a: int, p: float, q: float) -> tuple[float, float]:
    """(p, q) times the second derivatives of what parameter ``a``, of 3 to 5, multiplies."""
    if a == 3:
        return 2 * p, 0.0
    if a == 4:
        return q, p
    return 0.0, 2 * q


@part
def bend_centre(room: Second, xx: float, xy: float, yy: float, u: float, v: float) -> None:
    """Derivatives of the peak's place, in u and v."""
    bend, move = room.bend, room.move
    for which, mu, mv in ((X, xx, xy), (Y, xy, yy)):
        for a in range(3):
            for b in range(3):
                bend[a, b] = 0.0
        for a in range(3, PEAK):
            p, q = _hessian(a, mu, mv)
            for b in range(3):
                bend[b, a] = p * move[b, 0] + q * move[b, 1]
            for b in range(a, PEAK):
                r, s = _hessian(b, mu, mv)
                bend[a, b] = p * move[b, 0] + q * move[b, 1] + r * move[a, 0] + s * move[a, 1]
        d_centre(room.d, mu, mv, u, v)
        _put(which, room, 0.0)


@part
def bend_height(room: Second, xx: float, xy: float, yy: float, u: float, v: float) -> None:
    """Derivatives of amplitude and volume, relative to themselves.

    With H the second derivatives of what a parameter multiplies and M the second moments, those of
    the logarithm of the area are tr(M H) / 2 and tr(M H M H) / 2.
    """
    bend, d, steep, move = room.bend, room.d, room.steep, room.move
    for a in range(PEAK):
        for b in range(a, PEAK):
            bend[a, b] = steep[a, 0] * move[b, 0] + steep[a, 1] * move[b, 1]
    clear(d)
    d[0], d[1], d[2], d[3], d[4], d[5] = 1.0, u, v, u * u, u * v, v * v
    _put(AMPLITUDE, room, 1.0)
    d_volume(d, xx, xy, yy, u, v)
    bend[3, 3] += 2 * xx * xx
    bend[3, 4] += 2 * xx * xy
    bend[3, 5] += 2 * xy * xy
    bend[4, 4] += xx * yy + xy * xy
    bend[4, 5] += 2 * xy * yy
    bend[5, 5] += 2 * yy * yy
    _put(VOLUME, room, 1.0)


@part
def bend_widths(room: Second, xx: float, xy: float, yy: float, theta: float) -> None:
    """Derivatives of the widths, relative to themselves: along the axes, or along x and y."""
    known = theta == theta
    angle = math.radians(theta) if known else 0.0
    cos, sin = math.cos(angle), math.sin(angle)
    x1, y1 = xx * cos + xy * sin, xy * cos + yy * sin
    x2, y2 = xy * cos - xx * sin, yy * cos - xy * sin
    first, other = x1 * cos + y1 * sin, y2 * cos - x2 * sin
    turning = 1 / (first - other) if known else 0.0  # the axes turn with the parameters
    _bend_width(room, SIGMA_X, (x1, y1), (x2, y2), first, turning, xx, xy, yy)
    _bend_width(room, SIGMA_Y, (x2, y2), (x1, y1), other, -turning, xx, xy, yy)


@part
def _bend_width(
    room: Second,
    which: int,
    own: tuple[float, float],
    other: tuple[float, float],
    moment: float,
    turning: float,
    xx: float,
    xy: float,
    yy: float,
) -> None:
    """Derivatives of one; ``own`` and ``other`` axis are given times the second moments."""
    bend = room.bend
    for a in range(3):
        for b in range(a, PEAK):
            bend[a, b] = 0.0
    relative = 1 / moment
    for a in range(3, PEAK):
        p, q = _hessian(a, own[0], own[1])
        mp, mq, turn = xx * p + xy * q, xy * p + yy * q, p * other[0] + q * other[1]
        for b in range(a, PEAK):
            r, s = _hessian(b, own[0], own[1])
            turned = turning * turn * (r * other[0] + s * other[1])
            bend[a, b] = (mp * r + mq * s + turned) * relative
    d_moment(room.d, own[0], own[1], own[0], own[1])
    for a in range(3, PEAK):
        room.d[a] *= 0.5 * relative
    _put(which, room, -1.0)


@part
def _put(which: int, room: Second, square: float) -> None:
    """One number's place in the registers: C t', t' C t', and the upper triangle of t''.

    ``square``: how often the square of t' is in t'' beside what is in ``bend``.
    """
    for i in range(len(room.expected)):
        total = 0.0
        for j in range(PEAK):
            total += room.expected[i, j] * room.d[j]
        room.z[i * WIDTH + which] = total
    variance = 0.0
    for a in range(PEAK):
        variance += room.z[a * WIDTH + which] * room.d[a]
        for b in range(a, PEAK):
            bend = room.bend[a, b] + square * room.d[a] * room.d[b]
            room.curve[(a * PEAK + b) * WIDTH + which] = bend
    room.variance[which] = variance


@part
def second_moments(k: Array) -> tuple[float, float, float]:
    """Of the peak: x squared, x y and y squared, in u and v."""
    a, b, c = -2 * k[3], -k[4], -2 * k[5]
    det = a * c - b * b
    return c / det, -b / det, a / det


@part
def d_volume(d: Array, xx: float, xy: float, yy: float, u: float, v: float) -> None:
    """Derivatives of the logarithm of the volume."""
    clear(d)
    d[0], d[1], d[2] = 1.0, u, v
    d[3], d[4], d[5] = u * u + xx, u * v + xy, v * v + yy
