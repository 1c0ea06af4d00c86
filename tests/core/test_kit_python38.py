"""The kit also runs in old foreign environments: Python 3.8 with numpy and pyzmq, no more."""

from __future__ import annotations

import ast
import os
import shutil
import subprocess
from pathlib import Path

import pytest

import trackleed_kit

KIT = Path(trackleed_kit.__file__).parent
MODULES = sorted(KIT.rglob("*.py"))


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.name)
def test_the_kit_keeps_to_the_syntax_of_python_3_8(path: Path) -> None:
    ast.parse(path.read_text(encoding="utf-8"), str(path), feature_version=(3, 8))


def test_the_kit_works_in_python_3_8(tmp_path: Path) -> None:
    python = _python38()
    if python is None:
        pytest.skip("no Python 3.8 with numpy and pyzmq here")
    # The kit alone, as a foreign environment sees it: nothing of trackleed beside it.
    (tmp_path / "trackleed_kit").symlink_to(KIT)
    program = f"""
import numpy as np
import {", ".join(_module(path) for path in MODULES)}
from trackleed_kit.frames import ArraySource, Correction, FrameSequence
frames = FrameSequence(ArraySource(np.ones((2, 3, 4))), correction=Correction(np.ones((3, 4))))
print(sum(frame.sum() for frame in frames), trackleed_kit.coords.resize(-0.5, 4, 8))
"""
    done = subprocess.run(
        [python, "-c", program],
        env=os.environ | {"PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
    )
    assert (done.stdout, done.stderr) == ("0.0 -0.5\n", "")


def _module(path: Path) -> str:
    return ".".join(path.relative_to(KIT.parent).with_suffix("").parts).removesuffix(".__init__")


def _python38() -> str | None:
    """A Python 3.8 with numpy and pyzmq: TRACKLEED_PYTHON38, or the one on the path."""
    found = [os.environ.get("TRACKLEED_PYTHON38"), shutil.which("python3.8")]
    for python in filter(None, found):
        probe = "import sys, numpy, zmq; sys.exit(sys.version_info[:2] != (3, 8))"
        if subprocess.run([python, "-c", probe], capture_output=True).returncode == 0:
            return python
    return None
