"""No room on the disk, in the shape of a limit on the size of files."""

from __future__ import annotations

import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from trackleed import tables
from trackleed.errors import SessionError
from trackleed.session import Session


@contextmanager
def files_no_larger_than(size: int) -> Iterator[None]:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def noise(frame: int, n: int) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(frame)
    columns = {name: rng.normal(size=n) for name in tables.DETECTIONS.names}
    return columns | {"frame": np.full(n, frame)}


@pytest.fixture
def session(tmp_path: Path) -> Session:
    session = Session.create(tmp_path / "a.trackleed")
    detect(session, 1, 100)
    return session


def detect(session: Session, n_frames: int, n: int) -> None:
    with session.step("detect", spec=tables.DETECTIONS) as writer:
        for frame in range(n_frames):
            writer.write(noise(frame, n))


def test_a_table_that_does_not_fit_fails_its_step_and_leaves_nothing(session: Session) -> None:
    before = session.table("detect-1")
    failure = pytest.raises(SessionError, match="cannot write the table of detect-2")
    with files_no_larger_than(20_000), failure:
        detect(session, 20, 1000)
    again = Session.open(session.path)
    assert again.problems == []
    assert (again.get("detect-2").status, again.get("detect-2").table) == ("failed", None)
    assert "File too large" in again.get("detect-2").message
    assert again.table("detect-1").equals(before)
    assert [file.name for file in (session.path / "tables").iterdir()] == ["detect-1.parquet"]


def test_a_table_whose_end_does_not_fit_fails_its_step(session: Session) -> None:
    with files_no_larger_than(5_000), pytest.raises(SessionError, match="File too large"):
        detect(session, 1, 100)
    assert Session.open(session.path).get("detect-2").status == "failed"


def test_a_document_that_does_not_fit_stays_as_it_was(session: Session) -> None:
    before = (session.path / "session.json").read_bytes()
    failure = pytest.raises(SessionError, match=r"cannot write .*session\.json: File too large")
    with files_no_larger_than(len(before)), failure:
        detect(session, 1, 1)
    assert (session.path / "session.json").read_bytes() == before
    detect(session, 1, 1)
    assert Session.open(session.path).problems == []


def test_the_first_error_is_the_one_that_is_raised(session: Session) -> None:
    def work() -> None:
        with session.step("detect", spec=tables.DETECTIONS):
            resource.setrlimit(resource.RLIMIT_FSIZE, (300, hard))
            raise ZeroDivisionError

    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    try:
        with pytest.raises(ZeroDivisionError) as caught:
            work()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert "File too large" in caught.value.__notes__[0]
    assert Session.open(session.path).get("detect-1").status == "done"
