from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import curve_fit

from trackleed.errors import InputError
from trackleed.frames import NoiseModel
from trackleed.simulate import gaussian_spot, spots
from trackleed.simulate.shape import cramer_rao

SIGMA = st.floats(1.0, 4.0)


@given(x=st.floats(28, 32), y=st.floats(28, 32), sx=SIGMA, sy=SIGMA, theta=st.floats(-44, 45))
@settings(max_examples=25, deadline=None)
def test_moments_of_a_spot(x: float, y: float, sx: float, sy: float, theta: float) -> None:
    image = gaussian_spot((61, 61), x, y, 100, sx, sy, theta)
    rows, columns = np.mgrid[:61, :61]
    volume = image.sum()
    dx, dy = columns - x, rows - y
    assert volume == pytest.approx(2 * np.pi * 100 * sx * sy, rel=1e-6)
    assert (image * dx).sum() / volume == pytest.approx(0, abs=1e-5)
    assert (image * dy).sum() / volume == pytest.approx(0, abs=1e-5)
    # Covariance of a Gaussian turned from +x towards +y, y pointing down.
    expected = np.sin(2 * np.radians(theta)) / 2 * (sx**2 - sy**2)
    assert (image * dx * dy).sum() / volume == pytest.approx(expected, abs=1e-4)


def test_positive_angle_turns_towards_positive_y() -> None:
    image = gaussian_spot((41, 41), 20, 20, 1, 6, 2, 30)
    assert image[24, 26] > image[16, 26]


def test_spot_at_an_integer_has_its_height_at_that_pixel() -> None:
    assert gaussian_spot((9, 9), 4, 3, 7.5, 1.2, 2.0)[3, 4] == 7.5


def test_integrated_pixels_are_the_mean_over_their_area() -> None:
    from scipy.special import erf

    edges = np.arange(-0.5, 25)
    by_x, by_y = (np.diff(erf((edges - c) / (1.3 * np.sqrt(2)))) / 2 for c in (12.2, 11.7))
    exact = 2 * np.pi * 1.3**2 * np.outer(by_y, by_x)
    image = gaussian_spot((25, 25), 12.2, 11.7, 1, 1.3, 1.3, 20, integrate=True)
    assert np.abs(image - exact).max() < 2e-5


def test_halo_is_a_skirt_that_ends_smoothly() -> None:
    spot, with_halo = (
        gaussian_spot((161, 161), 80, 80, 1000, 3, 3, halo=halo) for halo in (0.0, 0.05)
    )
    halo = (with_halo - spot)[80]
    assert halo[80] == pytest.approx(50)
    assert halo[92] > 10 * spot[80, 92]
    assert np.all(np.diff(halo[80:]) <= 0)
    assert halo[80 + 54] == pytest.approx(0, abs=1e-12)


def test_spot_off_the_image_leaves_it_empty() -> None:
    assert gaussian_spot((20, 20), -80, 300, 1e4, 2, 2).sum() == 0


def test_cramer_rao_errors_of_a_round_spot_on_a_flat_background() -> None:
    """Closed forms for constant variance v, from the Fisher integrals over the plane."""
    grid = np.arange(81) - 40.0
    dx, dy = (part.ravel()[None] for part in np.meshgrid(grid, grid))
    one = np.ones(1)
    spot = {"amplitude": 50 * one, "sigma_x": 4 * one, "sigma_y": 4 * one, "theta_deg": 0 * one}
    errors = cramer_rao(spot, dx, dy, np.full(dx.shape, 1 / 9))
    assert errors["x_err"] == pytest.approx(3 * np.sqrt(2 / np.pi) / 50, rel=1e-6)
    # With the offset known it is 2 σ sqrt(2 π v); here the offset is free as well.
    known = 2 * 4 * np.sqrt(2 * np.pi) * 3
    assert known < errors["volume_err"] < 1.05 * known
    assert errors["snr"] == pytest.approx(2 * np.pi * 50 * 16 / errors["volume_err"])
    assert np.isnan(errors["theta_err_deg"])


def test_no_light_or_no_pixels_means_no_signal() -> None:
    dx, dy = (part.ravel()[None].repeat(2, 0) for part in np.meshgrid(*[np.arange(-8.0, 9)] * 2))
    two = np.ones(2)
    spot = {"amplitude": np.array([0.0, 5.0]), "sigma_x": 2 * two, "sigma_y": 3 * two}
    weight = np.ones(dx.shape)
    weight[1, 5:] = 0
    errors = cramer_rao({**spot, "theta_deg": 0 * two}, dx, dy, weight)
    assert errors["snr"].tolist() == [0, 0]
    assert np.isnan(errors["x_err"]).all()


def test_calibration_spots_keep_to_what_was_asked() -> None:
    made = spots(40, roi=25, snr=(5, 50), sigma=(2, 3), seed=1)
    assert made.rois.shape == made.expected.shape == (40, 25, 25)
    assert made.truth["snr"].between(4.999, 50.01).all()
    assert made.truth["sigma_x"].between(2, 3).all()
    assert made.truth["theta_deg"].between(-45, 45).all()
    assert np.allclose(made.truth["snr"], made.truth["volume"] / made.truth["volume_err"])
    assert np.array_equal(made.rois, spots(40, roi=25, snr=(5, 50), sigma=(2, 3), seed=1).rois)
    assert not np.array_equal(made.rois, spots(40, snr=(5, 50), sigma=(2, 3), seed=2).rois)


def test_calibration_noise_has_the_variance_that_it_says() -> None:
    made = spots(300, roi=15, snr=(5, 5), noise=NoiseModel(2.0, 5.0, 100.0), background=300)
    pull = (made.rois - made.expected) / np.sqrt(made.noise.variance(made.expected))
    assert pull.mean() == pytest.approx(0, abs=0.02)
    assert pull.var() == pytest.approx(1, abs=0.02)


def test_background_slope_tilts_the_roi() -> None:
    made = spots(1, snr=(1e-3, 1e-3), slope=10.0)
    gradient = np.gradient(made.expected[0])
    assert np.hypot(*gradient).mean() == pytest.approx(10, rel=1e-2)


def test_a_weighted_fit_reaches_the_cramer_rao_errors() -> None:
    made = spots(150, snr=(15, 80), seed=4)

    def model(_: object, x: float, y: float, a: float, sx: float, sy: float, t: float, o: float):
        return (gaussian_spot((25, 25), x, y, a, sx, sy, t) + o).ravel()

    names = ["x", "y", "amplitude", "sigma_x", "sigma_y"]
    pulls = []
    for roi, expected, (_, true) in zip(
        made.rois, made.expected, made.truth.iterrows(), strict=True
    ):
        start = true[[*names, "theta_deg", "offset"]].to_numpy()
        error = np.sqrt(made.noise.variance(expected)).ravel()
        found, _ = curve_fit(model, 0, roi.ravel(), start, sigma=error)
        pulls.append((found[:5] - start[:5]) / true[[f"{n}_err" for n in names]].to_numpy())
    pulls = np.array(pulls, dtype=float)
    assert np.abs(pulls.mean(axis=0)).max() < 0.3
    assert pulls.std(axis=0) == pytest.approx(np.ones(5), abs=0.2)


@pytest.mark.parametrize(
    "wrong", [{"n": 0}, {"roi": 10}, {"roi": 5}, {"snr": (0, 5)}, {"sigma": (3, 2)}]
)
def test_wrong_values_for_calibration_spots_are_named(wrong: dict[str, object]) -> None:
    (name,) = wrong
    with pytest.raises(InputError, match=f"{name} = .* is not allowed"):
        spots(**{"n": 5, **wrong})
