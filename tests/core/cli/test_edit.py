from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from trackleed.session import Session

pytestmark = pytest.mark.usefixtures("plugin")

Call = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run_path(call: Call, spot_folder: Path, tmp_path: Path) -> Path:
    """Six tracks of twelve frames, with fits."""
    path = tmp_path / "a.trackleed"
    for arguments in (
        ("import", spot_folder, path, "--mask", "none"),
        ("detect", path, "--detector", "bright"),
        ("track", path, "--tracker", "nearest"),
        ("refine", path),
    ):
        assert call(*arguments)[0] == 0
    return path


def edit(call: Call, path: Path, words: str) -> tuple[int, str, str]:
    return call("edit", path, *words.split())


def test_every_edit_can_be_made_and_is_listed(call: Call, run_path: Path) -> None:
    commands = (
        "swap 1 2 --at 6",
        "split 5 --at 4 --new 9",
        "merge 5 9",
        "delete 6 --frames 3-5",
        "delete 6,5",
        "move 4 --frame 3 --to 60.5,31",
        "add --frame 2 --at 20,20 --size 15",
        "renumber 5 11",
        "retrack 4 --from 3 --both --tracker seeded --set tracker.distance=5",
    )
    for command in commands:
        code, out, err = edit(call, run_path, command)
        assert code == 0, err
        assert f"next: trackleed refine {run_path}" in out
    code, out, _ = edit(call, run_path, "log")
    lines = out.splitlines()
    assert len(lines) == len(commands)
    assert lines[2].split(maxsplit=1) == ["edit-3", "tracks 5 and 9 are one spot, track 5"]
    assert Session.open(run_path).get("edit-9").params["options"]["distance"] == 5.0


def test_detections_are_edited_by_place(call: Call, run_path: Path) -> None:
    for command in (
        "add-detection --frame 2 --at 20,20",
        "move-detection --frame 2 --at 21,21 --to 22,22",
        "delete-detection --frame 2 --at 22,23",
    ):
        code, out, err = edit(call, run_path, command)
        assert code == 0, err
        assert f"next: trackleed track {run_path}" in out
    session = Session.open(run_path)
    assert session.table("edit-3").equals(session.table("detect-1"))


def test_undo_says_what_holds_again_and_the_log_what_does_not(call: Call, run_path: Path) -> None:
    edit(call, run_path, "delete 3")
    edit(call, run_path, "delete 4")
    assert "edit-1 holds the newest tracks again" in edit(call, run_path, "undo")[1]
    assert "track-1 holds the newest tracks again" in edit(call, run_path, "undo --to track-1")[1]
    log = edit(call, run_path, "log")[1].splitlines()
    assert [line.endswith("(not in effect)") for line in log] == [True, True]
    assert json.loads(edit(call, run_path, "undo --to edit-1 --json")[1])[0]["id"] == "edit-1"


def test_the_summary_follows_the_edits(call: Call, run_path: Path) -> None:
    edit(call, run_path, "delete 3")
    out = call("show", run_path, "--tracks")[1]
    assert "refine-1 is of other tracks" in out
    summary = json.loads(call("show", run_path, "--json")[1])
    assert summary["tracks"]["tracks"] == 5
    assert summary["tracks"]["edits"] == "edit-1"
    code, _, err = call("export", run_path, "--as", "csv")
    assert code == 1
    assert "no fits" in err
    assert call("refine", run_path)[0] == 0
    assert json.loads(call("show", run_path, "--json")[1])["fits"]["usable"] == "60 of 60"


def test_edits_are_written_to_a_file_and_made_again(
    call: Call, run_path: Path, tmp_path: Path
) -> None:
    edit(call, run_path, "delete 3")
    edit(call, run_path, "swap 1,2 --at 6")
    file = tmp_path / "edits.json"
    file.write_text(edit(call, run_path, "log --json")[1])
    assert call("track", run_path, "--tracker", "nearest", "--set", "tracker.distance=5.5")[0] == 0
    assert edit(call, run_path, "log --json")[1].strip() == "[]"
    code, _, err = call("edit", run_path, "replay", file)
    assert code == 0, err
    assert edit(call, run_path, "log --json")[1] == file.read_text()
    session = Session.open(run_path)
    assert session.table("edit-4").equals(session.table("edit-2"))


def test_run_goes_on_with_the_edits(call: Call, spot_folder: Path, tmp_path: Path) -> None:
    path = tmp_path / "a.trackleed"
    chain = ("--detector", "bright", "--tracker", "nearest", "--mask", "none")
    assert call("run", spot_folder, path, *chain)[0] == 0
    assert edit(call, path, "delete 3")[0] == 0
    assert call("run", spot_folder, path, *chain)[0] == 0
    text = (path / "exports" / "track_legend.csv").read_text()
    assert [line.split(",")[0] for line in text.splitlines()[1:]] == ["1", "2", "4", "5", "6"]


@pytest.mark.parametrize(
    ("command", "message"),
    [
        ("merge 3 9", "there is no track 9; there are: 1-6"),
        ("merge 3", "merge: option tracks = [3] is not allowed"),
        ("merge 3 four", "no numbers of tracks"),
        ("merge 3 4", "seen at once in 12 frames: 0-11 — say which counts there: --keep 3"),
        ("split 5 --at 40", "there is no frame 40; the series has frames 0 to 11"),
        ("delete 5 --frames ten", "no frames FIRST-LAST"),
        ("move 4 --frame 3 --to 603,31", "outside the frames, which are 128x96 px"),
        ("move 4 --frame 3 --to here", "--to 'here' is no place X,Y"),
        ("add --frame -2 --at 3,4", "frame"),
        ("retrack 4 --from 3 --tracker telepathy", "no tracker is called 'telepathy'"),
        ("retrack 4 --from 3 --tracker seeded --set tracker.speed=3", "no option 'speed'"),
        ("delete-detection --frame 2 --at 3,3", "there is no detection in frame 2"),
        ("undo", "no edit to undo"),
        ("undo --to refine-1", "neither tracks nor detections"),
        ("replay nowhere.json", "nowhere.json cannot be read"),
    ],
)
def test_bad_input_is_one_line_and_adds_no_step(
    call: Call, run_path: Path, command: str, message: str
) -> None:
    code, out, err = edit(call, run_path, command)
    assert code == 1
    assert message in err
    assert err.startswith("error: ")
    assert err.count("\n") == 1
    assert "Traceback" not in err + out
    assert len(Session.open(run_path).steps) == 4


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("nonsense", "are no JSON"),
        ('{"edit": "undo"}', "are no list of edits"),
        ('[{"tracks": [1]}]', "edit 1 of 1: there is no edit ''"),
    ],
)
def test_a_file_that_holds_no_edits_is_refused(
    call: Call, run_path: Path, tmp_path: Path, text: str, message: str
) -> None:
    file = tmp_path / "edits.json"
    file.write_text(text)
    code, _, err = call("edit", run_path, "replay", file)
    assert code == 1
    assert message in err
    assert err.count("\n") == 1
