"""A planted identity switch of a simulated series, mended by hand as a user would."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import tifffile

import trackleed as tl
from trackleed.simulate import simulate


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> tl.Run:
    """Ten frames of a pattern that jumps, tracked without a fault."""
    simulation = simulate("shaking", frames=10, size=(256, 256))
    folder = tmp_path_factory.mktemp("shaking")
    (folder / "frames").mkdir()
    for i in range(len(simulation)):
        path = folder / "frames" / f"{simulation.stem(i)}.tif"
        tifffile.imwrite(path, simulation.frame(i), metadata=None)
    made = tl.import_frames(folder / "frames", folder / "run.trackleed")
    made.track("hungarian", detections=made.detect(), max_distance=20)
    return made


def places(run: tl.Run, track: int) -> np.ndarray:
    """x and y of a track in the frames of the newest tracks."""
    table: pd.DataFrame = run.table(run.session.steps[-1])
    return table[table["track_id"] == track].sort_values("frame")[["x", "y"]].to_numpy()


@pytest.mark.parametrize("tracker", ["lk-skip", "lk", "hungarian", "pattern"])
def test_a_track_that_went_over_to_another_is_brought_back(run: tl.Run, tracker: str) -> None:
    run.undo(to="track-1")
    table = run.table("track-1").dropna(subset="x")
    one, other = table["track_id"].value_counts().index[:2].tolist()
    right = run.table("track-1").set_index(["track_id", "frame"]).sort_index()
    run.edit("swap", tracks=[one, other], at=4)
    run.edit("delete", tracks=[other])
    assert np.hypot(*(places(run, one) - right.loc[one][["x", "y"]].to_numpy()).T).max() > 20
    x, y = right.loc[(one, 4)][["x", "y"]]
    run.edit("move", track=one, frame=4, x=round(x, 1), y=round(y, 1))
    run.edit("retrack", tracks=[one], frame=4, tracker=tracker)
    away = np.hypot(*(places(run, one) - right.loc[one][["x", "y"]].to_numpy()).T)
    assert away.max() < 0.5
