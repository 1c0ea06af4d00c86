from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from trackleed.errors import SessionBusy, SessionError
from trackleed.files import OwnFolder, locked, process_alive, process_start, replace

HOLDER = """
import sys, time
from pathlib import Path
from trackleed.files import locked
with locked(Path(sys.argv[1]), "it"):
    print("held", flush=True)
    time.sleep(60)
"""


def hold(lock: Path) -> subprocess.Popen[str]:
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(lock)], stdout=subprocess.PIPE, text=True
    )
    assert holder.stdout is not None
    assert holder.stdout.readline() == "held\n"
    return holder


def end(process: subprocess.Popen[str]) -> None:
    process.send_signal(signal.SIGKILL)
    process.communicate()


def take(lock: Path, wait: float) -> str:
    with locked(lock, "it", wait):
        return lock.read_text().strip()


def test_a_lock_names_its_holder_and_ends_with_it(tmp_path: Path) -> None:
    holder = hold(tmp_path / "lock")
    with pytest.raises(SessionBusy, match=f"it is being written to by process {holder.pid} "):
        take(tmp_path / "lock", 0.05)
    end(holder)
    assert take(tmp_path / "lock", 0.05) == str(os.getpid())


def test_a_lock_is_waited_for(tmp_path: Path) -> None:
    holder = hold(tmp_path / "lock")
    killer = subprocess.Popen(["sh", "-c", f"sleep 0.2; kill -9 {holder.pid}"])
    begun = time.monotonic()
    assert take(tmp_path / "lock", 30) == str(os.getpid())
    assert time.monotonic() - begun < 30
    holder.communicate()
    killer.wait()


def test_a_lock_is_left_after_an_error(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), locked(tmp_path / "lock", "it"):
        _ = 1 / 0
    assert take(tmp_path / "lock", 0) == str(os.getpid())


def test_a_lock_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    with pytest.raises(SessionError, match="cannot write to it"):
        take(tmp_path / "nowhere" / "lock", 0)


def test_replacing_leaves_nothing_beside(tmp_path: Path) -> None:
    file = tmp_path / "a.json"
    replace(file, b"old")
    replace(file, b"new")
    assert file.read_bytes() == b"new"
    assert list(tmp_path.iterdir()) == [file]


def test_what_cannot_be_replaced_stays(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "inside").write_text("kept")
    with pytest.raises(OSError):
        replace(tmp_path / "a", b"new")
    assert [path.name for path in tmp_path.rglob("*")] == ["a", "inside"]


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs /proc")
def test_a_process_is_told_from_a_later_one_of_the_same_number() -> None:
    start = process_start(os.getpid())
    assert start is not None
    assert process_alive(os.getpid(), start)
    assert not process_alive(os.getpid(), start - 1)


def test_a_dead_process_is_dead_even_before_anybody_asked_for_its_end() -> None:
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    start = process_start(child.pid)
    assert process_alive(child.pid, start)
    child.kill()
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)  # it is a zombie now
    if start is not None:
        assert not process_alive(child.pid, start)
    child.communicate()
    assert not process_alive(child.pid, None)


OWNER = """
import sys
from pathlib import Path
from trackleed.files import OwnFolder
own = OwnFolder(Path(sys.argv[1]), "a-")
print(own.path, flush=True)
input()
"""


def test_a_folder_is_cleared_away_once_its_process_is_dead_and_not_before(tmp_path: Path) -> None:
    owner = subprocess.Popen(
        [sys.executable, "-c", OWNER, str(tmp_path)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert owner.stdout is not None
    theirs = Path(owner.stdout.readline().strip())
    (theirs / "inside").mkdir()
    for beside in ("a-mine", "b-other"):
        (tmp_path / beside).mkdir()
    with OwnFolder(tmp_path, "a-") as first:
        assert theirs.exists()
        assert first.stat().st_mode & 0o777 == 0o700
    assert not first.exists()
    end(owner)
    with OwnFolder(tmp_path, "a-"):
        assert not theirs.exists()
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a-mine", "b-other"]


def test_a_folder_that_is_kept_for_people_is_never_cleared_away(tmp_path: Path) -> None:
    kept = OwnFolder(tmp_path, "a-")
    (kept.path / "log").write_text("why it failed")
    kept.keep()
    OwnFolder(tmp_path, "a-").remove()
    assert [p.name for p in kept.path.iterdir()] == ["log"]


def test_a_folder_that_is_just_being_made_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "a-new").mkdir()
    (tmp_path / "a-new" / ".owner").touch()
    OwnFolder(tmp_path, "a-").remove()
    assert (tmp_path / "a-new").exists()
