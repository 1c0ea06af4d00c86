"""Run adapters against the real code of their upstreams, with random weights: `nox -s upstream`.

    TRACKLEED_UPSTREAM=~/src python tests/upstream/run.py [TRACKER ...]

`TRACKLEED_UPSTREAM` is a folder of checkouts, each called as in the recipe (`tapnet`,
`co-tracker` ...); without it, only trackers that pip installs are run.
`TRACKLEED_UPSTREAM_PYTHON` is a Python that has what the recipes install; without it, each
family gets an environment made by `trackleed envs create`.

Each `family_*.py` beside this file is one upstream: its trackers with options that make them
quick, how its random weights are written, and checks of its own. What is here does the rest:
weights, the checks of conformance in a worker, and those of the family in its environment.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import trackleed_kit
from trackleed.backend import BackendSpec
from trackleed.registry import Registry
from trackleed_kit import place

HERE = Path(__file__).parent
CHECKOUTS = Path(os.environ.get("TRACKLEED_UPSTREAM", "")).expanduser().resolve()
PYTHON = os.environ.get("TRACKLEED_UPSTREAM_PYTHON", "")
# A random network is sure of nothing, and looks where nothing is.
EASY = {"min_confidence": 0, "min_height": 0}


class Skipped(Exception):
    """A tracker cannot be run here; says why."""


class Family:
    """The trackers of one upstream, and the environment that they run in."""

    def __init__(self, name: str, asked: list[str], folder: Path) -> None:
        self.name, self.folder = name, folder / name
        self.module: ModuleType = import_module(name)
        specs = {b.spec.name: b.spec for b in Registry.discover().backends}
        trackers = self.module.TRACKERS
        self.trackers = {n: o for n, o in trackers.items() if not asked or n in asked}
        self.specs: dict[str, BackendSpec] = {n: specs[n] for n in trackers if n in specs}

    def run(self) -> dict[str, str]:
        """Outcome of each tracker: ``ran``, ``FAILED ...`` or ``skipped: ...``."""
        if not self.trackers:
            return {}
        try:
            python = self.prepare()
        except Skipped as reason:
            return dict.fromkeys(self.trackers, f"skipped: {reason}")
        print(f"\n== {self.name}: weights at random", flush=True)
        failed = "FAILED: its weights cannot be written" if self.inside(python, "weights") else ""
        if failed:
            return dict.fromkeys(self.trackers, failed)
        outcome = {n: self.conformance(n, options) for n, options in self.trackers.items()}
        print(f"\n== {self.name}: against upstream's own", flush=True)
        if self.inside(python, "checks"):
            outcome = {n: f"{o}, FAILED against upstream's own" for n, o in outcome.items()}
        return outcome

    def prepare(self) -> str:
        """Path of a Python that has what it needs; its environment is listed as ``up``."""
        recipes = [s.recipe for s in self.specs.values() if s.recipe]
        upstreams = {u.name: u for recipe in recipes for u in recipe.upstreams}
        for name in upstreams:
            if not os.environ.get("TRACKLEED_UPSTREAM"):
                raise Skipped("TRACKLEED_UPSTREAM names no folder of checkouts")
            if not (CHECKOUTS / name).is_dir():
                raise Skipped(f"no checkout of {name} in {CHECKOUTS}")
        (self.folder / "weights").mkdir(parents=True)
        self.checkouts = {name: CHECKOUTS / name for name in upstreams}
        if PYTHON:
            self.entry(PYTHON)
            return PYTHON
        named = [f"--checkout={name}={path}" for name, path in self.checkouts.items()]
        command = ["envs", "create", "up", "--project", "--folder", str(self.folder / "env")]
        command += [f"--for={name}" for name in self.specs] + named
        command += ["--checkpoints", str(self.folder / "weights"), "--device", "cpu"]
        if self.trackleed(*command):
            raise Skipped("its environment could not be made")
        python = str(self.folder / "env" / "bin" / "python")
        self.entry(python)
        return python

    def entry(self, python: str) -> None:
        """List an environment that is there already."""
        lines = [
            "[up]",
            f"python = {json.dumps(python)}",
            f"backends = {json.dumps(list(self.specs))}",
            f"checkpoints = {json.dumps(str(self.folder / 'weights'))}",
            'device = "cpu"',
            "[up.checkouts]",
            *(f"{name} = {json.dumps(str(path))}" for name, path in self.checkouts.items()),
            "[up.variables]",
            *(f"{name} = {json.dumps(value)}" for name, value in self.variables().items()),
        ]
        (self.folder / "envs.toml").write_text("\n".join(lines), encoding="utf-8")

    def variables(self) -> dict[str, str]:
        """What the recipes want in the environment of the worker."""
        recipes = [s.recipe for s in self.specs.values() if s.recipe]
        wanted = {key: value for recipe in recipes for key, value in recipe.variables.items()}
        # Workers do not inherit it; a torchvision for another torch, say, is mended by it.
        return {**wanted, "PYTHONPATH": os.environ.get("PYTHONPATH", "")}

    def conformance(self, name: str, options: dict[str, Any]) -> str:
        """Run the checks that need no trained weights, in a worker."""
        print(f"\n== {name}@up: conformance", flush=True)
        settings = [f"--set={k}={v}" for k, v in {**EASY, **options}.items()]
        wrong = self.trackleed("backends", "check", f"{name}@up", "--untrained", *settings)
        return "FAILED conformance" if wrong else "ran"

    def inside(self, python: str, what: str) -> int:
        """Run a part of the family's file in its environment."""
        described = {
            n: {
                "factory": self.specs[n].factory,
                "params": self.specs[n].params(**{**EASY, **o}).model_dump(mode="json"),
            }
            for n, o in self.trackers.items()
        }
        command = [python, str(HERE / "inside.py"), self.name, what, json.dumps(described)]
        return subprocess.run(command, env=self.environment(), cwd=self.folder).returncode

    def trackleed(self, *arguments: str) -> int:
        command = [sys.executable, "-m", "trackleed", *arguments]
        return subprocess.run(command, env=self.environment(), cwd=self.folder).returncode

    def environment(self) -> dict[str, str]:
        packages = {s.factory.partition(".")[0] for s in self.specs.values()}
        homes = [Path(trackleed_kit.__file__).parents[1]]
        homes += [Path(str(import_module(p).__file__)).parents[1] for p in sorted(packages)]
        known = place.variables("cpu", self.folder / "weights", self.checkouts)
        homes += [Path(p) for p in os.environ.get("PYTHONPATH", "").split(os.pathsep) if p]
        return {
            **os.environ,
            **self.variables(),
            **known,
            "TRACKLEED_HOME": str(self.folder / "home"),
            "PYTHONPATH": os.pathsep.join(map(str, homes)),
            "OMP_NUM_THREADS": "1",
        }


def main(asked: list[str]) -> int:
    sys.path.insert(0, str(HERE))
    outcome: dict[str, str] = {}
    for file in sorted(HERE.glob("family_*.py")):
        with tempfile.TemporaryDirectory() as folder:
            outcome |= Family(file.stem, asked, Path(folder)).run()
    print()
    for name, what in outcome.items():
        print(f"{name:<20} {what}")
    return int(not outcome or any("FAILED" in what for what in outcome.values()))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
