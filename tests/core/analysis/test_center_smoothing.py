from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from trackleed import tables
from trackleed.analysis.centers import median_center, smooth_centers
from trackleed.errors import InputError


def centers_at(x, y, err) -> pd.DataFrame:
    x, y, err = np.broadcast_arrays(np.asarray(x, float), y, err)
    known = np.isfinite(x)
    return tables.build(
        tables.CENTERS,
        {
            "frame": np.arange(len(x)),
            "x": x,
            "y": np.where(known, y, np.nan),
            "x_err": np.where(known, err, np.nan),
            "y_err": np.where(known, err, np.nan),
            "mode": np.where(known, "pairs", "none"),
            "n_spots": np.where(known, 6, 0),
            "rms": np.full(len(x), np.nan),
        },
    )


def noisy(rng, x, err) -> pd.DataFrame:
    return centers_at(x + rng.normal(size=len(x)) * err, 50 + rng.normal(size=len(x)) * err, err)


def test_the_median_of_many_frames_has_true_errors() -> None:
    rng = np.random.default_rng(2)
    err = np.tile([0.05, 0.1, 0.3], 20)
    found = [median_center(noisy(rng, np.full(60, 100.0), err)).loc[0] for _ in range(400)]
    pull = [(f["x"] - 100) / f["x_err"] for f in found] + [
        (f["y"] - 50) / f["y_err"] for f in found
    ]
    assert abs(np.mean(pull)) < 0.15
    assert 0.85 < np.std(pull) < 1.1


def test_the_median_is_in_every_frame_and_wrong_frames_do_not_move_it() -> None:
    rng = np.random.default_rng(3)
    centers = noisy(rng, np.full(50, 100.0), np.full(50, 0.1))
    centers.loc[:9, "x"] += 30
    centers.loc[20, ["x", "y", "x_err", "y_err"]] = np.nan
    one = median_center(centers)
    assert one["x"].nunique() == 1
    assert abs(one["x"][0] - 100) < 0.1
    assert (one["mode"] == "median").all()
    assert one["n_spots"].tolist() == centers["n_spots"].tolist()
    assert centers["mode"][0] == "pairs"


def test_an_error_that_all_frames_share_does_not_shrink_with_their_number() -> None:
    rng = np.random.default_rng(4)
    centers = noisy(rng, np.full(200, 100.0), np.full(200, 0.01)).assign(x_err=0.5)
    assert 0.45 < median_center(centers)["x_err"][0] < 0.55
    assert smooth_centers(centers, 11)["x_err"].between(0.45, 0.55).all()


def test_frames_that_scatter_more_than_their_errors_enlarge_these() -> None:
    rng = np.random.default_rng(5)
    centers = noisy(rng, np.full(200, 100.0), np.full(200, 1.0)).assign(x_err=0.01)
    expected = np.sqrt(np.pi / 2 / 200)
    assert median_center(centers)["x_err"][0] == pytest.approx(expected, rel=0.2)


def test_errors_that_are_not_known_come_from_the_scatter_and_one_frame_has_none() -> None:
    rng = np.random.default_rng(6)
    centers = noisy(rng, np.full(200, 100.0), np.full(200, 0.3)).assign(x_err=np.nan)
    assert median_center(centers)["x_err"][0] == pytest.approx(0.3 * np.sqrt(np.pi / 400), rel=0.2)
    assert np.isnan(median_center(centers[:1])["x_err"][0])
    assert median_center(centers[:1])["y_err"][0] == pytest.approx(0.3)


def test_smooth_centres_have_smaller_and_true_errors() -> None:
    rng = np.random.default_rng(7)
    truth = 100 + np.linspace(0, 20, 300)
    err = rng.uniform(0.1, 0.4, 300)
    pulls = []
    for _ in range(20):
        centers = noisy(rng, truth, err)
        smooth = smooth_centers(centers, 9)
        pulls.append(((smooth["x"] - truth) / smooth["x_err"]).to_numpy())
        assert (smooth["x_err"] < 1.1 * centers["x_err"]).all()
        assert smooth["x_err"].median() < 0.5 * centers["x_err"].median()
    assert abs(np.mean(pulls)) < 0.1
    assert 0.9 < np.std(pulls) < 1.1


def test_a_frame_that_lies_away_is_drawn_back_and_does_not_move_its_neighbours() -> None:
    truth = 100 + np.linspace(0, 5, 40)
    centers = noisy(np.random.default_rng(8), truth, np.full(40, 0.05))
    centers.loc[17, "x"] += 15
    smooth = smooth_centers(centers, 7)
    np.testing.assert_allclose(smooth["x"], truth, atol=0.2)


def test_a_straight_line_stays_as_it_is() -> None:
    x = np.linspace(10, 20, 15)
    np.testing.assert_allclose(smooth_centers(centers_at(x, 5.0, 0.1), 5)["x"], x, atol=1e-9)


def test_frames_without_a_centre_stay_so_unless_asked() -> None:
    x = np.linspace(100, 110, 30)
    x[[0, 10, 11, 29]] = np.nan
    x[15:22] = np.nan  # wider than the window
    centers = centers_at(x, 50.0, 0.1)
    left = smooth_centers(centers, 5)
    assert left[["x", "y", "x_err", "y_err"]].isna().all(axis=1).tolist() == np.isnan(x).tolist()
    filled = smooth_centers(centers, 5, fill=True)
    assert filled.index[filled["mode"] == "interpolated"].tolist() == [10, 11]
    np.testing.assert_allclose(filled["x"][[10, 11]], 100 + 10 / 29 * np.array([10, 11]))
    assert filled["x"].isna().sum() == 9
    assert (filled["n_spots"][[10, 11]] == 0).all()


def test_a_filled_frame_has_a_larger_error_than_frames_with_a_centre() -> None:
    x = np.full(60, 100.0)
    x[30] = np.nan
    filled = smooth_centers(noisy(np.random.default_rng(1), x, np.full(60, 0.1)), 7, fill=True)
    assert filled["x_err"][30] >= 0.1
    assert filled["x_err"][29] < 0.1


def test_a_filled_frame_has_the_error_that_leaving_it_out_shows() -> None:
    rng = np.random.default_rng(9)
    shaking = 100 + rng.normal(size=300)
    gone = shaking.copy()
    gone[5::10] = np.nan
    filled = smooth_centers(centers_at(gone, 50.0, 0.05), 5, fill=True)[5::10]
    pull = (filled["x"] - shaking[5::10]) / filled["x_err"]
    assert (filled["mode"] == "interpolated").all()
    assert 0.7 < pull.std() < 1.3


def test_no_centre_at_all_stays_none() -> None:
    centers = centers_at(np.full(4, np.nan), 1.0, 1.0)
    for after in (median_center(centers), smooth_centers(centers, 3, fill=True)):
        assert (after["mode"] == "none").all()
        assert after["x"].isna().all()


@pytest.mark.parametrize("window", [0, 1, 4, -3])
def test_a_window_must_have_a_middle(window) -> None:
    with pytest.raises(InputError, match=f"window {window} is not an odd number of frames"):
        smooth_centers(centers_at([1.0, 2.0], 1.0, 1.0), window)
