"""What is installed: discovery, look-up and loading of backends.

Discovery imports the light modules that packages register, and nothing that a
backend needs. A package that cannot be imported, that misspells a hook or that
yields something odd is listed with the reason and left out; the others work on.
"""

from __future__ import annotations

import importlib
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from difflib import get_close_matches
from fnmatch import fnmatchcase
from functools import cached_property
from importlib.metadata import EntryPoint, entry_points
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pluggy

from trackleed import hooks
from trackleed.backend import API, KINDS, BackendSpec, Kind
from trackleed.errors import (
    OF_ADAPTERS,
    BackendFailed,
    BackendNotFound,
    BackendNotReady,
    InputError,
    ParamsError,
)
from trackleed.params import Params, make
from trackleed.recipe import Recipe
from trackleed_kit.errors import KitError

# What foreign code may raise without ending the program; a plugin's sys.exit() is a mistake too.
BROKEN = (Exception, SystemExit)

DISABLE = "TRACKLEED_DISABLE_PLUGINS"
"""Environment variable: entry points to leave out, separated by commas."""


@dataclass(frozen=True)
class Backend:
    """One registered backend and where it comes from."""

    kind: Kind
    spec: BackendSpec
    dist: str
    version: str

    @property
    def address(self) -> str:
        """``dist:name``, which is unique."""
        return f"{self.dist}:{self.spec.name}"

    @property
    def label(self) -> str:
        """How messages name it."""
        return f"{self.kind} {self.spec.name!r}"

    @property
    def env(self) -> str | None:
        """Name of the environment that it runs in; None for this process."""
        return None

    @cached_property
    def missing(self) -> tuple[str, ...]:
        """Modules that it needs and that are not installed."""
        return tuple(name for name in self.spec.requires if not _installed(name))

    @property
    def state(self) -> str:
        """``"ready"``, or what is missing and the command that mends it."""
        if not self.missing:
            return "ready"
        mend = f": {self.spec.install}" if self.spec.install else ""
        return f"missing {', '.join(self.missing)}{mend}"

    def make(self, **options: Any) -> Any:
        """Import the backend and make it with these options.

        Raises
        ------
        ParamsError
            If an option is unknown or out of range.
        BackendNotReady
            If something it needs is not installed.
        BackendFailed
            If it cannot be imported or made.
        """
        params = self.params(**options)
        if self.missing:
            raise BackendNotReady(
                f"{self.label} needs {', '.join(self.missing)}, not installed here",
                self.spec.install or None,
            )
        module, _, attribute = self.spec.factory.partition(":")
        try:
            return getattr(importlib.import_module(module), attribute)(params)
        except ParamsError:
            raise
        except KitError as error:
            meant = OF_ADAPTERS[type(error).__name__]
            raise meant(f"{self.label}: {error.message}", error.hint) from error
        except BROKEN as error:
            raise BackendFailed(
                f"{self.label} of {self.dist} could not be loaded from "
                f"{self.spec.factory}: {type(error).__name__}: {error}"
            ) from error

    def params(self, **options: Any) -> Params:
        """Its options, checked, with the defaults filled in."""
        return make(self.spec.params, options, self.spec.name)


@dataclass(frozen=True)
class Problem:
    """A package that could not be used, or not wholly."""

    dist: str
    entry_point: str
    reason: str


@dataclass
class Registry:
    """The backends that were found, and the packages that failed."""

    backends: list[Backend] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)

    @classmethod
    def discover(cls) -> Registry:
        """Look through everything that is installed in this environment."""
        registry = cls()
        blocked = {name.strip() for name in os.environ.get(DISABLE, "").split(",")}
        seen: set[tuple[str, str]] = set()
        for entry in sorted(entry_points(group=hooks.GROUP), key=lambda e: (e.name, e.value)):
            dist = entry.dist.name if entry.dist else "unknown"
            if entry.name in blocked or (dist, entry.name) in seen:
                continue
            seen.add((dist, entry.name))  # one distribution may be listed twice on sys.path
            registry._add(entry, dist, entry.dist.version if entry.dist else "")
        return registry

    def of_kind(self, kind: Kind) -> list[Backend]:
        """All backends of one kind, in the order of their names."""
        return sorted((b for b in self.backends if b.kind == kind), key=lambda b: b.spec.name)

    def find(self, kind: Kind, name: str) -> Backend:
        """The backend called ``name`` or ``dist:name``.

        Raises
        ------
        BackendNotFound
            If there is none, or if a bare name has several providers.
        """
        found = [b for b in self.of_kind(kind) if name in (b.spec.name, b.address)]
        if len(found) == 1:
            return found[0]
        if not found:
            known = ", ".join(b.spec.name for b in self.of_kind(kind)) or "none"
            raise BackendNotFound(
                f"no {kind} is called {name!r}; installed: {known}", "see: trackleed backends"
            )
        providers = " or ".join(f"{b.address} ({b.version})" for b in found)
        raise BackendNotFound(f"{len(found)} packages have a {kind} {name!r}", f"say {providers}")

    def reader_for(self, path: Path) -> Backend:
        """The reader for a file, a folder, or a path with wildcards.

        The longest pattern that fits decides, so that ``*.ome.tif`` comes before ``*.tif``.

        Raises
        ------
        InputError
            If there is nothing at ``path``, or no reader for its ending.
        BackendNotFound
            If several readers have an equal claim.
        """
        wildcards = not path.exists() and any(c in str(path) for c in "*?[")
        if not path.exists() and not wildcards:
            raise InputError(f"{path} does not exist", _similar(path))
        # A container that is a folder, such as NAME.zarr, may have a pattern of its own: "*.zarr/".
        name = "/" if wildcards else path.absolute().name.lower() + "/" * path.is_dir()
        claims = [
            (len(pattern), reader)
            for reader in self.of_kind("reader")
            for pattern in reader.spec.patterns
            if fnmatchcase(name, pattern.lower())
        ]
        if not claims:
            known = sorted({p for r in self.of_kind("reader") for p in r.spec.patterns})
            raise InputError(
                f"no reader for {path}; there are readers for {', '.join(known) or 'nothing'}"
            )
        best = max(length for length, _ in claims)
        found = {r.address: r for length, r in claims if length == best}
        if len(found) > 1:
            names = " or ".join(found)
            raise BackendNotFound(f"{len(found)} readers open {path}", f"say --reader {names}")
        return next(iter(found.values()))

    def _add(self, entry: EntryPoint, dist: str, version: str) -> None:
        # A manager for each package: pluggy stops a whole call at the first
        # exception, and one package's mistake is not another's.
        manager = pluggy.PluginManager(hooks.GROUP)
        manager.add_hookspecs(hooks)
        try:
            manager.register(entry.load(), entry.name)
            manager.check_pending()
        except BROKEN as error:
            self._report(entry, dist, error)
            return
        if not manager.get_hookcallers(manager.get_plugin(entry.name)):
            self._report(entry, dist, "registers no backend: it implements no hook of trackleed")
        for kind in KINDS:
            try:
                for spec in _specs(manager, kind):
                    self._add_spec(entry, dist, version, kind, spec)
            except BROKEN as error:
                self._report(entry, dist, error)

    def _add_spec(self, entry: EntryPoint, dist: str, version: str, kind: Kind, spec: Any) -> None:
        if not isinstance(spec, BackendSpec):
            self._report(entry, dist, f"yields {spec!r} as a {kind}, not a BackendSpec")
        elif fault := _fault(spec):
            self._report(entry, dist, f"{kind} {spec.name!r} {fault}")
        elif any(b.kind == kind and b.address == f"{dist}:{spec.name}" for b in self.backends):
            self._report(entry, dist, f"has two {kind}s called {spec.name!r}; the first is kept")
        else:
            self.backends.append(Backend(kind, spec, dist, version))

    def _report(self, entry: EntryPoint, dist: str, reason: BaseException | str) -> None:
        if isinstance(reason, BaseException):
            reason = " ".join(f"{type(reason).__name__}: {reason}".split())  # listed in one line
        self.problems.append(Problem(dist, f"{entry.name} = {entry.value}", reason))


def _similar(path: Path) -> str | None:
    """What stands beside a path that does not exist, and is called nearly the same."""
    folder = path.parent
    if not folder.is_dir():
        return f"nor does the folder {folder}"
    near = get_close_matches(path.name, sorted(p.name for p in folder.iterdir()))
    return f"did you mean {' or '.join(str(folder / name) for name in near)}" if near else None


def _specs(manager: pluggy.PluginManager, kind: Kind) -> Iterator[Any]:
    for yielded in getattr(manager.hook, f"trackleed_{kind}s")():
        yield from yielded


def _fault(spec: BackendSpec) -> str:
    """Why a description cannot be used, empty if it can."""
    if spec.api > API:
        return f"needs contract {spec.api}, this trackleed has {API}"
    # Colon and at sign have a meaning in dist:name and name@env.
    if not isinstance(spec.name, str) or not re.fullmatch("[a-z0-9][a-z0-9-]*", spec.name):
        return "is not named in lower-case letters, digits and hyphens"
    if not (isinstance(spec.params, type) and issubclass(spec.params, Params)):
        return f"has {spec.params!r} as options, not a subclass of Params"
    if not (spec.recipe is None or isinstance(spec.recipe, Recipe)):
        return f"has {spec.recipe!r} as recipe, not a Recipe"
    if isinstance(spec.requires, str):
        return f"requires {spec.requires!r}, which must be a tuple of module names"
    return ""


def _installed(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except (ImportError, ValueError):
        return False
