from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

import trackleed as tl
from trackleed.errors import InputError
from trackleed.pipeline.exported import PLACE, Exported

pytestmark = pytest.mark.usefixtures("plugin")

KILLED = """
import os, signal, sys
from pathlib import Path
from trackleed.pipeline.exported import Exported
folder, when = Path(sys.argv[1]), sys.argv[2]
def die(*_):
    os.kill(os.getpid(), signal.SIGKILL)
exported = Exported(folder, "a.csv")
with exported.stage() as stage:
    (stage / "b.csv").write_text("new")
    if when == "writing":
        die()
    setattr(Exported, when, die)
    exported.take(stage, ["b.csv"], "second")
"""


@pytest.fixture
def run(spot_folder: Path, tmp_path: Path) -> tl.Run:
    return tl.import_frames(spot_folder, tmp_path / "a.trackleed", mask="none")


def export(folder: Path, of: str, name: str = "a.csv", **texts: str) -> list[str]:
    """Export texts to files whose names have _ for / and end in csv; gives those kept."""
    exported = Exported(folder, name)
    files = {f"{key.replace('_', '/')}.csv": text for key, text in texts.items()}
    with exported.stage() as stage:
        for file, text in files.items():
            (stage / file).parent.mkdir(parents=True, exist_ok=True)
            (stage / file).write_text(text)
        return exported.take(stage, list(files), of)


def there(folder: Path) -> dict[str, str]:
    """Files that a user sees, and what is in them."""
    seen = (p for p in sorted(folder.rglob("*")) if p.is_file())
    names = {p.relative_to(folder).as_posix(): p for p in seen}
    return {n: p.read_text() for n, p in names.items() if not n.startswith(".")}


def test_the_next_export_removes_just_what_it_did_not_write_again(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir(parents=True)
    (tmp_path / "deep" / "mine.csv").write_text("mine")
    export(tmp_path, "first", a="1", deep_b="1", other_c="1")
    assert export(tmp_path, "second", a="2") == []
    assert there(tmp_path) == {"a.csv": "2", "deep/mine.csv": "mine"}
    assert not (tmp_path / "other").exists()  # it is empty


def test_other_exporters_and_sessions_keep_theirs(tmp_path: Path) -> None:
    export(tmp_path, "first", "a.csv", a="1", b="1")
    export(tmp_path, "first", "a.plots", c="1")
    export(tmp_path, "first", "b.csv", d="1")
    export(tmp_path, "second", "a.csv", a="2")
    assert there(tmp_path) == {"a.csv": "2", "c.csv": "1", "d.csv": "1"}


def test_what_somebody_has_changed_stays_and_is_named(tmp_path: Path) -> None:
    export(tmp_path, "first", a="1", b="1", c="1")
    (tmp_path / "b.csv").write_text("with a column of my own")
    (tmp_path / "c.csv").unlink()
    assert export(tmp_path, "second", a="2") == ["b.csv"]
    assert there(tmp_path) == {"a.csv": "2", "b.csv": "with a column of my own"}


def test_an_export_is_known_to_be_there_until_a_file_of_it_changes(tmp_path: Path) -> None:
    exported = Exported(tmp_path, "a.csv")
    assert not exported.holds("first")
    export(tmp_path, "first", a="1", b="1")
    assert exported.holds("first")
    assert not exported.holds("second")
    (tmp_path / "b.csv").write_text("2")
    assert not exported.holds("first")


@pytest.mark.parametrize("damage", ["{", "[]", '{"export": "first", "files": 3}'])
def test_without_a_record_that_can_be_read_nothing_is_removed(tmp_path: Path, damage: str) -> None:
    export(tmp_path, "first", a="1", b="1")
    (tmp_path / PLACE / "a.csv.json").write_text(damage)
    assert not Exported(tmp_path, "a.csv").holds("first")
    export(tmp_path, "second", a="2")
    assert there(tmp_path) == {"a.csv": "2", "b.csv": "1"}


def test_an_export_that_fails_leaves_what_was_there(tmp_path: Path) -> None:
    export(tmp_path, "first", a="1")
    exported = Exported(tmp_path, "a.csv")
    with exported.stage() as stage:
        (stage / "a.csv").write_text("half")
    assert there(tmp_path) == {"a.csv": "1"}
    assert exported.holds("first")
    assert sorted(p.name for p in (tmp_path / PLACE).iterdir()) == ["a.csv.json", "exports.lock"]


@pytest.mark.parametrize(
    ("when", "left"),
    [
        ("writing", {"a.csv": "1", "b.csv": "1"}),
        ("_remove", {"a.csv": "1", "b.csv": "new"}),
    ],
)
def test_killed_at_any_moment_nothing_is_lost_and_the_next_export_clears_up(
    tmp_path: Path, when: str, left: dict[str, str]
) -> None:
    export(tmp_path, "first", a="1", b="1")
    done = subprocess.run([sys.executable, "-c", KILLED, str(tmp_path), when], check=False)
    assert done.returncode == -signal.SIGKILL
    assert there(tmp_path) == left
    export(tmp_path, "third", c="3")
    assert there(tmp_path) == {"c.csv": "3"}
    assert not [p for p in (tmp_path / PLACE).iterdir() if p.is_dir()]


def test_a_folder_that_cannot_be_written_to_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match=r"cannot write to .*file"):
        Exported(tmp_path / "file", "a.csv").stage()


def test_files_that_a_changed_run_does_not_have_any_more_go(run: tl.Run, tmp_path: Path) -> None:
    run.refine(tracks=run.track("nearest", detections=run.detect("bright")))
    run.analyse(center="fixed", x=64, y=48)
    first = run.export("overlays", folder=tmp_path / "out", max_frames=6, size=200)
    (tmp_path / "out" / "notes.txt").write_text("mine")
    second = run.export("overlays", folder=tmp_path / "out", max_frames=2, size=200)
    assert set(second) < set(first)
    visible = {p for p in (tmp_path / "out").rglob("*") if p.is_file() and PLACE not in p.parts}
    assert visible == {*second, tmp_path / "out" / "notes.txt"}


def test_a_session_that_moved_knows_its_exports(run: tl.Run, tmp_path: Path) -> None:
    run.refine(tracks=run.track("nearest", detections=run.detect("bright")))
    names = [path.name for path in run.export("csv")]
    again = tl.open_run(run.session.path.rename(tmp_path / "elsewhere.trackleed"))
    files = again.export("csv")
    assert [path.name for path in files] == names
    assert all(path.parent == again.session.path / "exports" for path in files)
    assert [s.id for s in again.session.steps if s.kind == "export"] == ["export-1"]


def test_an_export_that_another_session_wrote_over_is_written_again(
    run: tl.Run, tmp_path: Path
) -> None:
    run.refine(tracks=run.track("nearest", detections=run.detect("bright")))
    (legend,) = (p for p in run.export("csv", folder=tmp_path) if p.name == "track_legend.csv")
    whole = legend.read_bytes()
    legend.write_text("of another session")
    run.export("csv", folder=tmp_path)
    assert legend.read_bytes() == whole
