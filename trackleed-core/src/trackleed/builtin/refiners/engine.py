"""Levenberg-Marquardt for many ROIs of one size at once. Arrays in, arrays out.

References
----------
Levenberg, Q. Appl. Math. 2, 164 (1944); Marquardt, J. SIAM 11, 431 (1963).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from trackleed.builtin.refiners.model import Array, background, equations, half, peak

TOLERANCE = 1e-7  # squared length of the last step, in errors of the parameters
ROUGH = 0.1  # the same, while the weights are still to change
TINY = 1e-60  # keeps the sums over an ROI without usable pixels from dividing by zero
NEAR = 1.0  # the same, of a step after which the second derivatives are trusted
MAX_STEPS = 60
MAX_DAMPING = 1e7


@dataclass
class Fit:
    """Parameters of n fits and what their errors are made of."""

    k: Array  # (n, params)
    matrix: Array  # (n, params, params), inverse of the covariance
    chi2: Array  # (n,)
    converged: Array  # (n,) bool


def fit(
    data: Array,
    usable: Array,
    k: Array,
    variance: Callable[[Array], Array],
    rounds: int = 3,
) -> Fit:
    """Fit with the weights of the fitted model itself.

    Weights from the noisy pixels would favour those that came out low and take
    amplitude away, so they are computed from the model of the round before: from the start, then
    from a rough fit, then from a good one.

    Parameters
    ----------
    data, usable : ndarray (n, side, side)
        Counts, and the pixels that count.
    k : ndarray (n, params)
        Where to start.
    variance : callable
        ``variance(model)``: variance of each pixel where ``model`` (n, side, side) is
        expected.
    rounds : int
        How often the weights are computed.
    """
    side = data.shape[-1]

    def weighted(k: Array, tolerance: float) -> Fit:
        model = peak(k, side) + background(k, side)
        return minimise(data, np.where(usable, 1.0 / variance(model), 0.0), k, tolerance)

    for _ in range(rounds - 1):
        k = weighted(k, ROUGH).k
    return weighted(k, TOLERANCE)


def minimise(data: Array, weights: Array, k: Array, tolerance: float = TOLERANCE) -> Fit:
    """Least squares with fixed weights from the start ``k``.

    Gauss-Newton steps far from the minimum; near it the second derivatives, which
    are at hand, go into the step, since a dim spot's residuals make Gauss-Newton overshoot for
    ever. A fit has converged when a step is shorter than the square root
    of ``tolerance`` in units of the parameters' own errors.
    """
    data = np.where(weights > 0, data, 0.0)
    k = k.copy()
    side = data.shape[-1]
    state = equations(k, data, weights)
    freedom = np.maximum(np.count_nonzero(weights, axis=(1, 2)) - k.shape[1], 1)
    damping = np.full(len(k), 1e-2)
    near = np.zeros(len(k), dtype=bool)
    converged = np.zeros(len(k), dtype=bool)
    running = np.flatnonzero(np.isfinite(state.chi2) & (weights > 0).any(axis=(1, 2)))
    for _ in range(MAX_STEPS):
        if len(running) == 0:
            break
        old = state.take(running)
        matrix = _curved(old.matrix, old.curvature * near[running, None, None])
        step = damped_step(matrix, old.gradient, damping[running])
        promise = np.einsum("np,np->n", step, old.gradient)
        trial = k[running] + step
        new = equations(trial, data[running], weights[running])
        with np.errstate(invalid="ignore"):
            better = (new.chi2 <= old.chi2) & is_spot(trial, side)
        unit = np.maximum(1, old.chi2 / freedom[running])
        done = (np.abs(promise) < tolerance * unit) & (damping[running] <= 1e-2)
        taken = running[better]
        k[taken] = trial[better]
        state.put(taken, new.take(better))
        near[running] = better & (promise < NEAR * unit)
        damping[running] *= np.where(better, 0.1, 10.0)
        converged[running] = done
        running = running[~done & (damping[running] < MAX_DAMPING)]
    return Fit(k, state.matrix, state.chi2, converged)


def covariance(matrix: Array) -> Array:
    """Inverse of ``matrix`` (n, params, params); finite, if meaningless, where it has none."""
    scale = np.sqrt(np.maximum(np.einsum("nii->ni", matrix), TINY))
    both = scale[:, :, None] * scale[:, None, :]
    return np.asarray(np.linalg.inv(matrix / both + 1e-13 * np.eye(matrix.shape[1])) / both)


def _curved(matrix: Array, curvature: Array) -> Array:
    """Matrix with the second derivatives, but where these leave a parameter no minimum."""
    newton = matrix - curvature
    sound = (np.einsum("nii->ni", newton) > 0).all(axis=1)
    return np.where(sound[:, None, None], newton, matrix)


def damped_step(matrix: Array, gradient: Array, damping: Array) -> Array:
    """Marquardt's step: the diagonal, scaled to 1, is raised by ``damping`` (n,)."""
    scale = np.sqrt(np.maximum(np.einsum("nii->ni", matrix), TINY))
    scaled = matrix / (scale[:, :, None] * scale[:, None, :])
    scaled += (damping + 1e-12)[:, None, None] * np.eye(matrix.shape[1])
    return np.asarray(np.linalg.solve(scaled, (gradient / scale)[..., None])[..., 0] / scale)


def is_spot(k: Array, side: int) -> Array:
    """Whether the peak is one: highest in the middle, between 0.2 px and twice the ROI wide."""
    a, b, c = -2 * k[:, 3], -k[:, 4], -2 * k[:, 5]
    mean, split = 0.5 * (a + c), np.hypot(0.5 * (a - c), b)
    unit = half(side)
    narrow, wide = (unit / 0.2) ** 2, (unit / (2 * side)) ** 2
    return np.asarray((mean - split > wide) & (mean + split < narrow))
