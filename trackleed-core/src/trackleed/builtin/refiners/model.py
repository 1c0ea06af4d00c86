"""The spot's model, and the sums over pixels that a least-squares step is made of.

A spot is ``exp(k0 + k1 u + k2 v + k3 u^2 + k4 u v + k5 v^2)`` on a background
``k6 + k7 u + k8 v`` (or ``k6`` alone), where u and v run from -1 to 1 over the
ROI, to the right and down. This is the elliptical Gaussian with any orientation,
without an angle that a round spot leaves undefined. Every derivative is
the peak, or 1, times a monomial, so that all sums over pixels which a step needs
are moments of a few images.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

Array: TypeAlias = np.ndarray[Any, np.dtype[Any]]

HIGHEST = 300.0  # logarithm of the highest peak: what a fit that runs away is held back at
PEAK = 6  # parameters of the peak; those of the background follow
U_POWER = np.array([0, 1, 0, 2, 1, 0, 0, 1, 0])
V_POWER = np.array([0, 0, 1, 0, 1, 2, 0, 0, 1])


def half(side: int) -> int:
    """Pixels from the central pixel of an ROI to its edge: the unit of u and v."""
    return side // 2


def powers(side: int, degree: int) -> Array:
    """u^0 to u^degree over an ROI of odd ``side``, array (side, degree + 1)."""
    u = (np.arange(side) - half(side)) / half(side)
    return u[:, None] ** np.arange(degree + 1)


def surface(coefficients: Array, columns: slice, side: int, degree: int) -> Array:
    """Polynomial with the given columns of ``coefficients`` (n, params), array (n, side, side)."""
    matrix = np.zeros((len(coefficients), degree + 1, degree + 1))
    matrix[:, V_POWER[columns], U_POWER[columns]] = coefficients[:, columns]
    basis = powers(side, degree)
    return np.asarray(basis @ matrix @ basis.T)


def peak(k: Array, side: int) -> Array:
    """The spots alone, array (n, side, side)."""
    exponent = surface(k, slice(0, PEAK), side, 2)
    return np.exp(np.minimum(exponent, HIGHEST, out=exponent))


def background(k: Array, side: int) -> Array:
    """The background alone, array (n, side, side)."""
    return surface(k, slice(PEAK, k.shape[1]), side, 1)


def moments(image: Array, degree: int) -> Array:
    """Sums of ``image`` (n, side, side) times v^q u^p, array (n, q, p).

    Row sums first, then columns: small products, which no BLAS spreads over threads.
    """
    basis = powers(image.shape[-1], degree)
    return np.asarray(basis.T @ (image @ basis))


@dataclass
class Equations:
    """Chi-squared of n fits at some parameters, and its derivatives there (halved)."""

    chi2: Array  # (n,)
    gradient: Array  # (n, params), J' W (data - model): downhill
    matrix: Array  # (n, params, params), J' W J: the inverse of the parameters' covariance
    curvature: Array  # (n, params, params), what the model's second derivatives take off it

    def take(self, rows: Array) -> Equations:
        """Those of some fits."""
        return Equations(
            self.chi2[rows], self.gradient[rows], self.matrix[rows], self.curvature[rows]
        )

    def put(self, rows: Array, other: Equations) -> None:
        """Replace those of some fits."""
        for mine, new in zip(vars(self).values(), vars(other).values(), strict=True):
            mine[rows] = new


def equations(k: Array, data: Array, weights: Array) -> Equations:
    """Chi-squared and its derivatives at ``k``.

    Parameters
    ----------
    k : ndarray (n, params)
    data, weights : ndarray (n, side, side)
        Counts, and one over their variance; 0 leaves a pixel out.
    """
    side = data.shape[-1]
    spot = peak(k, side)
    rest = data - spot - background(k, side)
    weighted = weights * rest
    light = weights * spot
    p, q = U_POWER[: k.shape[1]], V_POWER[: k.shape[1]]
    both_p, both_q = p[:, None] + p, q[:, None] + q
    matrix = moments(light * spot, 4)[:, both_q, both_p]
    mixed = moments(light, 3)
    matrix[:, :PEAK, PEAK:] = mixed[:, both_q[:PEAK, PEAK:], both_p[:PEAK, PEAK:]]
    matrix[:, PEAK:, :PEAK] = matrix[:, :PEAK, PEAK:].swapaxes(1, 2)
    matrix[:, PEAK:, PEAK:] = moments(weights, 2)[:, both_q[PEAK:, PEAK:], both_p[PEAK:, PEAK:]]
    misfit = moments(spot * weighted, 4)
    gradient = misfit[:, q, p]
    gradient[:, PEAK:] = moments(weighted, 1)[:, q[PEAK:], p[PEAK:]]
    curvature = misfit[:, both_q, both_p]
    curvature[:, PEAK:] = 0
    curvature[:, :, PEAK:] = 0
    chi2 = np.einsum("nvu,nvu->n", weighted, rest)
    return Equations(chi2, gradient, matrix, curvature)
