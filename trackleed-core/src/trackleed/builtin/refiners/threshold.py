"""How high a spot can be where no fit finds one."""

from __future__ import annotations

import numpy as np

from trackleed.builtin.refiners.compiled.physical import NUMBERS
from trackleed.builtin.refiners.cutouts import Cutouts
from trackleed.builtin.refiners.engine import WIDTH
from trackleed.builtin.refiners.groups import Together
from trackleed.builtin.refiners.measure import Tracks
from trackleed.builtin.refiners.model import Array
from trackleed.frames import NoiseModel

X, Y, HEIGHT = (NUMBERS.index(name) for name in ("x", "y", "amplitude"))
PRECISION = [NUMBERS.index(name) for name in ("p_xx", "p_xy", "p_yy")]
"""Where the inverse of a spot's matrix of second moments is among the numbers of its fit."""


def height_at_seed(
    rois: Cutouts,
    tracks: Tracks,
    usable: Array,
    done: Together | None,
    row: int,
    noise: NoiseModel,
) -> tuple[float, float]:
    """Height, and its standard error, of a spot as wide as the reference where a track is.

    Only the height and a plane are fitted, a linear problem, to what the joint fit
    leaves of the ROI when the other spots are taken off. So the errors
    of the others' parameters are not in the error; the scatter about the fit is.

    Parameters
    ----------
    rois, tracks
        Of the group.
    usable : ndarray (n, side, side) of bool
    done : Together, optional
        The joint fit of the others.
    row : int
        The member to look for.
    """
    x, y = pixels(rois, row)
    rest = rois.counts[row].copy()
    shape = (WIDTH / rois.side) ** 2 * np.array([1.0, 0.0, 1.0])
    if done is not None:
        for numbers in done.numbers:
            dx, dy = x - numbers[X], y - numbers[Y]
            rest -= numbers[HEIGHT] * peak_shape(dx, dy, numbers[PRECISION])
        shape = done.numbers[0, PRECISION]
    here = usable[row]
    own = peak_shape(x - tracks.x[row], y - tracks.y[row], shape)
    terms = np.stack(np.broadcast_arrays(own, 1.0, x - rois.x[row], y - rois.y[row]), axis=-1)
    gain, dark, floor = rois.variance(noise)[row]
    weight = 1 / np.sqrt(np.maximum(gain * rois.counts[row] + dark, floor))[here]
    matrix, values = terms[here] * weight[:, None], rest[here] * weight
    if len(values) <= matrix.shape[1]:
        return np.nan, np.nan
    inverse = np.linalg.pinv(matrix.T @ matrix)
    found = inverse @ (matrix.T @ values)
    chi2_red = ((values - matrix @ found) ** 2).sum() / (len(values) - matrix.shape[1])
    return float(found[0]), float(np.sqrt(inverse[0, 0] * max(chi2_red, 1.0)))


def pixels(rois: Cutouts, row: int) -> tuple[Array, Array]:
    """Where the pixels of an ROI are in the frame, arrays (1, side) and (side, 1)."""
    offsets = np.arange(rois.side) - rois.side // 2
    return (rois.x[row] + offsets)[None, :], (rois.y[row] + offsets)[:, None]


def peak_shape(dx: Array, dy: Array, shape: Array) -> Array:
    """A spot of height 1; ``shape``: the inverse of the matrix of its second moments."""
    xx, xy, yy = shape
    return np.asarray(np.exp(-0.5 * (xx * dx**2 + 2 * xy * dx * dy + yy * dy**2)))
