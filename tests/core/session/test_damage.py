from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from trackleed import tables
from trackleed.errors import SessionDamaged, SessionError
from trackleed.session import Session, record
from trackleed.store import Store


def detections(frame: int) -> dict[str, np.ndarray]:
    columns = {name: np.arange(3.0) for name in tables.DETECTIONS.names}
    return {**columns, "frame": np.full(3, frame)}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A session with frames, an import and two detections."""
    session = Session.create(tmp_path / "a.trackleed")
    with session.step("import"):
        store = Store.create(session.store_path, 3, (5, 7), "uint8")
        for _ in range(3):
            store.append(np.ones((5, 7), np.uint8))
    for _ in range(2):
        with session.step("detect", inputs=["import-1"], spec=tables.DETECTIONS) as writer:
            writer.write(detections(0))
    return session.path


def edit(path: Path, change: Callable[[dict[str, Any]], object]) -> None:
    content = json.loads((path / "session.json").read_text())
    change(content)
    (path / "session.json").write_text(json.dumps(content))


def one_problem(path: Path) -> str:
    [problem] = Session.open(path).problems
    return problem


def test_a_whole_session_has_no_problems(path: Path) -> None:
    assert Session.open(path).problems == []


@pytest.mark.parametrize("content", [None, b"", b"PAR1", b"PAR1" * 30])
def test_a_damaged_table_is_named_and_the_others_are_read(
    path: Path, content: bytes | None
) -> None:
    table = path / "tables" / "detect-1.parquet"
    whole = table.read_bytes()
    if content is None:
        table.unlink()
    else:
        table.write_bytes(content)
    assert "detect-1: table" in one_problem(path)
    session = Session.open(path)
    with pytest.raises(SessionDamaged, match=r"detect-1\.parquet"):
        session.table("detect-1")
    assert len(session.table("detect-2")) == 3
    table.write_bytes(whole[: len(whole) // 2])
    assert "detect-1: table cannot be read" in one_problem(path)


def test_a_table_of_another_length_is_named(path: Path) -> None:
    edit(path, lambda content: content["steps"][1].update(rows=5))
    assert "has 3 rows, should have 5" in one_problem(path)


def test_flipped_bits_in_a_table_are_noticed_or_harmless(path: Path) -> None:
    session = Session.open(path)
    table = path / "tables" / "detect-1.parquet"
    whole, expected = table.read_bytes(), session.table("detect-1")
    noticed = 0
    footer = int.from_bytes(whole[-8:-4], "little") + 8  # has no checksum, unlike the pages
    data = range(4, len(whole) - footer, 5)
    for i in data:
        table.write_bytes(whole[:i] + bytes([whole[i] ^ 0x10]) + whole[i + 1 :])
        try:
            assert session.table("detect-1").equals(expected)
        except SessionDamaged:
            noticed += 1
    assert noticed > len(data) / 2


def test_a_deleted_chunk_is_named(path: Path) -> None:
    (path / "store.zarr" / "frames" / "c.1.0.0").unlink()
    assert one_problem(path) == "store.zarr: frame 1 missing or cut short"


def test_missing_frames_are_named(path: Path) -> None:
    shutil.rmtree(path / "store.zarr")
    assert "frames are missing" in one_problem(path)


def test_an_unreadable_store_is_named(path: Path) -> None:
    (path / "store.zarr" / "zarr.json").write_text("{")
    assert "zarr.json is not readable JSON" in one_problem(path)
    assert len(Session.open(path).table("detect-2")) == 3


@pytest.mark.parametrize("content", ["", "{", "[1]", "{}", '{"format": "1"}', "\x00" * 300])
def test_a_damaged_document_is_reported(path: Path, content: str) -> None:
    (path / "session.json").write_text(content)
    with pytest.raises(SessionDamaged, match=r"session\.json is damaged"):
        Session.open(path)


def test_a_truncated_document_is_reported(path: Path) -> None:
    whole = (path / "session.json").read_bytes()
    for length in range(0, len(whole) - 1, 97):
        (path / "session.json").write_bytes(whole[:length])
        with pytest.raises(SessionDamaged, match=r"session\.json is damaged"):
            Session.open(path)


def test_a_missing_document_is_reported(path: Path) -> None:
    (path / "session.json").unlink()
    with pytest.raises(SessionDamaged, match=r"has no session\.json"):
        Session.open(path)


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"kind": "divine"}, "step detect-1: kind"),
        ({"rows": "many"}, "step detect-1: rows"),
        ({"colour": "red"}, "step detect-1: colour"),
        ({"id": "../../home"}, "step ../../home: id"),
    ],
)
def test_a_step_that_cannot_be_read_is_named_and_kept(
    path: Path, change: dict[str, str], named: str
) -> None:
    edit(path, lambda content: content["steps"][1].update(change))
    session = Session.open(path)
    assert any(named in problem for problem in session.problems)
    assert [step.id for step in session.steps] == ["import-1", "detect-2"]
    with session.step("detect", spec=tables.DETECTIONS) as writer:
        writer.write(detections(1))
    assert writer.step.id == "detect-3"
    content = json.loads((path / "session.json").read_text())
    assert change.items() <= content["steps"][1].items()


def test_steps_that_are_not_even_objects_are_named(path: Path) -> None:
    edit(path, lambda content: content["steps"].append(17))
    assert one_problem(path).startswith("session.json: step 4")


def test_a_step_that_is_there_twice_is_named(path: Path) -> None:
    edit(path, lambda content: content["steps"].append(content["steps"][1]))
    assert "two steps detect-1" in one_problem(path)


def test_a_missing_input_is_named(path: Path) -> None:
    edit(path, lambda content: content["steps"].pop(0))
    problems = Session.open(path).problems
    assert "detect-1 rests on step import-1, which is not there" in problems


def test_a_table_of_no_known_step_is_named_and_never_overwritten(path: Path) -> None:
    edit(path, lambda content: content["steps"].pop(2))
    assert one_problem(path) == "no step is known that wrote tables/detect-2.parquet"
    session = Session.open(path)
    with session.step("detect", spec=tables.DETECTIONS) as writer:
        pass
    assert writer.step.id == "detect-3"


def test_a_newer_format_is_refused_with_what_to_do(path: Path) -> None:
    edit(path, lambda content: content.update(format=record.FORMAT + 1, further="unknown"))
    with pytest.raises(SessionError, match=r"format 2; this trackleed, .*pip install -U"):
        Session.open(path)


def test_an_older_format_is_brought_up_to_date(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def first(old: dict[str, Any]) -> dict[str, Any]:
        return {**old, "format": 2, "steps": [{**s, "message": "moved"} for s in old["steps"]]}

    def second(old: dict[str, Any]) -> dict[str, Any]:
        return {**old, "format": 3, "created": old["created"] + "!"}

    monkeypatch.setattr(record, "FORMAT", 3)
    monkeypatch.setattr(record, "MIGRATIONS", {1: first, 2: second})
    before = (path / "session.json").read_bytes()
    session = Session.open(path)
    assert [step.message for step in session.steps] == ["moved"] * 3
    assert (path / "session.json").read_bytes() == before  # opening writes nothing
    with session.step("detect"):
        pass
    content = json.loads((path / "session.json").read_text())
    assert (content["format"], content["created"][-1]) == (3, "!")
    assert [step["message"] for step in content["steps"]] == ["moved"] * 3 + [""]


def test_a_format_that_never_was_is_refused(path: Path) -> None:
    edit(path, lambda content: content.update(format=0))
    with pytest.raises(SessionError, match="format 0"):
        Session.open(path)


def test_opening_and_reading_write_nothing(path: Path) -> None:
    before = {file: file.stat().st_mtime_ns for file in path.rglob("*")}
    session = Session.open(path)
    session.table("detect-1")
    list(session.store.frames())
    assert {file: file.stat().st_mtime_ns for file in path.rglob("*")} == before
