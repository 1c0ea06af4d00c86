"""Where a fit starts, and whether there is a spot at all."""

from __future__ import annotations

import numpy as np

from trackleed.builtin.refiners.model import PEAK, Array, half, peak, powers


def round_spot(side: int, shift: Array, sigma: Array) -> Array:
    """Parameters (n, 6) of round peaks of amplitude 1, without background.

    Parameters
    ----------
    side : int
        Of the ROI, in px.
    shift : ndarray (n, 2)
        From the ROI's centre to the peak's, right and down, in px.
    sigma : ndarray (n,)
        Widths in px.
    """
    tightness = (half(side) / sigma) ** 2
    centre = shift / half(side)
    k = np.zeros((len(shift), PEAK))
    k[:, 0] = -0.5 * tightness * (centre**2).sum(axis=1)
    k[:, 1:3] = tightness[:, None] * centre
    k[:, 3] = k[:, 5] = -0.5 * tightness
    return k


def linear_fit(data: Array, weights: Array, shape: Array, planar: bool) -> tuple[Array, Array]:
    """Amplitude of a peak of known shape, and the background under it.

    Parameters
    ----------
    data, weights : ndarray (n, side, side)
    shape : ndarray (n, 6)
        Parameters of the peak.
    planar : bool
        Whether the background has a slope.

    Returns
    -------
    coefficients : ndarray (n, 2 or 4)
        Amplitude, background at the ROI's centre, its slopes along u and v.
    covariance : ndarray (n, 2 or 4, 2 or 4)
    """
    n, side = data.shape[:2]
    images = np.ones((n, 4 if planar else 2, side, side))
    images[:, 0] = peak(shape, side)
    if planar:
        u = powers(side, 1)[:, 1]
        images[:, 2], images[:, 3] = u, u[:, None]
    columns = images.reshape(n, -1, side * side)
    weighted = columns * weights.reshape(n, 1, -1)
    matrix = weighted @ columns.swapaxes(1, 2)
    # A hair on the diagonal keeps an ROI without usable pixels from stopping the whole batch.
    matrix += (
        np.eye(matrix.shape[1])
        * (1e-12 * np.trace(matrix, axis1=1, axis2=2) + 1e-300)[:, None, None]
    )
    covariance = np.linalg.inv(matrix)
    moments = weighted @ data.reshape(n, -1, 1)
    return (covariance @ moments)[..., 0], covariance


def start(data: Array, usable: Array, shift: Array, sigma: float, planar: bool) -> Array:
    """First parameters (n, 6 + background) for the fit: a round spot near the tracked position.

    The tracked position is moved to the centre of the light that a Gaussian window on it sees,
    over and above the background; twice, since a window that is off sees only
    half of the way.
    """
    side = data.shape[-1]
    weights = usable.astype(np.float64)
    data = np.where(usable, data, 0.0)
    width = np.full(len(data), sigma)
    u = powers(side, 1)[:, 1] * half(side)
    for _ in range(2):
        shape = round_spot(side, shift, width)
        values, _ = linear_fit(data, weights, shape, planar)
        slope = values[:, 2:] if planar else np.zeros((len(data), 2))
        level = slope[:, :1, None] * (u / half(side)) + slope[:, 1:, None] * (
            u[:, None] / half(side)
        )
        light = (data - values[:, 1, None, None] - level) * weights * peak(shape, side)
        light = np.maximum(light, 0.0)
        total = light.sum(axis=(1, 2)) + 1e-300
        moved = np.stack([light.sum(axis=1) @ u, light.sum(axis=2) @ u], axis=1) / total[:, None]
        shift = np.clip(shift + 2 * (moved - shift), -side / 4, side / 4)
    values, _ = linear_fit(data, weights, round_spot(side, shift, width), planar)
    k = np.concatenate([round_spot(side, shift, width), values[:, 1:]], axis=1)
    scatter = np.sqrt((weights * (data - values[:, 1, None, None]) ** 2).mean(axis=(1, 2)))
    k[:, 0] += np.log(np.maximum(values[:, 0], 0.1 * scatter + 1e-12))
    return k
