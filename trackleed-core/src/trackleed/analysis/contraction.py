"""Least squares for lengths that shrink as 1/sqrt(E), one size for each series of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from trackleed.analysis.spots import REJECT, Array, excess_variance

STEPS = 40
ROUNDS = 8
HELD = 1e-6
"""Error, in eV, of a shift that is not to be fitted."""


@dataclass(frozen=True)
class Problem:
    """Values that follow ``columns @ linear + size[series] / sqrt(E + E0)``.

    Attributes
    ----------
    values, variance : ndarray (frame, series)
        px and px^2; NaN where there is none.
    energy : ndarray (frame,)
        eV.
    columns : ndarray (p, frame, series)
        What is fitted beside the contraction.
    cluster : ndarray of int (series,)
        Series of the same spot have the same number, from 0.
    prior : (float, float)
        E0 and its standard error before the fit, eV; inf leaves it free.
    """

    values: Array
    variance: Array
    energy: Array
    columns: Array
    cluster: Array
    prior: tuple[float, float]

    @property
    def reference(self) -> float:
        """Energy to which sizes refer."""
        return float(np.median(self.energy))

    def shrinkage(self, shift: float) -> Array:
        """Size of the pattern over that at the reference energy, (frame, 1): r ~ 1/sqrt(E + E0)."""
        scale: Array = np.sqrt((self.reference + shift) / (self.energy + shift))[:, None]
        return scale


@dataclass(frozen=True)
class Contraction:
    """A fitted contraction.

    Attributes
    ----------
    linear : ndarray (p,)
        Coefficients of the columns.
    shift : float
        E0, eV.
    covariance : ndarray (p + 1, p + 1)
        Of ``linear`` and, last, ``shift``.
    size, size_err : ndarray (series,)
        Value of each series at the reference energy, and its error.
    size_shift : ndarray (series,)
        Covariance of size and shift.
    residual, variance : ndarray (frame, series)
        Residuals, and their variances with what they scatter beyond the errors.
    keep : ndarray of bool (frame, series)
        What the fit rests on.
    """

    linear: Array
    shift: float
    covariance: Array
    size: Array
    size_err: Array
    size_shift: Array
    residual: Array
    variance: Array
    keep: Array


def fit_contraction(
    problem: Problem, keep: Array, start: float | None = None
) -> Contraction | None:
    """Fit a contraction, starting from the values to ``keep`` and the shift ``start``.

    Gauss-Newton with the sizes eliminated. Weights hold the errors and the variance that the
    scatter calls for beyond them (`excess_variance`); residuals of more than five standard
    deviations are outliers. Where there is such an excess, errors are those for
    residuals that are correlated within a cluster [1]_, where these are larger: a distorted
    screen shifts a spot in all frames alike.

    Returns
    -------
    Contraction or None
        None if the values do not determine the coefficients.

    References
    ----------
    .. [1] Liang and Zeger, Biometrika 73, 13 (1986).
    """
    shift, extra = problem.prior[0] if start is None else start, 1.0
    for _ in range(ROUNDS):
        solved = _gauss_newton(problem, keep, problem.variance + extra, shift)
        if solved is None:
            return None
        shift, residual = solved.shift, solved.residual
        extra = _excess(problem, keep, residual)
        inside = residual**2 < REJECT**2 * (problem.variance + extra)  # not where NaN
        if (inside == keep).all():
            break
        keep = inside
    total = problem.variance + extra
    solved = _gauss_newton(problem, keep, total, shift)
    if solved is None:
        return None
    covariance = np.linalg.inv(solved.normal)
    if extra > 0:
        covariance = _larger(covariance, _clustered(covariance, solved.scores, problem.cluster))
    return Contraction(
        solved.linear,
        solved.shift,
        covariance,
        solved.size,
        np.sqrt(solved.size_variance(covariance)),
        -solved.lean.T @ covariance[:, -1],
        solved.residual,
        total,
        keep,
    )


@dataclass(frozen=True)
class _Solved:
    """One weighted least-squares solution; ``normal`` and ``scores`` end with the shift."""

    linear: Array
    shift: float
    normal: Array  # (p + 1, p + 1), sizes eliminated
    scores: Array  # (p + 1, series), derivative of half the squares
    size: Array
    residual: Array
    information: Array  # of each size, (series,)
    lean: Array  # (p + 1, series): size[j] = ... - lean[:, j] @ parameters

    def size_variance(self, covariance: Array) -> Array:
        known = np.where(self.information > 0, self.information, np.nan)
        variance: Array = 1 / known + np.einsum("ps,pq,qs->s", self.lean, covariance, self.lean)
        return variance


def _gauss_newton(problem: Problem, keep: Array, variance: Array, shift: float) -> _Solved | None:
    lowest = float(problem.energy.min())
    y, weight = np.where(keep, problem.values, 0.0), np.where(keep, 1 / variance, 0.0)
    size: Array | None = None
    for _ in range(STEPS):
        g = problem.shrinkage(shift) * np.ones_like(y)
        information = (weight * g**2).sum(axis=0)
        seen = information > 0
        scale = np.divide(1, information, where=seen, out=np.zeros_like(information))
        if size is None:
            size = scale * (weight * g * y).sum(axis=0)
        inverse = 1 / (problem.energy[:, None] + shift)
        slope = size * g * (1 / (problem.reference + shift) - inverse) / 2
        design = np.concatenate([problem.columns, slope[None]])
        lean = scale * (weight * g * design).sum(axis=1)
        apart = design - g * lean[:, None]
        normal = np.einsum("pij,ij,qij->pq", apart, weight, apart)
        known = np.einsum("pij,ij,ij->p", apart, weight, y)
        normal[-1, -1] += problem.prior[1] ** -2
        known[-1] += (problem.prior[0] - shift) * problem.prior[1] ** -2
        try:
            theta = np.linalg.solve(normal, known)
        except np.linalg.LinAlgError:
            return None
        size = scale * (weight * g * y).sum(axis=0) - theta @ lean
        residual = problem.values - np.tensordot(theta, design, 1) - size * g
        before, shift = shift, max(shift + float(theta[-1]), (shift - 0.9 * lowest) / 2)
        if abs(shift - before) < 1e-9 * lowest:
            scores = np.einsum("pij,ij,ij->pj", apart, weight, np.where(keep, residual, 0))
            return _Solved(theta[:-1], shift, normal, scores, size, residual, information, lean)
    return None


def _excess(problem: Problem, keep: Array, residual: Array) -> float:
    squares, variance = residual[keep] ** 2, problem.variance[keep]
    fitted = len(problem.columns) + (problem.prior[1] > HELD) + int(keep.any(axis=0).sum())
    return excess_variance(lambda t: float((squares / (variance + t)).sum()), len(squares) - fitted)


def _clustered(covariance: Array, scores: Array, cluster: Array) -> Array:
    n_clusters = int(cluster.max()) + 1
    summed = np.zeros((len(scores), n_clusters))
    np.add.at(summed.T, cluster, scores.T)
    n = int(summed.any(axis=0).sum())
    if n <= len(scores):  # too few spots to tell how they disagree
        return covariance
    meat = summed @ summed.T * n / (n - len(scores))
    return np.asarray(covariance @ meat @ covariance)


def _larger(one: Array, two: Array) -> Array:
    """The second covariance, with standard errors at least those of the first."""
    stretch = np.sqrt(np.maximum(np.diag(one) / np.diag(two), 1.0))
    return np.asarray(two * np.outer(stretch, stretch))
