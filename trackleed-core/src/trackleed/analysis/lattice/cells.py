"""What two reciprocal vectors tell, with errors.

Vectors are (frame, 2, 2), a* and b* as rows; derivatives and covariances of them run over
(ax, ay, bx, by). Every function gives values (frame,) and derivatives (frame, 4).
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np

from trackleed.analysis.spots import Array

Derived: TypeAlias = tuple[Array, Array]


def error(derivative: Array, covariance: Array) -> Array:
    """Standard error of what has this derivative by the vectors."""
    root: Array = np.sqrt(variance(derivative, covariance))
    return root


def variance(derivative: Array, covariance: Array) -> Array:
    """Variance of what has this derivative by the vectors."""
    found: Array = np.einsum("fi,fij,fj->f", derivative, covariance, derivative)
    return found


def length(vectors: Array, which: int) -> Derived:
    """Length of one vector."""
    v = vectors[:, which]
    norm = np.hypot(*v.T)
    derivative = np.zeros((len(v), 4))
    derivative[:, 2 * which : 2 * which + 2] = v / norm[:, None]
    return norm, derivative


def angle(vectors: Array) -> Derived:
    """Angle between the vectors, 0 to pi."""
    a, b = vectors[:, 0], vectors[:, 1]
    cross, dot = _cross(a, b), (a * b).sum(axis=1)
    turn_a, turn_b = (_turned(v) / (v**2).sum(axis=1)[:, None] for v in (a, b))
    derivative = np.sign(cross)[:, None] * np.concatenate([-turn_a, turn_b], axis=1)
    return np.arctan2(np.abs(cross), dot), derivative


def log_area(vectors: Array) -> Derived:
    """Logarithm of the area of the cell."""
    a, b = vectors[:, 0], vectors[:, 1]
    cross = _cross(a, b)
    derivative = np.concatenate([-_turned(b), _turned(a)], axis=1) / cross[:, None]
    return np.log(np.abs(cross)), derivative


def log_spacing(vectors: Array, which: int) -> Derived:
    """Logarithm of a lattice constant of real space, up to a constant: |b*| / |a* x b*| for a."""
    other, d_other = length(vectors, 1 - which)
    area, d_area = log_area(vectors)
    return np.log(other) - area, d_other / other[:, None] - d_area


def rotation(vectors: Array, reference: Array) -> Derived:
    """Angle by which the vectors are turned from the ``reference``, (2, 2) or (frame, 2, 2).

    The rotation in the polar decomposition of the matrix that takes the reference to the vectors.
    """
    inverse = np.broadcast_to(np.linalg.inv(reference), vectors.shape)
    matrix = inverse @ vectors
    sine, cosine = matrix[:, 0, 1] - matrix[:, 1, 0], matrix[:, 0, 0] + matrix[:, 1, 1]
    # By vectors[r, q], row by row: inverse[p, r] where matrix[p, q] enters.
    d_sine = np.stack([-inverse[:, 1], inverse[:, 0]], axis=-1).reshape(-1, 4)
    d_cosine = np.stack([inverse[:, 0], inverse[:, 1]], axis=-1).reshape(-1, 4)
    norm2 = (sine**2 + cosine**2)[:, None]
    derivative = (cosine[:, None] * d_sine - sine[:, None] * d_cosine) / norm2
    return np.arctan2(sine, cosine), derivative


def _cross(a: Array, b: Array) -> Array:
    product: Array = a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0]
    return product


def _turned(v: Array) -> Array:
    """Vectors turned by 90° from +x towards +y: the derivative of their direction, times |v|^2."""
    return np.stack([-v[:, 1], v[:, 0]], axis=1)
