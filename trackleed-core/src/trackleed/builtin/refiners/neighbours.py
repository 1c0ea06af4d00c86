"""Other tracks' spots in an ROI."""

from __future__ import annotations

import numpy as np

from trackleed.builtin.refiners.cutouts import Cutouts
from trackleed.builtin.refiners.model import Array

SEPARABLE = 3.0  # px; two tracks closer than this share their pixels
CLOSE = 3.0  # widths of a spot within which another can hide
SPARROW = 2.0  # widths apart, mean of the two, from which two equal spots have two maxima
APART = 3.0  # the same, from which neither can take the other's light
ALIKE = 2.0  # ratio of the areas of two spots of one pattern, at most


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


def astray(pair: tuple[Array, Array], x: Array, y: Array, fits: dict[str, Array]) -> Array:
    """Whether a fit stands nearer to a neighbour's track than to its own, bool (n,).

    Parameters
    ----------
    pair : tuple of ndarray
        From `pairs`.
    x, y : ndarray (n,)
        Tracked positions.
    fits : dict of ndarray (n,)
        Fitted ``x``, ``y``; ``converged``.
    """
    i, j = pair
    to_own = np.hypot(fits["x"] - x, fits["y"] - y)
    to_other = np.hypot(fits["x"][i] - x[j], fits["y"][i] - y[j])
    found = np.zeros(len(x), dtype=bool)
    np.logical_or.at(found, i, fits["converged"][i] & (to_other < to_own[i]))
    return found


def leak(
    pair: tuple[Array, Array], x: Array, y: Array, fits: dict[str, Array], joined: Array
) -> Array:
    """Light of a neighbour half-way to it, over the spot's own amplitude, array (n,).

    The ROI is cut off there, so that no pixel of the fit gets more. A neighbour
    whose own fit found no spot at its place is taken for a twin if it is close, where a spot could
    hide, and for dark if not. One that was fitted together with the spot leaks nothing.

    Parameters
    ----------
    pair, x, y
        As in `astray`.
    fits : dict of ndarray (n,)
        Fitted ``amplitude``, ``precision`` (n, 2, 2); ``settled``.
    joined : ndarray of bool
        Of each pair i, j, whether j was fitted together with i.
    """
    i, j = pair
    alone = fits["settled"][i] & ~joined
    i, j = i[alone], j[alone]
    sound = fits["settled"][j]
    shape = fits["precision"][np.where(sound, j, i)]
    step = np.stack([x[i] - x[j], y[i] - y[j]], axis=1)
    distance2 = np.einsum("ni,nij,nj->n", step, shape, step)  # in widths
    ratio = np.where(sound, fits["amplitude"][j] / fits["amplitude"][i], distance2 < CLOSE**2)
    most = np.zeros(len(x))
    np.maximum.at(most, i, ratio * np.exp(-0.5 * distance2 / 4))
    return most


def merged(
    pair: tuple[Array, Array], fits: dict[str, Array], joined: Array, dim: Array, least: float
) -> Array:
    """Whether a spot was fitted together with one that it cannot be told apart from, bool (n,).

    Such a fit can end where one spot has taken the light of both and the other sits on its flank,
    or on the noise there, with errors that know nothing of that. It is told by what
    is left of the second spot: none above the noise, no maximum of its own, or an area so
    different as those of two spots of one pattern are not.

    Parameters
    ----------
    pair, fits, joined
        As in `leak`; ``fits`` with ``x``, ``y``, ``amplitude`` and ``precision``.
    dim : ndarray (n,) of bool
        Where the fit found no spot above the noise.
    least : float
        Height of a second spot over that of the first from which it matters.
    """
    i, j = (index[joined] for index in pair)
    dx, dy = (fits[name][i] - fits[name][j] for name in ("x", "y"))
    distance = np.hypot(dx, dy)
    width, area = [], []
    for precision in (fits["precision"][i], fits["precision"][j]):
        xx, xy, yy = precision[:, 0, 0], precision[:, 0, 1], precision[:, 1, 1]
        det = xx * yy - xy**2
        width.append(np.sqrt((yy * dx**2 - 2 * xy * dx * dy + xx * dy**2) / det) / distance)
        area.append(1 / np.sqrt(det))
    apart = 2 * distance / (width[0] + width[1])
    ratio = np.maximum(area[0] / area[1], area[1] / area[0])
    found = np.zeros(len(dim), dtype=bool)
    one = (apart < SPARROW) | ((apart < APART) & ((ratio > ALIKE) | dim[j]))
    one &= fits["amplitude"][j] > least * fits["amplitude"][i]
    np.logical_or.at(found, i, one)
    return found
