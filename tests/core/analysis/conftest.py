from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from trackleed import tables


def make_fits(x: np.ndarray, y: np.ndarray, err: float | np.ndarray, seed: int = 0) -> pd.DataFrame:
    """Fits of spots at true places, arrays (frame, track), with noise; NaN is lost."""
    rng = np.random.default_rng(seed)
    frame, track = (a.ravel() for a in np.mgrid[: x.shape[0], 1 : x.shape[1] + 1])
    err = np.broadcast_to(err, x.shape)
    x, y = (a + rng.normal(size=x.shape) * err for a in (x, y))
    lost = np.isnan(x).ravel()
    known = {"x": x.ravel(), "y": y.ravel()}
    known |= {name: np.where(lost, np.nan, err.ravel()) for name in ("x_err", "y_err")}
    known |= {name: np.where(lost, np.nan, 2.0) for name in ("sigma_x", "sigma_y")}
    known |= {"frame": frame, "track_id": track, "saturated": np.zeros(lost.size, bool)}
    known["status"] = np.where(lost, "lost", "ok")
    blank = {c.name: np.full(lost.size, np.nan) for c in tables.FITS.columns}
    return tables.build(tables.FITS, blank | known)


@pytest.fixture(scope="session")
def fits_of() -> Callable[..., pd.DataFrame]:
    return make_fits


def make_index(energy: np.ndarray) -> pd.DataFrame:
    """Index of a series of which nothing but the energies is known."""
    blank = {c.name: np.full(len(energy), np.nan) for c in tables.INDEX.columns}
    known = {"frame": np.arange(len(energy)), "source": np.full(len(energy), "", dtype=object)}
    return tables.build(tables.INDEX, blank | known | {"energy_eV": energy})


@pytest.fixture(scope="session")
def index_of() -> Callable[..., pd.DataFrame]:
    return make_index
