"""``trackleed backends``: what is installed, whether it is ready, and its options."""

from __future__ import annotations

import json
from typing import Any

import click
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from trackleed.backend import KINDS
from trackleed.cli.options import json_option
from trackleed.errors import BackendNotFound
from trackleed.params import Params, describe
from trackleed.registry import Backend, Registry


@click.group(invoke_without_command=True, short_help="What is installed, and its options.")
@json_option
@click.pass_context
def backends(ctx: click.Context, as_json: bool) -> None:
    """List the installed readers, detectors, trackers, refiners and exporters."""
    if ctx.invoked_subcommand is None:
        registry = Registry.discover()
        print_json(registry) if as_json else print_table(registry)


def step_options() -> dict[str, type[Params]]:
    """Options of the steps that are no backend's, by the kind that ``--set`` calls them."""
    from trackleed.pipeline.analysing import AnalysisParams
    from trackleed.pipeline.importing import ImportParams

    return {"import": ImportParams, "analysis": AnalysisParams}


def complete_name(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    """Names of all backends that begin so."""
    names = {b.spec.name for b in Registry.discover().backends}
    return sorted(name for name in names if name.startswith(incomplete))


@backends.command(short_help="One backend and its options.")
@click.argument("name", shell_complete=complete_name)
@json_option
def show(name: str, as_json: bool) -> None:
    """Show one backend and its options; or those of the steps "import" and "analysis"."""
    if name in ("import", "analysis"):
        model = step_options()[name]
        if as_json:
            click.echo(json.dumps([{"kind": name, "options": describe(model)}]))
        else:
            _print_options(Console(), name, model)
        return
    registry = Registry.discover()
    found = [b for b in registry.backends if name in (b.spec.name, b.address)]
    if not found:
        known = ", ".join(sorted({b.spec.name for b in registry.backends}))
        raise BackendNotFound(f"no backend is called {name!r}; installed: {known}")
    if as_json:
        click.echo(json.dumps([_record(b) | {"options": describe(b.spec.params)} for b in found]))
        return
    for backend in found:
        _print_one(backend)


def print_table(registry: Registry) -> None:
    """The list for people, packages that failed at the end."""
    console = Console()
    table = Table(box=None, header_style="bold", pad_edge=False)
    for heading in ("kind", "name", "package", "state", "what it does"):
        table.add_column(heading, overflow="fold")
    for kind in KINDS:
        for b in registry.of_kind(kind):
            colour = "green" if b.state == "ready" else "yellow"
            state = f"[{colour}]{escape(b.state)}[/{colour}]"
            table.add_row(kind, b.spec.name, f"{b.dist} {b.version}", state, escape(b.spec.summary))
    console.print(table)
    for p in registry.problems:
        console.print(
            f"[red]not used[/red]: {p.entry_point} of {p.dist}: {p.reason}", soft_wrap=True
        )


def print_json(registry: Registry) -> None:
    """The list for programs."""
    problems = [vars(p) for p in registry.problems]
    records = [_record(b) for kind in KINDS for b in registry.of_kind(kind)]
    click.echo(json.dumps({"backends": records, "problems": problems}))


def _record(b: Backend) -> dict[str, Any]:
    return {
        "kind": b.kind,
        "name": b.spec.name,
        "package": b.dist,
        "version": b.version,
        "state": b.state,
        "ready": not b.missing,
        "summary": b.spec.summary,
        "family": b.spec.family,
        "licence": b.spec.licence,
        "citation": b.spec.citation,
    }


def _print_one(b: Backend) -> None:
    console = Console()
    console.print(f"[bold]{b.kind} {b.spec.name}[/bold] ({b.dist} {b.version}): {b.state}")
    console.print(escape(b.spec.summary))
    if b.spec.citation:
        console.print(f"cite: {escape(b.spec.citation)}")
    _print_options(console, b.kind, b.spec.params)


def _print_options(console: Console, kind: str, model: type[Params]) -> None:
    options = describe(model)
    if not options:
        console.print("It has no options.")
        return
    table = Table(box=None, header_style="bold", pad_edge=False)
    for heading in ("option", "type", "default", "unit", "range", "meaning"):
        table.add_column(heading, overflow="fold")
    for o in options:
        cells = (o["name"], o["type"], str(o["default"]), o["unit"], o["range"], o["help"])
        table.add_row(*map(escape, cells))
    console.print(table)
    console.print(f"Set one with: --set {kind}.{options[0]['name']}=VALUE", highlight=False)
