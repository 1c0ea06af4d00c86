from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest

from trackleed.scoring import compare_fits, of_truth, score_detections
from trackleed.simulate import simulate


@pytest.fixture(scope="module")
def truth() -> pd.DataFrame:
    return simulate("dropout", frames=15, size=256, seed=1).truth


@pytest.fixture
def bright(truth: pd.DataFrame) -> pd.DataFrame:
    return truth[truth["visible"] & (truth["snr"] >= 4)]


def at(rows: pd.DataFrame, dx: float = 0.0) -> pd.DataFrame:
    return pd.DataFrame({"frame": rows["frame"], "x": rows["x"] + dx, "y": rows["y"]})


def test_the_truth_itself_scores_in_full(truth: pd.DataFrame, bright: pd.DataFrame) -> None:
    score = score_detections(at(bright, 1.0), of_truth(truth, snr=4))
    assert (score.recall, score.precision) == (1, 1)
    assert score.wanted == score.detections == len(bright) > 50


def test_a_missed_spot_lowers_the_recall_and_an_invented_one_the_precision(
    truth: pd.DataFrame, bright: pd.DataFrame
) -> None:
    nowhere = pd.DataFrame({"frame": [0], "x": [3.0], "y": [3.0]})
    score = score_detections(pd.concat([at(bright.iloc[2:]), nowhere]), of_truth(truth, snr=4))
    assert score.found == score.wanted - 2
    assert score.false == 1
    assert score.precision == 1 - 1 / (len(bright) - 1)


def test_a_second_detection_on_one_spot_is_false(truth: pd.DataFrame, bright: pd.DataFrame) -> None:
    score = score_detections(
        pd.concat([at(bright), at(bright.iloc[:1], 1.5)]), of_truth(truth, snr=4)
    )
    assert (score.false, score.recall) == (1, 1)


def test_a_dim_spot_need_not_be_found_and_may_be(truth: pd.DataFrame) -> None:
    dim = truth[truth["snr"].between(0.5, 3) & (truth["amplitude"] > 0)]
    assert score_detections(at(dim), of_truth(truth, snr=4)).false == 0
    assert score_detections(at(dim), of_truth(truth, snr=4)).found == 0


def test_detections_while_the_beam_is_off_are_false(truth: pd.DataFrame) -> None:
    off = truth.groupby("frame")["amplitude"].max().eq(0).idxmax()
    rows = truth[(truth["frame"] == off) & truth["x"].notna()]
    assert score_detections(at(rows), of_truth(truth, snr=4)).false == len(rows) > 5


def test_the_wing_of_a_spot_behind_the_arm_is_no_invention(truth: pd.DataFrame) -> None:
    hidden = truth[(truth["snr"] == 0) & (truth["amplitude"] > 0) & truth["x"].notna()].iloc[:1]
    width = float(hidden[["sigma_x", "sigma_y"]].max(axis=1).iloc[0])
    assert score_detections(at(hidden, 2.5 * width), of_truth(truth, snr=4)).false == 0
    assert score_detections(at(hidden, 3.5 * width), of_truth(truth, snr=4)).false == 1


def test_nothing_to_score_is_not_a_number(truth: pd.DataFrame) -> None:
    nothing = at(of_truth(truth.iloc[:0]))
    assert math.isnan(score_detections(nothing, of_truth(truth, snr=4)).precision)
    assert math.isnan(score_detections(nothing, of_truth(truth.iloc[:0])).recall)
    assert score_detections(nothing, of_truth(truth, snr=4)).recall == 0


def test_fits_are_compared_with_their_own_spots(truth: pd.DataFrame, bright: pd.DataFrame) -> None:
    fits = at(bright, 0.1).assign(
        track_id=bright["spot"] + 100, status="ok", x_err=0.05, y_err=0.05
    )
    fits.iloc[0, fits.columns.get_indexer(["x", "y"])] = np.nan
    compared = compare_fits(fits, of_truth(truth, snr=4))
    assert len(compared) == len(bright) - 1
    assert (compared["track_id"] == compared["spot"] + 100).all()
    np.testing.assert_allclose(compared["dx"], 0.1, atol=1e-9)
    np.testing.assert_allclose(compared["pull_x"], 2, atol=1e-6)
    np.testing.assert_array_equal(compared["dy"], 0)
