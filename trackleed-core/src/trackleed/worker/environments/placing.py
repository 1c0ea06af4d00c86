"""Where a backend is run: in this process, or in a worker of an environment."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from trackleed.backend import Kind
from trackleed.errors import BackendNotReady
from trackleed.registry import Backend, Registry
from trackleed.worker.environments.looking import create_command, readiness
from trackleed.worker.environments.model import Environment, find_environment


@dataclass(frozen=True)
class Place:
    """A backend and where it runs."""

    backend: Backend
    environment: Environment | None
    """None for this process."""
    note: str = ""
    """What the user should be told, where it was not they who chose."""


def split_address(address: str) -> tuple[str, str | None]:
    """``"cutie@vos"`` as ``("cutie", "vos")``; a name alone as ``(name, None)``."""
    name, at, environment = address.partition("@")
    return name, environment if at else None


def place(
    registry: Registry,
    kind: Kind,
    address: str,
    environments: Callable[[], Mapping[str, Environment]],
) -> Place:
    """Find a backend and where to run it.

    Parameters
    ----------
    registry : Registry
        What is installed here.
    kind : str
        Kind of the backend.
    address : str
        ``name``, ``dist:name``, ``name@env`` or ``dist:name@env``.
    environments : callable
        Gives them, as `load_environments` does; asked only if the backend may need one, so that
        a damaged ``envs.toml`` stops nothing that runs in this process.

    Returns
    -------
    Place
        With the one environment that has all it needs, where none is named and it cannot run
        in this process.

    Raises
    ------
    BackendNotFound
        If there is no such backend.
    EnvironmentNotFound
        If there is no such environment.
    BackendNotReady
        If it runs only in a worker, and no environment has all it needs, or several have.
    """
    name, chosen = split_address(address)
    backend = registry.find(kind, name)
    if chosen is not None:
        return Place(backend, find_environment(environments(), chosen))
    if backend.spec.runs_in == "host" and (not backend.missing or not backend.spec.recipe):
        return Place(backend, None)
    known = environments()
    found = readiness(backend, known)
    if len(found.environments) == 1:
        only = found.environments[0]
        note = f"{backend.label} runs in environment {only!r}, the only one that has it"
        return Place(backend, known[only], note)
    if found.environments:
        names = " or ".join(f"{name}@{environment}" for environment in found.environments)
        raise BackendNotReady(
            f"{backend.label} runs in a worker, and {len(found.environments)} environments have it",
            f"say {names}",
        )
    if any(backend.spec.name in e.backends for e in known.values()):
        raise BackendNotReady(f"{backend.label} is not ready {found.text}")
    raise BackendNotReady(
        f"{backend.label} runs in a worker, and no environment has what it needs",
        create_command(backend.spec),
    )
