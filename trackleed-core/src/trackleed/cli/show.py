"""``trackleed show``: what a session holds, in one screen."""

from __future__ import annotations

import json
from pathlib import Path
from textwrap import wrap
from typing import TYPE_CHECKING, Any

import click
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from trackleed.cli.options import json_option, run_argument

if TYPE_CHECKING:
    from trackleed.session import Session

LABEL = 20
"""Letters that the names of values have."""


@click.command(short_help="What a session holds, in one screen.")
@run_argument
@click.option("--tracks", "list_tracks", is_flag=True, help="Also list every track.")
@json_option
def show(run_path: Path, list_tracks: bool, as_json: bool) -> None:
    """Show what a session holds: series, steps, tracks and fits, and what is damaged."""
    from trackleed.session import Session

    report(Session.open(run_path), as_json=as_json, list_tracks=list_tracks)


def report(session: Session, *, as_json: bool, list_tracks: bool = False) -> None:
    """Print the summary of a session, for people or for programs."""
    from trackleed.cli.summary import summarise

    summary = summarise(session)
    if as_json:
        click.echo(json.dumps(summary, default=str))
        return
    console = Console()
    console.print(f"[bold]{escape(str(session.path))}[/bold]")
    for problem in session.problems:
        console.print(f"[red]damaged[/red]: {escape(problem)}", soft_wrap=True)
    for heading, values in summary.items():
        if isinstance(values, dict) and values:
            _print_section(console, heading, values)
    _print_steps(console, summary["steps"])
    if list_tracks and summary.get("tracks"):
        _print_tracks(console, session)


def _print_section(console: Console, heading: str, values: dict[str, Any]) -> None:
    from trackleed.cli.summary import NOTE

    console.print(f"[italic]{heading}[/italic]")
    for name, value in values.items():
        label = "" if name.startswith(NOTE) else name
        # Words are not broken: a path must stay whole for copying.
        width = max(console.width - LABEL - 3, 30)
        lines = wrap(str(value), width, break_long_words=False, break_on_hyphens=False) or [""]
        for line in lines:
            text = f"  [dim]{escape(label):<{LABEL}}[/dim] {escape(line)}"
            console.print(text, soft_wrap=True, highlight=False)
            label = ""


def _print_steps(console: Console, steps: list[dict[str, Any]]) -> None:
    table = Table(
        box=None, header_style="bold", pad_edge=False, title="steps", title_justify="left"
    )
    for heading in ("step", "backend", "from", "rows", "seconds", "status"):
        table.add_column(heading)
    for s in steps:
        colour = {"done": "green", "running": "cyan"}.get(s["status"], "red")
        table.add_row(
            s["id"],
            s["backend"].rpartition(":")[2],
            ", ".join(s["inputs"][:2]) + (" ..." if len(s["inputs"]) > 2 else ""),
            str(s["rows"] or ""),
            f"{s['seconds']:.1f}",
            f"[{colour}]{s['status']}[/{colour}]",
        )
    console.print(table)
    for s in steps:
        if s["status"] not in ("done", "running") and s["message"] not in ("", s["status"]):
            reason = escape(s["message"].splitlines()[-1])
            console.print(f"{s['id']} {s['status']}: {reason}", soft_wrap=True)


def _print_tracks(console: Console, session: Session) -> None:
    from trackleed.cli.summary import track_table
    from trackleed.pipeline import SessionView
    from trackleed.pipeline.current import furthest

    newest = furthest(session)
    assert newest is not None  # there is a summary of the tracks
    rows = track_table(SessionView(session, newest))
    table = Table(
        box=None, header_style="bold", pad_edge=False, title="tracks", title_justify="left"
    )
    headings = {"first": "first frame", "last": "last", "moved": "moved / px"}
    for name in ("track", *rows.columns):
        table.add_column(headings.get(name, name), justify="right")
    for track, row in rows.iterrows():
        cells = (f"{cell:.1f}" if isinstance(cell, float) else str(cell) for cell in row)
        table.add_row(str(track), *cells)
    console.print(table)
