"""From the fit's own parameters to the numbers of the table, with their errors.

Errors are propagated to first order: if C is the covariance of the parameters k,
the variance of t(k) is t' C t with t' = dt/dk.
"""

from __future__ import annotations

import math

import numpy as np

from trackleed.builtin.refiners.compiled.jit import part
from trackleed.builtin.refiners.compiled.moments import centre
from trackleed.builtin.refiners.model import PARAMETERS, Array

NUMBERS = (
    "x", "y", "x_err", "y_err", "amplitude", "amplitude_err", "offset", "offset_err",
    "sigma_x", "sigma_y", "sigma_x_err", "sigma_y_err", "theta_deg", "theta_err_deg",
    "volume", "volume_err", "asymmetry", "p_xx", "p_xy", "p_yy",
)  # fmt: skip
"""What `measure` writes: columns of ``fits``, and the inverse of the matrix of second moments."""
ERRORS = tuple(n for n, name in enumerate(NUMBERS) if "_err" in name)
THETA = NUMBERS.index("theta_deg")
AXIS_KNOWN = 3.0  # errors by which the widths must differ for the axis to be known


@part
def measure(
    k: Array, covariance: Array, stretch: float, unit: float, out: Array, d: Array, e: Array
) -> None:
    """Fill ``out`` with the `NUMBERS` of one spot; x and y from the ROI's centre.

    Where the two widths do not differ by three errors the spot has no axis that is known: the
    angle is NaN, and ``sigma_x`` and ``sigma_y`` are the widths along x and y. (The axes of a round
    spot's noise always make one width the larger: the widths along them would scatter more than
    their errors.)

    Parameters
    ----------
    k : ndarray (9,)
    covariance : ndarray (9, 9)
    stretch : float
        What all errors are multiplied by.
    unit : float
        Pixels in one unit of u and v.
    out : ndarray (len(NUMBERS),)
    d, e : ndarray (9,)
        Scratch.
    """
    a, b, c = -2 * k[3], -k[4], -2 * k[5]
    det = a * c - b * b
    xx, xy, yy = c / det, -b / det, a / det
    u, v = centre(k)
    out[0], out[1] = u * unit, v * unit
    d_centre(d, xx, xy, u, v)
    out[2] = _error(d, covariance) * unit
    d_centre(d, xy, yy, u, v)
    out[3] = _error(d, covariance) * unit
    # The derivatives of the peak's height by k are the monomials at the peak.
    amplitude = math.exp(k[0] + 0.5 * (k[1] * u + k[2] * v))
    clear(d)
    d[0], d[1], d[2], d[3], d[4], d[5] = 1.0, u, v, u * u, u * v, v * v
    out[4], out[5] = amplitude, amplitude * _error(d, covariance)
    volume = amplitude * 2 * math.pi / math.sqrt(det) * unit * unit
    d[3], d[4], d[5] = u * u + xx, u * v + xy, v * v + yy
    out[14], out[15] = volume, volume * _error(d, covariance)
    d_centre(d, k[7] * xx + k[8] * xy, k[7] * xy + k[8] * yy, u, v)
    d[6], d[7], d[8] = 1.0, u, v
    out[6], out[7] = k[6] + k[7] * u + k[8] * v, _error(d, covariance)
    _axes(xx, xy, yy, covariance, stretch, unit, out, d, e)
    for n in ERRORS:
        out[n] *= stretch
    out[17], out[18], out[19] = a / unit**2, b / unit**2, c / unit**2


@part
def _axes(
    xx: float,
    xy: float,
    yy: float,
    covariance: Array,
    stretch: float,
    unit: float,
    out: Array,
    d: Array,
    e: Array,
) -> None:
    """Widths, angle and asymmetry."""
    mean, split = 0.5 * (xx + yy), math.hypot(0.5 * (xx - yy), xy)
    major, minor = math.sqrt(mean + split), math.sqrt(max(mean - split, 0.0))
    out[16] = (major - minor) / (major + minor)
    theta = 0.5 * math.atan2(2 * xy, xx - yy)  # of the major axis, in (-90, 90] degrees
    if theta > math.pi / 4:
        theta -= math.pi / 2
    elif theta <= -math.pi / 4:
        theta += math.pi / 2
    cos, sin = math.cos(theta), math.sin(theta)
    # M e for the two axes e; the derivatives of e1 M e2 are made of them.
    x1, y1 = xx * cos + xy * sin, xy * cos + yy * sin
    x2, y2 = xy * cos - xx * sin, yy * cos - xy * sin
    difference = (x1 * cos + y1 * sin) - (y2 * cos - x2 * sin)
    d_moment(d, x1, y1, x1, y1)
    d_moment(e, x2, y2, x2, y2)
    for n in range(PARAMETERS):
        d[n] -= e[n]
    known = abs(difference) > AXIS_KNOWN * stretch * _error(d, covariance)
    out[12] = out[13] = np.nan
    if known:
        d_moment(d, x1, y1, x2, y2)
        out[12] = math.degrees(theta)
        out[13] = math.degrees(_error(d, covariance) / abs(difference))
    else:
        cos, sin = 1.0, 0.0
        x1, y1, x2, y2 = xx, xy, xy, yy
    sigma_x, sigma_y = math.sqrt(x1 * cos + y1 * sin), math.sqrt(y2 * cos - x2 * sin)
    out[8], out[9] = sigma_x * unit, sigma_y * unit
    d_moment(d, x1, y1, x1, y1)
    out[10] = _error(d, covariance) / (2 * sigma_x) * unit
    d_moment(d, x2, y2, x2, y2)
    out[11] = _error(d, covariance) / (2 * sigma_y) * unit


@part
def d_centre(d: Array, mu: float, mv: float, u: float, v: float) -> None:
    """Derivatives of s * centre, with (mu, mv) = s M."""
    clear(d)
    d[1], d[2] = mu, mv
    d[3], d[4], d[5] = 2 * mu * u, mu * v + mv * u, 2 * mv * v


@part
def d_moment(d: Array, x1: float, y1: float, x2: float, y2: float) -> None:
    """Derivatives of e1 M e2, with (x, y) = M e."""
    clear(d)
    d[3], d[4], d[5] = 2 * x1 * x2, x1 * y2 + y1 * x2, 2 * y1 * y2


@part
def clear(d: Array) -> None:
    """Set all derivatives to 0."""
    for n in range(PARAMETERS):
        d[n] = 0.0


@part
def _error(d: Array, covariance: Array) -> float:
    """Standard error of what has the derivatives ``d``."""
    variance = 0.0
    for i in range(PARAMETERS):
        row = 0.0
        for j in range(PARAMETERS):
            row += covariance[i, j] * d[j]
        variance += d[i] * row
    return math.sqrt(variance) if variance >= 0 else np.nan
