"""Other tracks' spots in an ROI."""

from __future__ import annotations

import numpy as np

from trackleed.builtin.refiners.cutouts import Cutouts
from trackleed.builtin.refiners.model import Array

SEPARABLE = 3.0  # px; two tracks closer than this share their pixels


def pairs(frame: Array, x: Array, y: Array, reach: Array) -> tuple[Array, Array]:
    """Tracks near each other in one frame: indices i, j with j nearer to i than ``reach[i]``.

    Parameters
    ----------
    frame, x, y, reach : ndarray (n,)
        Rows without a position (NaN) are nobody's neighbours.
    """
    found = []
    for number in np.unique(frame):
        here = np.flatnonzero((frame == number) & np.isfinite(x) & np.isfinite(y))
        distance = np.hypot(x[here, None] - x[here], y[here, None] - y[here])
        near = distance < reach[here, None]
        np.fill_diagonal(near, False)
        i, j = np.nonzero(near)
        found.append(np.stack([here[i], here[j]]))
    both = np.concatenate(found, axis=1) if found else np.empty((2, 0), np.intp)
    return both[0], both[1]


def own_pixels(rois: Cutouts, x: Array, y: Array, pair: tuple[Array, Array]) -> Array:
    """Pixels nearer to an ROI's own track than to any neighbour, bool (n, side, side)."""
    own = np.ones(rois.counts.shape, dtype=bool)
    i, j = pair
    place = np.full(len(x), -1)
    place[rois.row] = np.arange(len(rois))
    apart = np.hypot(x[i] - x[j], y[i] - y[j]) >= SEPARABLE
    mine = (place[i] >= 0) & apart
    i, j = i[mine], j[mine]
    some = rois.take(place[i])
    nearer = some.distance2(x[i], y[i]) <= some.distance2(x[j], y[j])
    np.logical_and.at(own, place[i], nearer)
    return own


def disturbance(
    pair: tuple[Array, Array], x: Array, y: Array, fits: dict[str, Array]
) -> dict[str, Array]:
    """What neighbours do to fits.

    Parameters
    ----------
    pair : tuple of ndarray
        From `pairs`.
    x, y : ndarray (n,)
        Tracked positions.
    fits : dict of ndarray (n,)
        Fitted ``x``, ``y``, ``amplitude``, ``precision`` (n, 2, 2) and ``converged``.

    Returns
    -------
    dict
        ``astray`` (n,), bool: the fit stands nearer to a neighbour's track than to its own.
        ``leak`` (n,): light of a neighbour half-way to it, over the spot's own
        amplitude. The ROI is cut off there, so that no pixel of the fit gets more. A
        neighbour without a fit is taken for a twin.
    """
    i, j = pair
    to_own = np.hypot(fits["x"] - x, fits["y"] - y)
    to_other = np.hypot(fits["x"][i] - x[j], fits["y"][i] - y[j])
    astray = np.zeros(len(x), dtype=bool)
    np.logical_or.at(astray, i, fits["converged"][i] & (to_other < to_own[i]))

    source = np.where(fits["converged"][j], j, i)
    step = 0.5 * np.stack([x[i] - x[j], y[i] - y[j]], axis=1)
    exponent = np.einsum("ni,nij,nj->n", step, fits["precision"][source], step)
    light = fits["amplitude"][source] * np.exp(-0.5 * exponent) / fits["amplitude"][i]
    leak = np.zeros(len(x))
    np.maximum.at(leak, i, np.where(fits["converged"][i], light, 0.0))
    return {"astray": astray, "leak": leak}
