"""``trackleed envs``: environments for backends that run in workers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from trackleed.cli.environments import (
    checkout_option,
    checkpoints_option,
    device_option,
    fetch_for,
    file_for,
    for_option,
    given_fields,
    missing_in,
    name_argument,
    named_with_specs,
    plan_of,
    project_option,
    specs_of,
    tell_missing,
    watched,
)
from trackleed.cli.options import json_option
from trackleed.errors import InputError
from trackleed.registry import Registry
from trackleed.worker.environments import find_environment, load_environments, user_file


@click.group(invoke_without_command=True, short_help="Environments that backends run in.")
@click.pass_context
def envs(ctx: click.Context) -> None:
    """Environments for backends that do not run in trackleed's own.

    \b
    For example:
        trackleed envs create cutie --for cutie
        trackleed envs check cutie
        trackleed run frames/ a.trackleed --tracker cutie@cutie
    """
    if ctx.invoked_subcommand is None:
        ctx.invoke(list_)


@envs.command("list")
@json_option
def list_(as_json: bool = False) -> None:
    """List the environments of this folder and of the user."""
    environments = load_environments(Path())
    if as_json:
        records = [environment.model_dump(mode="json") for environment in environments.values()]
        click.echo(json.dumps(records))
        return
    if not environments:
        click.echo(f"none yet, in ./envs.toml or {user_file()}")
        click.echo("make one with: trackleed envs create NAME --for BACKEND")
        return
    table = Table(box=None, header_style="bold", pad_edge=False)
    for heading in ("name", "for", "ready", "device", "python", "listed in"):
        table.add_column(heading, overflow="fold")
    specs = {b.spec.name: b.spec for b in Registry.discover().backends}
    missing = []
    for name, environment in environments.items():
        found = missing_in(environment, [specs[b] for b in environment.backends if b in specs])
        missing += [f"{name}: {lack}" for lack in found]
        place = str(environment.python or environment.address)
        made_for, ready = ", ".join(environment.backends), "no" if found else "yes"
        cells = (name, made_for, ready, environment.device, place, str(environment.source))
        table.add_row(*map(escape, cells))
    Console().print(table)
    for line in missing:
        click.echo(f"not ready: {line}")


@envs.command()
@click.argument("name")
@for_option
@click.option("--python", metavar="P", help="Path, program or version of the Python to use.")
@click.option(
    "--with",
    "tool",
    type=click.Choice(["venv", "uv"]),
    default="venv",
    help="What makes it and installs (default: venv, with pip).",
)
@click.option(
    "--folder",
    type=click.Path(path_type=Path),
    help="Where to make it (default: with the user's data).",
)
@checkout_option
@checkpoints_option
@device_option
@click.option("--fetch", is_flag=True, help="Also fetch checkouts and checkpoints.")
@project_option
def create(name: str, backends: tuple[str, ...], fetch: bool, **flags: Any) -> None:
    """Make an environment and install what a backend requires.

    Checkouts and checkpoints are fetched only with --fetch; otherwise the commands that fetch
    them are printed. For an environment that is there already, see: trackleed envs add
    """
    from trackleed.worker.environments import building

    specs = specs_of(backends)
    if not specs:
        raise InputError("envs create needs a backend", "as in: --for cutie")
    for spec in specs:
        if spec.recipe is None:
            raise InputError(
                f"{spec.name} has no recipe to make an environment from",
                f"list one of yours: trackleed envs add {name} --for {spec.name} --python PATH",
            )
    with watched() as tell:
        environment = building.make(plan_of(name, specs, flags), tell)
    click.echo(f"made {name}: {environment.python}, listed in {environment.source}")
    if fetch:
        fetch_for(environment, specs)
    tell_missing(environment, specs)


@envs.command()
@click.argument("name")
@click.option("--python", required=True, metavar="P", help="Its Python: a path or a program.")
@for_option
@checkout_option
@checkpoints_option
@device_option
@project_option
def add(name: str, backends: tuple[str, ...], **flags: Any) -> None:
    """List an environment that is there already, such as one of conda; nothing is installed."""
    from trackleed.worker.environments import building, pythons, registering

    specs = specs_of(backends)
    file = file_for(flags["project"])
    registering.check_entry(name, {}, file)
    found = pythons.choose(flags["python"], ())
    fields = {**building.usual_fields(specs), **given_fields(specs, flags)}
    environment = registering.add_entry(file, name, {"python": found.path, **fields})
    click.echo(f"added {name}: {environment.python}, Python {found.version}, listed in {file}")
    tell_missing(environment, specs)


@envs.command()
@name_argument
@for_option
def install(name: str, backends: tuple[str, ...]) -> None:
    """Install what a backend requires into an environment that is there."""
    from trackleed.worker.environments import building, registering

    environment, specs = named_with_specs(name, backends)
    log = building.usual_folder(name).with_name(f"{name}.log")
    log.parent.mkdir(parents=True, exist_ok=True)
    with watched() as tell:
        building.install(environment.interpreter, building.requirements(specs), log, tell)
    usual = building.usual_fields(specs)
    changed = registering.change_entry(
        environment,
        backends=list(dict.fromkeys([*environment.backends, *usual["backends"]])),
        checkouts={**usual["checkouts"], **environment.checkouts},
        checkpoints=environment.checkpoints or usual["checkpoints"],
        variables={**usual["variables"], **environment.variables},
    )
    tell_missing(changed, specs)


@envs.command()
@name_argument
@for_option
def fetch(name: str, backends: tuple[str, ...]) -> None:
    """Fetch the checkouts and checkpoints that an environment lacks for a backend."""
    environment, specs = named_with_specs(name, backends)
    fetch_for(environment, specs)
    tell_missing(find_environment(load_environments(Path()), name), specs)


@envs.command()
@name_argument
@for_option
@json_option
def check(name: str, backends: tuple[str, ...], as_json: bool) -> None:
    """Start an environment's Python and say what is missing, each with what mends it."""
    from trackleed.cli.progress import progress_bars
    from trackleed.worker.environments.checking import Finding, check

    environment, specs = named_with_specs(name, backends)
    findings: list[Finding] = []
    with progress_bars(quiet=as_json) as progress:
        for finding in check(environment, specs, progress):
            findings.append(finding)
            if not as_json:
                sign = click.style("ok  ", fg="green") if finding.ok else click.style("no  ", "red")
                click.echo(f"{sign}{finding.text}")
                if finding.mend:
                    click.echo(f"    mend it: {finding.mend}")
    if as_json:
        click.echo(json.dumps([vars(finding) for finding in findings]))
    if not all(finding.ok for finding in findings):
        raise SystemExit(1)


@envs.command()
@name_argument
@click.option("--yes", is_flag=True, help="Do not ask.")
def remove(name: str, yes: bool) -> None:
    """Take an environment off the list; one that trackleed made is deleted, after asking."""
    from trackleed.worker.environments import building

    environment = find_environment(load_environments(Path()), name)
    folder = building.made_folder(environment)
    question = (
        f"delete {folder}?" if folder else f"take {name} off the list? {environment.python} stays"
    )
    if not yes:
        click.confirm(question, abort=True)
    deleted = building.remove(environment)
    click.echo(f"removed {name}" + (f" and {deleted}" if deleted else ""))
