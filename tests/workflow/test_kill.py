"""``trackleed run`` as a process, killed in each of its steps, and run again."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from pathlib import Path

import pytest

from trackleed import tables
from trackleed.errors import InputError
from trackleed.session import Session
from trackleed.simulate import simulate, write

CSV = Path("exports") / "full_analysis_per_spot.csv"
LAST = {"import-1": 0, "detect-1": 1, "refine-1": 3, "intensity-1": 6, "export-1": 7, "export-2": 8}
"""Step to kill in, and how many are done by then at least."""


def arguments(series: Path, session: Path) -> list[str]:
    small = ["--set", "exporter.max_frames=2", "--set", "exporter.size=200"]
    return ["run", str(series), str(session), *small]


def trackleed(*words: str) -> str:
    """What the command prints, in a process of its own as the one that is killed."""
    command = [sys.executable, "-m", "trackleed", *words]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


@pytest.fixture(scope="module")
def series(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("kill") / "frames"
    write(simulate("drift", frames=20, size=256), folder)
    return folder


@pytest.fixture(scope="module")
def undisturbed(series: Path, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    session = tmp_path_factory.mktemp("whole") / "a.trackleed"
    trackleed(*arguments(series, session))
    return (session / CSV).read_bytes()


def steps(session: Path) -> list[str]:
    try:
        return [step.id for step in Session.open(session).steps]
    except InputError:
        return []  # not there yet


@pytest.mark.parametrize("step", LAST)
def test_a_run_that_was_killed_opens_and_goes_on(
    step: str, series: Path, undisturbed: bytes, tmp_path: Path
) -> None:
    path = tmp_path / "a.trackleed"
    process = subprocess.Popen(
        [sys.executable, "-m", "trackleed", *arguments(series, path)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    while step not in steps(path) and process.poll() is None:
        time.sleep(0.01)
    time.sleep(random.Random(step).uniform(0, 0.1))
    process.kill()
    _, said = process.communicate()
    assert step in steps(path), said

    session = Session.open(path)
    assert session.problems == []
    assert {s.status for s in session.steps} <= {"done", "interrupted"}
    done = [s for s in session.steps if s.status == "done"]
    assert len(done) >= LAST[step]
    for s in done:
        if s.spec is not None:
            tables.check(session.table(s), tables.SPECS[s.spec])
    assert step in trackleed("show", str(path))

    trackleed(*arguments(series, path))
    assert (path / CSV).read_bytes() == undisturbed
    kept = {s.id: s.started for s in Session.open(path).steps}
    assert all(kept[s.id] == s.started for s in done)
