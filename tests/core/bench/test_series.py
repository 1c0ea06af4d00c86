from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import trackleed as tl
from trackleed.bench.series import labelled, of_suite
from trackleed.errors import InputError, TableError
from trackleed.scoring import of_truth
from trackleed.simulate import simulate, write


def test_a_suite_has_a_series_for_each_scenario_and_seed() -> None:
    series = of_suite("leed-1", "middle")
    assert (
        len(series) == len({one.name for one in series}) == len({one.key for one in series}) == 14
    )
    others = of_suite("suite:leed-1", "hard", seeds=[5])
    assert not {one.key for one in series} & {one.key for one in others}


def test_a_series_of_a_suite_is_imported_with_its_labels(tmp_path: Path) -> None:
    opened = of_suite("leed-1", "easy", seeds=[3], frames=2)[0].open(tmp_path)
    assert len(opened.run.session.store.frames()) == 2
    assert opened.labels["frame"].nunique() == 2
    assert opened.run.table("import-1")["energy_eV"].tolist() == [60, 180]
    assert not (tmp_path / "frames").exists()


def test_a_simulated_folder_has_its_labels_with_it(tmp_path: Path) -> None:
    sim = simulate("dropout", frames=2, size=128)
    write(sim, tmp_path / "frames")
    opened = labelled(tmp_path / "frames").open(tmp_path)
    expected = of_truth(sim.truth)
    assert (opened.labels["state"] == expected["state"]).all()
    for name in ("x", "y", "reach", "x_err"):
        np.testing.assert_allclose(opened.labels[name], expected[name], rtol=1e-12)


def test_a_labels_file_is_no_index_of_the_frames(labelled_folder: Path, tmp_path: Path) -> None:
    opened = labelled(labelled_folder).open(tmp_path)
    assert opened.run.table("import-1")["energy_eV"].tolist() == list(range(50, 62))
    assert (opened.labels["state"] == "measured").all()


def test_a_session_is_tried_on_a_copy(labelled_folder: Path, tmp_path: Path, plugin: Path) -> None:
    run = tl.import_frames(labelled_folder, tmp_path / "a.trackleed", mask="none")
    tracks = run.track("nearest", detections=run.detect("bright"))
    shutil.copy(labelled_folder / "labels.csv", tmp_path / "a.trackleed")
    (tmp_path / "work").mkdir()
    opened = labelled(tmp_path / "a.trackleed").open(tmp_path / "work")
    assert [step.id for step in opened.run.session.steps] == ["import-1"]
    np.testing.assert_array_equal(
        opened.run.session.store.frames()[3], run.session.store.frames()[3]
    )
    assert len(tl.open_run(tmp_path / "a.trackleed").session.steps) == 3
    by_step = labelled(tmp_path / "a.trackleed", tracks.id)
    assert by_step.key != labelled(tmp_path / "a.trackleed").key
    with pytest.raises(InputError, match="no tracks"):
        labelled(tmp_path / "a.trackleed", "detect-1")


def test_other_labels_are_another_series(labelled_folder: Path, tmp_path: Path) -> None:
    table = pd.read_csv(labelled_folder / "labels.csv")
    table.assign(x=table["x"] + 1).to_csv(tmp_path / "other.csv", index=False)
    other = labelled(labelled_folder, tmp_path / "other.csv")
    assert other.key != labelled(labelled_folder).key


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("frame,track_id,x\n0,1,3\n", "missing column"),
        ("frame,track_id,x,y\n0,1,3,4\n0,1,5,6\n", "more than one row"),
        ("frame,track_id,x,y,state\n0,1,3,4,asleep\n", "'asleep'"),
        ("frame,track_id,x,y\n0,one,3,4\n", "track_id"),
        ("frame,track_id,x,y\n", "no rows"),
        ("", "cannot be read"),
    ],
)
def test_bad_labels_are_named(spot_folder: Path, tmp_path: Path, text: str, match: str) -> None:
    (tmp_path / "labels.csv").write_text(text)
    with pytest.raises((InputError, TableError), match=match) as caught:
        labelled(spot_folder, tmp_path / "labels.csv")
    assert "labels" in str(caught.value)


def test_frames_without_labels_say_what_to_do(spot_folder: Path) -> None:
    with pytest.raises(InputError, match=r"has no labels; looked for .*labels\.csv.*--labels"):
        labelled(spot_folder)
