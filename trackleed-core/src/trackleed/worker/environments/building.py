"""Make an environment from recipes, and take one away again.

What is made carries a marker file, and only what carries it is ever deleted. An environment
is listed once it is whole; one that was interrupted is cleared away, at once or, if the
process was killed, by the next attempt.
"""

from __future__ import annotations

import json
import os
import shlex
import shutil
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from trackleed.backend import BackendSpec
from trackleed.errors import EnvironmentUnusable
from trackleed.files import process_alive, process_start
from trackleed.recipe import Recipe
from trackleed.worker.environments import registering
from trackleed.worker.environments.commands import Tell, run
from trackleed.worker.environments.model import Environment, data_folder
from trackleed.worker.environments.pythons import Python
from trackleed.worker.environments.sites import has_module, site_folders

KIT_REQUIREMENTS = "numpy pyzmq"
"""What every worker needs. Installed last, so that a recipe's own pins come first."""

MARKER = "made-by-trackleed.json"

Tool = Literal["venv", "uv"]


@dataclass(frozen=True)
class Plan:
    """An environment to be made."""

    name: str
    specs: Sequence[BackendSpec]
    python: Python
    file: Path
    """The ``envs.toml`` that will list it."""
    folder: Path
    tool: Tool = "venv"
    fields: Mapping[str, Any] = field(default_factory=dict)
    """Further fields of its entry: checkouts, checkpoints, device."""

    @property
    def log(self) -> Path:
        """Where the output of all commands goes; it stays when making fails."""
        return self.folder.with_name(f"{self.folder.name}.log")


def usual_folder(name: str) -> Path:
    """Where an environment is made unless the user says otherwise."""
    return data_folder() / "envs" / name


def requirements(specs: Sequence[BackendSpec]) -> tuple[str, ...]:
    """What follows ``pip install``, call by call, for several backends."""
    lines = [line for spec in specs for line in (spec.recipe or Recipe()).requirements]
    return tuple(dict.fromkeys([*lines, KIT_REQUIREMENTS]))


def usual_fields(specs: Sequence[BackendSpec]) -> dict[str, Any]:
    """Fields of an entry as the recipes have them, with checkouts where `fetch` puts them."""
    recipes = [spec.recipe or Recipe() for spec in specs]
    variables = {key: value for recipe in recipes for key, value in recipe.variables.items()}
    checkouts = {
        upstream.name: data_folder() / "checkouts" / upstream.name
        for recipe in recipes
        for upstream in recipe.upstreams
    }
    wants_weights = any(recipe.checkpoints for recipe in recipes)
    return {
        "backends": [spec.name for spec in specs],
        "checkouts": checkouts,
        "checkpoints": data_folder() / "checkpoints" if wants_weights else None,
        "variables": variables,
    }


def make(plan: Plan, tell: Tell) -> Environment:
    """Make an environment, install what its backends require, and list it.

    Raises
    ------
    EnvironmentUnusable
        If the name or the folder is taken, or a command fails; nothing but the log is left.
    """
    registering.check_entry(plan.name, plan.fields, plan.file)
    with _own_folder(plan.folder):
        plan.log.write_bytes(b"")
        python = _make_empty(plan, tell)
        install(python, requirements(plan.specs), plan.log, tell)
        return registering.add_entry(
            plan.file, plan.name, {"python": python, **usual_fields(plan.specs), **plan.fields}
        )


def install(python: Path, lines: Sequence[str], log: Path, tell: Tell) -> None:
    """Install requirements, one call of pip (or of uv, where there is no pip) for each line.

    Raises
    ------
    EnvironmentUnusable
        If one fails, or there is neither pip nor uv.
    """
    installer = _installer(python)
    for line in lines:
        run(f"install {line}", [*installer, *shlex.split(line)], log, tell)


def made_folder(environment: Environment) -> Path | None:
    """The folder of an environment that was made here; None if it is somebody else's."""
    if environment.python is None:
        return None
    folder = environment.python.parent.parent
    marker = folder / MARKER
    return folder if marker.is_file() and not folder.is_symlink() else None


def remove(environment: Environment) -> Path | None:
    """Take an environment off the list, and delete it if it was made here.

    Checkouts and checkpoints stay: other environments may use them.

    Returns
    -------
    Path or None
        The folder that was deleted.
    """
    folder = made_folder(environment)
    if folder is None:
        registering.remove_entry(environment)
        return None
    # Out of the way first: deleting takes a while, and may be interrupted.
    doomed = folder.with_name(f".{folder.name}.removed-{os.getpid()}")
    try:
        folder.rename(doomed)
    except OSError as error:
        raise EnvironmentUnusable(f"{folder} cannot be removed: {error.strerror}") from error
    registering.remove_entry(environment)
    shutil.rmtree(doomed)
    folder.with_name(f"{folder.name}.log").unlink(missing_ok=True)
    return folder


def _make_empty(plan: Plan, tell: Tell) -> Path:
    stage = f"make {plan.folder} with Python {plan.python.version}"
    if plan.tool == "venv":
        run(stage, [plan.python.path, "-m", "venv", plan.folder], plan.log, tell)
    else:
        # A path, and no downloads: uv would otherwise fetch a Python of its own.
        command = [_uv(), "venv", "--no-python-downloads", "--allow-existing", "--python"]
        run(stage, [*command, plan.python.path, plan.folder], plan.log, tell)
    windows = sys.platform == "win32"
    return plan.folder / ("Scripts/python.exe" if windows else "bin/python")


def _installer(python: Path) -> list[str | Path]:
    if has_module("pip", site_folders(python)):
        return [python, "-m", "pip", "install"]
    if shutil.which("uv"):
        return [_uv(), "pip", "install", "--python", python]
    raise EnvironmentUnusable(f"{python} has no pip, and there is no uv", f"{python} -m ensurepip")


def _uv() -> str:
    found = shutil.which("uv")
    if found is None:
        raise EnvironmentUnusable("uv is not installed", "pip install uv, or: --with venv")
    return found


@contextmanager
def _own_folder(folder: Path) -> Iterator[None]:
    """A folder that is ours, marked, and gone again if anything goes wrong inside."""
    _clear_unfinished(folder)
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        folder.mkdir()
        _mark(folder, finished=False)
    except FileExistsError:
        raise EnvironmentUnusable(
            f"{folder} is there already, and not an unfinished environment of ours",
            "name another: --folder PATH",
        ) from None
    except OSError as error:
        raise EnvironmentUnusable(f"{folder} cannot be made: {error.strerror}") from error
    try:
        yield
        _mark(folder, finished=True)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise


def _mark(folder: Path, finished: bool) -> None:
    pid = os.getpid()
    content = {"finished": finished, "pid": pid, "start": process_start(pid)}
    (folder / MARKER).write_text(json.dumps(content), encoding="utf-8")


def _clear_unfinished(folder: Path) -> None:
    """Delete what a killed process left half-made."""
    with suppress(OSError, ValueError, KeyError):
        marker = json.loads((folder / MARKER).read_text(encoding="utf-8"))
        if marker["finished"]:
            return
        if process_alive(marker["pid"], marker["start"]):
            raise EnvironmentUnusable(f"{folder} is being made by process {marker['pid']}")
        shutil.rmtree(folder)
