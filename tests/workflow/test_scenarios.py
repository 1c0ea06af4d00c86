"""Every third frame of each simulated scenario, default options, against the truth."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd
import pytest
import tifffile

import trackleed as tl
from trackleed.scoring import compare_fits, of_truth, score_detections
from trackleed.simulate import SCENARIOS, simulate
from trackleed.simulate.truth import frame_truth

STRIDE = 3


@dataclass
class Result:
    scenario: str
    truth: pd.DataFrame
    detections: pd.DataFrame
    tracks: pd.DataFrame
    fits: pd.DataFrame

    @property
    def good(self) -> pd.DataFrame:
        """Errors of the fits that a user would trust, of spots well above the noise."""
        compared = compare_fits(self.fits, of_truth(self.truth))
        return compared[(compared["status"] == "ok") & compared["wanted"] & (compared["snr"] >= 10)]


@pytest.fixture(scope="module", params=list(SCENARIOS))
def result(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Result:
    simulation = simulate(request.param)
    folder = tmp_path_factory.mktemp(request.param)
    (folder / "frames").mkdir()
    parts = []
    for number, i in enumerate(range(0, len(simulation), STRIDE)):
        path = folder / "frames" / f"{simulation.stem(i)}.tif"
        tifffile.imwrite(path, simulation.frame(i), metadata=None)
        parts.append(pd.DataFrame(frame_truth(simulation, i)).assign(frame=number))
    run = tl.import_frames(folder / "frames", folder / "run.trackleed")
    steps = [run.detect(), run.track(), run.refine()]
    truth = pd.concat(parts, ignore_index=True)
    return Result(request.param, truth, *(run.table(step) for step in steps))


def test_spots_are_found_and_none_is_made_up(result: Result) -> None:
    score = score_detections(result.detections, of_truth(result.truth, snr=4))
    assert score.wanted > 150
    assert score.recall >= 0.95
    assert score.precision >= 0.95


def test_fitted_positions_have_no_bias(result: Result) -> None:
    good = result.good
    assert len(good) > 100
    assert abs(good["dx"].mean()) < 0.02
    assert abs(good["dy"].mean()) < 0.02


def test_stated_errors_are_the_real_ones(result: Result) -> None:
    pulls = result.good[["pull_x", "pull_y"]]
    assert pulls.std().between(0.85, 1.2).all()
    assert pulls.mean().abs().max() < 0.25
    assert pulls.abs().max().max() < 6


def test_a_spot_is_one_track_and_a_track_one_spot(result: Result) -> None:
    compared = compare_fits(result.fits, of_truth(result.truth))
    bright = result.truth[result.truth["visible"] & (result.truth["snr"] >= 4)]
    frames = bright.groupby("spot")["frame"].nunique()
    spots = frames.index[frames >= 6]
    tracks = compared[compared["spot"].isin(spots)].groupby("spot")["track_id"].nunique()
    assert set(tracks.index) == set(spots)
    assert (tracks == 1).mean() >= 0.9
    assert compared.groupby("track_id")["spot"].nunique().max() == 1


def test_every_track_has_a_row_in_every_frame(result: Result) -> None:
    rows = result.tracks["track_id"].nunique() * len(range(0, 60, STRIDE))
    assert len(result.tracks) == len(result.fits) == rows
    assert not result.fits.duplicated(["frame", "track_id"]).any()
