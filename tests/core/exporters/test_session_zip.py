from __future__ import annotations

import json
import zipfile
from pathlib import Path

import numpy as np
import pytest

import trackleed as tl
from trackleed import tables
from trackleed.session import Session

pytestmark = pytest.mark.usefixtures("plugin")


@pytest.fixture
def run(spot_folder: Path, tmp_path: Path) -> tl.Run:
    run = tl.import_frames(spot_folder, tmp_path / "a.trackleed", mask="none")
    run.refine(tracks=run.track("nearest", detections=run.detect("bright")))
    run.export("csv")
    return run


def unpack(archive: Path, folder: Path) -> Session:
    with zipfile.ZipFile(archive) as opened:
        assert opened.testzip() is None
        opened.extractall(folder)
    return Session.open(folder / "a.trackleed")


def test_unpacked_it_is_the_same_session(run: tl.Run, tmp_path: Path) -> None:
    (archive,) = run.export("session-zip", folder=tmp_path / "out")
    assert archive == tmp_path / "out" / "a.trackleed.zip"
    assert list((tmp_path / "out").glob("[!.]*")) == [archive]
    copy = unpack(archive, tmp_path / "there")
    assert copy.problems == []
    assert [s.id for s in copy.steps] == [s.id for s in run.session.steps[:-1]]
    for step in copy.steps:
        if step.table:
            assert copy.table(step).equals(run.session.table(step.id))
    for i in range(12):
        np.testing.assert_array_equal(copy.store.frames({})[i], run.session.store.frames({})[i])
    assert (copy.path / "exports" / "track_legend.csv").exists()


def test_work_goes_on_in_the_copy(run: tl.Run, tmp_path: Path) -> None:
    copy = unpack(run.export("session-zip")[0], tmp_path / "there")
    again = tl.Run(copy)
    assert again.detect("bright").id == "detect-1"
    fits = again.refine(tracks=again.track("nearest", distance=3.0))
    assert len(again.table(fits)) == fits.rows
    tables.check(again.table(fits), tables.FITS)


def test_nothing_in_it_is_still_running(run: tl.Run, tmp_path: Path) -> None:
    with zipfile.ZipFile(run.export("session-zip")[0]) as opened:
        record = json.loads(opened.read("a.trackleed/session.json"))
    assert {step["status"] for step in record["steps"]} == {"done"}
    assert not any("session-zip" in step["backend"] for step in record["steps"])


def test_archives_do_not_pack_one_another(run: tl.Run) -> None:
    first = run.export("session-zip")[0].stat().st_size
    archive = run.export("session-zip")[0]
    assert archive.stat().st_size < first + 2000  # the record of the first packing
    with zipfile.ZipFile(archive) as opened:
        names = opened.namelist()
    assert len(names) == len(set(names))
    assert not any(name.endswith((".zip", ".part", ".lock")) for name in names)


def test_it_is_made_anew_when_anything_was_added(run: tl.Run, tmp_path: Path) -> None:
    run.export("session-zip")
    run.detect("bright", threshold=9.0)  # no part of the chain that is exported
    copy = unpack(run.export("session-zip")[0], tmp_path / "there")
    assert "detect-2" in [step.id for step in copy.steps]


def test_frames_are_stored_as_they_are_and_text_is_packed(run: tl.Run) -> None:
    with zipfile.ZipFile(run.export("session-zip")[0]) as opened:
        kinds = {info.filename: info.compress_type for info in opened.infolist()}
    frames = [name for name in kinds if "/frames/c." in name]
    assert len(frames) == 12
    assert {kinds[name] for name in frames} == {zipfile.ZIP_STORED}
    assert kinds["a.trackleed/session.json"] == zipfile.ZIP_DEFLATED
    assert kinds["a.trackleed/exports/track_legend.csv"] == zipfile.ZIP_DEFLATED


def test_without_frames_the_tables_can_be_read(run: tl.Run, tmp_path: Path) -> None:
    whole = run.export("session-zip")[0].stat().st_size
    archive = run.export("session-zip", frames=False)[0]
    assert archive.stat().st_size < whole / 2
    copy = unpack(archive, tmp_path / "there")
    assert any("frame" in problem for problem in copy.problems)
    fits = run.session.latest("refine")
    assert fits is not None
    assert copy.table(fits.id).equals(run.session.table(fits))
    (written, *_) = tl.Run(copy).export("csv", folder=tmp_path / "csv")
    assert (
        written.read_bytes()
        == (run.session.path / "exports" / "full_analysis_per_spot.csv").read_bytes()
    )


def test_a_session_that_holds_only_frames_can_be_packed(spot_folder: Path, tmp_path: Path) -> None:
    run = tl.import_frames(spot_folder, tmp_path / "a.trackleed", mask="none")
    copy = unpack(run.export("session-zip")[0], tmp_path / "there")
    assert len(copy.store.frames({})) == 12


def test_a_failure_leaves_the_old_archive(run: tl.Run, monkeypatch: pytest.MonkeyPatch) -> None:
    (archive,) = run.export("session-zip")
    before = archive.read_bytes()

    def fail(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(zipfile.ZipFile, "write", fail)
    with pytest.raises(Exception, match="No space left"):
        run.export("session-zip")
    assert archive.read_bytes() == before
    assert not list(archive.parent.glob("*.part"))
