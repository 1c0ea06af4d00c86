from __future__ import annotations

import numpy as np
import pytest

from trackleed.analysis.centers import expansion_center
from trackleed.simulate import SCENARIOS, simulate

CENTER = (256.3, 240.7)
SHIFT = 4.0
ENERGY = np.linspace(60, 160, 25)
H, K = (a.reshape(-1, 1) for a in np.mgrid[-3:4, -3:4])
POINTS = H * np.array([60.0, 5.0]) + K * np.array([20.0, 55.0])
POINTS = POINTS[(np.hypot(*POINTS.T) < 150) & (np.hypot(*POINTS.T) > 0)]


def contracting(energy: np.ndarray = ENERGY, points: np.ndarray = POINTS):
    """Places of all spots, (frame, spot)."""
    g = np.sqrt((100 + SHIFT) / (energy + SHIFT))[:, None]
    return CENTER[0] + points[:, 0] * g, CENTER[1] + points[:, 1] * g


def gaps(shape, share: float, seed: int) -> np.ndarray:
    return np.where(np.random.default_rng(seed).random(shape) < share, np.nan, 0.0)


@pytest.mark.parametrize("wrong", [0.0, 0.05])
def test_errors_of_centre_and_shift_are_true(fits_of, index_of, wrong) -> None:
    pulls, shifts = [], []
    for seed in range(25):
        x, y = contracting()
        rng = np.random.default_rng(5000 + seed)
        x = x + gaps(x.shape, 0.3, 1000 + seed)
        x += np.where(rng.random(x.shape) < wrong, rng.normal(0, 15, x.shape), 0)
        found = expansion_center(fits_of(x, y, 0.05, seed), index_of(ENERGY), energy_shift=(0, 50))
        assert found.known, found.reason
        pulls += [(found.x - CENTER[0]) / found.x_err, (found.y - CENTER[1]) / found.y_err]
        shifts.append((found.energy_shift - SHIFT) / found.energy_shift_err)
    assert abs(np.mean(pulls)) < 0.4
    assert 0.8 < np.std(pulls) < 1.2
    assert 0.65 < np.std(shifts) < 1.35


def test_one_sided_tracks_find_the_centre_too(fits_of, index_of) -> None:
    x, y = contracting(points=POINTS[POINTS[:, 0] > 20])
    found = expansion_center(fits_of(x, y, 0.05), index_of(ENERGY), energy_shift=(0, 50))
    assert found.x == pytest.approx(CENTER[0], abs=4 * found.x_err)
    assert abs(found.x - CENTER[0]) < 2


def test_a_held_shift_is_not_fitted(fits_of, index_of) -> None:
    x, y = contracting()
    found = expansion_center(fits_of(x, y, 0.05), index_of(ENERGY), energy_shift=(SHIFT, 0.0))
    assert found.energy_shift == pytest.approx(SHIFT, abs=1e-5)
    assert found.contraction == pytest.approx(1, abs=5 * found.contraction_err)


def test_tracks_that_change_over_to_another_spot_do_no_harm(fits_of, index_of) -> None:
    x, y = contracting()
    for track in range(0, len(POINTS), 3):
        other = (track + 1) % len(POINTS)
        x[:8, track], y[:8, track] = x[:8, other], y[:8, other]
    found = expansion_center(fits_of(x, y, 0.05), index_of(ENERGY))
    assert np.hypot(found.x - CENTER[0], found.y - CENTER[1]) < 0.1


def test_a_distorted_pattern_gets_a_larger_error(fits_of, index_of) -> None:
    x, y = contracting()
    bend = 1e-4 * ((x - CENTER[0]) ** 2 + (y - CENTER[1]) ** 2)
    straight = expansion_center(fits_of(x, y, 0.05), index_of(ENERGY))
    bent = expansion_center(fits_of(x, y + bend, 0.05), index_of(ENERGY))
    assert bent.y_err > 3 * straight.y_err


def test_the_contraction_of_dense_spots_is_found_though_they_scatter(fits_of, index_of) -> None:
    around = np.array([(0, 0), (9, 0), (-5, 8), (-5, -8)])
    x, y = contracting(points=(POINTS[:, None] + around).reshape(-1, 2))
    fits = fits_of(x, y, 1.5)
    assert not expansion_center(fits, index_of(ENERGY), tolerance=1.5).known
    found = expansion_center(fits, index_of(ENERGY))
    assert found.known, found.reason
    assert np.hypot(found.x - CENTER[0], found.y - CENTER[1]) < 1


@pytest.mark.parametrize("energy", [ENERGY, np.linspace(95, 105, 25)])
def test_a_microscope_whose_pattern_stands_still_has_no_such_point(
    fits_of, index_of, energy
) -> None:
    drift = np.linspace(0, 9, len(energy))[:, None]
    x = CENTER[0] + POINTS[:, 0] + drift
    y = np.broadcast_to(CENTER[1] + POINTS[:, 1], x.shape)
    found = expansion_center(fits_of(x, y, 0.05), index_of(energy))
    assert not found.known
    assert np.isnan([found.x, found.y, found.x_err]).all()
    assert "contract" in found.reason


@pytest.mark.parametrize("energy", [np.full(25, 80.0), np.full(25, np.nan)])
def test_without_two_energies_there_is_no_such_point(fits_of, index_of, energy) -> None:
    x, y = contracting()
    found = expansion_center(fits_of(x, y, 0.05), index_of(energy))
    assert not found.known
    assert "energies" in found.reason


def test_tracks_of_one_frame_say_nothing(fits_of, index_of) -> None:
    x, y = contracting()
    x = np.where(np.arange(len(ENERGY))[:, None] == np.arange(len(POINTS)), x, np.nan)
    found = expansion_center(fits_of(x, y, 0.05), index_of(ENERGY))
    assert found.reason == "fewer than two tracks are seen over a range of energies"


def test_a_simulated_energy_ramp_gives_the_axis_of_the_screen(fits_of) -> None:
    sim = simulate(SCENARIOS["energy-ramp"], frames=16)
    truth = sim.truth
    visible = truth["x"].where(truth["visible"])
    x, y = (
        truth.assign(x=visible).pivot(index="frame", columns="spot", values=name).to_numpy()
        for name in ("x", "y")
    )
    found = expansion_center(fits_of(x, np.where(np.isnan(x), np.nan, y), 0.03), sim.index)
    axis = sim.screen.axis
    assert found.known
    assert np.hypot(found.x - axis[0], found.y - axis[1]) < 5 * np.hypot(found.x_err, found.y_err)
    assert found.x_err < 0.1
