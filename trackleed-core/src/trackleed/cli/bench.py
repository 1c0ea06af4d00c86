"""``trackleed bench``: trackers compared on series whose spots are known."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from trackleed.cli.options import complete_backend, jobs_option, json_option
from trackleed.errors import InputError
from trackleed.params import parse_settings

if TYPE_CHECKING:
    from trackleed.bench import Benchmark
    from trackleed.progress import Progress

LEVELS = ("easy", "middle", "hard")

WIDE = (
    "given",
    "ghosts",
    "spots",
    "delta_avg",
    "occlusion_accuracy",
    "rmse_track",
    "rmse_fit",
    "peak_mb",
    "note",
)
"""Columns that only files have: a terminal is not that wide."""
FILE_WIDTH = 160
"""Characters in a line of what is no terminal."""


@click.command(short_help="Trackers compared on series whose spots are known.")
@click.argument("sources", metavar="SRC...", nargs=-1, required=True)
@click.option(
    "--trackers",
    metavar="A,B,C@ENV",
    shell_complete=complete_backend("tracker"),
    help="Trackers to try, separated by commas (default: all that are ready).",
)
@click.option("--level", type=click.Choice(LEVELS), default="middle", show_default=True)
@click.option("--seeds", metavar="N,N", help="Other seeds than the suite's own.")
@click.option("--frames", type=click.IntRange(min=1), help="Shorter series than the suite's own.")
@click.option("--labels", metavar="FILE.csv|STEP", help="Labels that are not in labels.csv.")
@click.option("--detector", default="classic", show_default=True, metavar="NAME")
@click.option(
    "--set",
    "settings",
    multiple=True,
    metavar="NAME.OPTION=VALUE",
    help="Set an option of a tracker by its name, of the detector or refiner: "
    "--set pattern.max_gap=3. Repeatable.",
)
@click.option(
    "--to",
    type=click.Path(path_type=Path),
    metavar="FOLDER",
    help="Where table and results are kept (default: bench-SRC-LEVEL/).",
)
@click.option("--fresh", is_flag=True, help="Do everything anew, whatever is kept.")
@jobs_option
@json_option
def bench(sources: tuple[str, ...], **flags: Any) -> None:
    """Try trackers on SRC and print how good they are.

    SRC is a suite of simulated series (leed-1), or a folder, file or session with labels:
    labels.csv with columns frame, track_id, x, y. docs/bench.md explains suite, labels and metrics.

    \b
    Examples:
        trackleed bench leed-1 --level middle
        trackleed bench my-frames/ --trackers pattern,hungarian
        trackleed bench scan.trackleed --labels track-2
    """
    from trackleed.bench import bench as run_bench
    from trackleed.cli.progress import progress_bars

    folder = flags["to"] or Path(_folder(sources, flags["level"]))
    trackers = [name.strip() for name in (flags["trackers"] or "").split(",") if name.strip()]
    with progress_bars(quiet=flags["as_json"]) as progress:
        result = run_bench(
            sources,
            trackers,
            to=folder,
            level=flags["level"],
            seeds=_seeds(flags["seeds"]),
            frames=flags["frames"],
            labels=flags["labels"],
            detector=flags["detector"],
            options=parse_settings(flags["settings"]),
            jobs=flags["jobs"],
            fresh=flags["fresh"],
            # Without a terminal each stage of each run would be a line.
            progress=progress if sys.stderr.isatty() else only_runs(progress),
        )
    if flags["as_json"]:
        click.echo(json.dumps(json.loads(result.table.to_json(orient="records"))))
        return
    _print(result)
    click.echo(f"all columns are in {folder / 'table.md'} and table.csv")
    if not (folder / "table.png").exists():
        click.echo("no picture: matplotlib is missing: pip install 'trackleed-core[plots]'")


def only_runs(progress: Progress) -> Progress:
    """Progress of the whole, without that of each tracker."""

    def told(stage: str, done: int, total: int) -> None:
        if stage == "bench":
            progress(stage, done, total)

    return told


def _folder(sources: tuple[str, ...], level: str) -> str:
    from trackleed.simulate import SUITES

    names = [source.removeprefix("suite:") for source in sources]
    parts = [f"{name}-{level}" if name in SUITES else Path(name).stem for name in names]
    return "-".join(["bench", *parts])


def _seeds(text: str | None) -> list[int] | None:
    if text is None:
        return None
    try:
        return [int(part) for part in text.split(",")]
    except ValueError:
        raise InputError(f"--seeds {text!r} is no list of whole numbers such as 3,4") from None


def _print(result: Benchmark) -> None:
    """The table for people, the best of each scenario in bold."""
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    from trackleed.bench.table import HEADINGS, behind, best, cells

    lines = result.table
    shown = [n for n, heading in enumerate(HEADINGS) if heading.name not in WIDE]
    table = Table(box=None, header_style="bold", pad_edge=False, title=result.title)
    for n in shown:
        side: Any = "right" if HEADINGS[n].form else "left"
        table.add_column(HEADINGS[n].text, justify=side, no_wrap=True)
    latest = None
    for row, chosen in zip(cells(lines), best(lines), strict=True):
        if latest not in (None, row[0]):
            table.add_section()
        latest = row[0]
        text = [f"[bold]{escape(row[n])}[/bold]" if chosen[n] else escape(row[n]) for n in shown]
        table.add_row(*text)
    console = Console() if sys.stdout.isatty() else Console(width=FILE_WIDTH)
    console.print(table)
    for line in lines[lines["note"] != ""].itertuples():
        console.print(f"{line.scenario}, {line.tracker}: {line.note}", markup=False, soft_wrap=True)
    if len(result.trackers) > 1:
        for said in behind(lines, result.trackers[0]):
            console.print(f"behind: {said}", markup=False, highlight=False, soft_wrap=True)
