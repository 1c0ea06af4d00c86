"""The shape of a spot: rotated elliptical Gaussian, halo, and what noise lets one know of it."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from trackleed.simulate.lattice import Floats

_REACH = 6.0  # sigmas: 1.5e-8 of the height is left there
_HALO_WIDTH = 3.0  # sigmas
_HALO_REACH = 18.0  # sigmas, where the halo is brought to zero

# Gauss-Legendre nodes and weights, three a side: exact to fifth order within a pixel.
_NODES = np.array([-0.5, 0.0, 0.5]) * np.sqrt(0.6)
_WEIGHTS = np.array([5.0, 8.0, 5.0]) / 18.0

PARAMETERS = ("x", "y", "amplitude", "sigma_x", "sigma_y", "theta_deg", "offset")


def gaussian_spot(
    shape: tuple[int, int],
    x: float,
    y: float,
    amplitude: float,
    sigma_x: float,
    sigma_y: float,
    theta_deg: float = 0.0,
    *,
    halo: float = 0.0,
    integrate: bool = False,
) -> Floats:
    """Image (y, x) of one spot on nothing.

    Parameters
    ----------
    shape : (int, int)
        Height and width of the image.
    x, y : float
        Centre in px; an integer is a pixel centre.
    amplitude : float
        Height of the Gaussian at its centre.
    sigma_x, sigma_y : float
        Widths in px along the axis at ``theta_deg`` from +x towards +y, and across it.
    theta_deg : float
    halo : float
        Height, over the amplitude, of the Lorentzian-like skirt: ``(1 + r²)^(-3/2)`` with
        ``r`` in units of three sigmas, brought to zero at 18 sigmas.
    integrate : bool
        False samples the centre of each pixel, which is what the fit assumes; True
        averages over the pixel's area.
    """
    image = np.zeros(shape)
    add_spot(image, x, y, amplitude, sigma_x, sigma_y, theta_deg, halo=halo, integrate=integrate)
    return image


def add_spot(
    image: NDArray[Any],
    x: float,
    y: float,
    amplitude: float,
    sigma_x: float,
    sigma_y: float,
    theta_deg: float,
    *,
    halo: float = 0.0,
    integrate: bool = False,
) -> None:
    """Add a spot to ``image`` in place, touching only a window; see `gaussian_spot`."""
    window = _window(image.shape, x, y, _REACH * max(sigma_x, sigma_y))
    shape = (sigma_x, sigma_y, theta_deg)
    if integrate:
        for weight_y, step_y in zip(_WEIGHTS, _NODES, strict=True):
            for weight_x, step_x in zip(_WEIGHTS, _NODES, strict=True):
                q = _window_radius2(window, x - step_x, y - step_y, *shape)
                image[window] += (amplitude * weight_x * weight_y) * np.exp(-0.5 * q)
    else:
        image[window] += amplitude * np.exp(-0.5 * _window_radius2(window, x, y, *shape))
    if halo:
        window = _window(image.shape, x, y, _HALO_REACH * max(sigma_x, sigma_y))
        image[window] += amplitude * halo * _skirt(_window_radius2(window, x, y, *shape))


def _skirt(q: Floats) -> Floats:
    base = 1.0 + q / _HALO_WIDTH**2
    edge = (1.0 + (_HALO_REACH / _HALO_WIDTH) ** 2) ** -1.5
    return np.asarray(np.maximum(1.0 / (base * np.sqrt(base)) - edge, 0.0) / (1.0 - edge))


def _window(shape: tuple[int, ...], x: float, y: float, reach: float) -> tuple[slice, slice]:
    bounds = []
    for centre, size in ((y, shape[0]), (x, shape[1])):
        first = min(max(int(np.floor(centre - reach)), 0), size)
        last = min(max(int(np.ceil(centre + reach)) + 1, first), size)
        bounds.append(slice(first, last))
    return bounds[0], bounds[1]


def _window_radius2(
    window: tuple[slice, slice], x: float, y: float, sigma_x: float, sigma_y: float, theta: float
) -> Floats:
    dy = (np.arange(window[0].start, window[0].stop) - y)[:, None]
    dx = np.arange(window[1].start, window[1].stop) - x
    return radius2(dx, dy, sigma_x, sigma_y, theta)


def radius2(
    dx: Floats,
    dy: Floats,
    sigma_x: float | Floats,
    sigma_y: float | Floats,
    theta_deg: float | Floats,
) -> Floats:
    """Squared distance from a spot's centre in units of its sigmas; arguments broadcast."""
    c, s = np.cos(np.radians(theta_deg)), np.sin(np.radians(theta_deg))
    u = dx * (c / sigma_x) + dy * (s / sigma_x)
    v = dy * (c / sigma_y) - dx * (s / sigma_y)
    return np.asarray(u**2 + v**2)


def cramer_rao(
    spots: dict[str, Floats], dx: Floats, dy: Floats, weight: Floats
) -> dict[str, Floats]:
    """Smallest standard errors that an unbiased fit of each spot can have.

    The fit is that of the ``fits`` table: rotated elliptical Gaussian plus constant offset,
    seven free parameters. The Fisher matrix is ``sum(weight * J Jᵀ)``; that the variance too
    depends on the parameters is left out, which matters by 1/(2 N) with N electrons a pixel.

    Parameters
    ----------
    spots : dict
        ``amplitude, sigma_x, sigma_y, theta_deg``, each (n,).
    dx, dy : ndarray (n, p)
        Pixels of the ROI from the centre of the spot, in px.
    weight : ndarray (n, p)
        One over the variance of each pixel, 0 where it may not be used.

    Returns
    -------
    dict
        ``x_err, y_err, amplitude_err, sigma_x_err, sigma_y_err, theta_err_deg, offset_err,
        volume_err`` and ``snr`` = volume over its standard error, each (n,); NaN errors and an
        ``snr`` of 0 where there is no light or there are too few pixels.

    References
    ----------
    Winick, J. Opt. Soc. Am. A 3, 1809 (1986).
    """
    amplitude, sx, sy = spots["amplitude"], spots["sigma_x"], spots["sigma_y"]
    known = (amplitude > 0) & ((weight > 0).sum(axis=1) > len(PARAMETERS))
    by = gradient(np.where(known, amplitude, 1.0), sx, sy, spots["theta_deg"], dx, dy)
    together = covariance((by * weight[:, None, :]) @ by.transpose(0, 2, 1))
    errors = np.sqrt(np.maximum(np.einsum("nii->ni", together), 0.0))
    volume = 2 * np.pi * amplitude * sx * sy
    relative = np.stack([1 / np.where(known, amplitude, 1.0), 1 / sx, 1 / sy], axis=1)
    volume_err = volume * np.sqrt(
        np.einsum("ni,nij,nj->n", relative, together[:, 2:5, 2:5], relative)
    )
    errors[:, 5] = np.degrees(np.where(sx == sy, np.nan, errors[:, 5]))
    names = [f"{name}_err" for name in PARAMETERS]
    names[5] = "theta_err_deg"
    result = {name: np.where(known, errors[:, i], np.nan) for i, name in enumerate(names)}
    result["volume_err"] = np.where(known, volume_err, np.nan)
    with np.errstate(divide="ignore", invalid="ignore"):
        result["snr"] = np.where(known & (volume_err > 0), volume / volume_err, 0.0)
    return result


def covariance(fisher: Floats) -> Floats:
    """Inverses of Fisher matrices (n, m, m), whatever the parameters' units."""
    scale = np.sqrt(np.einsum("nii->ni", fisher))
    scale[scale == 0] = 1.0  # the angle of a round spot: it disturbs nothing else
    units = scale[:, :, None] * scale[:, None, :]
    return np.asarray(np.linalg.pinv(fisher / units, rcond=1e-12, hermitian=True) / units)


def gradient(
    amplitude: Floats, sigma_x: Floats, sigma_y: Floats, theta_deg: Floats, dx: Floats, dy: Floats
) -> Floats:
    """Derivatives of the pixels by `PARAMETERS` (the angle in radians), (n, 7, p)."""
    a, sx, sy = amplitude[:, None], sigma_x[:, None], sigma_y[:, None]
    c, s = np.cos(np.radians(theta_deg))[:, None], np.sin(np.radians(theta_deg))[:, None]
    u, v = dx * c + dy * s, dy * c - dx * s
    unit = np.exp(-0.5 * ((u / sx) ** 2 + (v / sy) ** 2))
    spot = a * unit
    by_u, by_v = spot * u / sx**2, spot * v / sy**2
    return np.stack(
        [
            by_u * c - by_v * s,
            by_u * s + by_v * c,
            unit,
            by_u * u / sx,
            by_v * v / sy,
            by_v * u - by_u * v,
            np.ones_like(spot),
        ],
        axis=1,
    )
