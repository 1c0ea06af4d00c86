"""Several processes at one session."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from trackleed import tables
from trackleed.errors import SessionBusy
from trackleed.files import locked
from trackleed.session import Session
from trackleed.session import session as session_module

STEPS = """
import sys
from pathlib import Path
from trackleed.session import Session
session = Session.open(Path(sys.argv[1]))
for _ in range(8):
    with session.step("edit", params={"by": sys.argv[2]}):
        pass
"""

RUNNING = """
import os, sys
from pathlib import Path
import numpy as np
from trackleed import tables
from trackleed.session import Session
session = Session.open(Path(sys.argv[1]))
with session.step("detect", spec=tables.DETECTIONS) as writer:
    writer.write({name: np.zeros(9000) for name in tables.DETECTIONS.names})
    print("running", flush=True)
    sys.stdin.readline()
"""


def start(code: str, *arguments: object) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", code, *map(str, arguments)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


@pytest.fixture
def session(tmp_path: Path) -> Session:
    return Session.create(tmp_path / "a.trackleed")


def test_two_processes_add_steps_and_none_is_lost(session: Session) -> None:
    writers = [start(STEPS, session.path, name) for name in "ab"]
    for writer in writers:
        writer.communicate()
        assert writer.returncode == 0
    again = Session.open(session.path)
    assert again.problems == []
    assert [step.id for step in again.steps] == [f"edit-{n}" for n in range(1, 17)]
    assert sorted(step.params["by"] for step in again.steps) == ["a"] * 8 + ["b"] * 8
    assert {step.status for step in again.steps} == {"done"}


def test_a_session_that_stays_locked_is_busy_but_readable(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    def impatient(path: Path, what: str) -> object:
        return locked(path, what, wait=0.05)

    monkeypatch.setattr(session_module, "locked", impatient)
    with locked(session.path / "session.lock", "it"):
        with pytest.raises(SessionBusy, match=f"by process {os.getpid()}"), session.step("edit"):
            pass
        assert Session.open(session.path).steps == []
    with session.step("edit"):
        pass
    assert len(session.steps) == 1


def test_a_step_of_another_process_is_running_until_that_is_gone(session: Session) -> None:
    other = start(RUNNING, session.path)
    assert other.stdout is not None
    assert other.stdout.readline() == "running\n"
    assert Session.open(session.path).get("detect-1").status == "running"
    with session.step("detect", spec=tables.DETECTIONS) as writer:
        writer.write({name: np.zeros(1) for name in tables.DETECTIONS.names})
    assert writer.step.id == "detect-2"
    part = session.path / "tables" / "detect-1.parquet.part"
    assert part.exists()
    other.kill()
    other.communicate()
    again = Session.open(session.path)
    assert again.problems == []
    assert again.get("detect-1").status == "interrupted"
    assert f"process {other.pid} ended" in again.get("detect-1").message
    assert again.get("detect-2").status == "done"
    assert part.exists()  # opening only reads
    with again.step("edit"):
        pass
    assert not part.exists()
    assert again.get("detect-1").status == "interrupted"


def test_a_step_of_another_computer_is_left_alone(session: Session) -> None:
    with session.step("detect"):
        pass
    file = session.path / "session.json"
    text = file.read_text().replace('"done"', '"running"')
    step = session.get("detect-1")
    file.write_text(text.replace(f'"{step.host}"', '"elsewhere"').replace(f"{step.pid}", "1"))
    assert Session.open(session.path).get("detect-1").status == "running"
