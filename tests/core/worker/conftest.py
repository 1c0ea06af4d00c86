from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("zmq")

from trackleed.files import locked
from trackleed.frames import ArraySource, Correction, FrameSequence, NoiseModel
from trackleed.worker.clocks import Clocks
from trackleed.worker.environments import Environment
from trackleed.worker.hosting import Order
from trackleed.worker.remote import REMOTES, Remote

FAULTY = Path(__file__).with_name("faulty")

QUICK = Clocks(
    tick=0.02, beat=0.1, dead=2.5, hello=30, stalled=0.4, cancel=0.5, quit=0.5, terminate=0.5
)
"""A minute's patience in seconds."""

OPTIONS = {"fault": "nothing", "at": -1, "pause": 0, "load": 0, "seconds": 0, "checkpoint": ""}


@pytest.fixture(autouse=True)
def faulty(monkeypatch: pytest.MonkeyPatch) -> None:
    """The badly behaved backends can be found."""
    monkeypatch.syspath_prepend(str(FAULTY))


@pytest.fixture
def installed(tmp_path: Path, faulty: None, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The faulty package as a plugin, and an ``envs.toml`` with the environment ``here``."""
    info = tmp_path / "site" / "trackleed_faulty-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: trackleed-faulty\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[trackleed]\nfaulty = trackleed_faulty.plugin\n")
    monkeypatch.syspath_prepend(str(info.parent))
    (tmp_path / "envs.toml").write_text(
        f"""
        [here]
        python = "{sys.executable}"
        backends = ["still", "brightest", "light"]
        checkpoints = "weights"

        [broken]
        python = "nowhere/python"
        """
    )
    monkeypatch.setenv("TRACKLEED_HOME", str(tmp_path))
    monkeypatch.setattr("trackleed.worker.remote.CLOCKS", QUICK)
    return tmp_path


@pytest.fixture
def frames() -> FrameSequence:
    """Eight frames with everything that a series can have."""
    rng = np.random.default_rng(3)
    return FrameSequence(
        ArraySource(rng.integers(100, 4000, (8, 24, 32)).astype(np.uint16)),
        index={
            "energy_eV": np.linspace(50, 57, 8),
            "source": np.array([f"frame {i}" for i in range(8)], dtype=object),
        },
        valid=np.indices((24, 32))[1] < 28,
        noise=NoiseModel(2.0, 3.0, 90.0),
        saturation=3900.0,
        correction=Correction(rng.uniform(0, 50, (24, 32)), rng.uniform(900, 1100, (24, 32))),
    )


@pytest.fixture
def seeds() -> dict[str, Any]:
    return {
        "track_id": np.array([1, 2]),
        "frame": np.array([0, 0]),
        "x": np.array([5.25, 30.0]),
        "y": np.array([7.5, 9.0]),
        "width": np.array([9.0, 9.0]),
        "height": np.array([9.0, 9.0]),
    }


@pytest.fixture
def environment() -> Environment:
    """An environment that has what a worker needs: our own."""
    return Environment(name="here", source=Path("envs.toml"), python=Path(sys.executable))


@pytest.fixture
def hosted(tmp_path: Path, environment: Environment) -> Iterator[Callable[..., Any]]:
    """Makes backends of the faulty package, in workers that end with the test."""
    made: list[Remote] = []

    def make(kind: Any = "tracker", env: Environment = environment, **options: Any) -> Any:
        factory = f"trackleed_faulty.backends:{kind.capitalize()}"
        order = Order(f"{kind} 'faulty@{env.name}'", factory, {**OPTIONS, **options}, env)
        remote = REMOTES[kind](order, QUICK)
        remote.log = tmp_path / f"{kind}.log"
        made.append(remote)
        return remote

    yield make
    for remote in made:
        remote.close()


def interpreter(version: str) -> Path | None:
    """A Python of that version, from pyenv or the path."""
    root = Path(os.environ.get("PYENV_ROOT", "~/.pyenv")).expanduser()
    if not root.is_dir():
        done = subprocess.run(["pyenv", "root"], capture_output=True, text=True, check=False)
        root = Path(done.stdout.strip())
    return next(iter(sorted(root.glob(f"versions/{version}.*/bin/python"))), None)


@pytest.fixture(scope="session")
def foreign(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Pythons of other versions, with numpy and pyzmq and nothing else.

    They are kept beside the temporary folders of other runs, as making one takes a while.
    """
    base = tmp_path_factory.getbasetemp().parent / "trackleed-foreign-pythons"

    def make(version: str) -> Path:
        python = base / version / "bin" / "python"
        base.mkdir(exist_ok=True)
        with locked(base / "lock", str(base), wait=300):
            complete(version, python)
        return python

    def complete(version: str, python: Path) -> None:
        if not (base / version / "complete").exists():
            outer = interpreter(version)
            if outer is None:
                pytest.skip(f"no Python {version} here")
            commands = [
                [str(outer), "-m", "venv", "--clear", str(base / version)],
                [str(python), "-m", "pip", "install", "-q", "numpy", "pyzmq"],
            ]
            for command in commands:
                done = subprocess.run(command, capture_output=True, text=True, check=False)
                if done.returncode:
                    pytest.skip(f"{' '.join(command)}: {done.stderr[-200:]}")
            (base / version / "complete").touch()

    return make
