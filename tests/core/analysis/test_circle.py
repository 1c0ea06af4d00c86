from __future__ import annotations

import numpy as np
import pytest

from trackleed.analysis.centers.circle import circle_through, fit_circle


def on_circle(angles_deg, cx=100.0, cy=50.0, r=80.0):
    angles = np.deg2rad(angles_deg)
    return cx + r * np.cos(angles), cy + r * np.sin(angles)


def test_three_points_make_a_circle_and_three_in_line_none() -> None:
    x, y = on_circle([0, 100, 220])
    np.testing.assert_allclose(circle_through(x, y), [100, 50, 80])
    assert np.isnan(circle_through(np.arange(3.0), np.arange(3.0))).all()


def test_exact_points_give_the_exact_circle() -> None:
    x, y = on_circle([0, 60, 120, 185, 300])
    circle = fit_circle(x, y, np.full(5, 0.01), np.full(5, 0.01), 5.0)
    assert (circle.x, circle.y, circle.radius) == pytest.approx((100, 50, 80), abs=1e-9)
    np.testing.assert_allclose(circle.residual, 0, atol=1e-9)


def test_weights_favour_the_better_points() -> None:
    x, y = on_circle([0, 60, 120, 180, 240, 300])
    x[0] += 1.0
    variance = np.full(6, 1e-4)
    variance[0] = 1.0
    circle = fit_circle(x, y, variance, variance, 5.0)
    assert abs(circle.x - 100) < 0.01


def test_errors_match_the_scatter() -> None:
    rng = np.random.default_rng(0)
    angles, sigma = [0, 40, 100, 150, 200, 320], np.array([0.05, 0.1, 0.05, 0.2, 0.1, 0.1])
    pulls = []
    for _ in range(500):
        x, y = (a + rng.normal(size=6) * sigma for a in on_circle(angles))
        circle = fit_circle(x, y, sigma**2, sigma**2, 5.0)
        pulls.append([(circle.x - 100) / circle.x_err, (circle.y - 50) / circle.y_err])
    pulls = np.array(pulls)
    assert np.abs(pulls.mean(axis=0)).max() < 0.15
    assert ((pulls.std(axis=0) > 0.9) & (pulls.std(axis=0) < 1.1)).all()


@pytest.mark.parametrize("off", [1.0, 4.0, 30.0])
def test_one_wrong_spot_is_left_out(off) -> None:
    x, y = on_circle([0, 50, 110, 170, 230, 290])
    x[0] += off
    circle = fit_circle(x, y, np.full(6, 0.01), np.full(6, 0.01), 5.0)
    assert (circle.x, circle.y, circle.radius) == pytest.approx((100, 50, 80), abs=1e-6)
    assert len(circle.residual) == 5


def test_spots_in_one_line_are_no_circle() -> None:
    x = np.arange(5.0)
    assert fit_circle(x, 2 * x, np.ones(5), np.ones(5), 5.0) is None
