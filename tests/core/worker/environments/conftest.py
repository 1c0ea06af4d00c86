"""A plugin whose backends run in workers, and everything that its recipes name, made here.

Nothing comes from a network: the requirements are wheels of a few lines in a folder, the
upstream repository is a local one, the checkpoint is a file.
"""

from __future__ import annotations

import hashlib
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from zipfile import ZipFile

import pytest

from trackleed.registry import Registry

PLUGIN = """
from trackleed.backend import BackendSpec
from trackleed.hooks import hookimpl
from trackleed.recipe import Checkpoint, Recipe, Upstream

UP = Upstream("upnet", {repository!r}, {commit!r}, modules=("upnet",), folder="lib")
WEIGHTS = Checkpoint(
    "up.pt", {weights!r}, sha256={sha256!r}, size={size}, licence="CC-BY-NC-4.0", commercial=False
)

@hookimpl
def trackleed_trackers():
    yield BackendSpec(
        name="farnet", summary="s", factory="nowhere:Far", runs_in="worker", licence="MIT",
        requires=("farlib",),
        recipe=Recipe(requirements=("farlib==1.0",), commercial=True, notes="Slow on CPUs."),
    )
    yield BackendSpec(
        name="upnet", summary="s", factory="nowhere:Up", runs_in="worker",
        requires=("farlib",),
        recipe=Recipe(
            python=">=3.8,<4", requirements=("--no-deps farlib==1.0",), upstreams=(UP,),
            checkpoints=(WEIGHTS,), variables={{"UPNET_OFFLINE": "1"}},
        ),
    )
    yield BackendSpec(
        name="impossible", summary="s", factory="nowhere:No", runs_in="worker",
        requires=("farlib",), recipe=Recipe(requirements=("no-such-lib==9",)),
    )
    yield BackendSpec(
        name="bare", summary="s", factory="nowhere:Bare", runs_in="worker", requires=("farlib",),
        install="pip install farlib==1",
    )
    yield BackendSpec(
        name="loads", summary="s", factory="far_backends:Loads", runs_in="worker",
    )
    yield BackendSpec(
        name="breaks", summary="s", factory="far_backends:Breaks", runs_in="worker",
    )
"""


@dataclass(frozen=True)
class World:
    """Where everything is."""

    home: Path
    wheels: Path
    repository: Path
    commit: str
    weights: Path
    sha256: str


def git(folder: Path, *arguments: str) -> str:
    """Run git in a folder."""
    identity = ["-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "commit.gpgsign=false"]
    done = subprocess.run(
        ["git", "-C", str(folder), *identity, *arguments],
        check=True,
        capture_output=True,
        text=True,
    )
    return done.stdout.strip()


def wheel(folder: Path, name: str, module: str, text: str) -> None:
    """A wheel of one module."""
    info = f"{name}-1.0.dist-info"
    with ZipFile(folder / f"{name}-1.0-py3-none-any.whl", "w") as file:
        file.writestr(f"{module}.py", text)
        file.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        file.writestr(
            f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        file.writestr(f"{info}/RECORD", "")


@pytest.fixture(scope="session")
def sources(tmp_path_factory: pytest.TempPathFactory) -> World:
    """Wheels, a repository with two commits, and weights."""
    root = tmp_path_factory.mktemp("sources")
    wheels, repository = root / "wheels", root / "upnet.git"
    wheels.mkdir()
    wheel(wheels, "farlib", "farlib", "__version__ = '1.0'\n")
    wheel(wheels, "numpy", "numpy", "__version__ = '1.0'\n")
    wheel(wheels, "pyzmq", "zmq", "__version__ = '1.0'\n")
    (repository / "lib" / "upnet").mkdir(parents=True)
    (repository / "lib" / "upnet" / "__init__.py").write_text("__version__ = 'first'\n")
    git(repository, "init", "-q", "-b", "main")
    git(repository, "add", ".")
    git(repository, "commit", "-q", "-m", "first")
    commit = git(repository, "rev-parse", "HEAD")
    (repository / "lib" / "upnet" / "__init__.py").write_text("__version__ = 'second'\n")
    git(repository, "commit", "-q", "-a", "-m", "second")
    weights = root / "up.pt"
    weights.write_bytes(b"weights" * 1000)
    sha256 = hashlib.sha256(weights.read_bytes()).hexdigest()
    return World(root, wheels, repository, commit, weights, sha256)


@pytest.fixture
def world(sources: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    """The plugin installed, a home of its own, and an empty project as the working folder."""
    site, home, project = tmp_path / "site", tmp_path / "home", tmp_path / "project"
    for folder in (site, home, project):
        folder.mkdir()
    (site / "far_plugin.py").write_text(
        PLUGIN.format(
            repository=str(sources.repository),
            commit=sources.commit,
            weights=sources.weights.as_uri(),
            sha256=sources.sha256,
            size=sources.weights.stat().st_size,
        )
    )
    (site / "far_backends.py").write_text(
        "class Loads:\n    def __init__(self, params):\n        pass\n"
        "class Breaks:\n    def __init__(self, params):\n        raise ValueError('half a file')\n"
    )
    info = site / "far_plugin-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: far-plugin\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[trackleed]\nfar = far_plugin\n")
    monkeypatch.syspath_prepend(str(site))
    monkeypatch.setitem(sys.modules, "far_plugin", None)
    monkeypatch.delitem(sys.modules, "far_plugin")
    monkeypatch.setenv("TRACKLEED_HOME", str(home))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(sources.wheels))
    monkeypatch.chdir(project)
    return World(
        home, sources.wheels, sources.repository, sources.commit, sources.weights, sources.sha256
    )


@pytest.fixture
def registry(world: World) -> Registry:
    """What is installed, the plugin included."""
    return Registry.discover()


@pytest.fixture(scope="session")
def fake() -> Callable[..., Path]:
    """Makes the folders of a virtual environment, in no time; returns its python."""

    def make(folder: Path, *modules: str) -> Path:
        site = folder / "lib" / "python3.11" / "site-packages"
        site.mkdir(parents=True)
        for module in ("numpy", "zmq", *modules):
            (site / f"{module}.py").write_text("__version__ = '1.0'\n")
        (folder / "bin").mkdir()
        python = folder / "bin" / "python"
        python.symlink_to(sys.executable)
        return python

    return make
