"""``trackleed backends``: what is installed, whether it is ready, and its options."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from trackleed.backend import KINDS
from trackleed.cli.checking import check
from trackleed.cli.options import complete_name, json_option
from trackleed.errors import BackendNotFound, TrackleedError
from trackleed.params import Params, describe
from trackleed.recipe import Recipe
from trackleed.registry import Backend, Registry
from trackleed.worker.environments import Environment, readable_environments, readiness


@click.group(invoke_without_command=True, short_help="What is installed, and its options.")
@json_option
@click.pass_context
def backends(ctx: click.Context, as_json: bool) -> None:
    """List the installed readers, detectors, trackers, refiners and exporters."""
    if ctx.invoked_subcommand is None:
        registry, (environments, damaged) = Registry.discover(), readable_environments(Path())
        show_all = print_json if as_json else print_table
        show_all(registry, environments, list(map(_in_one_line, damaged)))


backends.add_command(check)


def step_options() -> dict[str, type[Params]]:
    """Options of the steps that are no backend's, by the kind that ``--set`` calls them."""
    from trackleed.pipeline.analysing import AnalysisParams
    from trackleed.pipeline.importing import ImportParams

    return {"import": ImportParams, "analysis": AnalysisParams}


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
    environments, damaged = readable_environments(Path())
    for error in damaged:
        click.echo(f"not used: {_in_one_line(error)}", err=True)
    if as_json:
        records = [
            _record(b, environments)
            | {
                "options": describe(b.spec.params),
                "recipe": b.spec.recipe and asdict(b.spec.recipe),
            }
            for b in found
        ]
        click.echo(json.dumps(records))
        return
    for backend in found:
        _print_one(backend, environments)


def print_table(
    registry: Registry, environments: Mapping[str, Environment], damaged: list[str]
) -> None:
    """The list for people; what is missing and what failed at the end, to be copied."""
    console, missing = Console(), []
    table = Table(box=None, header_style="bold", pad_edge=False)
    for heading in ("kind", "name", "package", "ready", "what it does"):
        table.add_column(heading, overflow="fold")
    for kind in KINDS:
        for b in registry.of_kind(kind):
            found = readiness(b, environments)
            colour = "green" if found.ready else "yellow"
            state = f"[{colour}]{escape(found.short)}[/{colour}]"
            if not found.ready:
                missing.append(f"{b.label}: {found.text}")
            table.add_row(kind, b.spec.name, f"{b.dist} {b.version}", state, escape(b.spec.summary))
    console.print(table)
    for line in missing:
        console.print(
            f"[yellow]not ready[/yellow]: {escape(line)}", soft_wrap=True, highlight=False
        )
    for p in registry.problems:
        console.print(
            f"[red]not used[/red]: {p.entry_point} of {p.dist}: {p.reason}", soft_wrap=True
        )
    for text in damaged:
        console.print(f"[red]not used[/red]: {escape(text)}", soft_wrap=True, highlight=False)


def print_json(
    registry: Registry, environments: Mapping[str, Environment], damaged: list[str]
) -> None:
    """The list for programs."""
    problems = [vars(p) for p in registry.problems]
    records = [_record(b, environments) for kind in KINDS for b in registry.of_kind(kind)]
    click.echo(json.dumps({"backends": records, "problems": problems, "damaged": damaged}))


def _in_one_line(error: TrackleedError) -> str:
    text = f"{error.message} — {error.hint}" if error.hint else error.message
    return " ".join(text.split())


def _record(b: Backend, environments: Mapping[str, Environment]) -> dict[str, Any]:
    found = readiness(b, environments)
    return {
        "kind": b.kind,
        "name": b.spec.name,
        "package": b.dist,
        "version": b.version,
        "state": found.text,
        "ready": found.ready,
        "environments": found.environments,
        "summary": b.spec.summary,
        "family": b.spec.family,
        "licence": b.spec.licence,
        "citation": b.spec.citation,
    }


def _whole_record(b: Backend, environments: Mapping[str, Environment]) -> dict[str, Any]:
    recipe = b.spec.recipe and asdict(b.spec.recipe)
    return _record(b, environments) | {"options": describe(b.spec.params), "recipe": recipe}


def _print_one(b: Backend, environments: Mapping[str, Environment]) -> None:
    console = Console()
    state = escape(readiness(b, environments).text)
    title = f"[bold]{b.kind} {b.spec.name}[/bold] ({b.dist} {b.version})"
    console.print(f"{title}: {state}", soft_wrap=True)
    console.print(escape(b.spec.summary))
    if b.spec.recipe:
        for line in recipe_lines(b.spec.recipe, b.spec.licence):
            console.print(escape(line), soft_wrap=True, highlight=False)
    if b.spec.citation:
        console.print(f"cite: {escape(b.spec.citation)}")
    _print_options(console, b.kind, b.spec.params)


def recipe_lines(recipe: Recipe, licence: str) -> list[str]:
    """What a backend's environment needs, and on what terms."""
    lines = [f"code: {licence or 'no licence given'}; {_use(recipe.commercial)}"]
    if recipe.python:
        lines.append(f"python: {recipe.python}")
    lines += [f"installs: pip install {line}" for line in recipe.requirements]
    for upstream in recipe.upstreams:
        lines.append(f"checkout: {upstream.repository} at {upstream.commit}")
    for role, choice in recipe.by_role().items():
        for checkpoint in choice:
            terms = f"{checkpoint.licence or 'no licence given'}; {_use(checkpoint.commercial)}"
            size = f", {checkpoint.size / 1e6:.0f} MB" if checkpoint.size else ""
            lines.append(f"{role}: {checkpoint.file}{size}: {terms}; {checkpoint.address}")
            if checkpoint.sha256:
                lines.append(f"    sha256 {checkpoint.sha256}")
    return [*lines, recipe.notes] if recipe.notes else lines


def _use(commercial: bool | None) -> str:
    """Whether something may be used commercially, in words."""
    words = {True: "commercial use allowed", False: "no commercial use"}
    return "commercial use unclear" if commercial is None else words[commercial]


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
