from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from trackleed import tables
from trackleed.analysis.energy import radius_energy, radius_residuals

SHIFT = 4.0
ENERGY = np.linspace(60, 160, 25)
RADIUS = np.linspace(40, 190, 12)  # px, at 100 eV


def make_radii(radius: np.ndarray, err: float, seed: int = 0) -> pd.DataFrame:
    frame, track = (a.ravel() for a in np.mgrid[: radius.shape[0], 1 : radius.shape[1] + 1])
    noisy = (radius + np.random.default_rng(seed).normal(0, err, radius.shape)).ravel()
    error = np.where(np.isnan(noisy), np.nan, err)
    columns = {"frame": frame, "track_id": track, "radius": noisy, "radius_err": error}
    return tables.build(tables.RADII, columns)


def shrinking(energy: np.ndarray = ENERGY, shift: float = SHIFT) -> np.ndarray:
    return RADIUS * np.sqrt((100 + shift) / (energy + shift))[:, None]


def test_errors_of_shift_and_constant_are_true(index_of) -> None:
    shared, own, constant = [], [], []
    for seed in range(25):
        gaps = np.where(np.random.default_rng(1000 + seed).random((25, 12)) < 0.3, np.nan, 0)
        table = radius_energy(make_radii(shrinking() + gaps, 0.05, seed), index_of(ENERGY))
        shared.append((table["shared_shift"][0] - SHIFT) / table["shared_shift_err"][0])
        own.append((table["energy_shift"] - SHIFT) / table["energy_shift_err"])
        true = RADIUS**2 * (100 + SHIFT)
        constant.append((table["constant"] - true) / table["constant_err"])
    assert abs(np.mean(shared)) < 0.7
    assert 0.65 < np.std(shared) < 1.35
    assert 0.9 < np.std(own) < 1.1
    assert 0.8 < np.std(constant) < 1.2


def test_outliers_and_a_distortion_are_told_from_noise(index_of) -> None:
    radius = shrinking()
    radius[3, 2] += 9
    radius[7, 5] = 12.0
    table = radius_energy(make_radii(radius, 0.05), index_of(ENERGY))
    assert table["n_outliers"].tolist() == [0, 0, 1, 0, 0, 1] + [0] * 6
    assert table["shared_shift"][0] == pytest.approx(SHIFT, abs=0.15)
    bent = shrinking() * (1 - 2e-6 * shrinking() ** 2)  # barrel distortion, 3 px at 150 px
    distorted = radius_energy(make_radii(bent, 0.05), index_of(ENERGY))
    assert distorted["shared_shift_err"][0] > 10 * table["shared_shift_err"][0]
    assert distorted["energy_shift"].is_monotonic_increasing


def test_a_wrong_link_of_half_a_track_leaves_the_others_alone(index_of) -> None:
    radius = shrinking()
    radius[10:, 4] += 25
    table = radius_energy(make_radii(radius, 0.05), index_of(ENERGY))
    assert table["shared_shift"][0] == pytest.approx(SHIFT, abs=0.15)
    assert table["n_outliers"][4] >= 10


def test_scatter_tells_how_constant_the_product_is(index_of) -> None:
    radii = make_radii(shrinking(), 0.4)
    table = radius_energy(radii, index_of(ENERGY))
    np.testing.assert_allclose(table["scatter"], 2 * 0.4 / RADIUS, rtol=0.5)
    rows = radius_residuals(radii, index_of(ENERGY), table)
    assert len(rows) == len(radii)
    assert rows["residual"].std() == pytest.approx(0.4, rel=0.1)
    spread = rows.groupby("track_id")["product"].agg(lambda p: p.std() / p.mean())
    np.testing.assert_allclose(spread, table["scatter"], rtol=1e-6)


@pytest.mark.parametrize(
    ("energy", "reason"),
    [
        (np.full(25, 100.0), "seen at 1 known energies"),
        (np.full(25, np.nan), "seen at 0 known energies"),
        (np.repeat([90.0, 110.0], [12, 13]), "seen at 2 known energies"),
    ],
)
def test_too_few_energies_give_no_shift_and_a_reason(index_of, energy, reason) -> None:
    table = radius_energy(make_radii(shrinking(), 0.05), index_of(energy))
    assert table["energy_shift"].isna().all()
    assert table["reason"].str.startswith(reason).all()
    assert table["shared_shift"].notna().all() == (len(np.unique(energy)) == 2)


def test_a_spot_that_stands_still_has_no_shift(index_of) -> None:
    radius = shrinking()
    radius[:, 0] = 30.0
    table = radius_energy(make_radii(radius, 0.05), index_of(ENERGY))
    assert np.isnan(table["energy_shift"][0])
    assert table["reason"][0] == "its radii do not shrink as 1/sqrt(E + E0) would"


def test_no_radii_give_an_empty_table(index_of) -> None:
    assert len(radius_energy(tables.empty(tables.RADII), index_of(ENERGY))) == 0
