"""What is followed, and in which order."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("cv2")

from trackleed.errors import InputError


@pytest.mark.parametrize("tracker", ["lk", "lk-skip"])
def test_energies_asked_for_and_not_known_are_an_error(series, drift, tracker):
    with pytest.raises(InputError, match=f"{tracker}: .*needs the beam energy of every frame"):
        series(drift(3)).track(tracker, order="energy")


@pytest.mark.parametrize("tracker", ["lk", "lk-skip"])
def test_the_richest_frame_is_followed_brightest_first(series, drift, tracker):
    heights = np.full((12, 12), 600.0)
    heights[:, 5] = 900.0
    heights[:7, 2] = 0.0
    table, _ = series(drift(12), heights).track(tracker)
    start = table[table["state"] == "seed"]
    assert (start["frame"] == 7).all()
    assert len(start) == 12
    assert start["score"].eq(1).all()
    np.testing.assert_allclose(start["x"].iloc[0], drift(12)[7, 5, 0], atol=0.5)


@pytest.mark.parametrize("tracker", ["lk", "lk-skip"])
def test_a_reference_can_be_named(series, drift, tracker):
    table, _ = series(drift(6)).track(tracker, reference=4)
    assert table[table["state"] == "seed"]["frame"].unique().tolist() == [4]


@pytest.mark.parametrize("tracker", ["lk", "lk-skip"])
def test_what_cannot_be_followed_is_an_error(series, drift, tracker):
    made = series(drift(3))
    with pytest.raises(InputError, match="the series has frames 0 to 2"):
        made.track(tracker, reference=3)
    outside = made.seeds(0)
    outside["x"][1] = 500.0
    with pytest.raises(
        InputError, match=r"seed of track 2 at x = 500, .* 3 frames of 210 x 150 px"
    ):
        made.track(tracker, outside)
    late = made.seeds(0) | {"frame": np.full(12, 3)}
    with pytest.raises(InputError, match="in frame 3 is not in the series"):
        made.track(tracker, late)
    made.detections = None
    with pytest.raises(InputError, match="neither seeds nor detections"):
        made.track(tracker)
