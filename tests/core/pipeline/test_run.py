from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import tifffile

import trackleed as tl
from trackleed import tables
from trackleed.errors import (
    BackendFailed,
    InputError,
    ParamsError,
    SessionError,
    SessionExists,
)
from trackleed.progress import silent
from trackleed.session import Session

pytestmark = pytest.mark.usefixtures("plugin")


@pytest.fixture
def run(spot_folder: Path, tmp_path: Path) -> tl.Run:
    return tl.import_frames(spot_folder, tmp_path / "a.trackleed", mask="none")


def test_the_whole_chain_gives_the_positions_that_were_simulated(run: tl.Run) -> None:
    detections = run.detect("bright")
    tracks = run.track("nearest", detections=detections)
    fits = run.refine("gaussian", tracks=tracks)
    table = run.table(fits)
    assert len(table) == 6 * 12
    assert (table["status"] == "ok").all()
    drift = table.pivot(index="frame", columns="track_id", values="x").diff().dropna()
    assert np.allclose(drift.mean(), 0.5, atol=0.02)


def test_energies_of_the_file_names_reach_the_index(run: tl.Run) -> None:
    index = run.table(run.session.latest("import"))
    assert index["energy_eV"].tolist() == list(range(50, 62))
    assert index["temperature_K"].isna().all()


def test_every_table_keeps_to_its_specification(run: tl.Run) -> None:
    fits = run.refine(tracks=run.track("nearest", detections=run.detect("bright")))
    run.analyse(fits=fits, center="fixed", x=64, y=48)
    for step in run.session.steps:
        assert step.spec is not None
        tables.check(run.table(step), tables.SPECS[step.spec])


def test_a_step_that_is_done_is_not_done_again(run: tl.Run) -> None:
    first = run.detect("bright", threshold=9)
    assert run.detect("bright", threshold=9).id == first.id
    assert run.detect("bright", threshold=10).id != first.id
    assert [s.id for s in run.session.steps] == ["import-1", "detect-1", "detect-2"]


def test_progress_reaches_the_total_of_every_stage(spot_folder: Path, tmp_path: Path) -> None:
    seen: dict[str, tuple[int, int]] = {}
    made = tl.import_frames(spot_folder, tmp_path / "a.trackleed", mask="none")
    made.progress = lambda stage, done, total: seen.__setitem__(stage, (done, total))
    made.refine(tracks=made.track("nearest", detections=made.detect("bright")))
    assert seen == {"detect": (12, 12), "track": (12, 12), "refine": (12, 12)}


def test_cancelling_keeps_the_rows_that_came_and_marks_the_step(run: tl.Run) -> None:
    def stop(stage: str, done: int, total: int) -> None:
        if done == 8:
            raise KeyboardInterrupt

    run.progress = stop
    with pytest.raises(KeyboardInterrupt):
        run.detect("bright")
    step = run.session.steps[-1]
    assert step.status == "cancelled"
    run.progress = lambda *_: None
    assert run.detect("bright").status == "done"


def test_a_detector_that_raises_is_named_with_the_frame(run: tl.Run) -> None:
    run.jobs = 1
    with pytest.raises(BackendFailed, match=r"bright.*frame 4.*the lens cap is on"):
        run.detect("bright", fail_at=5)
    assert run.session.steps[-1].status == "failed"


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        ("short", "no rows for frames"),
        ("twice", "frame 3 twice"),
        ("shrinking", "not every track in frame 3"),
        ("raise", "lost my way"),
    ],
)
def test_a_tracker_that_breaks_its_contract_is_told_so(
    run: tl.Run, fault: str, message: str
) -> None:
    run.detect("bright")
    with pytest.raises(BackendFailed, match=message):
        run.track("nearest", fault=fault)


def test_an_option_that_does_not_exist_fails_before_any_work(run: tl.Run) -> None:
    with pytest.raises(ParamsError, match=r"no option 'treshold'; it has: threshold"):
        run.detect("bright", treshold=3)
    assert [s.kind for s in run.session.steps] == ["import"]


def test_a_verb_without_its_input_names_the_command_that_makes_it(run: tl.Run) -> None:
    with pytest.raises(SessionError, match=r"no finished track step — first: trackleed track"):
        run.refine()


def test_a_step_of_the_wrong_kind_is_refused(run: tl.Run) -> None:
    with pytest.raises(SessionError, match="import-1 is no detect step"):
        run.track("nearest", detections="import-1")


def test_a_run_does_not_replace_another_unless_asked(run: tl.Run, spot_folder: Path) -> None:
    with pytest.raises(SessionExists):
        tl.import_frames(spot_folder, run.session.path)
    again = tl.import_frames(spot_folder, run.session.path, overwrite=True, mask="none")
    assert [s.id for s in again.session.steps] == ["import-1"]


def test_dark_frame_and_background_are_taken_off(spot_folder: Path, tmp_path: Path) -> None:
    dark = tmp_path / "dark.tif"
    tifffile.imwrite(dark, np.full((96, 128), 150, np.uint16))
    made = tl.import_frames(spot_folder, tmp_path / "a.trackleed", mask="none", dark=str(dark))
    frames = made.session.store.frames()
    assert frames.dtype == np.float32
    assert np.median(frames[0]) == pytest.approx(50, abs=5)
    assert np.median(frames.raw(0)) == pytest.approx(200, abs=5)


def test_a_correction_of_another_size_is_refused(spot_folder: Path, tmp_path: Path) -> None:
    dark = tmp_path / "dark.tif"
    tifffile.imwrite(dark, np.zeros((10, 20), np.uint16))
    with pytest.raises(InputError, match=r"dark image .* is 20x10 px, the frames are 128x96 px"):
        tl.import_frames(spot_folder, tmp_path / "a.trackleed", mask="none", dark=str(dark))


def test_one_frame_is_a_series(spot_folder: Path, tmp_path: Path) -> None:
    only = sorted(spot_folder.glob("*.tif"))[0]
    made = tl.import_frames(only, tmp_path / "a.trackleed", mask="none")
    fits = made.refine(tracks=made.track("nearest", detections=made.detect("bright")))
    assert len(made.table(fits)) == 6


def test_a_series_without_spots_goes_through_with_empty_tables(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    folder = tmp_path / "dark"
    folder.mkdir()
    for i in range(3):
        tifffile.imwrite(folder / f"{i}.tif", rng.poisson(100, (40, 50)).astype(np.uint16))
    made = tl.import_frames(folder, tmp_path / "a.trackleed", mask="none")
    fits = made.refine(tracks=made.track("nearest", detections=made.detect("bright", threshold=20)))
    made.analyse(fits=fits)
    assert len(made.table(fits)) == 0
    files = [path.name for path in made.export("csv", fits=fits)]
    assert "full_analysis_per_spot.csv" in files


def test_the_view_holds_what_belongs_to_the_fits_and_no_other(run: tl.Run) -> None:
    tracks = run.track("nearest", detections=run.detect("bright"))
    first = run.refine(tracks=tracks)
    run.analyse(fits=first, center="fixed", x=60, y=40)
    second = run.refine(tracks=run.track("nearest", distance=7))
    view = tl.pipeline.SessionView(run.session, first)
    assert view.table("centers")["x"].eq(60).all()
    assert view.steps["tracks"].id == tracks.id
    assert not tl.pipeline.SessionView(run.session, second).has("centers")
    run.analyse(fits=first, center="fixed", x=70, y=40)
    view = tl.pipeline.SessionView(run.session, first)
    assert view.steps["radii"].inputs == [first.id, view.steps["centers"].id]
    assert isinstance(view.index, pd.DataFrame)


@pytest.fixture
def frame_by_frame(monkeypatch: pytest.MonkeyPatch) -> None:
    """Frames are counted, and progress is told, one at a time."""
    monkeypatch.setattr("trackleed.store.store.COUNT_EVERY", 0.0)


@pytest.mark.usefixtures("frame_by_frame")
def test_an_import_cut_short_does_not_lend_its_frames_to_another_series(
    spot_folder: Path, tmp_path: Path
) -> None:
    def stop(stage: str, done: int, total: int) -> None:
        if done == 5:
            raise KeyboardInterrupt

    other = tmp_path / "other"
    other.mkdir()
    for path in spot_folder.glob("*.tif"):
        tifffile.imwrite(other / path.name, tifffile.imread(path) + np.uint16(7))
    run = tl.Run(Session.create(tmp_path / "a.trackleed"), progress=stop)
    with pytest.raises(KeyboardInterrupt):
        run.import_frames(spot_folder, mask="none")
    run.progress = silent
    run.import_frames(other, mask="none")
    first = sorted(other.glob("*.tif"))[0]
    assert np.array_equal(run.session.store.frames()[0], tifffile.imread(first))


@pytest.mark.usefixtures("frame_by_frame")
def test_an_import_cut_short_goes_on_where_it_stopped(spot_folder: Path, tmp_path: Path) -> None:
    seen: list[int] = []

    def stop(stage: str, done: int, total: int) -> None:
        seen.append(done)
        if done == 5:
            raise KeyboardInterrupt

    run = tl.Run(Session.create(tmp_path / "a.trackleed"), progress=stop)
    with pytest.raises(KeyboardInterrupt):
        run.import_frames(spot_folder, mask="none")
    seen.clear()
    run.progress = lambda stage, done, total: seen.append(done)
    run.import_frames(spot_folder, mask="none")
    assert seen[:3] == [5, 6, 7]
    names = sorted(spot_folder.glob("*.tif"))
    assert all(
        np.array_equal(run.session.store.frames()[i], tifffile.imread(name))
        for i, name in enumerate(names)
    )


def test_a_mask_drawn_by_hand_leaves_out_hot_pixels_too(spot_folder: Path, tmp_path: Path) -> None:
    folder = tmp_path / "hot"
    folder.mkdir()
    for path in spot_folder.glob("*.tif"):
        frame = tifffile.imread(path)
        frame[5, 90] = 60000
        tifffile.imwrite(folder / path.name, frame)
    mask = tmp_path / "mask.json"
    mask.write_text('{"masked": [{"circle": [10, 80, 6]}]}')
    run = tl.import_frames(folder, tmp_path / "a.trackleed", mask=str(mask))
    valid = run.session.store.frames().valid
    assert not valid[5, 90]
    assert not valid[80, 10]
    assert valid[40, 60]


def test_start_positions_for_a_tracker_that_takes_none_are_refused(run: tl.Run) -> None:
    run.detect("bright")
    seeds = pd.DataFrame(
        {"track_id": [1], "frame": [0], "x": [30.0], "y": [30.0], "width": [15.0], "height": [15.0]}
    )
    with pytest.raises(SessionError, match="takes no start positions"):
        run.track("nearest", seeds=seeds)


def test_an_export_is_made_again_only_if_something_changed_or_is_gone(run: tl.Run) -> None:
    fits = run.refine(tracks=run.track("nearest", detections=run.detect("bright")))
    run.analyse(fits=fits, center="fixed", x=64, y=48)
    files = run.export("csv", fits=fits)
    n = len(run.session.steps)
    assert run.export("csv", fits=fits) == files
    assert len(run.session.steps) == n
    files[0].unlink()
    assert run.export("csv", fits=fits) == files
    assert files[0].exists()
    run.analyse(fits=fits, center="fixed", x=60, y=48)
    run.export("csv", fits=fits)
    assert [s.id for s in run.session.steps if s.kind == "export"] == [
        "export-1",
        "export-2",
        "export-3",
    ]
