"""One circle through spots, some of which may be wrong."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

import numpy as np

from trackleed.analysis.centers.outliers import without_outliers
from trackleed.analysis.spots import REJECT, Array, spread

START_SPOTS = 12  # at most, whose triples give the first guess
STEPS = 30


@dataclass(frozen=True)
class Circle:
    """A fitted circle, px, with the residuals of the spots it rests on and their variances."""

    x: float
    y: float
    radius: float
    x_err: float
    y_err: float
    residual: Array
    variance: Array


def circle_through(x: Array, y: Array) -> Array:
    """Centre and radius of circles through three points: (..., 3) to (..., 3); NaN if in line."""
    ax, ay = x[..., 1] - x[..., 0], y[..., 1] - y[..., 0]
    bx, by = x[..., 2] - x[..., 0], y[..., 2] - y[..., 0]
    cross = 2 * (ax * by - ay * bx)
    cross = np.where(np.abs(cross) > 1e-9, cross, np.nan)
    a2, b2 = ax**2 + ay**2, bx**2 + by**2
    cx, cy = (by * a2 - ay * b2) / cross, (ax * b2 - bx * a2) / cross
    return np.stack([x[..., 0] + cx, y[..., 0] + cy, np.hypot(cx, cy)], axis=-1)


def fit_circle(
    x: Array, y: Array, x_var: Array, y_var: Array, tolerance: float, reject: float = REJECT
) -> Circle | None:
    """Circle with the least weighted squares of the distances from it.

    Starts from the circle through three of the spots from which the larger part of
    all spots is least far away (least quantile of squares [1]_). Spots further than
    ``tolerance`` from that one are left out, then outliers of the fit, the worst first.

    Parameters
    ----------
    x, y : ndarray (n,)
        Positions, px.
    x_var, y_var : ndarray (n,)
        Their variances, px^2.
    tolerance : float
        px.
    reject : float
        Residuals of more standard deviations than this are outliers.

    Returns
    -------
    Circle or None
        None if fewer than three spots, or spots in one line, are left, or if of four one is
        wrong: which one cannot be told.

    References
    ----------
    .. [1] Rousseeuw, J. Am. Stat. Assoc. 79, 871 (1984).
    """
    start = robust_circle(x, y)
    if start is None:
        return None
    keep = np.abs(np.hypot(x - start[0], y - start[1]) - start[2]) < tolerance

    def fit(used: Array) -> tuple[Circle, Array] | None:
        fitted = _least_squares(start, x[used], y[used], x_var[used], y_var[used])
        if fitted is None:
            return None
        residual, _, variance = _distances(fitted[0], x, y, x_var, y_var)
        return _circle(*fitted, residual[used], variance[used]), residual**2 / variance

    # Any three spots fit: three of four, of which one is wrong, tell nothing.
    return without_outliers(fit, keep, 3 if keep.sum() == 3 else 4, reject)


def _circle(fitted: Array, covariance: Array, residual: Array, variance: Array) -> Circle:
    x_err, y_err, _ = np.sqrt(np.diag(covariance))
    x, y, radius = map(float, fitted)
    return Circle(x, y, radius, float(x_err), float(y_err), residual, variance)


def robust_circle(x: Array, y: Array) -> Array | None:
    """Circle through three of the spots from which the larger part of all is least far away."""
    chosen = spread(len(x), START_SPOTS)
    triples = chosen[np.array(list(combinations(range(len(chosen)), 3)), dtype=np.int64)]
    circles = circle_through(x[triples], y[triples])
    circles = circles[np.isfinite(circles[:, 2])]
    if len(circles) == 0:
        return None
    cx, cy, r = circles.T[..., None]
    distance = np.sort(np.abs(np.hypot(x - cx, y - cy) - r), axis=1)
    best: Array = circles[np.argmin(distance[:, (len(x) + 4) // 2 - 1])]
    return best


def _least_squares(
    start: Array, x: Array, y: Array, x_var: Array, y_var: Array
) -> tuple[Array, Array] | None:
    """Gauss-Newton from ``start``: (centre, radius) and covariance."""
    circle = start
    for _ in range(STEPS):
        residual, jacobian, variance = _distances(circle, x, y, x_var, y_var)
        normal = jacobian.T @ (jacobian / variance[:, None])
        try:
            step = np.linalg.solve(normal, jacobian.T @ (residual / variance))
        except np.linalg.LinAlgError:
            return None
        circle = circle - step
        if np.abs(step).max() < 1e-8:
            return circle, np.linalg.inv(normal)
    return None


def _distances(
    circle: Array, x: Array, y: Array, x_var: Array, y_var: Array
) -> tuple[Array, Array, Array]:
    """Distances from the circle, their derivatives by (centre, radius), and their variances."""
    dx, dy = x - circle[0], y - circle[1]
    d = np.hypot(dx, dy)
    ux, uy = dx / d, dy / d
    return (
        d - circle[2],
        np.stack([-ux, -uy, -np.ones_like(d)], axis=1),
        (ux**2 * x_var + uy**2 * y_var),
    )
