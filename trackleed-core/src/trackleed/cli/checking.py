"""``trackleed backends check``: whether a backend keeps to its contract."""

from __future__ import annotations

from pathlib import Path

import click
from rich.console import Console
from rich.markup import escape

from trackleed.cli.options import complete_name
from trackleed.errors import BackendFailed
from trackleed.params import parse_settings

_MARKS = {"passed": "[green]✓[/green]", "failed": "[red]✗[/red]", "not asked": "[dim]–[/dim]"}


@click.command(short_help="Whether a backend keeps to its contract.")
@click.argument("name", metavar="[KIND:]NAME[@ENV]", shell_complete=complete_name)
@click.option(
    "--set", "settings", multiple=True, metavar="OPTION=VALUE", help="An option of the backend."
)
@click.option("--only", multiple=True, metavar="CHECK", help="Only this check. Repeatable.")
@click.option(
    "--untrained",
    is_flag=True,
    help="Its weights are random: ask only for the form of what it yields.",
)
@click.option(
    "--sample",
    type=click.Path(exists=True, path_type=Path),
    help="Readers: a file or folder that it opens.",
)
def check(
    name: str, settings: tuple[str, ...], only: tuple[str, ...], untrained: bool, sample: Path
) -> None:
    """Run small series with known truth through a backend, one check after another."""
    from trackleed.testing.running import chosen, run, subject

    options = parse_settings(f"backend.{text}" for text in settings).get("backend", {})
    tested = subject(name, options=options, trained=not untrained, sample=sample)
    console = Console()
    failed = []
    for result in run(tested, chosen(tested, only)):
        failed += [result.check.name] * (result.outcome == "failed")
        reason = f": {escape(result.reason)}" if result.reason else ""
        console.print(
            f"{_MARKS[result.outcome]} {result.check.name:<18} {escape(result.check.meaning)}"
            f" [dim]({result.seconds:.1f} s)[/dim]{reason}",
            soft_wrap=True,
            highlight=False,
        )
    if failed:
        raise BackendFailed(
            f"{tested.backend.label} does not keep to its contract: {', '.join(failed)}",
            f"one alone: trackleed backends check {name} --only {failed[0]}",
        )
