"""The check that a worker gives the same as this process, with real processes."""

from __future__ import annotations

import sys
from pathlib import Path
from textwrap import dedent

import pytest

from trackleed.backend import BackendSpec
from trackleed.registry import Backend
from trackleed.testing import Subject, run
from trackleed.testing.running import chosen
from trackleed.worker.backends import Hosted
from trackleed.worker.environments.model import parse

# Finds nothing: every track is lost but in the frame of its seed.
SOURCE = """
import os
import numpy as np

class Stays:
    def __init__(self, params):
        self.off = OFF

    def track(self, frames, seeds, detections):
        for i in range(len(frames)):
            here = seeds["frame"] == i
            x, y = (np.where(here, seeds[n], np.nan) for n in "xy")
            state = np.where(here, "seed", "lost").astype(object)
            yield {
                "frame": np.full(len(here), i), "track_id": seeds["track_id"],
                "x": x + self.off, "y": y, "width": x, "height": y, "score": x, "state": state,
            }
"""


def backend(folder: Path, name: str, off: str) -> Backend:
    (folder / name).mkdir()
    (folder / name / "__init__.py").write_text(dedent(SOURCE).replace("OFF", off))
    spec = BackendSpec(name="stays", summary="of a test", factory=f"{name}:Stays", needs=("seeds",))
    return Backend("tracker", spec, "of-the-test", "0")


def outcomes(tested: Subject, *names: str) -> list[str]:
    return [f"{r.outcome} {r.reason}".strip() for r in run(tested, chosen(tested, names))]


def test_a_worker_that_gives_the_same_passes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    tested = Subject(backend(tmp_path, "stays_alike", "0.0"), trained=False)
    assert outcomes(tested, "same-in-worker") == ["passed"]


def test_a_worker_that_gives_something_else_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    off = '0.5 * ("TRACKLEED_DEVICE" in os.environ)'  # which is set for workers alone
    tested = Subject(backend(tmp_path, "stays_otherwise", off), trained=False)
    assert outcomes(tested, "same-in-worker") == ["failed in a worker it differs in x"]


def test_all_checks_of_a_hosted_backend_share_one_worker(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    b = backend(tmp_path, "stays_hosted", "0.0")
    envs = parse(f"[here]\npython = {sys.executable!r}", tmp_path / "envs.toml")
    tested = Subject(Hosted(b.kind, b.spec, b.dist, b.version, envs["here"]), trained=False)
    remote = tested.make()
    assert outcomes(tested, "right-columns", "every-row", "cancel") == ["passed"] * 3
    assert tested.make() is remote
    assert remote._host is None or remote._host.closed
