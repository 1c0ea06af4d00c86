"""Whatever a worker does, the host says what happened, keeps what came, and leaves no process."""

from __future__ import annotations

import gc
import os
import re
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from trackleed.errors import BackendNotReady, InputError, WorkerError
from trackleed.worker import log
from trackleed.worker.hosting import Order
from trackleed.worker.remote import RemoteTracker

from .conftest import OPTIONS, QUICK

Hosted = Callable[..., Any]


def collect(remote: Any, frames: Any, seeds: Any) -> tuple[list[Any], Exception | None]:
    """The rows that came, and what ended them."""
    rows: list[Any] = []
    try:
        for part in remote.track(frames, seeds, None):
            rows.append(part)
    except Exception as error:
        return rows, error
    return rows, None


def pid(remote: Any) -> int:
    number: int = remote._host._process.pid
    return number


def gone(number: int, within: float = 5.0) -> bool:
    """Whether a process has ended, or ends within some seconds."""
    until = time.monotonic() + within
    while True:
        try:
            state = Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()[0]
        except OSError:
            return True
        if state in "ZX" or time.monotonic() >= until:
            return state in "ZX"
        time.sleep(0.02)


@pytest.mark.parametrize(
    ("fault", "what"),
    [
        ("kill", r"was ended by signal 9 \(SIGKILL: killed, often .* want of memory\)"),
        ("segfault", r"was ended by signal 11 \(SIGSEGV: segmentation fault\)"),
        ("stop", r"gave no sign of life for \d+ s and was ended"),
        ("throw", r"failed after frame 2, 3 of 8 frames: ValueError: lost my way"),
        ("leave", r"failed after frame 2, 3 of 8 frames: SystemExit: 3"),
        ("memory", r"failed after frame 2, 3 of 8 frames: .*MemoryError: .*allocate"),
    ],
)
def test_a_fault_at_frame_3_keeps_the_rows_before_it(
    hosted: Hosted, frames: Any, seeds: Any, fault: str, what: str, tmp_path: Path
) -> None:
    remote = hosted(fault=fault, at=3)
    rows, error = collect(remote, frames, seeds)
    assert [int(part["frame"][0]) for part in rows] == [0, 1, 2]
    assert isinstance(error, WorkerError)
    assert re.match(f"tracker 'faulty@here' {what}", str(error))
    assert "after frame 2, 3 of 8 frames" in str(error)
    assert str(tmp_path / "tracker.log") in str(error)
    number = pid(remote)
    remote.close()
    assert gone(number)


def test_a_crash_shows_where_the_code_was(hosted: Hosted, frames: Any, seeds: Any) -> None:
    _, error = collect(hosted(fault="segfault", at=1), frames, seeds)
    assert "in segfault" in str(error)
    assert "Fatal Python error" in Path(error.log).read_text()  # type: ignore[union-attr]


def test_the_same_worker_goes_on_after_an_exception(
    hosted: Hosted, frames: Any, seeds: Any
) -> None:
    remote = hosted(fault="throw", at=3)
    assert collect(remote, frames, seeds)[1]
    number = pid(remote)
    assert collect(remote, frames, seeds)[1]
    assert pid(remote) == number


def test_a_new_worker_is_started_after_a_crash(hosted: Hosted, frames: Any, seeds: Any) -> None:
    remote = hosted(fault="kill", at=3)
    assert collect(remote, frames, seeds)[1]
    number = pid(remote)
    assert len(collect(remote, frames, seeds)[0]) == 3
    assert pid(remote) != number


@pytest.mark.parametrize("fault", ["loop", "ignore_all"])
def test_an_infinite_loop_is_told_of_and_ends_when_cancelled(
    hosted: Hosted, frames: Any, seeds: Any, fault: str
) -> None:
    remote = hosted(fault=fault, at=3)
    news: list[str] = []

    def pulse(text: str) -> None:
        news.extend([text] if "takes long to track" in text else [])
        if len(news) == 2:
            raise KeyboardInterrupt

    remote.pulse = pulse
    rows = remote.track(frames, seeds, None)
    assert [int(next(rows)["frame"][0]) for _ in range(3)] == [0, 1, 2]
    with pytest.raises(KeyboardInterrupt):
        next(rows)
    assert "it is alive" in news[0]
    assert gone(pid(remote))


def test_holding_the_gil_is_slow_but_not_dead(hosted: Hosted, frames: Any, seeds: Any) -> None:
    remote = hosted(fault="hold_the_gil", at=3, seconds=4.0)
    news: list[str] = []
    remote.pulse = lambda text: news.extend([text] if text else [])
    rows, error = collect(remote, frames, seeds)
    assert error is None
    assert len(rows) == 8
    assert "takes long to track" in "".join(news)


def test_slow_loading_is_told_of_and_waited_for(hosted: Hosted, frames: Any, seeds: Any) -> None:
    remote = hosted(load=1.0)
    news: list[str] = []
    remote.pulse = lambda text: news.extend([text] if text else [])
    assert len(collect(remote, frames, seeds)[0]) == 8
    assert "takes long to load" in "".join(news)


def test_a_flood_of_output_fills_no_disk_and_disturbs_nobody(
    hosted: Hosted, frames: Any, seeds: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(log, "CAP", 1_000_000)
    remote = hosted(fault="flood", at=3)
    rows, error = collect(remote, frames, seeds)
    assert error is None
    assert len(rows) == 8
    remote.close()
    written = sorted(tmp_path.glob("tracker.log*"))
    assert [path.name for path in written] == ["tracker.log", "tracker.log.1"]
    assert sum(path.stat().st_size for path in written) < 2_500_000


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full")
def test_a_full_disk_under_the_log_is_said_and_nothing_else(
    hosted: Hosted, frames: Any, seeds: Any
) -> None:
    remote = hosted(fault="flood", at=3)
    remote.log = Path("/dev/full")
    assert len(collect(remote, frames, seeds)[0]) == 8
    remote = hosted(fault="segfault", at=3)
    remote.log = Path("/dev/full")
    _, error = collect(remote, frames, seeds)
    assert "the log could not be written: No space left on device" in str(error)
    assert "in segfault" in str(error)  # the last lines are there all the same


def test_a_cancelled_run_ends_and_the_worker_can_run_again(
    hosted: Hosted, frames: Any, seeds: Any
) -> None:
    remote = hosted(pause=0.02)
    rows: Iterator[Any] = remote.track(frames, seeds, None)
    next(rows)
    number = pid(remote)
    rows.close()  # type: ignore[attr-defined]
    assert len(collect(remote, frames, seeds)[0]) == 8
    assert pid(remote) == number
    remote.close()
    assert gone(number)


def test_two_workers_at_once_do_not_know_of_each_other(
    hosted: Hosted, frames: Any, seeds: Any
) -> None:
    found: dict[str, Any] = {}
    faults = ("nothing", "throw", "kill")

    def work(fault: str) -> None:
        found[fault] = collect(hosted(fault=fault, at=5, pause=0.01), frames, seeds)

    threads = [threading.Thread(target=work, args=(fault,)) for fault in faults]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [len(found[fault][0]) for fault in faults] == [8, 5, 5]


def test_a_remote_that_is_forgotten_takes_its_worker_along(
    environment: Any, frames: Any, seeds: Any
) -> None:
    order = Order("tracker", "trackleed_faulty.backends:Tracker", OPTIONS, environment)
    remote = RemoteTracker(order, QUICK)
    assert len(collect(remote, frames, seeds)[0]) == 8
    number = pid(remote)
    assert not gone(number, within=0.1)
    del remote
    gc.collect()
    assert gone(number)


def test_what_the_backend_says_to_the_user_keeps_its_kind(
    hosted: Hosted, frames: Any, seeds: Any
) -> None:
    with pytest.raises(InputError, match="'faulty@here': there are no seeds — give some"):
        next(hosted().track(frames, None, None))
    with pytest.raises(BackendNotReady, match=r"no folder of checkpoints .* a\.pth .* envs\.toml"):
        next(hosted(checkpoint="a.pth").track(frames, seeds, None))


def test_the_worker_takes_nothing_from_the_terminal(
    hosted: Hosted, frames: Any, seeds: Any
) -> None:
    remote = hosted()
    next(remote.track(frames, seeds, None))
    assert Path(f"/proc/{pid(remote)}/fd/0").readlink() == Path("/dev/null")
    assert os.getpgid(pid(remote)) != os.getpgrp()  # nor does Ctrl-C reach it
