"""How well the place of a spot among others can be known."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from trackleed.frames import NoiseModel
from trackleed.simulate.lattice import Floats
from trackleed.simulate.shape import covariance, gradient

_ROI_SIGMAS = 3.0
_WIDEST = 30.0  # px to each side that an ROI reaches at most, as with the refiner's defaults
_LARGEST = 7  # spots that are fitted together
_FINE = 2.5  # pixels in the smallest width from which a sum over them is an integral


def place_errors(
    spots: dict[str, Floats],
    others: NDArray[np.bool_],
    level: Floats,
    usable: NDArray[np.bool_],
    noise: NoiseModel,
) -> tuple[Floats, Floats]:
    """Smallest standard errors of x and y that an unbiased fit of spots among others can have.

    The fit is the default one of the refiner: rotated elliptical Gaussians, those whose ROIs
    overlap together, on one plane. The Fisher matrix is that of all parameters of the spot, of
    its nearest neighbours (six at most) and of the plane, over the pixels of all their ROIs,
    squares that reach three times the larger sigma to each side, but 30 px at the most: over
    more no background is a plane. Each pixel is weighted by its variance at the ``level`` of the
    frame, with whatever else shines there.

    Parameters
    ----------
    spots : dict
        ``x, y, amplitude, sigma_x, sigma_y, theta_deg``, each (n,).
    others : ndarray of bool (n,)
        Spots that a fit would know of, and count with, as neighbours.
    level : ndarray (y, x)
        Expected counts.
    usable : ndarray of bool (y, x)
    noise : NoiseModel

    Returns
    -------
    x_err, y_err : ndarray (n,)
        In px; NaN where there are fewer pixels than parameters.

    References
    ----------
    Winick, J. Opt. Soc. Am. A 3, 1809 (1986); of several sources at once: Ram, Ward and Ober, Proc.
    Natl. Acad. Sci. 103, 4457 (2006).
    """
    reach = np.ceil(_ROI_SIGMAS * np.maximum(spots["sigma_x"], spots["sigma_y"]))
    reach = np.minimum(reach, _WIDEST)
    apart = np.maximum(*(np.abs(spots[axis][:, None] - spots[axis]) for axis in ("x", "y")))
    near = (apart < reach[:, None] + reach) & others
    np.fill_diagonal(near, False)
    errors = np.empty((2, len(reach)))
    for s in range(len(reach)):
        neighbours = np.flatnonzero(near[s])
        neighbours = neighbours[np.argsort(apart[s, neighbours])][: _LARGEST - 1]
        members = np.array([s, *neighbours])
        group = {name: values[members] for name, values in spots.items()}
        errors[:, s] = _errors_of_first(group, reach[members], level, usable, noise)
    return errors[0], errors[1]


def _errors_of_first(
    group: dict[str, Floats],
    reach: Floats,
    level: Floats,
    usable: NDArray[np.bool_],
    noise: NoiseModel,
) -> Floats:
    """Errors (2,) of x and y of the first spot of a group."""
    step = max(1, int(min(group["sigma_x"].min(), group["sigma_y"].min()) / _FINE))
    rows, columns = _pixels(group, reach, level.shape, step)
    seen = usable[rows, columns]
    rows, columns = rows[seen], columns[seen]
    dx, dy = columns - group["x"][:, None], rows - group["y"][:, None]
    sx, sy, theta = group["sigma_x"], group["sigma_y"], group["theta_deg"]
    slopes = gradient(group["amplitude"], sx, sy, theta, dx, dy)
    peaks = np.concatenate(list(slopes[:, :-1]))
    by = np.concatenate([peaks, [np.ones_like(dx[0]), dx[0], dy[0]]])
    if len(rows) <= len(by):
        return np.full(2, np.nan)
    fisher = (by * (step**2 / noise.variance(level[rows, columns]))) @ by.T
    errors: Floats = np.sqrt(np.maximum(np.diag(covariance(fisher[None])[0])[:2], 0.0))
    return errors


def _pixels(
    group: dict[str, Floats], reach: Floats, shape: tuple[int, ...], step: int
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Rows and columns of the pixels of the ROIs of a group, every ``step``-th each way."""
    x, y = np.rint(group["x"]), np.rint(group["y"])
    ranges = [
        np.arange(max(0, (at - reach).min()), min(size - 1, (at + reach).max()) + 1, step)
        for at, size in ((y, shape[0]), (x, shape[1]))
    ]
    rows, columns = (grid.ravel() for grid in np.meshgrid(*ranges, indexing="ij"))
    far = np.maximum(np.abs(columns - x[:, None]), np.abs(rows - y[:, None]))
    inside = (far <= reach[:, None]).any(axis=0)
    return rows[inside].astype(np.intp), columns[inside].astype(np.intp)
