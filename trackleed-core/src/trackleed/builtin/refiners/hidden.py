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
from trackleed.builtin.refiners.model import PARAMETERS, PEAK, Array, half, monomials
from trackleed.builtin.refiners.neighbours import merged, own_pixels
from trackleed.builtin.refiners.params import GaussianParams
from trackleed.builtin.refiners.status import too_dim
from trackleed.frames import NoiseModel

MISFIT = 2.0  # standard deviations of chi-squared from which a fit is suspected
TOLD = 0.2  # part of the misfit that the moments tell, at least
LEFT = 1 / 3  # part of the misfit that two spots leave, at most
GAIN = 40.0  # chi-squared that two spots gain, at least, scaled to what they leave
CERTAIN = 5.0  # errors by which the dimmer of the two stands out
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
        for m, row in enumerate(these.row.tolist()):
            roi, pixels = these.take(slice(m, m + 1)), usable[m : m + 1]
            if not _is_mixed(roi, pixels, found, row, noise):
                continue
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


def _axis(found: dict[str, Array], row: int) -> tuple[Array, float, float]:
    """Direction of the longer axis, and the widths along it and across, px."""
    values, vectors = np.linalg.eigh(found["precision"][row])
    return vectors[:, 0], float(values[0] ** -0.5), float(values[1] ** -0.5)


def _is_mixed(
    roi: Cutouts, usable: Array, found: dict[str, Array], row: int, noise: NoiseModel
) -> bool:
    """Whether a linear fit of the moments to the residuals tells `TOLD` of the misfit."""
    base = monomials(roi.side)[:, usable[0]]
    k = found["k"][row]
    peak = np.exp(k[:PEAK] @ base[:PEAK])
    model = peak + k[PEAK:] @ base[PEAK:]
    size = (3, roi.side, roi.side)
    gain, dark, floor = np.broadcast_to(roi.variance(noise)[0], size)[:, usable[0]]
    weights = 1 / np.maximum(gain * model + dark, floor)
    rest = roi.counts[0][usable[0]] - model
    axis, length, _ = _axis(found, row)
    unit = half(roi.side)
    away = np.array([roi.x[0] - found["x"][row], roi.y[0] - found["y"][row]])
    s = (axis[0] * (base[1] * unit + away[0]) + axis[1] * (base[2] * unit + away[1])) / length
    slopes = np.concatenate(
        [peak * base[:PEAK], base[PEAK:], [peak * (s**3 - 3 * s), peak * (s**4 - 6 * s**2 + 3)]]
    )
    gradient = (weights * slopes) @ rest
    gained = gradient @ np.linalg.pinv((weights * slopes) @ slopes.T, hermitian=True) @ gradient
    return bool(gained > TOLD * ((weights * rest**2).sum() - len(rest) + PARAMETERS))


def _start(roi: Cutouts, found: dict[str, Array], row: int) -> tuple[Array, Array]:
    """Parameters (2, 9) of two equal round spots as long together as the one, and their places."""
    axis, length, breadth = _axis(found, row)
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
