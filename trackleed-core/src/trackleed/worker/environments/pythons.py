"""Interpreters to make an environment with: which there are, and of which version."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from packaging.specifiers import InvalidSpecifier, SpecifierSet

from trackleed.errors import EnvironmentUnusable
from trackleed.worker.environments.commands import environ

OLDEST = ">=3.8"
"""Pythons that a worker runs in."""

_KNOWN_MINORS = range(8, 15)
_ASK = "import json, sys; print(json.dumps([sys.executable, '%d.%d.%d' % sys.version_info[:3]]))"


@dataclass(frozen=True)
class Python:
    """An interpreter that was run."""

    path: Path
    version: str


def ask(program: str | Path) -> Python | None:
    """Path and version of an interpreter as it tells them itself; None if it cannot be run.

    It may be a shim or a wrapper: the path is that of the interpreter behind it.
    """
    try:
        done = subprocess.run(
            [str(program), "-c", _ASK], env=environ(), capture_output=True, text=True, timeout=60
        )
        path, version = json.loads(done.stdout)
    except (OSError, subprocess.TimeoutExpired, ValueError):
        return None
    return Python(Path(path), version) if done.returncode == 0 and path else None


def choose(wanted: str | None, ranges: tuple[str, ...]) -> Python:
    """An interpreter in all the ranges of versions.

    Parameters
    ----------
    wanted : str, optional
        A path, a program such as ``python3.10``, or a version such as ``3.10``; else ours if it
        will do, or the newest on the path that does.
    ranges : tuple of str
        As in ``">=3.9,<3.13"``.

    Raises
    ------
    EnvironmentUnusable
        If the one that is wanted will not do, or none is found.
    """
    allowed = _specifiers((OLDEST, *ranges))
    if wanted is not None:
        named = f"python{wanted}" if wanted.replace(".", "").isdigit() else wanted
        found = ask(named)
        if found is None:
            raise EnvironmentUnusable(
                f"--python {wanted}: {named} is no Python that can be run", "give its whole path"
            )
        if not allowed.contains(found.version, prereleases=True):
            raise EnvironmentUnusable(
                f"--python {wanted} is Python {found.version}; allowed: {allowed}"
            )
        return found
    for candidate in _candidates():
        found = ask(candidate)
        if found and allowed.contains(found.version, prereleases=True):
            return found
    raise EnvironmentUnusable(
        f"no Python {allowed} is on the path", "name one: --python /path/to/python"
    )


def _candidates() -> Iterator[str]:
    yield sys.executable
    for minor in reversed(_KNOWN_MINORS):
        found = shutil.which(f"python3.{minor}")
        if found:
            yield found


def _specifiers(ranges: tuple[str, ...]) -> SpecifierSet:
    try:
        return SpecifierSet(",".join(part for part in ranges if part))
    except InvalidSpecifier as error:
        raise EnvironmentUnusable(f"a recipe's range of Pythons cannot be read: {error}") from None
