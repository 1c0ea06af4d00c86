from __future__ import annotations

import os
from pathlib import Path

import pytest

from trackleed.errors import InputError, SessionBusy, SessionDamaged, SessionError, SessionExists
from trackleed.session import Session


def contents(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


def test_a_session_is_made_with_the_folders_above_it(tmp_path: Path) -> None:
    session = Session.create(tmp_path / "results" / "today" / "a.trackleed")
    assert Session.open(session.path).steps == []
    assert contents(tmp_path / "results" / "today") == ["a.trackleed", "a.trackleed/session.json"]


def test_an_empty_folder_becomes_a_session(tmp_path: Path) -> None:
    (tmp_path / "a.trackleed").mkdir()
    assert Session.create(tmp_path / "a.trackleed").steps == []


def test_a_session_is_replaced_only_when_asked(tmp_path: Path) -> None:
    with Session.create(tmp_path / "a.trackleed").step("detect"):
        pass
    with pytest.raises(SessionExists, match="--overwrite"):
        Session.create(tmp_path / "a.trackleed")
    assert len(Session.open(tmp_path / "a.trackleed").steps) == 1
    assert Session.create(tmp_path / "a.trackleed", overwrite=True).steps == []
    assert contents(tmp_path) == ["a.trackleed", "a.trackleed/session.json"]


@pytest.mark.parametrize(
    ("name", "content"),
    [("thesis.tex", "years of work"), ("session.json", "{}"), ("session.json", "not ours")],
)
def test_a_folder_that_is_no_session_is_never_touched(
    tmp_path: Path, name: str, content: str
) -> None:
    folder = tmp_path / "a.trackleed"
    folder.mkdir()
    (folder / name).write_text(content)
    for overwrite in (False, True):
        with pytest.raises(SessionExists, match="is there already"):
            Session.create(folder, overwrite=overwrite)
    with pytest.raises(SessionDamaged):
        Session.open(folder)
    assert contents(tmp_path) == ["a.trackleed", f"a.trackleed/{name}"]
    assert (folder / name).read_text() == content


def test_a_session_that_also_holds_something_else_is_not_replaced(tmp_path: Path) -> None:
    session = Session.create(tmp_path / "a.trackleed")
    (session.path / "notes.txt").write_text("mine")
    with pytest.raises(SessionExists, match=r"also holds notes\.txt"):
        Session.create(session.path, overwrite=True)
    assert (session.path / "notes.txt").read_text() == "mine"


def test_a_session_at_work_is_not_replaced(tmp_path: Path) -> None:
    session = Session.create(tmp_path / "a.trackleed")
    busy = pytest.raises(SessionBusy, match=f"detect-1 .* in process {os.getpid()}")
    with session.step("detect"), busy:
        Session.create(session.path, overwrite=True)
    assert Session.create(session.path, overwrite=True).steps == []


def test_a_file_is_no_place_for_a_session(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("a file")
    with pytest.raises(SessionExists, match="is a file"):
        Session.create(tmp_path / "a", overwrite=True)
    with pytest.raises(SessionError, match="cannot make"):
        Session.create(tmp_path / "a" / "b")
    assert (tmp_path / "a").read_text() == "a file"


def test_what_is_not_there_cannot_be_opened(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no session at"):
        Session.open(tmp_path / "nowhere.trackleed")


def test_a_link_to_a_session_is_followed(tmp_path: Path) -> None:
    session = Session.create(tmp_path / "real.trackleed")
    (tmp_path / "link.trackleed").symlink_to(session.path)
    assert Session.create(tmp_path / "link.trackleed", overwrite=True).path == session.path
    assert (tmp_path / "link.trackleed").is_symlink()
