"""The environments that backends can be hosted in, as ``envs.toml`` lists them.

A table for each, in the project's ``envs.toml`` or the user's; the project's comes first::

    [vos]
    python = "~/venvs/vos/bin/python"
    backends = ["cutie", "sam2"]
    checkpoints = "~/weights"
    device = "cuda:0"
    checkouts = { cotracker = "~/src/co-tracker" }
    variables = { OMP_NUM_THREADS = "4" }

Paths are relative to the file's folder.
"""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from platformdirs import user_config_path, user_data_path
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from trackleed.errors import EnvironmentNotFound, EnvironmentsDamaged, EnvironmentUnusable

FILE = "envs.toml"
HOME = "TRACKLEED_HOME"
"""Environment variable: one folder for all that is the user's, if not the system's places."""

NAME = re.compile("[a-z0-9][a-z0-9_.-]*")
"""Names of environments; colon and at sign have a meaning in ``dist:name@env``."""

_DEVICE = "auto|cpu|mps|cuda(:[0-9]+)?"


class Environment(BaseModel):
    """One environment that a worker can be started in.

    Paths are absolute; nothing is looked up before `interpreter` is asked for.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    source: Path
    """The ``envs.toml`` that lists it."""
    python: Path | None = None
    """Its interpreter; may be left out where ``address`` says that a worker runs elsewhere."""
    backends: tuple[str, ...] = ()
    """Backends that it was made for."""
    checkouts: dict[str, Path] = {}
    """Folders of upstream checkouts, by the name that a recipe gives them."""
    checkpoints: Path | None = None
    """Folder of checkpoint files."""
    variables: dict[str, str] = {}
    """Environment variables for the worker, besides the ones it inherits."""
    device: str = Field("auto", pattern=f"^({_DEVICE})$")
    address: str | None = Field(None, pattern=r"^tcp://[^/\s]+:[0-9]+$")
    """Where the host binds for a worker that is started by hand on another machine."""

    @property
    def interpreter(self) -> Path:
        """Its interpreter, which is there and can be run.

        Raises
        ------
        EnvironmentUnusable
            If it is not.
        """
        if self.python is None:
            raise EnvironmentUnusable(f"environment {self.name!r} names no python", self._edit)
        if not self.python.is_file():
            raise EnvironmentUnusable(
                f"environment {self.name!r}: its python {self.python} is not there", self._edit
            )
        if not os.access(self.python, os.X_OK):
            raise EnvironmentUnusable(
                f"environment {self.name!r}: its python {self.python} cannot be run", self._edit
            )
        return self.python

    @property
    def _edit(self) -> str:
        return f"mend [{self.name}] in {self.source}, or: trackleed envs remove {self.name}"


def user_file() -> Path:
    """The user's ``envs.toml``, there or not."""
    home = os.environ.get(HOME)
    return (Path(home) if home else user_config_path("trackleed")).absolute() / FILE


def data_folder() -> Path:
    """Where environments are made, and checkouts and checkpoints fetched to, unless said."""
    home = os.environ.get(HOME)
    return (Path(home) if home else user_data_path("trackleed")).absolute()


def load_environments(project: Path) -> dict[str, Environment]:
    """All environments by name: those of the folder ``project``, then the user's.

    Raises
    ------
    EnvironmentsDamaged
        If a file is not valid TOML, or has an unknown key or a value that is not allowed.
    """
    found, damaged = readable_environments(project)
    if damaged:
        raise damaged[0]
    return found


def readable_environments(
    project: Path,
) -> tuple[dict[str, Environment], list[EnvironmentsDamaged]]:
    """As `load_environments`, but without the files that cannot be used, and why these cannot."""
    found: dict[str, Environment] = {}
    damaged = []
    for path in (project.absolute() / FILE, user_file()):
        try:
            environments = read_file(path)
        except EnvironmentsDamaged as error:
            damaged.append(error)
            continue
        for name, environment in environments.items():
            found.setdefault(name, environment)
    return found, damaged


def find_environment(environments: Mapping[str, Environment], name: str) -> Environment:
    """The environment called ``name``.

    Raises
    ------
    EnvironmentNotFound
        If there is none.
    """
    if name not in environments:
        known = ", ".join(sorted(environments)) or "none"
        raise EnvironmentNotFound(
            f"no environment is called {name!r}; there are: {known}", "see: trackleed envs"
        )
    return environments[name]


def read_file(path: Path) -> dict[str, Environment]:
    """The environments of one ``envs.toml``; none if there is no such file."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise EnvironmentsDamaged(f"{path} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise EnvironmentsDamaged(f"{path} is not text in UTF-8") from None
    return parse(text, path)


def parse(text: str, path: Path) -> dict[str, Environment]:
    """The environments of an ``envs.toml`` with this text."""
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        # tomllib's words for a name that stands twice mean little to a user.
        text = f"{error}".replace("Cannot declare", "a table that stands twice:")
        raise EnvironmentsDamaged(f"{path} is not valid TOML: {text}") from None
    return {name: _environment(name, entry, path) for name, entry in document.items()}


def _environment(name: str, entry: Any, path: Path) -> Environment:
    if not NAME.fullmatch(name):
        raise EnvironmentsDamaged(
            f"{path}: environment {name!r} is not named in lower-case letters, digits and _ . -"
        )
    if not isinstance(entry, dict):
        raise EnvironmentsDamaged(
            f"{path}: {name} = {entry!r} stands outside a table",
            "put it under the name of an environment, as in [vos]",
        )
    known = [key for key in Environment.model_fields if key not in ("name", "source")]
    for key in entry:
        if key not in known:
            raise EnvironmentsDamaged(
                f"{path}: [{name}] has an unknown key {key!r}; allowed: {', '.join(known)}"
            )
    if "python" not in entry and "address" not in entry:
        raise EnvironmentsDamaged(
            f"{path}: [{name}] names no python", 'as in: python = "/path/to/bin/python"'
        )
    try:
        made = Environment(name=name, source=path, **entry)
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"])
        raise EnvironmentsDamaged(
            f"{path}: [{name}] {key} = {first['input']!r} is not allowed: "
            f"{first['msg'][:1].lower()}{first['msg'][1:]}"
        ) from None
    return _with_absolute_paths(made, path.parent)


def _with_absolute_paths(made: Environment, folder: Path) -> Environment:
    def absolute(path: Path | None) -> Path | None:
        # Not resolved: the python of a virtual environment is a link, and must stay one.
        return path and Path(os.path.abspath(folder / path.expanduser()))  # noqa: PTH100

    return made.model_copy(
        update={
            "python": absolute(made.python),
            "checkpoints": absolute(made.checkpoints),
            "checkouts": {key: absolute(path) for key, path in made.checkouts.items()},
        }
    )
