"""Which interpreters make a worker, how it ends with its host, and workers on other machines."""

from __future__ import annotations

import hashlib
import json
import os
import shlex
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import zmq

from trackleed.errors import EnvironmentUnusable, WorkerError
from trackleed.worker.environments import Environment
from trackleed_kit.worker import start

from .conftest import FAULTY, OPTIONS, interpreter
from .test_faults import collect, gone


def in_process(kind: str, **options: Any) -> Any:
    from trackleed_faulty import backends

    return getattr(backends, kind)(SimpleNamespace(**{**OPTIONS, **options}))


def assert_same(here: Any, there: Any) -> None:
    assert here.keys() == there.keys()
    for name, values in here.items():
        np.testing.assert_array_equal(there[name], values, strict=values.dtype.kind != "U")


@pytest.mark.parametrize("version", ["3.8", "3.13"])
def test_a_worker_in_another_python_gives_the_same(
    hosted: Any, foreign: Callable[[str], Path], frames: Any, seeds: Any, version: str
) -> None:
    env = Environment(name="old", source=Path(), python=foreign(version))
    there = list(hosted(env=env).track(frames, seeds, None))
    here = list(in_process("Tracker").track(frames, seeds, None))
    for a, b in zip(here, there, strict=True):
        assert_same(a, b)
    # Nothing of trackleed but the kit is needed there.
    with pytest.raises(WorkerError, match=rf"ValueError: Python {version} with \[\]"):
        list(hosted(env=env, fault="versions", at=0).track(frames, seeds, None))


def test_detector_and_refiner_in_a_worker_give_the_same(
    hosted: Any, frames: Any, seeds: Any
) -> None:
    detector, refiner = hosted("detector"), hosted("refiner")
    for i in (0, 5):
        here = in_process("Detector").detect(frames[i], frames.valid)
        assert_same(here, detector.detect(frames[i], frames.valid))
    for last in (3, 4):
        rois = {"frame": np.array([0, last]), "track_id": np.array([1, 1])}
        assert_same(in_process("Refiner").refine(frames, rois), refiner.refine(frames, rois))


HOST = """
import sys
from pathlib import Path
sys.path[:0] = {paths!r}
from tests.core.worker.conftest import OPTIONS, QUICK
from trackleed.worker.environments import Environment
from trackleed_kit.worker import start
from trackleed.worker.hosting import Order
from trackleed.worker.remote import RemoteTracker
import numpy as np
from trackleed.frames import ArraySource, FrameSequence
env = Environment(name="here", source=Path(), python=Path(sys.executable))
options = dict(OPTIONS, fault={fault!r}, at=1, seconds=60)
remote = RemoteTracker(Order("tracker", "trackleed_faulty.backends:Tracker", options, env), QUICK)
remote.log = Path({log!r})
seeds = {{name: np.ones(1, int) for name in ("track_id", "frame", "x", "y", "width", "height")}}
rows = remote.track(FrameSequence(ArraySource(np.ones((4, 8, 8)))), seeds, None)
next(rows)
print(remote._host._process.pid, flush=True)
next(rows)
"""


@pytest.mark.parametrize("fault", ["loop", "with_a_child"])
def test_no_worker_outlives_a_killed_host(tmp_path: Path, fault: str) -> None:
    paths = [str(FAULTY), str(Path(__file__).parents[3])]
    program = HOST.format(paths=paths, fault=fault, log=str(tmp_path / "log"))
    host = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)
    assert host.stdout is not None
    processes = [int(host.stdout.readline())]
    if fault == "with_a_child":  # which holds the GIL meanwhile
        while not (tmp_path / "log").read_text().endswith("\n"):
            assert host.poll() is None
        processes.append(int((tmp_path / "log").read_text().split()[-1]))
    assert not any(gone(number, within=0) for number in processes)
    host.send_signal(signal.SIGKILL)
    host.wait()
    host.stdout.close()
    assert all(gone(number) for number in processes)


def test_the_next_worker_clears_away_what_killed_hosts_left_and_nothing_else(
    tmp_path: Path, hosted: Any, frames: Any, seeds: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", None)
    paths = [str(FAULTY), str(Path(__file__).parents[3])]
    program = HOST.format(paths=paths, fault="loop", log=str(tmp_path / "log"))
    (tmp_path / "trackleed-mine").mkdir()
    host = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)
    assert host.stdout is not None
    host.stdout.readline()
    (theirs,) = (path for path in tmp_path.glob("trackleed-*") if path.name != "trackleed-mine")
    list(hosted().track(frames, seeds, None))
    assert theirs.exists()
    host.send_signal(signal.SIGKILL)
    host.wait()
    host.stdout.close()
    assert theirs.exists()
    list(hosted().track(frames, seeds, None))
    assert not theirs.exists()
    assert (tmp_path / "trackleed-mine").exists()


def test_a_python_without_pyzmq_is_told_what_to_install(
    hosted: Any, frames: Any, seeds: Any, tmp_path: Path
) -> None:
    bare = interpreter("3.12") or interpreter("3.13")
    if (
        bare is None
        or not subprocess.run([bare, "-c", "import zmq"], capture_output=True).returncode
    ):
        pytest.skip("no bare Python here")
    env = Environment(name="here", source=Path(), python=bare)
    with pytest.raises(WorkerError, match="exit code 1 while it started") as caught:
        list(hosted(env=env).track(frames, seeds, None))
    assert f"{bare} -m pip install numpy pyzmq" in str(caught.value)


def test_an_interpreter_that_is_none_is_an_error_of_the_environment(
    hosted: Any, frames: Any, seeds: Any, tmp_path: Path
) -> None:
    program = tmp_path / "python"
    program.write_bytes(b"\x00\x01")
    for mode, what in ((0o600, "cannot be run"), (0o700, "cannot be started: Exec format error")):
        program.chmod(mode)
        env = Environment(name="here", source=Path(), python=program)
        with pytest.raises(EnvironmentUnusable, match=what):
            list(hosted(env=env).track(frames, seeds, None))
    env = Environment(name="here", source=Path(), python=Path("/bin/true"))
    with pytest.raises(WorkerError, match="ended with exit code 0 while it started"):
        list(hosted(env=env).track(frames, seeds, None))


def test_a_worker_on_another_machine_is_started_by_hand_and_encrypted(
    hosted: Any, frames: Any, seeds: Any, tmp_path: Path
) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    env = Environment(
        name="far",
        source=Path(),
        python=Path(sys.executable),
        address=f"tcp://127.0.0.1:{port}",
    )
    remote = hosted(env=env)
    started: list[subprocess.Popen[bytes]] = []

    def by_hand(news: str) -> None:
        if "start its worker on the other machine" in news:
            command = shlex.split(news.splitlines()[1])
            started.append(subprocess.Popen(command, env={**os.environ, "PYTHONPATH": ""}))

    remote.pulse = by_hand
    here = list(in_process("Tracker").track(frames, seeds, None))
    for a, b in zip(here, remote.track(frames, seeds, None), strict=True):
        assert_same(a, b)
    assert remote._host._link._socket.curve_server
    connection = tmp_path / "tracker.connection.json"
    assert connection.stat().st_mode & 0o777 == 0o600
    remote.close()
    assert not connection.exists()
    assert started[0].wait(20) == 0


def test_a_port_that_is_taken_and_a_full_disk_are_said(
    hosted: Any, frames: Any, seeds: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        address = f"tcp://127.0.0.1:{taken.getsockname()[1]}"
        env = Environment(name="far", source=Path(), address=address)
        with pytest.raises(EnvironmentUnusable, match=f"cannot listen at {address}: Address alr"):
            next(hosted(env=env).track(frames, seeds, None))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "nowhere"))
    with pytest.raises(EnvironmentUnusable, match="no temporary folder can be made: No such"):
        next(hosted().track(frames, seeds, None))


def test_a_worker_on_another_machine_ends_when_its_host_is_gone(tmp_path: Path) -> None:
    with zmq.Context() as context:
        host = context.socket(zmq.ROUTER)
        port = host.bind_to_random_port("tcp://127.0.0.1")
        file = tmp_path / "connection.json"
        content = {
            "address": f"tcp://127.0.0.1:{port}",
            "heartbeat": f"ipc://{tmp_path}/heart",
            "identity": "me",
            "key": "00" * 32,
            "packages": {},
            "paths": [],
        }
        file.write_text(json.dumps(content))
        program = (
            "import runpy, sys; from trackleed_kit.worker import link; link.SILENCE = 0.3;"
            "sys.argv[0] = sys.argv.pop(1); runpy.run_path(sys.argv[0], run_name='__main__')"
        )
        worker = subprocess.Popen(
            [sys.executable, "-c", program, start.__file__, str(file)],
            stderr=subprocess.PIPE,
            text=True,
        )
        host.recv_multipart()
        host.close(linger=0)
        _, said = worker.communicate(timeout=20)
    assert worker.returncode == 1
    assert "the host is gone" in said


def test_facts_about_the_place_reach_the_backend(
    hosted: Any, frames: Any, seeds: Any, tmp_path: Path
) -> None:
    (tmp_path / "weights.pth").write_bytes(b"weights")
    env = Environment(name="here", source=Path(), python=Path(sys.executable), checkpoints=tmp_path)
    remote = hosted(env=env, checkpoint="weights.pth")
    assert collect(remote, frames, seeds)[1] is None
    digest = hashlib.sha256(b"weights").hexdigest()
    assert remote.notes == [f"checkpoint weights.pth sha256 {digest}"]
