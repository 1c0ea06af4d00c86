from __future__ import annotations

import numpy as np
import pytest

from trackleed.simulate import simulate
from trackleed.simulate.diffraction import (
    contraction,
    debye_waller,
    iv_curve,
    mean_square_displacement,
    wavenumber,
)


def test_wavelength_at_150_eV_is_one_angstrom() -> None:
    assert 2 * np.pi / wavenumber(np.array(150.4)) == pytest.approx(1.0, rel=1e-4)


def test_radius_times_root_of_energy_stays() -> None:
    sim = simulate("energy-ramp", frames=20, size=128)
    x0, y0 = sim.screen.axis
    radius = np.hypot(sim.pattern.x - x0, sim.pattern.y - y0)
    scaled = radius * np.sqrt(sim.index["energy_eV"].to_numpy())[:, None]
    assert np.nanmax(np.abs(scaled - np.nanmean(scaled, axis=0))) < 1e-9 * np.nanmax(scaled)
    assert np.nanmax(scaled) > 100


def test_radius_follows_the_sine_of_the_angle() -> None:
    sim = simulate("energy-ramp", frames=2, size=512)
    first = np.isclose(np.hypot(*(sim.pattern.hk - [1, 0]).T), 0)
    k = 0.5123 * np.sqrt(sim.index["energy_eV"].to_numpy())
    sine = 4 * np.pi / np.sqrt(3) / (4.09 / np.sqrt(2)) / k
    x0, y0 = sim.screen.axis
    radius = np.hypot(sim.pattern.x[:, first] - x0, sim.pattern.y[:, first] - y0).ravel()
    assert radius == pytest.approx(sim.screen.rim_radius * sine / np.sin(np.radians(51)))


def test_high_temperature_limit_of_the_displacement() -> None:
    # 3 ħ² T / (M k Θ²), twice that at the surface; 1.349 Å² K / Θ² for silver.
    silver = float(mean_square_displacement(np.array(3000.0), 107.87, 225))
    assert silver == pytest.approx(2 * 1.349 * 3000 / 225**2, rel=2e-3)


def test_zero_point_motion_remains() -> None:
    silver = float(mean_square_displacement(np.array(0.0), 107.87, 225))
    assert silver == pytest.approx(2 * 1.349 / 225 / 4, rel=1e-3)


def test_debye_waller_factor_at_backscattering() -> None:
    k = np.array([5.0])
    assert debye_waller(k, np.array([0.0]), np.array(0.01)) == pytest.approx(np.exp(-0.01 * 100))
    assert debye_waller(k, np.array([5.1]), np.array(0.01)) == 0


def test_iv_curves_are_smooth_and_rich_in_contrast() -> None:
    energy = np.arange(50.0, 400.0, 0.5)
    curve = iv_curve(energy, np.random.default_rng(3))
    assert curve.min() > 0
    assert curve.max() > 5 * np.median(curve) > 0
    assert np.abs(np.diff(curve)).max() < 0.1 * curve.max()


def test_cooling_moves_brightens_and_sharpens_the_spots() -> None:
    sim = simulate("cooling", frames=5, size=256)
    x0, y0 = sim.screen.axis
    radius = np.hypot(sim.pattern.x - x0, sim.pattern.y - y0)[:, 1:]
    growth = radius[-1] / radius[0] - 1
    assert growth == pytest.approx(18.9e-6 * 200, rel=0.01)
    assert np.all(np.diff(sim.pattern.amplitude, axis=0) > 0)
    assert np.all(np.diff(sim.pattern.sigma_x, axis=0) < 0)


def test_contraction_is_one_at_the_reference() -> None:
    assert contraction(np.array(300.0), 1e-5) == 1


def test_equivalent_beams_have_the_same_curve_up_to_small_differences() -> None:
    sim = simulate("energy-ramp", frames=30, size=128)
    hk = sim.pattern.hk
    volume = sim.pattern.amplitude * sim.pattern.sigma_x * sim.pattern.sigma_y
    rows = [
        int(np.flatnonzero(np.all(hk == beam, axis=1))[0]) for beam in ([1, 0], [-1, 1], [0, 1])
    ]
    equal, other = volume[:, rows[1]] / volume[:, rows[0]], volume[:, rows[2]] / volume[:, rows[0]]
    assert np.std(equal) < 1e-9 * np.mean(equal)
    assert 0.5 < equal[0] < 2
    assert np.std(np.log(other)) > 0.3
