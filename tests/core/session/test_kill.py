"""Real processes, really killed, at random moments and at calls that touch a file."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pandas as pd
import pytest

from trackleed import tables
from trackleed.errors import InputError, SessionError
from trackleed.session import Session
from trackleed.store import Store

SCRIPT = Path(__file__).with_name("victim.py")


def load_victim() -> ModuleType:
    spec = importlib.util.spec_from_file_location("victim", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


victim = load_victim()


def kill(folder: Path, *arguments: object) -> list[Path]:
    """The logs of all killed runs."""
    command = [sys.executable, str(SCRIPT), str(folder), *map(str, arguments)]
    subprocess.run(command, check=True, timeout=120)
    return sorted(folder.glob("*.log"), key=lambda log: int(log.stem))


def look_at(log: Path) -> int:
    """Check what a killed run left, go on with it, and return how much it had done."""
    told = log.read_text().splitlines()
    path = log.with_suffix(".trackleed")
    if "created" not in told and not path.exists():
        with pytest.raises(InputError):
            Session.open(path)
        Session.create(path)
    session = Session.open(path)
    assert session.problems == []
    assert {step.status for step in session.steps} <= {"done", "interrupted"}
    for name in told:
        if name.startswith(("import", "detect")):
            check_step(session, name)
    go_on(session, sum(line.startswith("frame") for line in told))
    return len(told)


def check_step(session: Session, name: str) -> None:
    step = session.get(name)
    assert step.status == "done"
    expected = victim.index()
    if step.kind == "detect":
        blocks = [victim.detections(int(name[-1]), i) for i in range(victim.N_FRAMES)]
        expected = pd.concat(
            [tables.build(tables.DETECTIONS, block) for block in blocks], ignore_index=True
        )
    pd.testing.assert_frame_equal(session.table(step), expected)


def go_on(session: Session, n_told: int) -> None:
    with session.step("import", spec=tables.INDEX) as writer:
        if not session.store_path.exists():
            Store.create(session.store_path, victim.N_FRAMES, victim.SHAPE, "uint16")
        store = Store.open(session.store_path)
        assert store.n_valid >= n_told
        assert store.check() == []
        for i in range(store.n_valid, victim.N_FRAMES):
            store.append(victim.frame(i))
        store.put_image("valid", victim.frame(0) > 100)
        writer.write(victim.index())
    np.testing.assert_array_equal(
        list(session.store.frames()), [victim.frame(i) for i in range(victim.N_FRAMES)]
    )
    again = Session.open(session.path)
    assert again.problems == []
    assert again.steps[-1].status == "done"
    left = sorted(file.name for file in session.path.rglob("*") if ".parquet" in file.name)
    assert left == sorted(f"{step.id}.parquet" for step in again.steps if step.table)


def test_a_session_survives_being_killed_at_random_moments(tmp_path: Path) -> None:
    done = [look_at(log) for log in kill(tmp_path, "random", 1, 12)]
    assert len(done) == 12
    assert done[0] == 10  # was let through to its end
    assert len(set(done)) > 2


def test_a_session_survives_being_killed_at_any_call(tmp_path: Path) -> None:
    done = [look_at(log) for log in kill(tmp_path, "calls", 7)]
    assert len(done) > 20
    assert {0, 10} < set(done)
    assert len(set(done)) > 6


REPLACER = """
import sys
from pathlib import Path
from trackleed.session import Session
path = Path(sys.argv[1])
print("begun", flush=True)
while True:
    with Session.create(path, overwrite=True).step("detect"):
        pass
"""


def test_a_session_being_replaced_is_there_or_not_but_never_half(tmp_path: Path) -> None:
    path = tmp_path / "a.trackleed"
    for pause in (0.01, 0.05, 0.1):
        process = subprocess.Popen(
            [sys.executable, "-c", REPLACER, str(path)], stdout=subprocess.PIPE
        )
        assert process.stdout is not None
        process.stdout.readline()
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(pause)
        process.kill()
        process.communicate()
        if path.exists():
            assert Session.open(path).problems == []
        try:
            Session.create(path, overwrite=True)
        except SessionError as error:
            pytest.fail(f"cannot be replaced: {error}")
