"""Spots that no track follows in the light of one that a track does.

One Gaussian fitted to two spots is longer than either and stands between them, with a
stated error as if it were one. Such a fit is suspected where it does not describe its pixels and
the third and fourth moments along its axis [1]_ tell a good part of why. Two spots of one shape
are then fitted, which has to explain what was wrong: a halo, a ring, or stripes of the
camera do not go away with a second spot.

References
----------
.. [1] Cramér, Mathematical Methods of Statistics (Princeton 1946), sec. 17.6: the Gram-Charlier
   series.
"""

from __future__ import annotations

from functools import partial

import numpy as np

from trackleed.builtin.refiners.crowds import replace
from trackleed.builtin.refiners.cutouts import Cutouts
from trackleed.builtin.refiners.groups import Together, fit_group, standing
from trackleed.builtin.refiners.measure import Tracks, columns, parameters, trusted
from trackleed.builtin.refiners.model import (
    PARAMETERS,
    PEAK,
    Array,
    background,
    half,
    monomials,
    peak,
)
from trackleed.builtin.refiners.neighbours import merged, own_pixels
from trackleed.builtin.refiners.params import GaussianParams
from trackleed.builtin.refiners.status import too_dim
from trackleed.frames import NoiseModel

MISFIT = 2.0  # standard deviations of chi-squared from which a fit is suspected
TOLD = 0.2  # part of the misfit that the moments tell, at least
LEFT = 1 / 3  # part of the misfit that two spots leave, at most
GAIN = 40.0  # chi-squared that two spots gain, at least, scaled to what they leave
CERTAIN = 5.0  # errors by which the dimmer of the two stands out
CHUNK = 32  # fits looked at together: what is made of them stays in the processor's cache
RIDGE = 1e-9  # on the diagonal of the scaled squares: a round spot's moments may be one
NEARER = 0.6  # distance of a track from its spot over that from the other, at most


def part_hidden(
    parts: list[Cutouts],
    tracks: Tracks,
    pair: tuple[Array, Array],
    found: dict[str, Array],
    joined: Array,
    noise: NoiseModel,
    params: GaussianParams,
) -> Array:
    """Put the numbers of the spot that is tracked in the place of those of two in one.

    Parameters
    ----------
    parts, tracks, pair, found
        As in `crowds.measure_together`.
    joined : ndarray of bool
        Of each pair i, j, whether j was fitted together with i.

    Returns
    -------
    ndarray (n,) of bool
        Where there are two spots, and either they cannot be measured apart or nobody knows which
        of them the track means.
    """
    asked = _suspects(found, params)
    if params.shape == "circular":  # it has no axis
        asked[:] = False
    asked[pair[0][joined]] = False
    mixed = np.zeros(len(asked), dtype=bool)
    for part in parts:
        these = part.take(asked[part.row])
        usable = trusted(these, tracks, noise) & own_pixels(these, tracks.x, tracks.y, pair)
        chunks = [slice(i, i + CHUNK) for i in range(0, len(these), CHUNK)]
        told = [_is_mixed(these.take(c), usable[c], found, noise) for c in chunks]
        for m in np.flatnonzero(np.concatenate(told)).tolist() if told else ():
            row, roi, pixels = int(these.row[m]), these.take(slice(m, m + 1)), usable[m : m + 1]
            start, places = _start(roi, found, row)
            fit = partial(
                fit_group, [roi, roi], [pixels, pixels], tracked=places, others=np.empty((0, 2)),
                noise=noise, params=params, roaming=True,
            )  # fmt: skip
            alike = fit(start=start, alike=True)
            if alike is not None and _explains(alike, found, row, params):
                own = fit(start=alike.k)
                mixed[row] = own is None or not _take(own, found, row, tracks, params)
    return mixed


def _suspects(found: dict[str, Array], params: GaussianParams) -> Array:
    """Fits that do not describe their pixels, (n,) of bool."""
    freedom = found["pixels"] - parameters(params)
    wrong = (found["chi2_red"] - 1) * np.sqrt(np.maximum(freedom, 0) / 2) > MISFIT
    return np.asarray(wrong & found["settled"] & ~found["clipped"] & ~found["astray"])


def _axes(found: dict[str, Array], row: Array) -> tuple[Array, Array, Array]:
    """Direction (n, 2) of the longer axes, and the widths along them and across, px."""
    values, vectors = np.linalg.eigh(found["precision"][row])
    return vectors[:, :, 0], values[:, 0] ** -0.5, values[:, 1] ** -0.5


def _is_mixed(rois: Cutouts, usable: Array, found: dict[str, Array], noise: NoiseModel) -> Array:
    """Where a linear fit of the moments to the residuals tells of two spots, (n,) of bool.

    What it gains is about what two spots near each other gain (`GAIN`), and `TOLD` of the misfit.
    Light that falls less steeply than a Gaussian's to both sides is a halo, unless the third
    moment speaks for two spots by itself.
    """
    base = monomials(rois.side).reshape(PARAMETERS, -1)
    k = found["k"][rois.row]
    spot = peak(k, rois.side).reshape(len(k), -1)
    model = spot + background(k, rois.side).reshape(spot.shape)
    gain, dark, floor = (v.reshape(len(v), -1) for v in np.moveaxis(rois.variance(noise), 1, 0))
    weights = usable.reshape(model.shape) / np.maximum(gain * model + dark, floor)
    rest = rois.counts.reshape(model.shape) - model
    s = _along(rois, found, base)
    slopes = np.empty((len(rois), PARAMETERS + 2, base.shape[1]))
    slopes[:, :PEAK] = spot[:, None] * base[:PEAK]
    slopes[:, PEAK:PARAMETERS] = base[PEAK:]
    slopes[:, -2] = spot * (s**2 - 3) * s
    slopes[:, -1] = spot * (s**4 - 6 * s**2 + 3)
    weighted = weights[:, None] * slopes
    squares = weighted @ slopes.transpose(0, 2, 1)
    gradient = weighted @ rest[:, :, None]
    misfit = (weights * rest**2).sum(axis=1) - (weights > 0).sum(axis=1) + PARAMETERS
    third, _ = _gain(squares[:, :-1, :-1], gradient[:, :-1])
    both, step = _gain(squares, gradient)
    halo = (step[:, -1] > 0) & (third < GAIN / 2)
    return np.asarray((both > np.maximum(TOLD * misfit, GAIN / 2)) & ~halo)


def _gain(squares: Array, gradient: Array) -> tuple[Array, Array]:
    """What the best step of linear parameters takes off chi-squared, (n,), and its direction."""
    size = np.sqrt(np.einsum("nii->ni", squares))[:, :, None]
    scaled, slope = squares / size / size.transpose(0, 2, 1), gradient / size
    step = np.linalg.solve(scaled + RIDGE * np.eye(scaled.shape[1]), slope)
    return (slope * step).sum(axis=(1, 2)), step[:, :, 0]


def _along(rois: Cutouts, found: dict[str, Array], base: Array) -> Array:
    """Where pixels lie along the longer axis of their fits, in its widths, (n, pixels)."""
    axis, length, _ = _axes(found, rois.row)
    x = base[1] * half(rois.side) + (rois.x - found["x"][rois.row])[:, None]
    y = base[2] * half(rois.side) + (rois.y - found["y"][rois.row])[:, None]
    return np.asarray((axis[:, :1] * x + axis[:, 1:] * y) / length[:, None])


def _start(roi: Cutouts, found: dict[str, Array], row: int) -> tuple[Array, Array]:
    """Parameters (2, 9) of two equal round spots as long together as the one, and their places."""
    (axis,), (length,), (breadth,) = _axes(found, roi.row)
    step = np.sqrt(max(length**2 - breadth**2, 0.0)) * axis
    middle = np.array([found["x"][row], found["y"][row]])
    places = np.stack([middle - step, middle + step])
    unit = half(roi.side)
    shape = np.array([-0.5, 0.0, -0.5]) * (unit / breadth) ** 2
    height = found["volume"][row] / (4 * np.pi * breadth**2)
    at = (places - [roi.x[0], roi.y[0]]) / unit
    below = found["k"][row, PEAK:]
    return np.array([[*standing(height, u, v, shape), *below] for u, v in at]), places


def _explains(two: Together, found: dict[str, Array], row: int, params: GaussianParams) -> bool:
    """Whether two spots leave little of the misfit of one, and are spots."""
    left, before = two.chi2_red, found["chi2_red"][row]
    freedom = found["pixels"][row] - parameters(params)
    numbers = columns(two.numbers)
    certain = numbers["amplitude"] > CERTAIN * numbers["amplitude_err"]
    return bool(
        left - 1 < LEFT * (before - 1) + MISFIT * np.sqrt(2 / freedom)
        and freedom * (before - left) > GAIN * max(left, 1.0)
        and certain.all()
        and not _merged(two, params).any()
    )


def _merged(two: Together, params: GaussianParams) -> Array:
    numbers = columns(two.numbers)
    pair, both = (np.array([0, 1]), np.array([1, 0])), np.ones(2, dtype=bool)
    return merged(pair, numbers, both, too_dim(numbers, params), params.max_leak)


def _take(
    two: Together, found: dict[str, Array], row: int, tracks: Tracks, params: GaussianParams
) -> bool:
    """Take the numbers of the one that the track is nearer to, if that is clear."""
    away = np.hypot(two.numbers[:, 0] - tracks.x[row], two.numbers[:, 1] - tracks.y[row])
    if _merged(two, params).any() or away.min() > NEARER * away.max():
        return False
    replace(found, two, away == away.min(), tracks)
    return True
