"""One ellipse through spots, some of which may be wrong."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

import numpy as np

from trackleed.analysis.centers.circle import robust_circle
from trackleed.analysis.centers.outliers import without_outliers
from trackleed.analysis.spots import REJECT, Array, spread

START_SPOTS = 12  # at most, whose subsets give the first guess
STEPS = 50
FREE, SHAPED = 6, 4
"""Fewest spots of an ellipse, and of one whose shape is known: one more than it needs."""

LIMIT = 0.25
"""Largest shape: axes 1.65 to 1, as of a screen seen from 53 degrees. Beyond, no circle was."""


@dataclass(frozen=True)
class Shape:
    """Knowledge of an ellipse's shape: its two numbers, and their inverse covariance."""

    value: Array
    information: Array


@dataclass(frozen=True)
class Ellipse:
    """A fitted ellipse, with the residuals (px) of the spots it rests on and their variances.

    Its points are at ``|S d| = radius`` for ``d`` from the centre and ``S = stretch(shape)``;
    the axes are ``radius * exp(-m)`` and ``radius * exp(m)``, m the length of ``shape``.
    ``information`` is the inverse covariance of the shape from these spots alone.
    """

    x: float
    y: float
    radius: float
    shape: Array
    x_err: float
    y_err: float
    information: Array
    residual: Array
    variance: Array


def stretch(shape: Array) -> Array:
    """Matrix of determinant 1 that makes circles of ellipses of this shape: exp([[p, q], [q, -p]]).

    A picture whose x is too narrow by ``a`` has ``p = log(a) / 2``.
    """
    m = float(np.hypot(*shape))
    matrix: Array = np.cosh(m) * np.eye(2) + _sinhc(m) * _traceless(shape)
    return matrix


def fit_ellipse(
    x: Array,
    y: Array,
    x_var: Array,
    y_var: Array,
    tolerance: float,
    reject: float = REJECT,
    shape: Shape | None = None,
) -> Ellipse | None:
    """Ellipse with the least weighted squares of the (first-order) distances from it.

    Starts from the direct least-squares ellipse [1]_ [2]_ through all spots but two, one or none,
    from which the larger part of all spots is least far away (least quantile of squares [3]_); or
    where the shape is known, from the circle that is the same to spots stretched by it. Spots
    further than ``tolerance`` from that are left out. Gauss-Newton steps then minimise the squares
    of Sampson's distances [4]_ over their variances; outliers go, the worst first.

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
    shape : Shape, optional
        What is known of the shape from elsewhere; a further datum of the fit.

    Returns
    -------
    Ellipse or None
        None with fewer spots than 6 (4 with a known shape), also if so few are left by taking out
        wrong ones, or if there is no ellipse with axes closer to each other than 1.65.

    References
    ----------
    .. [1] Fitzgibbon, Pilu and Fisher, IEEE Trans. Pattern Anal. Mach. Intell. 21, 476 (1999).
    .. [2] Halir and Flusser, Proc. WSCG 98, 125 (1998).
    .. [3] Rousseeuw, J. Am. Stat. Assoc. 79, 871 (1984).
    .. [4] Sampson, Comput. Graph. Image Process. 18, 97 (1982).
    """
    least = FREE if shape is None else SHAPED
    if len(x) < least:
        return None
    points = np.column_stack([x, y])
    start = _direct_start(points) if shape is None else _shaped_start(points, shape.value)
    if start is None:
        return None
    variances = np.column_stack([x_var, y_var])
    residual, _, gradient = _distances(start, points)
    keep = np.abs(residual) < tolerance * np.hypot(*gradient.T)

    def fit(used: Array) -> tuple[Ellipse, Array] | None:
        fitted = _least_squares(start, points[used], variances[used], shape)
        if fitted is None:
            return None
        ellipse, normal = fitted
        residual, jacobian, gradient = _distances(ellipse, points)
        variance = (gradient**2 * variances).sum(axis=1)
        # A wrong spot draws so many parameters to itself: its residual without it is what counts.
        leverage = (jacobian @ np.linalg.inv(normal) * jacobian).sum(axis=1) / variance
        pull2 = residual**2 / variance / np.clip(1 - leverage, 1e-3, None)
        scale = (gradient**2).sum(axis=1)[used]
        rest = residual[used] / np.sqrt(scale), variance[used] / scale
        return _ellipse(ellipse, normal, shape, *rest), pull2

    return without_outliers(fit, keep, least, reject)


def direct_ellipses(points: Array) -> Array:
    """Least-squares ellipses: points (..., n, 2) to (..., 5) of x, y, radius, shape; NaN if none.

    The algebraic distance is minimised under the constraint ``4ac - b^2 = 1`` of an ellipse, in
    the form of Halir and Flusser that does not lose digits.
    """
    middle = points.mean(axis=-2, keepdims=True)
    size = np.sqrt(((points - middle) ** 2).mean(axis=(-2, -1), keepdims=True)) + 1e-300
    u, v = np.moveaxis((points - middle) / size, -1, 0)
    square = np.stack([u * u, u * v, v * v], axis=-1)
    linear = np.stack([u, v, np.ones_like(u)], axis=-1)
    transposed = np.swapaxes(square, -1, -2)
    s1, s2, s3 = transposed @ square, transposed @ linear, np.swapaxes(linear, -1, -2) @ linear
    t = -np.linalg.pinv(s3) @ np.swapaxes(s2, -1, -2)
    m = s1 + s2 @ t
    reduced = np.stack([m[..., 2, :] / 2, -m[..., 1, :], m[..., 0, :] / 2], axis=-2)
    vectors = np.linalg.eig(reduced)[1].real
    a, b, c = np.moveaxis(vectors, -2, 0)
    best = np.argmax(4 * a * c - b * b, axis=-1)
    quadratic = np.take_along_axis(vectors, best[..., None, None], axis=-1)
    conic = np.concatenate([quadratic, t @ quadratic], axis=-2)[..., 0]
    ellipses = _from_conic(conic)
    ellipses[..., :3] *= size[..., 0]
    ellipses[..., :2] += middle[..., 0, :]
    return ellipses


def _from_conic(conic: Array) -> Array:
    """Centre, radius and shape of a u^2 + b uv + c v^2 + d u + e v + f = 0; NaN if no ellipse."""
    conic = conic * np.where(conic[..., :1] < 0, -1, 1)
    a, b, c, d, e, f = np.moveaxis(conic, -1, 0)
    det = 4 * a * c - b * b
    with np.errstate(divide="ignore", invalid="ignore"):
        x, y = (b * e - 2 * c * d) / det, (b * d - 2 * a * e) / det
        level = -(f + (d * x + e * y) / 2)
        root = np.sqrt(det) / 2
        radius = np.sqrt(level / root)
        # S^2 = [[a, b/2], [b/2, c]] / root = cosh(2m) + sinh(2m) (direction).
        m = np.arccosh(np.maximum((a + c) / (2 * root), 1)) / 2
        turn = np.arctan2(b, a - c)
    found = np.stack([x, y, radius, m * np.cos(turn), m * np.sin(turn)], axis=-1)
    good = (det > 0) & np.isfinite(found).all(axis=-1)
    return np.where(good[..., None], found, np.nan)


def _direct_start(points: Array) -> Array | None:
    chosen = spread(len(points), START_SPOTS)
    found = []
    for out in range(3):
        n = len(chosen) - out
        if n >= FREE - 1:
            subsets = np.array(list(combinations(chosen, n)), dtype=np.int64)
            found.append(direct_ellipses(points[subsets]))
    ellipses = np.concatenate(found)
    ellipses = ellipses[np.hypot(ellipses[:, 3], ellipses[:, 4]) < LIMIT]
    if len(ellipses) == 0:
        return None
    matrices = np.array([stretch(shape) for shape in ellipses[:, 3:]])
    lengths = np.linalg.norm((points - ellipses[:, None, :2]) @ matrices, axis=-1)
    off = np.sort(np.abs(lengths - ellipses[:, 2:3]), axis=1)
    best: Array = ellipses[np.argmin(off[:, (len(points) + FREE) // 2 - 1])]
    return best


def _shaped_start(points: Array, shape: Array) -> Array | None:
    matrix = stretch(shape)
    circle = robust_circle(*(points @ matrix).T)
    if circle is None:
        return None
    return np.concatenate([np.linalg.solve(matrix, circle[:2]), circle[2:], shape])


def _least_squares(
    start: Array, points: Array, variances: Array, shape: Shape | None
) -> tuple[Array, Array] | None:
    """Gauss-Newton from ``start``: parameters and the normal matrix."""
    ellipse = start
    for _ in range(STEPS):
        residual, jacobian, gradient = _distances(ellipse, points)
        variance = (gradient**2 * variances).sum(axis=1)
        normal = jacobian.T @ (jacobian / variance[:, None])
        slope = jacobian.T @ (residual / variance)
        if shape is not None:
            normal[3:, 3:] += shape.information
            slope[3:] += shape.information @ (ellipse[3:] - shape.value)
        scale = 1 / np.sqrt(np.diag(normal))
        scaled = normal * np.outer(scale, scale)
        if not np.isfinite(scaled).all() or np.linalg.cond(scaled) > 1e10:
            return None
        step = scale * np.linalg.solve(scaled, scale * slope)
        ellipse = ellipse - step
        if not (ellipse[2] > 0 and np.hypot(*ellipse[3:]) < LIMIT):
            return None
        if np.abs(step[:3]).max() < 1e-8 * ellipse[2]:
            return ellipse, normal
    return None


def _ellipse(
    fitted: Array, normal: Array, shape: Shape | None, residual: Array, variance: Array
) -> Ellipse:
    covariance = np.linalg.inv(normal)
    x_err, y_err = map(float, np.sqrt(np.diag(covariance)[:2]))
    # What the spots alone tell of the shape, whatever the centre and the radius are.
    across = normal[3:, :3]
    information = normal[3:, 3:] - across @ np.linalg.solve(normal[:3, :3], across.T)
    if shape is not None:
        information = information - shape.information
    x, y, radius = map(float, fitted[:3])
    return Ellipse(x, y, radius, fitted[3:], x_err, y_err, information, residual, variance)


def _distances(ellipse: Array, points: Array) -> tuple[Array, Array, Array]:
    """``|S d| - radius`` of all points, its derivatives by the parameters, and by the place."""
    d = points - ellipse[:2]
    p, q = ellipse[3:]
    m = float(np.hypot(p, q))
    matrix = stretch(ellipse[3:])
    stretched = d @ matrix
    length = np.hypot(*stretched.T)
    unit = stretched / length[:, None]
    gradient = unit @ matrix
    both = _sinhc(m) * np.eye(2) + _sinhc_slope(m) * _traceless(ellipse[3:])
    by_shape = [
        np.einsum("ni,ij,nj->n", unit, value * both + _sinhc(m) * axis, d)
        for value, axis in ((p, _traceless([1, 0])), (q, _traceless([0, 1])))
    ]
    ones = np.ones(len(d))
    return length - ellipse[2], np.column_stack([-gradient, -ones, *by_shape]), gradient


def _traceless(shape: Array | list[int]) -> Array:
    p, q = shape
    return np.array([[p, q], [q, -p]], dtype=float)


def _sinhc(m: float) -> float:
    """sinh(m) / m."""
    return float(np.sinh(m) / m) if m > 1e-4 else 1 + m * m / 6


def _sinhc_slope(m: float) -> float:
    """Derivative of sinh(m) / m, over m."""
    return float((m * np.cosh(m) - np.sinh(m)) / m**3) if m > 1e-2 else 1 / 3 + m * m / 30
