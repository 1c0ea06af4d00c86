"""Two spots of which only one has a track."""

from __future__ import annotations

import numpy as np
import pytest

SHAPE = (71, 71)
SIGMA = 2.5


def fits(lab, frames, at, **options):
    """Fits at one place in each frame."""
    count = len(frames)
    where = lab.rois([at] * count, np.arange(count), 23)
    return lab.refine(lab.sequence(frames), where, **options)


def pair_of(lab, apart, dimmer, count=40, height=800.0):
    """Frames of a spot near (30, 35) with another ``apart`` px to its right, (count, y, x)."""
    clean = lab.spot(SHAPE, 30.3, 35.1, height, SIGMA) + 60
    clean += lab.spot(SHAPE, 30.3 + apart, 36.0, dimmer * height, SIGMA)
    return np.stack([lab.noisy(clean, seed) for seed in range(count)])


@pytest.mark.parametrize(("apart", "dimmer"), [(6.5, 0.7), (7.0, 0.5), (8.0, 0.5)])
def test_tracked_spot_is_measured_beside_one_that_has_no_track(lab, apart, dimmer) -> None:
    found = fits(lab, pair_of(lab, apart, dimmer), (30, 35))
    ok = found["status"] == "ok"
    assert ok.mean() > 0.9
    for name, truth in (("x", 30.3), ("y", 35.1), ("amplitude", 800), ("sigma_x", SIGMA)):
        pull = (found[name] - truth)[ok] / found[f"{name}_err"][ok]
        assert abs(pull.mean()) < 0.6, name
        assert pull.std() < 1.35, name
    assert np.median(found["chi2_red"][ok]) == pytest.approx(1, abs=0.05)


def test_of_two_in_one_nobody_says_which_a_track_between_them_means(lab) -> None:
    found = fits(lab, pair_of(lab, 6.5, 0.9), (33.4, 35.4))
    assert np.mean(found["status"] == "neighbour") > 0.9


@pytest.mark.parametrize("height", [20.0, 100.0, 2000.0])
def test_long_spots_stay_one(lab, height) -> None:
    clean = lab.spot(SHAPE, 35.3, 35.1, height, 4.0, 2.2, 30) + 60
    frames = np.stack([lab.noisy(clean, seed) for seed in range(40)])
    found = fits(lab, frames, (35, 35))
    assert np.all(found["status"] == "ok")
    pull = (found["x"] - 35.3) / found["x_err"]
    assert abs(pull.mean()) < 0.6
    assert np.abs(pull).max() < 4.5


def test_halo_and_stripes_are_no_second_spot(lab) -> None:
    rows = np.arange(SHAPE[0])[:, None]
    clean = lab.spot(SHAPE, 35.3, 35.1, 2000, 2.2, 2.9) + lab.spot(SHAPE, 35.3, 35.1, 300, 6) + 60
    clean = clean * (1 + 0.05 * (rows % 2))
    frames = np.stack([lab.noisy(clean, seed) for seed in range(30)])
    found = fits(lab, frames, (35, 35))
    assert found["chi2_red"].min() > 1.5
    assert np.all(found["status"] == "ok")
    assert np.abs(found["x"] - 35.3).max() < 0.1


def test_spot_beside_a_gross_fault_of_the_camera_keeps_its_fit(lab) -> None:
    frames = np.stack([lab.noisy(lab.spot(SHAPE, 35.3, 35.1, 500) + 60, i) for i in range(10)])
    frames[:, 35, 42] += 400  # a hot pixel is no spot
    found = fits(lab, frames, (35, 35))
    assert np.all(found["status"] == "ok")
    assert np.abs(found["x"] - 35.3).max() < 0.3


def test_upright_spots_are_told_apart_too(lab) -> None:
    found = fits(lab, pair_of(lab, 7.0, 0.5, count=10), (30, 35), shape="upright")
    assert np.mean(found["status"] == "ok") > 0.8
    assert np.abs(found["x"] - 30.3)[found["status"] == "ok"].max() < 0.3


def test_round_spots_have_no_axis_to_look_along(lab) -> None:
    one = lab.noisy(lab.spot(SHAPE, 35.3, 35.1, 2000, 3.0, 2.2) + 60)
    found = fits(lab, one[None], (35, 35), shape="circular")
    assert found["status"][0] == "ok"
    assert found["chi2_red"][0] > 2
