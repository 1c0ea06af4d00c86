"""What an environment lacks for a backend, at a glance, and whether a backend is ready.

Only files are looked at, in milliseconds. `checking` starts the interpreter and is sure.
"""

from __future__ import annotations

import os
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from trackleed.backend import BackendSpec
from trackleed.errors import EnvironmentUnusable
from trackleed.recipe import Checkpoint, Recipe, Upstream
from trackleed.registry import Backend
from trackleed.worker.environments.model import Environment
from trackleed.worker.environments.sites import commit_of, has_module, site_folders

KIT = ("numpy", "zmq")
"""Modules that every worker imports."""


@dataclass(frozen=True)
class Lack:
    """Something that an environment does not have, and the command that mends it."""

    what: str
    mend: str

    def __str__(self) -> str:
        return f"{self.what}: {self.mend}" if self.mend else self.what


@dataclass(frozen=True)
class Readiness:
    """Whether a backend can be run, and where."""

    ready: bool
    text: str
    """``"ready"``, ``"ready in vos (cutie@vos)"``, or what is missing and how to mend it."""
    environments: tuple[str, ...] = ()
    """Environments that lack nothing for it."""

    @property
    def short(self) -> str:
        """``"yes"``, ``"in vos"`` or ``"no"``."""
        where = f"in {', '.join(self.environments)}" if self.environments else "yes"
        return where if self.ready else "no"


def readiness(backend: Backend, environments: Mapping[str, Environment]) -> Readiness:
    """Where a backend can be run, or what is missing."""
    spec = backend.spec
    if spec.runs_in == "host" and (not backend.missing or not spec.recipe):
        return Readiness(not backend.missing, backend.state)
    missing = {name: lacks(spec, environment) for name, environment in environments.items()}
    serving = tuple(name for name, found in missing.items() if not found)
    if serving:
        addresses = ", ".join(f"{spec.name}@{name}" for name in serving)
        return Readiness(True, f"ready in {', '.join(serving)} ({addresses})", serving)
    made_for_it = [
        f"in {name}: {'; '.join(map(str, missing[name]))}"
        for name, environment in environments.items()
        if spec.name in environment.backends
    ]
    if made_for_it:
        return Readiness(False, " | ".join(made_for_it))
    here = f"{backend.state}, or make it" if spec.runs_in == "host" else "needs"
    return Readiness(False, f"{here} an environment: {create_command(spec)}")


def create_command(spec: BackendSpec) -> str:
    """The command that makes an environment for a backend, or that registers one."""
    if spec.recipe:
        return f"trackleed envs create {spec.name} --for {spec.name}"
    return f"trackleed envs add {spec.name} --for {spec.name} --python PATH"


def lacks(spec: BackendSpec, environment: Environment) -> list[Lack]:
    """What an environment lacks for a backend, as far as its files tell.

    A worker on another machine cannot be looked at: it is taken to have what its entry names.
    """
    if environment.address and environment.python is None:
        return [] if spec.name in environment.backends else [_not_for(spec, environment)]
    try:
        python = environment.interpreter
    except EnvironmentUnusable as error:
        return [_no_python(environment, error)]
    recipe = spec.recipe or Recipe()
    folders = (*site_folders(python), *named_folders(environment))
    absent = [name for name in (*KIT, *spec.requires) if not has_module(name, folders)]
    found = [_absent(", ".join(absent), spec, environment)] if absent else []
    found += [
        lack
        for upstream in recipe.upstreams
        if (lack := lacks_checkout(upstream, spec, environment))
    ]
    found += [
        lack
        for choice in recipe.by_role().values()
        if (lack := lacks_checkpoint(choice, spec, environment))
    ]
    return found


def lacks_kit(environment: Environment) -> list[Lack]:
    """What an environment lacks for any worker at all."""
    if environment.address and environment.python is None:
        return []
    try:
        folders = (*site_folders(environment.interpreter), *named_folders(environment))
    except EnvironmentUnusable as error:
        return [_no_python(environment, error)]
    absent = [name for name in KIT if not has_module(name, folders)]
    mend = f"trackleed envs install {environment.name}"
    return [Lack(f"{', '.join(absent)} not installed", mend)] if absent else []


def import_folders(recipe: Recipe, environment: Environment) -> tuple[Path, ...]:
    """Folders of the checkouts that go on ``sys.path``."""
    return tuple(
        environment.checkouts[upstream.name] / upstream.folder
        for upstream in recipe.upstreams
        if upstream.name in environment.checkouts
    )


def named_folders(environment: Environment) -> list[Path]:
    """Folders that its entry puts on ``PYTHONPATH``."""
    return [
        Path(part) for part in environment.variables.get("PYTHONPATH", "").split(os.pathsep) if part
    ]


def lacks_checkout(upstream: Upstream, spec: BackendSpec, environment: Environment) -> Lack | None:
    """Whether the checkout is not there, or at another commit."""
    fetch = f"trackleed envs fetch {environment.name} --for {spec.name}"
    folder = environment.checkouts.get(upstream.name)
    if folder is None:
        return Lack(f"no checkout of {upstream.name} is named", fetch)
    if not folder.is_dir():
        return Lack(f"checkout of {upstream.name} is not at {folder}", fetch)
    commit = commit_of(folder)
    if commit is not None and commit != upstream.commit:
        return Lack(
            f"checkout of {upstream.name} is at {commit[:9]}, not {upstream.commit[:9]}",
            f"git -C {shlex.quote(str(folder))} checkout {upstream.commit}",
        )
    absent = [m for m in upstream.modules if not has_module(m, (folder / upstream.folder,))]
    if absent:
        name = upstream.name
        return Lack(f"{folder} has no module {', '.join(absent)}: it is no checkout of {name}", "")
    return None


def lacks_checkpoint(
    choice: list[Checkpoint], spec: BackendSpec, environment: Environment
) -> Lack | None:
    """Whether none of some alternative files is there, whole by its size."""
    fetch = f"trackleed envs fetch {environment.name} --for {spec.name}"
    if environment.checkpoints is None:
        return Lack("no folder of checkpoints is named", fetch)
    wrong = []
    for checkpoint in choice:
        file = environment.checkpoints / checkpoint.file
        if not file.is_file():
            continue
        size = file.stat().st_size
        if checkpoint.size in (0, size):
            return None
        wrong.append(Lack(f"{file} has {size} bytes, not {checkpoint.size}", f"rm {file}; {fetch}"))
    if wrong:
        return wrong[0]
    return Lack(f"checkpoint {choice[0].file} is not in {environment.checkpoints}", fetch)


def _no_python(environment: Environment, error: EnvironmentUnusable) -> Lack:
    return Lack(f"its python {environment.python} cannot be used", error.hint or "")


def _absent(names: str, spec: BackendSpec, environment: Environment) -> Lack:
    mend = f"trackleed envs install {environment.name} --for {spec.name}"
    if spec.recipe is None:  # its own words, for the environment's python
        mend = spec.install.replace("pip ", f"{environment.python} -m pip ", 1)
    return Lack(f"{names} not installed", mend)


def _not_for(spec: BackendSpec, environment: Environment) -> Lack:
    return Lack(
        f"runs at {environment.address}, and does not name {spec.name}",
        f"add it to backends of [{environment.name}] in {environment.source}",
    )
