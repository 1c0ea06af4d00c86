"""What the commands of ``trackleed envs`` share."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from rich.console import Console
from rich.markup import escape

from trackleed.backend import BackendSpec
from trackleed.errors import BackendNotFound, InputError
from trackleed.registry import Registry
from trackleed.worker.environments import (
    FILE,
    Environment,
    find_environment,
    lacks,
    lacks_kit,
    load_environments,
    readable_environments,
    user_file,
)

if TYPE_CHECKING:
    from trackleed.worker.environments.building import Plan
    from trackleed.worker.environments.commands import Tell


def complete_environment(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    """Names of environments that begin as typed."""
    found, _ = readable_environments(Path())
    return [name for name in sorted(found) if name.startswith(incomplete)]


def complete_hosted(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    """Backends that have a recipe, or run in a worker anyway."""
    found = (b.spec for b in Registry.discover().backends)
    names = {spec.name for spec in found if spec.recipe or spec.runs_in == "worker"}
    return sorted(name for name in names if name.startswith(incomplete))


name_argument = click.argument("name", shell_complete=complete_environment)
for_option = click.option(
    "--for",
    "backends",
    multiple=True,
    metavar="BACKEND",
    shell_complete=complete_hosted,
    help="A backend that it is for; repeatable.",
)
project_option = click.option(
    "--project", is_flag=True, help="List it in ./envs.toml instead of the user's."
)
checkout_option = click.option(
    "--checkout",
    "checkouts",
    multiple=True,
    metavar="[NAME=]PATH",
    help="A checkout of an upstream repository that is there already; repeatable.",
)
checkpoints_option = click.option(
    "--checkpoints",
    type=click.Path(path_type=Path),
    metavar="FOLDER",
    help="Where checkpoint files are, or are to be.",
)
device_option = click.option("--device", help="auto (default), cpu, cuda, cuda:1, mps.")


def specs_of(names: Sequence[str]) -> list[BackendSpec]:
    """The backends of these names, of whatever kind.

    Raises
    ------
    BackendNotFound
        If there is none of a name, or several.
    """
    registry = Registry.discover()
    return [_spec_of(registry, name) for name in dict.fromkeys(names)]


def _spec_of(registry: Registry, name: str) -> BackendSpec:
    found = [b for b in registry.backends if name in (b.spec.name, b.address)]
    if not found:
        known = ", ".join(sorted({b.spec.name for b in registry.backends})) or "none"
        raise BackendNotFound(
            f"no backend is called {name!r}; installed: {known}", "see: trackleed backends"
        )
    if len(found) > 1:
        providers = " or ".join(b.address for b in found)
        raise BackendNotFound(f"{len(found)} backends are called {name!r}", f"say {providers}")
    return found[0].spec


def named_with_specs(name: str, backends: Sequence[str]) -> tuple[Environment, list[BackendSpec]]:
    """An environment, and the backends named, or else those that it was made for."""
    environment = find_environment(load_environments(Path()), name)
    return environment, specs_of(backends or environment.backends)


def file_for(project: bool) -> Path:
    """The ``envs.toml`` to write to."""
    return Path(FILE).absolute() if project else user_file()


def given_fields(specs: Sequence[BackendSpec], flags: dict[str, Any]) -> dict[str, Any]:
    """Fields of an entry that the options say."""
    from trackleed.worker.environments.building import usual_fields

    fields: dict[str, Any] = {}
    if flags["checkouts"]:
        usual = usual_fields(specs)["checkouts"]
        fields["checkouts"] = {**usual, **_checkouts(flags["checkouts"], list(usual))}
    if flags["checkpoints"]:
        fields["checkpoints"] = flags["checkpoints"].expanduser().absolute()
    if flags["device"]:
        fields["device"] = flags["device"]
    return fields


def _checkouts(given: Sequence[str], known: list[str]) -> dict[str, Path]:
    """``["tapnet=/src/tapnet"]`` by name; the name may be left out where there is only one."""
    allowed = ", ".join(known) or "none"
    found = {}
    for text in given:
        name, equals, path = text.rpartition("=")
        if not equals and len(known) != 1:
            raise InputError(
                f"--checkout {text}: say of what, as in NAME={text}; allowed: {allowed}"
            )
        name = name or known[0]
        if name not in known:
            raise InputError(
                f"--checkout {text}: no upstream is called {name!r}; allowed: {allowed}"
            )
        folder = Path(path).expanduser().absolute()
        if not folder.is_dir():
            raise InputError(f"--checkout {text}: {folder} is no folder")
        found[name] = folder
    return found


def plan_of(name: str, specs: list[BackendSpec], flags: dict[str, Any]) -> Plan:
    """What is to be made, as the options say; all that can be wrong with them is found here."""
    from trackleed.worker.environments import building, pythons, registering

    file = file_for(flags["project"])
    fields = given_fields(specs, flags)
    registering.check_entry(name, fields, file)
    ranges = tuple(spec.recipe.python for spec in specs if spec.recipe)
    return building.Plan(
        name=name,
        specs=specs,
        python=pythons.choose(flags["python"], ranges),
        file=file,
        folder=(flags["folder"] or building.usual_folder(name)).expanduser().absolute(),
        tool=flags["tool"],
        fields=fields,
    )


def fetch_for(environment: Environment, specs: Sequence[BackendSpec]) -> None:
    """Fetch what an environment lacks, with bars."""
    from trackleed.cli.progress import progress_bars
    from trackleed.worker.environments.fetching import fetch_checkouts, fetch_checkpoints

    with watched() as tell:
        environment = fetch_checkouts(environment, specs, tell)
    with progress_bars() as progress:
        for file, sha256 in fetch_checkpoints(environment, specs, progress):
            click.echo(f"fetched {file}, sha256 {sha256}")


def tell_missing(environment: Environment, specs: Sequence[BackendSpec]) -> None:
    """What is still missing, each with the command that fetches it by hand."""
    from trackleed.worker.environments.fetching import by_hand

    for spec in specs:
        found = lacks(spec, environment)
        if not found:
            click.echo(f"{spec.name} is ready: {spec.name}@{environment.name}")
        for lack in found:
            click.echo(f"{spec.name} still needs: {lack}")
        for command in by_hand(environment, spec):
            click.echo(f"    or by hand: {command}")


def missing_in(environment: Environment, specs: Sequence[BackendSpec]) -> list[str]:
    """What an environment lacks for the backends that it was made for, each said once."""
    found = lacks_kit(environment) or [lack for spec in specs for lack in lacks(spec, environment)]
    return list(dict.fromkeys(map(str, found)))


@contextmanager
def watched() -> Iterator[Tell]:
    """Show what a command is at: its newest line where it overwrites itself, else stages."""
    console = Console(stderr=True)
    shown: list[str] = []

    def tell(stage: str, line: str) -> None:
        if stage not in shown:
            shown.append(stage)
            console.print(stage, highlight=False, markup=False)
        status.update(escape(line[: console.width - 4]) or " ")  # rich ignores an empty text

    with console.status("") as status:
        yield tell
