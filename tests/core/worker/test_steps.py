"""Steps whose backend runs in a worker: the same rows, and whole sessions whatever happens."""

from __future__ import annotations

import hashlib
import sys
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import trackleed as tl
from trackleed.cli import main
from trackleed.errors import (
    BackendNotReady,
    EnvironmentNotFound,
    EnvironmentUnusable,
    ParamsError,
    WorkerError,
)
from trackleed.frames import FrameSequence
from trackleed.session import Session


@pytest.fixture
def run(installed: Path, spot_folder: Path, tmp_path: Path) -> tl.Run:
    return tl.import_frames(spot_folder, tmp_path / "a.trackleed", mask="none")


@pytest.fixture
def starts() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "track_id": [1, 2],
            "frame": [0, 0],
            "x": [30.0, 64.5],
            "y": [30.0, 66.0],
            "width": [15.0, 15.0],
            "height": [15.0, 15.0],
        }
    )


def test_a_chain_in_workers_gives_the_same_tables(run: tl.Run, starts: pd.DataFrame) -> None:
    detected = [run.detect(name) for name in ("brightest", "brightest@here")]
    tracked = [run.track(name, seeds=starts) for name in ("still", "still@here")]
    refined = [run.refine(name, tracks=tracked[0]) for name in ("light", "light@here")]
    for here, there in (detected, tracked, refined):
        pd.testing.assert_frame_equal(run.table(here), run.table(there))
        assert (here.env, there.env) == (None, "here")
        assert there.backend == f"{here.backend}@here"
        assert here.params == there.params
    assert run.detect("brightest@here").id == detected[1].id


def test_a_crash_keeps_the_rows_and_says_what_where_and_which_log(
    run: tl.Run, starts: pd.DataFrame, tmp_path: Path
) -> None:
    with pytest.raises(WorkerError):
        run.track("still@here", seeds=starts, fault="segfault", at=5)
    session = Session.open(tmp_path / "a.trackleed")
    assert not session.problems
    step = session.steps[-1]
    assert step.status == "failed"
    assert session.table(step)["frame"].tolist() == [0, 0, 1, 1, 2, 2, 3, 3, 4, 4]
    assert "'still@here' was ended by signal 11" in step.message
    assert "after frame 4, 5 of 12 frames" in step.message
    log = tmp_path / "a.trackleed" / "logs" / f"{step.id}.log"
    assert str(log) in step.message
    assert "Segmentation fault" in log.read_text()


def test_a_detector_that_crashes_keeps_the_blocks_before(run: tl.Run) -> None:
    with pytest.raises(WorkerError, match=r"'brightest@here' was ended by signal 9 .* at frame 9"):
        run.detect("brightest@here", at=9)
    step = run.session.steps[-1]
    assert step.status == "failed"
    assert run.table(step)["frame"].tolist() == list(range(8))


def test_a_reader_in_a_worker_reads_the_same(
    installed: Path, tmp_path: Path, frames: FrameSequence
) -> None:
    for i in range(len(frames)):
        header = np.array(frames.shape[::-1], "<u2")
        (tmp_path / f"{i}.raw").write_bytes(header.tobytes() + frames.raw(i).tobytes())
    runs = [
        tl.import_frames(
            tmp_path / "*.raw", tmp_path / f"{n}.trackleed", reader=reader, mask="none"
        )
        for n, reader in enumerate(("raw", "raw@here"))
    ]
    steps = [run.session.steps[0] for run in runs]
    assert [step.env for step in steps] == [None, "here"]
    pd.testing.assert_frame_equal(*(run.table("import-1") for run in runs))
    assert steps[0].message == steps[1].message
    assert "nothing was skipped" in steps[1].message
    for run in runs:
        for i in range(len(frames)):
            np.testing.assert_array_equal(run.session.store.frames().raw(i), frames.raw(i))
    with pytest.raises(WorkerError, match="reader 'raw@here' was ended by signal 9"):
        tl.import_frames(
            tmp_path / "*.raw",
            tmp_path / "c.trackleed",
            reader="raw@here",
            reader_options={"at": 5},
            mask="none",
        )
    assert Session.open(tmp_path / "c.trackleed").steps[0].status == "failed"


class Watcher:
    """Progress that cancels at the second news."""

    def __init__(self) -> None:
        self.news: list[str] = []

    def __call__(self, stage: str, done: int, total: int) -> None:
        if len(self.news) > 1:
            raise KeyboardInterrupt

    def say(self, text: str) -> None:
        if "takes long to track" in text:  # and not to start, on a busy machine
            self.news.append(text)


def test_whoever_watches_is_told_of_a_stall_and_can_cancel_it(
    run: tl.Run, starts: pd.DataFrame
) -> None:
    run.progress = watcher = Watcher()
    with pytest.raises(KeyboardInterrupt):
        run.track("still@here", seeds=starts, fault="loop", at=3)
    step = run.session.steps[-1]
    assert step.status == "cancelled"
    assert step.rows == 2 * 3
    assert "'still@here'" in watcher.news[0]


def test_the_checksum_of_a_checkpoint_is_kept_with_the_step(
    run: tl.Run, starts: pd.DataFrame, installed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (installed / "weights").mkdir()
    (installed / "weights" / "a.pth").write_bytes(b"numbers")
    line = f"checkpoint a.pth sha256 {hashlib.sha256(b'numbers').hexdigest()}"
    assert run.track("still@here", seeds=starts, checkpoint="a.pth").message == line
    monkeypatch.setenv("TRACKLEED_CHECKPOINTS", str(installed / "weights"))
    assert run.track("still", seeds=starts, checkpoint="a.pth").message == line
    with pytest.raises(BackendNotReady, match=r"checkpoint .*b\.pth is not there"):
        run.track("still", seeds=starts, checkpoint="b.pth")


def test_two_sessions_at_once(
    run: tl.Run, spot_folder: Path, starts: pd.DataFrame, tmp_path: Path
) -> None:
    other = tl.import_frames(spot_folder, tmp_path / "b.trackleed", mask="none")
    failed: list[Exception] = []

    def crash() -> None:
        try:
            other.track("still@here", seeds=starts, fault="kill", at=6, pause=0.02)
        except WorkerError as error:
            failed.append(error)

    thread = threading.Thread(target=crash)
    thread.start()
    assert run.track("still@here", seeds=starts, pause=0.02).rows == 24
    thread.join()
    assert len(failed) == 1
    assert other.session.steps[-1].rows == 12


def test_what_can_be_known_is_said_before_a_step_begins(run: tl.Run, starts: Any) -> None:
    n = len(run.session.steps)
    with pytest.raises(EnvironmentNotFound, match="no environment is called 'mars'; there are"):
        run.detect("brightest@mars")
    with pytest.raises(EnvironmentUnusable, match=r"its python .*nowhere/python is not there"):
        run.detect("brightest@broken")
    with pytest.raises(ParamsError, match="brightest has no option 'colour'"):
        run.detect("brightest@here", colour=3)
    assert len(run.session.steps) == n


def test_the_command_line_fails_in_few_words(
    run: tl.Run,
    starts: pd.DataFrame,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    starts.to_csv(tmp_path / "seeds.csv")
    command = ["trackleed", "track", str(run.session.path), "--tracker", "still@here"]
    command += ["--seeds", str(tmp_path / "seeds.csv"), "--set", "tracker.at=2"]
    monkeypatch.setattr(sys, "argv", [*command, "--set", "tracker.fault=kill"])
    with pytest.raises(SystemExit) as stop:
        main()
    assert stop.value.code == 1
    said = capsys.readouterr().err
    assert "error: tracker 'still@here' was ended by signal 9 (SIGKILL" in said
    assert "Traceback" not in said
