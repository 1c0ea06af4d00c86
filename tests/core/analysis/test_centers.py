from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trackleed import tables
from trackleed.analysis.centers import pattern_centers
from trackleed.errors import InputError

HEX = ((100.0, 0.0), (50.0, 86.6))
SQUARE = ((90.0, 0.0), (0.0, 90.0))
OBLIQUE = ((100.0, 10.0), (30.0, 70.0))
FRAMES = 60


def lattice(basis, rmax: float, zero: bool = False) -> np.ndarray:
    """Reciprocal lattice points within a circle, (spot, xy)."""
    h, k = np.mgrid[-5:6, -5:6]
    points = h.reshape(-1, 1) * np.array(basis[0]) + k.reshape(-1, 1) * np.array(basis[1])
    r = np.hypot(*points.T)
    return points[(r < rmax) & ((r > 0) | zero)]


def moving(points: np.ndarray, n: int = FRAMES):
    """The pattern contracts and drifts; true centres and places, (frame, spot)."""
    scale = np.linspace(1.15, 0.9, n)[:, None]
    cx, cy = 310 + np.linspace(0, 10, n), np.full(n, 215.5)
    return cx, cy, cx[:, None] + points[:, 0] * scale, cy[:, None] + points[:, 1] * scale


def missing(shape, share: float, seed: int = 1) -> np.ndarray:
    """NaN where a spot is not seen, else 0."""
    return np.where(np.random.default_rng(seed).random(shape) < share, np.nan, 0.0)


def pulls(centers, cx, cy) -> np.ndarray:
    pull = np.concatenate([(centers.x - cx) / centers.x_err, (centers.y - cy) / centers.y_err])
    return pull[np.isfinite(pull)]


@pytest.mark.parametrize(("basis", "rmax"), [(HEX, 120), (HEX, 220), (SQUARE, 140), (OBLIQUE, 190)])
def test_pairs_find_the_centre_without_bias_and_with_true_errors(fits_of, basis, rmax) -> None:
    cx, cy, x, y = moving(lattice(basis, rmax), 200)
    fits = fits_of(x + missing(x.shape, 0.2), y, 0.05)
    centers = pattern_centers(fits, 200)
    assert set(centers["mode"]) <= {"pairs", "none"}
    assert (centers["mode"] == "pairs").mean() > 0.9
    pull = pulls(centers, cx, cy)
    assert abs(pull.mean()) < 4 / np.sqrt(len(pull))
    assert 0.85 < pull.std() < 1.15
    assert np.nanmax(np.abs(centers.x - cx)) < 0.3


@pytest.mark.parametrize(("basis", "rmax"), [(HEX, 120), (HEX, 220), (SQUARE, 140)])
def test_a_circle_finds_the_centre_without_bias_and_with_true_errors(fits_of, basis, rmax) -> None:
    cx, cy, x, y = moving(lattice(basis, rmax), 200)
    centers = pattern_centers(fits_of(x + missing(x.shape, 0.1), y, 0.05), 200, mode="circle")
    assert set(centers["mode"]) <= {"circle", "none"}
    assert centers["x"].notna().mean() > 0.9
    pull = pulls(centers, cx, cy)
    assert abs(pull.mean()) < 4 / np.sqrt(len(pull))
    assert 0.8 < pull.std() < 1.15


@pytest.mark.parametrize("mode", ["pairs", "circle"])
def test_a_stray_spot_does_not_move_the_centre(fits_of, mode) -> None:
    cx, _, x, y = moving(lattice(HEX, 120))
    x = np.column_stack([x, np.full(FRAMES, 431.0), np.full(FRAMES, 150.0)])
    y = np.column_stack([y, np.full(FRAMES, 140.0), np.full(FRAMES, 60.0)])
    centers = pattern_centers(fits_of(x, y, 0.05), FRAMES, mode=mode)
    np.testing.assert_allclose(centers["x"], cx, atol=0.2)
    assert (centers["n_spots"] == 6).all()


@pytest.mark.parametrize("mode", ["pairs", "circle"])
@pytest.mark.parametrize("jump", [3.0, 25.0])
def test_a_wrong_fit_in_one_frame_does_not_move_the_centre(fits_of, mode, jump) -> None:
    cx, cy, x, y = moving(lattice(HEX, 120))
    x[20, 2] += jump
    y[20, 2] += jump / 2
    centers = pattern_centers(fits_of(x, y, 0.05), FRAMES, mode=mode)
    assert abs(centers["x"][20] - cx[20]) < 0.3
    assert abs(centers["y"][20] - cy[20]) < 0.3
    assert centers["n_spots"][20] < 6


def test_the_zero_beam_is_its_own_partner(fits_of) -> None:
    cx, _, x, y = moving(lattice(HEX, 120, zero=True))
    centers = pattern_centers(fits_of(x, y, 0.05), FRAMES)
    assert (centers["n_spots"] == 7).all()
    np.testing.assert_allclose(centers["x"], cx, atol=0.2)


def test_a_threefold_pattern_is_found_by_its_ring(fits_of) -> None:
    angles = np.deg2rad([10, 55, 130, 200, 250])  # no two opposite
    cx, cy, x, y = moving(120 * np.column_stack([np.cos(angles), np.sin(angles)]))
    centers = pattern_centers(fits_of(x, y, 0.05), FRAMES)
    assert (centers["mode"] == "circle").all()
    np.testing.assert_allclose(centers["x"], cx, atol=0.4)
    np.testing.assert_allclose(centers["y"], cy, atol=0.4)


def test_the_set_of_spots_may_change_without_a_jump(fits_of) -> None:
    inner, outer = lattice(HEX, 120), lattice(HEX, 180)
    cx, cy, x, y = moving(np.vstack([inner, outer[np.hypot(*outer.T) > 150]]))
    x[:30, 6:] = np.nan  # the second ring comes in when
    x[34:, :6] = np.nan  # the first goes out
    centers = pattern_centers(fits_of(x, y, 0.05), FRAMES)
    assert (centers["mode"] == "pairs").all()
    assert np.hypot(centers.x - cx, centers.y - cy).max() < 0.3


def test_a_distorted_pattern_has_larger_errors_of_one_size(fits_of) -> None:
    points = lattice(HEX, 220)
    cx, cy, x, y = moving(points)
    rng = np.random.default_rng(5)
    x, y = (a + rng.normal(0, 1.0, len(points)) for a in (x, y))
    centers = pattern_centers(fits_of(x, y, 0.02), FRAMES)
    expected = 1.0 / np.sqrt(len(points))
    assert centers["x_err"].between(0.5 * expected, 1.6 * expected).all()
    assert np.hypot(centers.x - cx, centers.y - cy).max() < 4 * expected
    assert np.ptp(centers.x - cx) < 0.1  # the same in all frames, so it moves smoothly


def test_frames_without_spots_have_a_row_that_says_so(fits_of) -> None:
    _, _, x, y = moving(lattice(HEX, 120))
    x[[0, 30, 59]] = np.nan
    centers = pattern_centers(fits_of(x, y, 0.05), FRAMES + 2)
    assert centers["frame"].tolist() == list(range(FRAMES + 2))
    empty = centers.loc[[0, 30, 59, 60, 61]]
    assert empty[["x", "y", "x_err", "y_err", "rms"]].isna().all(axis=None)
    assert (empty["n_spots"] == 0).all()
    assert (empty["mode"] == "none").all()
    assert (centers["mode"] == "none").sum() == 5


@pytest.mark.parametrize("mode", ["auto", "pairs", "circle"])
def test_no_spots_at_all_is_no_centre(mode) -> None:
    centers = pattern_centers(tables.empty(tables.FITS), 3, mode=mode)
    assert (centers["mode"] == "none").all()
    assert len(centers) == 3


@pytest.mark.parametrize("n_spots", [1, 2, 3])
def test_few_spots_are_no_pattern(fits_of, n_spots) -> None:
    _, _, x, y = moving(lattice(OBLIQUE, 190)[:n_spots])
    assert (pattern_centers(fits_of(x, y, 0.05), FRAMES)["mode"] == "none").all()


def test_spots_without_symmetry_have_no_centre(fits_of) -> None:
    wrong = 0
    for seed in range(20):
        points = np.random.default_rng(seed).uniform(-200, 200, (9, 2))
        _, _, x, y = moving(points, 10)
        wrong += (pattern_centers(fits_of(x, y, 0.05), 10)["mode"] == "pairs").any()
    assert wrong <= 2


def test_only_usable_fits_count(fits_of) -> None:
    cx, _, x, y = moving(lattice(HEX, 120))
    fits = fits_of(x, y, 0.05)
    clipped, bad = fits["track_id"] == 1, fits["track_id"] == 2
    fits.loc[clipped, "status"] = "saturated"
    fits.loc[bad, "status"] = "neighbour"
    fits.loc[bad, "x"] += 3
    centers = pattern_centers(fits, FRAMES)
    assert (centers["n_spots"] == 4).all()
    np.testing.assert_allclose(centers["x"], cx, atol=0.2)


def test_errors_that_are_not_known_come_from_the_scatter(fits_of) -> None:
    cx, cy, x, y = moving(lattice(HEX, 220), 200)
    fits = fits_of(x, y, 0.1)
    fits[["x_err", "y_err"]] = np.nan
    centers = pattern_centers(fits, 200)
    assert 0.85 < pulls(centers, cx, cy).std() < 1.15


def test_a_chosen_set_of_tracks_and_of_frames(fits_of) -> None:
    _, _, x, y = moving(lattice(HEX, 220))
    fits = fits_of(x, y, 0.05)
    all_tracks = pattern_centers(fits, FRAMES)
    some = pattern_centers(fits, [5, 7], tracks=[1, 18, 2, 17])
    assert some["frame"].tolist() == [5, 7]
    assert (some["n_spots"] == 4).all()
    assert (all_tracks["n_spots"] == 18).all()


def test_a_fixed_centre_is_in_every_frame(fits_of) -> None:
    centers = pattern_centers(tables.empty(tables.FITS), 4, mode="fixed", fixed=(10.5, 20))
    assert (centers[["x", "y"]] == [10.5, 20.0]).all(axis=None)
    assert centers[["x_err", "y_err", "rms"]].isna().all(axis=None)
    assert (centers["mode"] == "fixed").all()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"mode": "fixed"}, "needs x and y"),
        ({"mode": "fixed", "fixed": (1.0, np.nan)}, "needs x and y"),
        ({"mode": "middle"}, "'middle' is not one of auto, pairs, circle, ellipse, energy, fixed"),
    ],
)
def test_wrong_wishes_are_explained(options, message) -> None:
    with pytest.raises(InputError, match=message):
        pattern_centers(tables.empty(tables.FITS), 4, **options)


@settings(max_examples=15, deadline=None)
@given(
    angle=st.floats(0, 180),
    aspect=st.floats(0.7, 1.4),
    gamma=st.floats(60, 120),
    at=st.tuples(st.floats(-50, 600), st.floats(-50, 600)),
)
def test_any_lattice_at_any_place(fits_of, angle, aspect, gamma, at) -> None:
    turn = np.deg2rad([angle, angle + gamma])
    basis = np.column_stack([np.cos(turn), np.sin(turn)]) * np.array([[80.0], [80.0 * aspect]])
    points = lattice(basis, 200) + np.array(at)
    centers = pattern_centers(fits_of(points[None, :, 0], points[None, :, 1], 0.05), 1)
    assert centers["mode"][0] == "pairs"
    assert np.hypot(centers["x"][0] - at[0], centers["y"][0] - at[1]) < 0.1
