"""Small symmetric systems of equations."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from trackleed.builtin.refiners.compiled.jit import part
from trackleed.builtin.refiners.compiled.moments import FF, FR, ONE, F, R
from trackleed.builtin.refiners.model import PARAMETERS, PEAK, U_POWER, V_POWER, Array

SINGULAR = 1e-13  # of its diagonal, from which a pivot counts for nothing


def moment(first: int, degree: int, p: int, q: int) -> int:
    """Where the sum of u^p v^q times an image is."""
    return first + q * (degree + 1) - q * (q - 1) // 2 + p


def _tables() -> tuple[Array, Array, Array]:
    """Where gradient, matrix and what the second derivatives take off it are in the sums."""
    gradient = np.zeros(PARAMETERS, np.int64)
    matrix = np.zeros((PARAMETERS, PARAMETERS), np.int64)
    curve = np.zeros((PARAMETERS, PARAMETERS), np.int64)
    for a in range(PARAMETERS):
        image, degree = (FR, 4) if a < PEAK else (R, 1)
        gradient[a] = moment(image, degree, U_POWER[a], V_POWER[a])
        for b in range(a, PARAMETERS):
            p, q = U_POWER[a] + U_POWER[b], V_POWER[a] + V_POWER[b]
            image, degree = ((FF, 4), (F, 3), (ONE, 2))[int(a >= PEAK) + int(b >= PEAK)]
            matrix[a, b] = moment(image, degree, p, q)
            curve[a, b] = moment(FR, 4, p, q) if b < PEAK else -1
    return gradient, matrix, curve


GRADIENT, MATRIX, CURVE = _tables()


class Scratch(NamedTuple):
    """Room for one fit."""

    matrix: Array
    lower: Array
    inverse: Array
    gradient: Array
    step: Array
    unit: Array
    trial: Array


def scratch(n: int) -> Scratch:
    """Room for a fit of ``n`` parameters."""
    return Scratch(*np.zeros((3, n, n)), *np.zeros((4, n)))


@part
def copy(from_: Array, to: Array) -> None:
    """Copy a flat array. (An assignment to a slice would compile for seconds.)"""
    for i in range(len(from_)):
        to[i] = from_[i]


@part
def assemble(sums: Array, free: Array, bent: bool, matrix: Array, gradient: Array) -> None:
    """Equations of the free parameters, lower triangle.

    Parameters
    ----------
    sums : ndarray
        From `moments.evaluate`.
    free : ndarray (9,) of int
        Which free parameter each k is; -1 is held at 0; several may be the same.
    bent : bool
        Whether the second derivatives of the model are taken along.
    """
    for i in range(len(gradient)):
        gradient[i] = 0.0
        for j in range(i + 1):
            matrix[i, j] = 0.0
    for a in range(PARAMETERS):
        i = free[a]
        if i < 0:
            continue
        gradient[i] += sums[GRADIENT[a]]
        for b in range(a, PARAMETERS):
            j = free[b]
            if j < 0:
                continue
            value = sums[MATRIX[a, b]]
            if bent and CURVE[a, b] >= 0:
                value -= sums[CURVE[a, b]]
            if i == j and a != b:
                value *= 2
            matrix[max(i, j), min(i, j)] += value


@part
def factor(matrix: Array, n: int, damping: float, lower: Array) -> bool:
    """Cholesky factor of the matrix with its diagonal raised by ``damping``; False if it has none.

    Marquardt's scaling: the diagonal is raised in proportion to itself.
    """
    for i in range(n):
        for j in range(i + 1):
            s = matrix[i, j] * (1 + damping) if i == j else matrix[i, j]
            for m in range(j):
                s -= lower[i, m] * lower[j, m]
            if i > j:
                lower[i, j] = s * lower[j, j]
            elif s > SINGULAR * matrix[i, i]:
                lower[i, i] = 1 / math.sqrt(s)  # the diagonal is kept inverted
            else:
                return False
    return True


@part
def solve(lower: Array, n: int, right: Array, x: Array) -> None:
    """Solution with the factor from `factor`."""
    for i in range(n):
        s = right[i]
        for m in range(i):
            s -= lower[i, m] * x[m]
        x[i] = s * lower[i, i]
    for i in range(n - 1, -1, -1):
        s = x[i]
        for m in range(i + 1, n):
            s -= lower[m, i] * x[m]
        x[i] = s * lower[i, i]


@part
def invert(lower: Array, n: int, inverse: Array) -> None:
    """Inverse of the factored matrix, the whole of it."""
    for b in range(n):  # of the factor, into the lower triangle
        inverse[b, b] = lower[b, b]
        for a in range(b + 1, n):
            s = 0.0
            for m in range(b, a):
                s -= lower[a, m] * inverse[m, b]
            inverse[a, b] = s * lower[a, a]
    for a in range(n):  # its square: a row is not needed any more once it is written
        for b in range(a + 1):
            s = 0.0
            for m in range(a, n):
                s += inverse[m, a] * inverse[m, b]
            inverse[a, b] = s
            inverse[b, a] = s
