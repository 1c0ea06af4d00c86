"""Many single spots with noise, to find out whether a fit's error bars are right."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from trackleed.errors import InputError
from trackleed.frames import NoiseModel
from trackleed.simulate.camera import Camera
from trackleed.simulate.lattice import Floats
from trackleed.simulate.settings import Stream
from trackleed.simulate.shape import cramer_rao, radius2

if TYPE_CHECKING:
    import pandas as pd

_BATCH = 500  # spots worked on at a time, which bounds the memory
_STEPS = 12  # of the search for the amplitude; the snr is then right to 1e-6


@dataclass(frozen=True)
class Spots:
    """Single spots in the middle of ROIs of their own.

    Attributes
    ----------
    rois : ndarray (n, y, x)
        Noisy counts, float64, neither rounded nor clipped.
    expected : ndarray (n, y, x)
        The same without noise.
    truth : DataFrame
        One row a ROI: ``x, y`` (px in the ROI), ``amplitude, sigma_x, sigma_y, theta_deg,
        offset, volume, snr`` and the Cramér-Rao errors ``x_err ... volume_err``, named as in
        the ``fits`` table.
    noise : NoiseModel
        True noise.
    """

    rois: Floats
    expected: Floats
    truth: pd.DataFrame
    noise: NoiseModel


def spots(
    n: int,
    *,
    roi: int = 25,
    snr: tuple[float, float] = (4.0, 100.0),
    sigma: tuple[float, float] = (2.0, 4.0),
    background: float = 2000.0,
    slope: float = 0.0,
    noise: NoiseModel | None = None,
    seed: int = 0,
) -> Spots:
    """Make ``n`` single spots with a wanted signal-to-noise ratio.

    Centres lie anywhere within half a pixel of the ROI's centre, angles anywhere in
    (-45, 45], widths evenly in ``sigma``, ratios evenly in the logarithm of ``snr``.

    Parameters
    ----------
    n : int
    roi : int
        Side of the ROIs in px, odd.
    snr : (float, float)
        Range of volume over its Cramér-Rao standard error, from all pixels of the ROI.
    sigma : (float, float)
        Range of both widths in px.
    background : float
        Counts over black under the spot.
    slope : float
        Slope of the background in counts/px, in a random direction; the fit model has none.
    noise : NoiseModel, optional
        That of a default 16-bit simulation when not given.
    seed : int

    Raises
    ------
    InputError
        If the ROI is even or too small, or a range is empty.
    """
    _check(n, roi, snr, sigma)
    noise = Camera().noise if noise is None else noise
    rng = np.random.default_rng([seed, Stream.ROI])
    middle = roi // 2
    truth = {
        "x": middle + rng.uniform(-0.5, 0.5, n),
        "y": middle + rng.uniform(-0.5, 0.5, n),
        "sigma_x": rng.uniform(*sigma, n),
        "sigma_y": rng.uniform(*sigma, n),
        "theta_deg": -rng.uniform(-45, 45, n),
    }
    wanted = np.exp(rng.uniform(math.log(snr[0]), math.log(snr[1]), n))
    direction = rng.uniform(0, 2 * np.pi, n)
    rois, expected = np.empty((n, roi, roi)), np.empty((n, roi, roi))
    parts = []
    for first in range(0, n, _BATCH):
        some = slice(first, first + _BATCH)
        batch = {name: values[some] for name, values in truth.items()}
        plane = slope * np.stack([np.cos(direction[some]), np.sin(direction[some])])
        level, errors = _batch(batch, wanted[some], roi, background, plane, noise)
        expected[some] = level
        rois[some] = _noisy(level, noise, rng)
        parts.append({**batch, **errors})
    import pandas as pd

    table = pd.DataFrame({name: np.concatenate([p[name] for p in parts]) for name in parts[0]})
    table["offset"] = background + noise.black
    table["volume"] = 2 * np.pi * table["amplitude"] * table["sigma_x"] * table["sigma_y"]
    return Spots(rois, expected, table, noise)


def _batch(
    truth: dict[str, Floats],
    wanted: Floats,
    roi: int,
    background: float,
    plane: Floats,
    noise: NoiseModel,
) -> tuple[Floats, dict[str, Floats]]:
    """Expected ROIs (n, y, x) with the wanted snr; amplitude and Cramér-Rao errors."""
    rows, columns = (grid.ravel() for grid in np.mgrid[:roi, :roi])
    dx, dy = columns - truth["x"][:, None], rows - truth["y"][:, None]
    sides = (truth[name][:, None] for name in ("sigma_x", "sigma_y", "theta_deg"))
    shape = np.exp(-0.5 * radius2(dx, dy, *sides))
    below = background + noise.black + plane[0][:, None] * dx + plane[1][:, None] * dy

    amplitude = np.sqrt(noise.variance(background + noise.black)) * wanted / 4
    for _ in range(_STEPS):
        level = below + amplitude[:, None] * shape
        spots = {**truth, "amplitude": amplitude}
        errors = cramer_rao(spots, dx, dy, 1 / noise.variance(level))
        # snr grows as the amplitude to a power between 1/2 and 1: this closes in from below.
        amplitude = amplitude * wanted / errors["snr"]
    return level.reshape(-1, roi, roi), {"amplitude": spots["amplitude"], **errors}


def _noisy(level: Floats, noise: NoiseModel, rng: np.random.Generator) -> Floats:
    electrons = np.maximum(level - noise.black, 0.0) / noise.gain
    counts = rng.poisson(electrons) * noise.gain + noise.black
    return np.asarray(counts + rng.standard_normal(level.shape) * noise.read_noise)


def _check(n: int, roi: int, snr: tuple[float, float], sigma: tuple[float, float]) -> None:
    if n < 1:
        raise InputError(f"n = {n} is not allowed; allowed is 1 or more")
    if roi < 7 or roi % 2 == 0:
        raise InputError(f"roi = {roi} is not allowed; allowed are odd numbers from 7")
    for name, (low, high) in (("snr", snr), ("sigma", sigma)):
        if not 0 < low <= high:
            raise InputError(f"{name} = {low, high} is not allowed; it must be 0 < LOW <= HIGH")
