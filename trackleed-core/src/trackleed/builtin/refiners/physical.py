"""From the fit's own parameters to the numbers of the table, with their errors.

Errors are propagated to first order: if C is the covariance of the parameters k,
that of t(k) is T C T' with T = dt/dk.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from trackleed.builtin.refiners.model import HIGHEST, PEAK, Array, half

FWHM = 2 * np.sqrt(2 * np.log(2))  # full width at half maximum over sigma
AXIS_KNOWN = 3.0  # errors by which the widths must differ for the axis to be known


@dataclass
class Spots:
    """Position, height and second moments of n fitted spots, and their derivatives by k."""

    centre: Array  # (n, 2), from the ROI's centre, right and down, px
    moments: Array  # (n, 2, 2), covariance matrix of the Gaussian, px^2
    amplitude: Array  # (n,), counts
    offset: Array  # (n,), background under the peak, counts
    d_centre: Array  # (n, params, 2)
    d_moments: Array  # (n, params, 2, 2)
    d_log_amplitude: Array  # (n, params)
    d_log_volume: Array  # (n, params)
    d_offset: Array  # (n, params)


def spots(k: Array, side: int) -> Spots:
    """Physical quantities and their derivatives from parameters (n, params)."""
    unit, params = half(side), k.shape[1]
    # exponent = k0 + l.r - r'Pr/2 with P the precision matrix; dl and dP are constants.
    d_line = np.zeros((params, 2))
    d_line[1, 0] = d_line[2, 1] = 1
    d_precision = np.zeros((params, 2, 2))
    d_precision[3, 0, 0] = d_precision[5, 1, 1] = -2
    d_precision[4, 0, 1] = d_precision[4, 1, 0] = -1
    precision = np.einsum("nk,kij->nij", k, d_precision)
    moments = np.linalg.inv(precision)
    centre = np.einsum("nij,nj->ni", moments, k[:, 1:3])
    pull = d_line - np.einsum("kij,nj->nki", d_precision, centre)
    d_centre = np.einsum("nij,nkj->nki", moments, pull)
    d_moments = -np.einsum("nij,kjl,nlm->nkim", moments, d_precision, moments, optimize=True)
    d_log_amplitude = np.einsum("nki,ni->nk", 0.5 * (d_line + pull), centre)
    d_log_amplitude[:, 0] = 1
    d_log_volume = d_log_amplitude - 0.5 * np.einsum("kij,nji->nk", d_precision, moments)
    height = k[:, 0] + 0.5 * np.einsum("ni,ni->n", k[:, 1:3], centre)
    offset, d_offset = k[:, PEAK].copy(), np.zeros_like(k)
    d_offset[:, PEAK] = 1
    if params > PEAK + 1:
        slope = k[:, PEAK + 1 :]
        offset += np.einsum("ni,ni->n", slope, centre)
        d_offset += np.einsum("nki,ni->nk", d_centre, slope)
        d_offset[:, PEAK + 1 :] += centre
    return Spots(
        centre=centre * unit,
        moments=moments * unit**2,
        amplitude=np.exp(np.minimum(height, HIGHEST)),
        offset=offset,
        d_centre=d_centre * unit,
        d_moments=d_moments * unit**2,
        d_log_amplitude=d_log_amplitude,
        d_log_volume=d_log_volume,
        d_offset=d_offset,
    )


def columns(spot: Spots, covariance: Array) -> dict[str, Array]:
    """Columns of the table ``fits`` but the frame's, the track's and the quality's.

    Parameters
    ----------
    spot : Spots
    covariance : ndarray (n, params, params)
        Of the parameters k.

    Notes
    -----
    Where the two widths do not differ by three errors the spot has no axis that is known:
    ``theta_deg`` is NaN, and ``sigma_x`` and ``sigma_y`` are the widths along x and
    y. (The axes of a round spot's noise always make one width the larger: the widths along
    them would scatter more than their errors.)
    """

    def error(derivative: Array) -> Array:
        variance = np.einsum("nk,nkl,nl->n", derivative, covariance, derivative, optimize=True)
        return np.sqrt(np.where(variance >= 0, variance, np.nan))

    area = 2 * np.pi * np.sqrt(np.linalg.det(spot.moments))
    volume = area * spot.amplitude
    table = {
        "x": spot.centre[:, 0],
        "y": spot.centre[:, 1],
        "x_err": error(spot.d_centre[..., 0]),
        "y_err": error(spot.d_centre[..., 1]),
        "amplitude": spot.amplitude,
        "amplitude_err": spot.amplitude * error(spot.d_log_amplitude),
        "offset": spot.offset,
        "offset_err": error(spot.d_offset),
        "volume": volume,
        "volume_err": volume * error(spot.d_log_volume),
    }
    table.update(_axes(spot, error))
    for name in ("fwhm_x", "fwhm_y", "fwhm_x_err", "fwhm_y_err"):
        table[name] = FWHM * table[name.replace("fwhm", "sigma")]
    return table


def _axes(spot: Spots, error: Callable[[Array], Array]) -> dict[str, Array]:
    """Widths, angle and asymmetry."""
    xx, xy, yy = spot.moments[:, 0, 0], spot.moments[:, 0, 1], spot.moments[:, 1, 1]
    mean, split = 0.5 * (xx + yy), np.hypot(0.5 * (xx - yy), xy)
    major, minor = np.sqrt(mean + split), np.sqrt(np.maximum(mean - split, 0.0))
    theta = 0.5 * np.arctan2(2 * xy, xx - yy)  # of the major axis, in (-90, 90] degrees
    theta = np.where(theta > np.pi / 4, theta - np.pi / 2, theta)
    theta = np.where(theta <= -np.pi / 4, theta + np.pi / 2, theta)
    along, d_along = _turned(spot, theta)
    difference = along[:, 0, 0] - along[:, 1, 1]
    known = np.abs(difference) > AXIS_KNOWN * error(d_along[..., 0, 0] - d_along[..., 1, 1])
    with np.errstate(divide="ignore", invalid="ignore"):
        theta_err = error(d_along[..., 0, 1]) / np.abs(difference)
    widths, d_widths = _turned(spot, np.where(known, theta, 0.0))
    sigma_x, sigma_y = np.sqrt(widths[:, 0, 0]), np.sqrt(widths[:, 1, 1])
    return {
        "sigma_x": sigma_x,
        "sigma_y": sigma_y,
        "sigma_x_err": error(d_widths[..., 0, 0]) / (2 * sigma_x),
        "sigma_y_err": error(d_widths[..., 1, 1]) / (2 * sigma_y),
        "theta_deg": np.where(known, np.degrees(theta), np.nan),
        "theta_err_deg": np.where(known, np.degrees(theta_err), np.nan),
        "asymmetry": (major - minor) / (major + minor),
    }


def _turned(spot: Spots, angle: Array) -> tuple[Array, Array]:
    """Second moments and their derivatives along axes turned by ``angle`` (n,)."""
    cos, sin = np.cos(angle), np.sin(angle)
    axes = np.stack([cos, sin, -sin, cos], axis=1).reshape(-1, 2, 2)
    back = axes.swapaxes(1, 2)
    return axes @ spot.moments @ back, axes[:, None] @ spot.d_moments @ back[:, None]
