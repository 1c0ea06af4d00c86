from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trackleed.analysis.centers.ellipse import Shape, direct_ellipses, fit_ellipse, stretch

HEXAGON = [5, 62, 126, 185, 243, 305]
TWELVE = [3, 35, 60, 95, 120, 150, 185, 215, 238, 270, 300, 332]
SHAPE = np.array([0.04, -0.06])


def on_ellipse(angles_deg, shape=SHAPE, center=(100.0, 50.0), r=80.0):
    angles = np.deg2rad(angles_deg)
    circle = r * np.column_stack([np.cos(angles), np.sin(angles)])
    return circle @ np.linalg.inv(stretch(np.asarray(shape))) + center


def fit(points, err=0.1, **options):
    variance = np.broadcast_to(np.square(err), len(points))
    return fit_ellipse(*points.T, variance, variance, 5.0, **options)


@settings(max_examples=25, deadline=None)
@given(
    m=st.floats(0, 0.24),
    turn=st.floats(0, 360),
    first=st.floats(0, 360),
    at=st.tuples(st.floats(-900, 900), st.floats(-900, 900)),
    r=st.floats(20, 500),
)
def test_exact_points_give_the_exact_ellipse(m, turn, first, at, r) -> None:
    shape = m * np.array([np.cos(np.deg2rad(turn)), np.sin(np.deg2rad(turn))])
    points = on_ellipse(first + np.array(HEXAGON), shape, at, r)
    np.testing.assert_allclose(direct_ellipses(points), [*at, r, *shape], atol=1e-5)
    ellipse = fit(points)
    assert (ellipse.x, ellipse.y, ellipse.radius) == pytest.approx((*at, r), abs=1e-6)
    np.testing.assert_allclose(ellipse.shape, shape, atol=1e-7)
    np.testing.assert_allclose(ellipse.residual, 0, atol=1e-6)


def test_pixels_that_are_too_narrow_are_half_the_logarithm_of_a_shape() -> None:
    angles = np.deg2rad(HEXAGON)
    points = np.column_stack([100 / 1.11 * np.cos(angles), 100 * np.sin(angles)])
    ellipse = fit(points)
    np.testing.assert_allclose(ellipse.shape, [np.log(1.11) / 2, 0], atol=1e-9)


@pytest.mark.parametrize("angles", [HEXAGON, TWELVE, [0, 30, 60, 90, 120, 150, 180, 200]])
def test_errors_match_the_scatter(angles) -> None:
    rng = np.random.default_rng(0)
    sigma = rng.uniform(0.05, 0.2, len(angles))
    pulls, chi2 = [], []
    for _ in range(250):
        noisy = on_ellipse(angles) + rng.normal(size=(len(angles), 2)) * sigma[:, None]
        e = fit(noisy, sigma)
        pulls.append([(e.x - 100) / e.x_err, (e.y - 50) / e.y_err])
        difference = e.shape - SHAPE
        chi2.append(difference @ e.information @ difference)
    assert np.abs(np.mean(pulls, axis=0)).max() < 4 / np.sqrt(250)
    assert np.abs(np.std(pulls, axis=0) - 1).max() < 0.15
    assert np.mean(chi2) == pytest.approx(2, rel=0.15)


def test_a_known_shape_makes_smaller_and_true_errors() -> None:
    rng = np.random.default_rng(1)
    pulls, smaller = [], []
    for _ in range(300):
        known = Shape(SHAPE + rng.normal(0, 1e-3, 2), np.eye(2) * 1e6)
        noisy = on_ellipse(HEXAGON[:4]) + rng.normal(0, 0.1, (4, 2))
        e = fit(noisy, shape=known)
        pulls.append([(e.x - 100) / e.x_err, (e.y - 50) / e.y_err])
        smaller.append(e.x_err)
    assert np.abs(np.mean(pulls, axis=0)).max() < 0.2
    assert np.abs(np.std(pulls, axis=0) - 1).max() < 0.12


@pytest.mark.parametrize("off", [1.5, 4.0, 30.0])
@pytest.mark.parametrize("which", [0, 5])
def test_one_wrong_spot_is_left_out(off, which) -> None:
    points = on_ellipse([*HEXAGON, 90, 275])
    points[which] *= 1 + off / 100
    ellipse = fit(points)
    assert (ellipse.x, ellipse.y, ellipse.radius) == pytest.approx((100, 50, 80), abs=1e-6)
    assert len(ellipse.residual) == 7


def test_one_wrong_of_six_is_left_out_where_the_shape_is_known() -> None:
    points = on_ellipse(HEXAGON)
    points[2] += (-4, 4)
    assert fit(points) is None  # which of them it is cannot be told
    ellipse = fit(points, shape=Shape(SHAPE, np.eye(2) * 1e6))
    assert (ellipse.x, ellipse.y) == pytest.approx((100, 50), abs=1e-6)
    assert len(ellipse.residual) == 5


def test_too_few_spots_and_spots_in_line_are_no_ellipse() -> None:
    assert fit(on_ellipse(HEXAGON[:5])) is None
    assert fit(on_ellipse(HEXAGON[:3]), shape=Shape(SHAPE, np.eye(2))) is None
    line = np.column_stack([np.arange(8.0), 2 * np.arange(8.0)])
    assert fit(line) is None
    assert fit(on_ellipse(HEXAGON, (0.4, 0))) is None
