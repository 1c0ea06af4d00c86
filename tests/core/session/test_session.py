from __future__ import annotations

import json
from concurrent.futures import CancelledError
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from trackleed import tables
from trackleed.errors import InputError, SessionError, TableError
from trackleed.params import Params, option
from trackleed.session import Session, StepWriter
from trackleed.store import Store


@pytest.fixture
def session(tmp_path: Path) -> Session:
    return Session.create(tmp_path / "a.trackleed")


def detections(*frames: int) -> dict[str, np.ndarray]:
    """Two spots a frame."""
    frame = np.repeat(frames, 2)
    columns = dict.fromkeys(tables.DETECTIONS.names, frame + 0.25)
    return {**columns, "frame": frame}


def detect(session: Session, **params: object) -> str:
    with session.step("detect", backend="b", params=params, spec=tables.DETECTIONS) as writer:
        writer.write(detections(0, 1))
        writer.write(detections(2))
    return writer.step.id


def test_a_step_is_there_after_opening_again(session: Session) -> None:
    with session.step(
        "detect",
        backend="classic",
        version="1.2",
        params={"threshold": 5.0, "size": (3, 4)},
        spec=tables.DETECTIONS,
        env="vos",
    ) as writer:
        writer.write(detections(0, 1))
        writer.note("one thing", "and another")
    again = Session.open(session.path)
    assert again.problems == []
    assert again.steps == session.steps == [writer.step]
    step = again.get("detect-1")
    assert (step.status, step.rows, step.spec) == ("done", 4, "detections")
    assert (step.backend, step.version, step.env) == ("classic", "1.2", "vos")
    assert step.params == {"threshold": 5.0, "size": [3, 4]}
    assert step.message == "one thing\nand another"
    assert step.table == "tables/detect-1.parquet"
    expected = tables.build(tables.DETECTIONS, detections(0, 1))
    pd.testing.assert_frame_equal(again.table(step), expected)


def test_a_running_step_is_seen_by_others(session: Session) -> None:
    with session.step("detect", spec=tables.DETECTIONS) as writer:
        writer.write(detections(0))
        seen = Session.open(session.path)
        assert seen.problems == []
        assert seen.get("detect-1").status == "running"
        assert seen.latest("detect") is None
        with pytest.raises(SessionError, match=r"detect-1 \(running\) left no table"):
            seen.table("detect-1")
    assert Session.open(session.path).get("detect-1").status == "done"


def test_steps_are_numbered_within_their_kind(session: Session) -> None:
    names = []
    for kind in ("import", "detect", "detect", "track"):
        with session.step(kind) as writer:
            names.append(writer.step.id)
    assert names == ["import-1", "detect-1", "detect-2", "track-1"]
    assert [step.id for step in session.steps] == names


def test_steps_of_two_openings_come_together(session: Session) -> None:
    other = Session.open(session.path)
    assert detect(session) == "detect-1"
    assert detect(other) == "detect-2"
    assert detect(session) == "detect-3"
    assert Session.open(session.path).problems == []


def detect_until(session: Session, error: BaseException) -> StepWriter:
    """A step that is broken off after two rows."""
    made = []

    def work() -> None:
        with session.step("detect", spec=tables.DETECTIONS) as writer:
            made.append(writer)
            writer.note("so far so good")
            writer.write(detections(0))
            raise error

    with pytest.raises(type(error)):
        work()
    return made[0]


def test_a_failed_step_keeps_what_it_wrote(session: Session) -> None:
    detect_until(session, ZeroDivisionError("by nothing"))
    step = Session.open(session.path).get("detect-1")
    assert (step.status, step.rows) == ("failed", 2)
    assert step.message == "so far so good\nZeroDivisionError: by nothing"
    assert len(session.table(step)) == 2
    assert session.latest("detect") is None


@pytest.mark.parametrize("cancel", [KeyboardInterrupt(), CancelledError(), SystemExit(1)])
def test_a_cancelled_step_keeps_what_it_wrote(session: Session, cancel: BaseException) -> None:
    writer = detect_until(session, cancel)
    assert writer.step.status == "cancelled"
    assert writer.step.message == "so far so good\ncancelled"
    assert len(Session.open(session.path).table("detect-1")) == 2


def test_a_step_without_rows_has_an_empty_table(session: Session) -> None:
    with session.step("detect", spec=tables.DETECTIONS):
        pass
    pd.testing.assert_frame_equal(session.table("detect-1"), tables.empty(tables.DETECTIONS))


def test_a_step_without_a_table_takes_no_rows(session: Session) -> None:
    with pytest.raises(TableError, match="export-1 has no table"), session.step("export") as writer:
        writer.write(detections(0))


def test_rows_that_break_the_specification_fail_the_step(session: Session) -> None:
    def work() -> None:
        with session.step("detect", spec=tables.DETECTIONS) as writer:
            writer.write(detections(0))
            writer.write({"frame": np.array([1])})

    with pytest.raises(TableError, match="missing column"):
        work()
    assert session.get("detect-1").status == "failed"
    assert "missing column" in session.get("detect-1").message
    assert len(session.table("detect-1")) == 2


def test_latest_is_the_newest_that_is_done(session: Session) -> None:
    assert session.latest("detect") is None
    first, second = detect(session), detect(session)
    with pytest.raises(RuntimeError), session.step("detect"):
        raise RuntimeError
    latest = session.latest("detect")
    assert first != second
    assert latest is not None
    assert latest.id == second


def test_an_equal_step_is_found(session: Session) -> None:
    name = detect(session, limit=np.nan, mode="a", span=(1, 2))
    same = {"span": [1, 2], "mode": "a", "limit": float("nan")}
    again = Session.open(session.path)
    found = again.find_done("detect", "b", "", same, [])
    assert found is not None
    assert found.id == name
    assert again.find_done("detect", "b", "", same | {"mode": "b"}, []) is None
    assert again.find_done("detect", "b", "2", same, []) is None
    assert again.find_done("detect", "b", "", same, [name]) is None
    assert again.find_done("track", "b", "", same, []) is None


def test_a_step_whose_table_is_damaged_is_not_found_again(session: Session) -> None:
    name = detect(session)
    (session.path / f"tables/{name}.parquet").write_bytes(b"PAR1")
    assert session.find_done("detect", "b", "", {}, []) is None


class Options(Params):
    size: int = option(3, "size of the ROI", unit="px")
    folder: Path | None = option(None, "where")


def test_options_may_be_given_as_their_model(session: Session) -> None:
    options = Options(folder=Path("here"))
    with session.step("detect", params=options):
        pass
    assert session.get("detect-1").params == {"size": 3, "folder": "here"}
    assert session.find_done("detect", "", "", options, []) is not None


def test_options_that_cannot_be_recorded_are_refused(session: Session) -> None:
    with pytest.raises(InputError, match="object"), session.step("detect", params={"a": object()}):
        pass
    assert session.steps == []


def test_unknown_kinds_inputs_and_steps_are_refused(session: Session) -> None:
    detect(session)
    with pytest.raises(InputError, match=r"'guess'.*import, detect"), session.step("guess"):
        pass
    with pytest.raises(InputError, match=r"no step 'detect-7'; it has: detect-1$"):
        session.get("detect-7")
    with pytest.raises(InputError, match="detect-7"), session.step("track", inputs=["detect-7"]):
        pass
    assert len(Session.open(session.path).steps) == 1


def test_frames_and_columns_of_a_table_can_be_asked_for(session: Session) -> None:
    detect(session)
    part = session.table("detect-1", frames=(1, 2), columns=["x", "frame"])
    assert part.to_dict("list") == {"x": [1.25, 1.25], "frame": [1, 1]}
    with pytest.raises(TableError, match="no column z; it has: frame, x"):
        session.table("detect-1", columns=["z"])


def test_the_store_is_that_of_the_session(session: Session) -> None:
    with pytest.raises(SessionError, match="has no frames"):
        _ = session.store
    with session.step("import", spec=tables.INDEX):
        Store.create(session.store_path, 2, (5, 7), "uint8").append(np.ones((5, 7), np.uint8))
    assert len(session.store.frames()) == 1
    assert Session.open(session.path).problems == []


def test_the_document_reads_well(session: Session) -> None:
    with session.step("detect", params={"größe": "5 µm"}):
        pass
    text = (session.path / "session.json").read_text("utf-8")
    assert '"größe": "5 µm"' in text
    assert json.loads(text)["format"] == 1
