"""``trackleed show``: what a session holds, in one screen."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from trackleed.cli.options import json_option, run_argument

if TYPE_CHECKING:
    import pandas as pd

    from trackleed.session import Session, Step

AXES = {"energy_eV": "eV", "temperature_K": "K", "time_s": "s", "coverage_ML": "ML"}


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
    summary = summarise(session)
    if as_json:
        click.echo(json.dumps(summary, default=str))
        return
    console = Console()
    console.print(f"[bold]{escape(str(session.path))}[/bold]")
    for problem in session.problems:
        console.print(f"[red]damaged[/red]: {escape(problem)}", soft_wrap=True)
    for heading in ("series", "tracks", "fits", "centre", "exports"):
        if summary.get(heading):
            _print_section(console, heading, summary[heading])
    _print_steps(console, summary["steps"])
    if list_tracks and summary.get("tracks"):
        _print_tracks(console, session)


def summarise(session: Session) -> dict[str, Any]:
    """All that `report` says, as plain values."""
    from trackleed.pipeline import SessionView
    from trackleed.pipeline.current import edits_in_effect, furthest, stale

    found: dict[str, Any] = {
        "path": str(session.path),
        "problems": list(session.problems),
        "steps": [step.model_dump(mode="json") for step in session.steps],
    }
    newest = furthest(session)
    if newest is None:
        return found
    view = SessionView(session, newest)
    if view.has("index"):
        found["series"] = _series(session, view.index)
    if view.has("tracks"):
        found["tracks"] = _tracks(view.table("tracks", columns=["track_id", "state"]))
        found["tracks"] |= _notes(session.latest("track"))
        edits = [step.id for step in edits_in_effect(session)]
        if edits:
            found["tracks"]["edits"] = ", ".join(edits)
    older = stale(session)
    if older is not None:
        found["fits"] = {
            "none yet": f"{older.id} is of other tracks; trackleed refine {session.path}"
        }
    if view.has("fits"):
        found["fits"] = _fits(view.table("fits", columns=["status", "x_err", "y_err", "chi2_red"]))
    if view.has("centers"):
        found["centre"] = _centre(view.table("centers"))
    folder = session.path / "exports"
    if folder.is_dir():
        found["exports"] = {
            "folder": str(folder),
            "files": ", ".join(sorted(p.name + "/" * p.is_dir() for p in folder.iterdir())),
        }
    return found


def _series(session: Session, index: pd.DataFrame) -> dict[str, Any]:
    store = session.store
    import_step = session.latest("import")
    found = {
        "frames": f"{len(index)} of {store.shape[1]}x{store.shape[0]} px, {store.dtype}",
        "source": import_step.params.get("source", "") if import_step else "",
    }
    for column, unit in AXES.items():
        known = index[column].dropna()
        if len(known):
            name = column.rpartition("_")[0].replace("_", " ")
            low, high = f"{known.min():g}", f"{known.max():g}"
            text = f"{low} {unit}" if low == high else f"{low} to {high} {unit}"
            missing = len(index) - len(known)
            found[name] = text + (f", unknown in {missing} frames" if missing else "")
    return found | _notes(import_step)


def _notes(step: Step | None) -> dict[str, Any]:
    """What a step had to say, a line each."""
    lines = step.message.splitlines() if step else []
    return {f"note {i}": line for i, line in enumerate(lines, start=1)}


def _tracks(table: pd.DataFrame) -> dict[str, Any]:
    counts = table["state"].value_counts()
    seen = int(counts.reindex(["seed", "measured", "saturated", "edited"]).sum())
    return {
        "tracks": table["track_id"].nunique(),
        "seen": f"{seen} of {len(table)} positions",
        "states": _counts(counts),
    }


def _fits(table: pd.DataFrame) -> dict[str, Any]:
    good = table[table["status"] == "ok"]
    found = {
        "usable": f"{len(good)} of {len(table)}",
        "status": _counts(table["status"].value_counts()),
    }
    if len(good):
        found["position error"] = (
            f"{good['x_err'].median():.3f} px in x, {good['y_err'].median():.3f} px in y (median)"
        )
        found["reduced chi-squared"] = f"{good['chi2_red'].median():.2f} (median)"
    return found


def _centre(table: pd.DataFrame) -> dict[str, Any]:
    known = table.dropna(subset=["x", "y"])
    found = {"found in": f"{len(known)} of {len(table)} frames"}
    if len(known):
        found["median"] = f"x {known['x'].median():.2f}, y {known['y'].median():.2f} px"
        found["by"] = _counts(table["mode"].value_counts())
    return found


def _counts(counts: pd.Series) -> str:
    return ", ".join(f"{name} {count}" for name, count in counts.items())


def _print_section(console: Console, heading: str, values: dict[str, Any]) -> None:
    console.print(f"[italic]{heading}[/italic]")
    for name, value in values.items():
        label = "" if name.startswith("note ") else name
        # Not broken into lines: a path must stay whole for copying.
        console.print(f"  [dim]{label:<20}[/dim] {escape(str(value))}", soft_wrap=True)


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
    from trackleed.pipeline import SessionView
    from trackleed.pipeline.current import current

    newest = current(session, "tracks")
    assert newest is not None  # there is a summary of the tracks
    tracks = SessionView(session, newest).table("tracks")
    seen = tracks.dropna(subset=["x", "y"])
    table = Table(
        box=None, header_style="bold", pad_edge=False, title="tracks", title_justify="left"
    )
    for heading in ("track", "first frame", "last frame", "seen", "x", "y", "moved / px"):
        table.add_column(heading, justify="right")
    for track, rows in seen.sort_values("frame").groupby("track_id"):
        first, last = rows.iloc[0], rows.iloc[-1]
        moved = ((last["x"] - first["x"]) ** 2 + (last["y"] - first["y"]) ** 2) ** 0.5
        table.add_row(
            str(track),
            str(first["frame"]),
            str(last["frame"]),
            str(len(rows)),
            f"{first['x']:.1f}",
            f"{first['y']:.1f}",
            f"{moved:.1f}",
        )
    console.print(table)
