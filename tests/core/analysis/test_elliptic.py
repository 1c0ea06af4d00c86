from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from trackleed.analysis.centers import pattern_centers
from trackleed.analysis.centers.ellipse import stretch
from trackleed.errors import InputError

FRAMES = 40
HEX = np.array([[100.0, 0.0], [50.0, 86.6]])
NARROW = np.array([np.log(1.11) / 2, 0.0])
TILTED = np.array([0.03, 0.05])


def lattice(rmax: float) -> np.ndarray:
    h, k = (a.reshape(-1, 1) for a in np.mgrid[-5:6, -5:6])
    points = h * HEX[0] + k * HEX[1]
    r = np.hypot(*points.T)
    return points[(r < rmax) & (r > 0)]


def moving(points: np.ndarray, shape: np.ndarray, n: int = FRAMES):
    """The distorted pattern contracts and drifts; true centres and places, (frame, spot)."""
    points = points @ np.linalg.inv(stretch(shape))
    scale = np.linspace(1.15, 0.9, n)[:, None]
    cx, cy = 310 + np.linspace(0, 10, n), np.full(n, 215.5)
    return cx, cy, cx[:, None] + points[:, 0] * scale, cy[:, None] + points[:, 1] * scale


def missing(shape, share: float) -> np.ndarray:
    return np.where(np.random.default_rng(1).random(shape) < share, np.nan, 0.0)


def pulls(centers: pd.DataFrame, cx, cy) -> np.ndarray:
    pull = np.concatenate([(centers.x - cx) / centers.x_err, (centers.y - cy) / centers.y_err])
    return pull[np.isfinite(pull)]


@pytest.mark.parametrize("shape", [NARROW, TILTED])
@pytest.mark.parametrize("rmax", [120, 220])
def test_an_ellipse_finds_the_centre_without_bias_and_with_true_errors(fits_of, shape, rmax):
    cx, cy, x, y = moving(lattice(rmax), shape, 200)
    fits = fits_of(x + missing(x.shape, 0.1), y, 0.05)
    centers = pattern_centers(fits, 200, mode="ellipse")
    assert set(centers["mode"]) <= {"ellipse", "none"}
    assert centers["x"].notna().mean() > 0.95
    pull = pulls(centers, cx, cy)
    assert abs(pull.mean()) < 4 / np.sqrt(len(pull))
    assert 0.85 < pull.std() < 1.15


def test_spots_that_are_missing_bias_a_circle_but_not_an_ellipse(fits_of) -> None:
    cx, cy, x, y = moving(lattice(120), NARROW)
    x[20:, 0] = np.nan
    fits = fits_of(x, y, 0.02)
    off = {}
    for mode in ("circle", "ellipse"):
        centers = pattern_centers(fits, FRAMES, mode=mode, tolerance=10.0)
        off[mode] = np.hypot(centers.x - cx, centers.y - cy)[20:].median()
    assert off["circle"] > 0.5
    assert off["ellipse"] < 0.1


def test_a_dense_lattice_is_not_centred_on_another_of_its_points(fits_of) -> None:
    cx, cy, x, y = moving(lattice(310), np.array([0.03, -0.01]), 12)
    centers = pattern_centers(fits_of(x, y, 0.05), 12, mode="ellipse")
    assert x.shape[1] == 36
    assert np.hypot(centers.x - cx, centers.y - cy).max() < 0.3


@pytest.mark.parametrize("jump", [3.0, 25.0])
def test_a_wrong_fit_in_one_frame_does_not_move_the_centre(fits_of, jump) -> None:
    cx, cy, x, y = moving(lattice(120), TILTED)
    outward = np.array([x[20, 2] - cx[20], y[20, 2] - cy[20]])
    x[20, 2], y[20, 2] = (x[20, 2], y[20, 2]) + jump * outward / np.hypot(*outward)
    centers = pattern_centers(fits_of(x, y, 0.05), FRAMES, mode="ellipse")
    assert np.hypot(centers["x"][20] - cx[20], centers["y"][20] - cy[20]) < 0.3
    assert centers["n_spots"].tolist() == [6] * 20 + [5] + [6] * 19


def test_stray_spots_are_not_taken_for_the_ring(fits_of) -> None:
    cx, _, x, y = moving(lattice(120), NARROW)
    x = np.column_stack([x, np.full(FRAMES, 431.0), np.full(FRAMES, 150.0)])
    y = np.column_stack([y, np.full(FRAMES, 140.0), np.full(FRAMES, 60.0)])
    centers = pattern_centers(fits_of(x, y, 0.05), FRAMES, mode="ellipse")
    np.testing.assert_allclose(centers["x"], cx, atol=0.3)


def test_one_frame_of_six_spots_is_enough_and_five_are_not(fits_of) -> None:
    cx, cy, x, y = moving(lattice(120), TILTED, 1)
    one = pattern_centers(fits_of(x, y, 0.02), 1, mode="ellipse")
    assert np.hypot(one["x"][0] - cx[0], one["y"][0] - cy[0]) < 0.1
    five = pattern_centers(fits_of(x[:, :5], y[:, :5], 0.02), 1, mode="ellipse")
    assert five["mode"].tolist() == ["none"]


@pytest.mark.parametrize("mode", ["auto", "pairs", "circle", "ellipse"])
def test_the_pixel_aspect_makes_circles_and_the_centre_stays_in_pixels(fits_of, mode) -> None:
    cx, _, x, y = moving(lattice(120), np.zeros(2))
    fits = fits_of(x, y, 0.05)
    narrow = fits.assign(x=fits["x"] / 1.11, x_err=fits["x_err"] / 1.11)
    centers = pattern_centers(narrow, FRAMES, mode=mode, pixel_aspect=1.11)
    plain = pattern_centers(fits, FRAMES, mode=mode)
    np.testing.assert_allclose(centers["x"] * 1.11, plain["x"], atol=1e-6)
    np.testing.assert_allclose(centers["x_err"] * 1.11, plain["x_err"], atol=1e-6)
    np.testing.assert_allclose(centers[["y", "y_err", "rms"]], plain[["y", "y_err", "rms"]])
    assert (centers["x"] - cx / 1.11).abs().max() < 0.3


@pytest.mark.parametrize("mode", ["circle", "ellipse"])
def test_a_ring_drawn_by_hand_picks_the_spots(fits_of, mode) -> None:
    cx, _, x, y = moving(lattice(220), np.zeros(2))
    fits = fits_of(x, y, 0.02)
    radius = 100 * np.sqrt(3) * 1.15
    drawn = pattern_centers(fits, FRAMES, mode=mode, ring=(cx[0] + 3, 213, radius))
    assert (drawn["n_spots"] == 6).all()
    np.testing.assert_allclose(drawn["x"], cx, atol=0.1)
    late = pattern_centers(fits, FRAMES, mode=mode, ring=(320, 215, 95, 85, 10), ring_frame=39)
    assert (late["n_spots"] == 6).all()
    assert not np.allclose(late["x"], drawn["x"], atol=1e-6)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"pixel_aspect": 0.0}, "pixel aspect 0.0 is not a positive number"),
        ({"mode": "pairs", "ring": (1, 2, 3)}, "'pairs' takes no ring"),
        ({"mode": "circle", "ring": (1, 2)}, "is neither x, y, radius nor"),
        ({"mode": "circle", "ring": (1, 2, -3)}, "is neither x, y, radius nor"),
        ({"mode": "circle", "ring": (0, 0, 5)}, "0 spots of frame 0 are within"),
        ({"mode": "ellipse", "ring": (0, 0, 5), "ring_frame": 99}, "frame 99 of the ring"),
    ],
)
def test_wrong_wishes_are_explained(fits_of, options, message) -> None:
    _, _, x, y = moving(lattice(120), NARROW, 2)
    with pytest.raises(InputError, match=message):
        pattern_centers(fits_of(x, y, 0.05), 2, **options)
