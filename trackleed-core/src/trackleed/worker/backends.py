"""Backends by their address: ``name`` in this process, ``name@env`` in a worker."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trackleed.backend import Kind
from trackleed.errors import BackendNotReady
from trackleed.recipe import Recipe
from trackleed.registry import Backend, Registry
from trackleed.worker.environments import Environment, load_environments, place
from trackleed.worker.environments.looking import import_folders

if TYPE_CHECKING:
    from trackleed.worker.remote import Remote


@dataclass(frozen=True)
class Hosted(Backend):
    """A backend that runs in a worker of an environment."""

    environment: Environment
    note: str = ""
    """What the user should be told, where it was not they who chose."""

    @property
    def env(self) -> str:
        """Name of the environment."""
        return self.environment.name

    @property
    def address(self) -> str:
        """``dist:name@env``, which is unique."""
        return f"{super().address}@{self.env}"

    @property
    def label(self) -> str:
        """How messages name it."""
        return f"{self.kind} '{self.spec.name}@{self.env}'"

    def make(self, **options: Any) -> Remote:
        """The backend, whose worker is started when it is first used.

        Raises
        ------
        ParamsError
            If an option is unknown or out of range.
        EnvironmentUnusable
            If the environment's interpreter is not there.
        BackendNotReady
            If backends of this kind cannot be hosted.
        """
        from trackleed.worker.hosting import Order
        from trackleed.worker.remote import REMOTES

        params = self.params(**options)
        if self.kind not in REMOTES:
            raise BackendNotReady(
                f"{self.label}: a {self.kind} runs in this process only", f"say {self.spec.name}"
            )
        if self.environment.address is None:
            _ = self.environment.interpreter
        recipe = self.spec.recipe or Recipe()
        order = Order(
            self.label,
            self.spec.factory,
            params.model_dump(mode="json"),
            self.environment,
            import_folders(recipe, self.environment),
        )
        return REMOTES[self.kind](order)


def find_backend(
    registry: Registry,
    kind: Kind,
    address: str,
    environments: Mapping[str, Environment] | None = None,
) -> Backend:
    """The backend of an address, to be made here or in a worker.

    Parameters
    ----------
    registry : Registry
    kind : str
    address : str
        ``name``, ``dist:name``, ``name@env`` or ``dist:name@env``.
    environments : mapping of str to Environment, optional
        By default those of ``envs.toml`` in the working directory and of the user, which are read
        only if the backend may need one.

    Raises
    ------
    BackendNotFound, EnvironmentNotFound, BackendNotReady
        As `trackleed.worker.environments.place` does.
    """
    given = environments
    load = partial(load_environments, Path.cwd()) if given is None else lambda: given
    found = place(registry, kind, address, load)
    if found.environment is None:
        return found.backend
    b = found.backend
    return Hosted(b.kind, b.spec, b.dist, b.version, found.environment, found.note)
