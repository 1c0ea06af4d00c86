"""What can be run on this repository; each session makes its own virtual environment.

nox -s demo        simulate a series and run the main job on it
nox -s tests       everything that must pass: lint, types and the whole suite
nox -s lint        ruff and the import contracts
nox -s types       mypy --strict
nox -s alone       each distribution by itself, with only what it declares
nox -s benchmarks  the scripts in benchmarks/
nox -s upstream    adapters against real upstream code, in checkouts
nox -s upstream_pip  adapters against real upstream code that pip installs
"""

import os
import shutil
from pathlib import Path

import nox

nox.needs_version = ">=2024.3.2"
nox.options.sessions = ["tests"]
nox.options.reuse_venv = "yes"
nox.options.default_venv_backend = "virtualenv"  # never uv: it would resolve otherwise than pip

ROOT = Path(__file__).parent
PACKAGES = {
    "trackleed-core": "trackleed",
    "trackleed-detectors": "trackleed_detectors",
    "trackleed-trackers-point": "trackleed_trackers_point",
    "trackleed-trackers-box": "trackleed_trackers_box",
    "trackleed-trackers-mask": "trackleed_trackers_mask",
    "trackleed-gui": "trackleed_gui",
}
"""Distribution (and folder) to the name that it is imported by."""
EXAMPLE = "tests/example-plugin"
LINT = ["ruff>=0.9", "import-linter>=2.5"]
TYPES = ["mypy>=1.15", "pandas-stubs", "scipy-stubs", "matplotlib>=3.8"]
TESTS = ["pytest>=8", "hypothesis>=6.100", "matplotlib>=3.8"]
REFERENCES = ["scikit-image>=0.24"]  # what our own methods are compared with
PEERS = ["scikit-image>=0.24", "./benchmarks/peers[peers]"]
"""What the benchmarks compare with."""
METRICS = ["trackeval>=1.1"]
"""What our metrics are compared with; it wants numpy 2, norfair asks for 1 and works with both."""
PIP_UPSTREAMS = ["sam2", "cutie"]
"""Trackers whose real code needs no checkout."""
BENCHMARKS = sorted(ROOT.glob("benchmarks/*.py"))


@nox.session
def demo(session: nox.Session) -> None:
    """Simulate an energy ramp, run the main job on it and say what came out."""
    # One command, so that pip takes the siblings from here and not from a registry.
    session.install("./trackleed-core", "./trackleed-detectors", "./trackleed-trackers-box")
    shutil.rmtree(ROOT / "demo", ignore_errors=True)
    session.run("trackleed", "simulate", "energy-ramp", "demo/frames")
    session.run("trackleed", "run", "demo/frames", "demo/energy-ramp.trackleed")
    exports = ROOT / "demo" / "energy-ramp.trackleed" / "exports"
    session.log("Tables and pictures:")
    for path in sorted(exports.iterdir()):
        count = f"/ ({len(list(path.iterdir()))} files)" if path.is_dir() else ""
        session.log(f"  {path.relative_to(ROOT)}{count}")


@nox.session
def tests(session: nox.Session) -> None:
    """Everything that must pass: lint, types and the whole suite."""
    _install_editable(session, *PACKAGES, EXAMPLE)
    session.install(*LINT, *TYPES, *TESTS, *REFERENCES)
    _lint(session)
    _types(session)
    session.run("pytest", *(session.posargs or ["tests"]))


@nox.session
def lint(session: nox.Session) -> None:
    """Ruff and the import contracts."""
    session.install(*LINT)
    _lint(session)


@nox.session
def types(session: nox.Session) -> None:
    """Strict types of the core and the kit."""
    _install_editable(session, "trackleed-core")
    session.install(*TYPES)
    _types(session)


@nox.session
@nox.parametrize("dist", list(PACKAGES), ids=list(PACKAGES))
def alone(session: nox.Session, dist: str) -> None:
    """One distribution by itself: all of it imports, and trackleed finds it sound."""
    session.install(*(f"./{name}" for name in dict.fromkeys(["trackleed-core", dist])))
    session.run("python", "-m", "pip", "check")
    session.run("python", "tests/alone.py", dist, PACKAGES[dist])
    session.run("trackleed", "backends")
    if dist == "trackleed-core":
        session.install(*TESTS)
        session.run("pytest", "tests/core")


@nox.session
def upstream(session: nox.Session) -> None:
    """Adapters against real upstream code, checked out in TRACKLEED_UPSTREAM; random weights."""
    _install_editable(session, *PACKAGES)
    session.run("python", "tests/upstream/run.py", *session.posargs)


@nox.session
def upstream_pip(session: nox.Session) -> None:
    """The same with the upstreams that pip installs, and no checkout: a gigabyte of torch."""
    _install_editable(session, *PACKAGES)
    session.run("python", "tests/upstream/run.py", *PIP_UPSTREAMS)


if BENCHMARKS:

    @nox.session
    def benchmarks(session: nox.Session) -> None:
        """Run every script in benchmarks/."""
        session.install(*(f"./{name}" for name in PACKAGES), *PEERS)
        session.install(*METRICS)
        for script in BENCHMARKS:
            session.run("python", str(script.relative_to(ROOT)), *session.posargs)


def _install_editable(session: nox.Session, *folders: str) -> None:
    session.install(*(part for folder in folders for part in ("-e", f"./{folder}")))


def _lint(session: nox.Session) -> None:
    session.run("ruff", "check")
    session.run("ruff", "format", "--check")
    # The contracts are read from the sources: nothing has to be installed for them.
    sources = [ROOT / folder / "src" for folder in (*PACKAGES, EXAMPLE)]
    session.run("lint-imports", "--no-logo", env={"PYTHONPATH": os.pathsep.join(map(str, sources))})


def _types(session: nox.Session) -> None:
    session.run("mypy")
