"""The steps of ``trackleed run``, one command each."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import click

from trackleed.cli.options import (
    DEFAULTS,
    EXPORTERS,
    backend_name,
    backend_option,
    complete_backend,
    exporter_options,
    gather,
    jobs_option,
    json_option,
    recipe_option,
    run_argument,
    set_option,
)
from trackleed.cli.series import import_arguments, series_options
from trackleed.errors import InputError

MANY_FILES = 20
"""Files of one folder from which on they are counted instead of listed."""


@click.command("import", short_help="Copy a series into a new session.")
@click.argument("source", metavar="SRC")
@run_argument
@series_options
@set_option
@recipe_option
@json_option
def import_(source: str, run_path: Path, **flags: Any) -> None:
    """Copy a series, with metadata and mask, into a new session."""
    arguments = import_arguments(gather(flags["recipe"], flags["settings"]), flags)
    from trackleed.cli.progress import progress_bars
    from trackleed.pipeline import import_frames

    with progress_bars(quiet=flags["as_json"]) as progress:
        work = import_frames(
            source,
            run_path,
            overwrite=flags["overwrite"],
            goes_on=True,
            progress=progress,
            **arguments,
        )
    _tell([work.session.latest("import")], flags["as_json"])


@click.command()
@run_argument
@backend_option("detector", DEFAULTS["detector"])
@set_option
@recipe_option
@jobs_option
@json_option
def detect(run_path: Path, **flags: Any) -> None:
    """Find the spots of every frame."""
    options = gather(flags["recipe"], flags["settings"])["detector"]
    name = backend_name(options, flags["detector"], DEFAULTS["detector"])
    do(open_session(run_path), flags, lambda work: work.detect(name, **options))


@click.command()
@run_argument
@backend_option("tracker", DEFAULTS["tracker"])
@click.option("--detections", metavar="STEP", help="Step to use (default: the newest detections).")
@click.option(
    "--seeds",
    type=click.Path(path_type=Path),
    metavar="FILE.csv",
    help="Start positions: columns track_id, frame, x, y, width, height.",
)
@set_option
@recipe_option
@json_option
def track(run_path: Path, **flags: Any) -> None:
    """Follow the spots through the series."""
    options = gather(flags["recipe"], flags["settings"])["tracker"]
    name = backend_name(options, flags["tracker"], DEFAULTS["tracker"])
    seeds = read_seeds(flags["seeds"]) if flags["seeds"] else None
    do(
        open_session(run_path),
        flags,
        lambda work: work.track(name, detections=flags["detections"], seeds=seeds, **options),
    )


@click.command()
@run_argument
@backend_option("refiner", DEFAULTS["refiner"])
@click.option(
    "--tracks", metavar="STEP", help="Step to use (default: the newest tracks, edits included)."
)
@set_option
@recipe_option
@jobs_option
@json_option
def refine(run_path: Path, **flags: Any) -> None:
    """Measure every tracked spot in every frame."""
    options = gather(flags["recipe"], flags["settings"])["refiner"]
    name = backend_name(options, flags["refiner"], DEFAULTS["refiner"])
    do(
        open_session(run_path),
        flags,
        lambda work: work.refine(name, tracks=flags["tracks"], **options),
    )


fits_option = click.option(
    "--fits", metavar="STEP", help="Step to use (default: the newest fits of the newest tracks)."
)


@click.command(short_help="Centre, radii and intensities from the fits.")
@run_argument
@click.option(
    "--center",
    metavar="MODE|X,Y",
    help="Pattern centre: auto (default), pairs, circle, ellipse, energy, or a fixed point in px.",
)
@fits_option
@set_option
@recipe_option
@jobs_option
@json_option
def analyse(run_path: Path, **flags: Any) -> None:
    """Find the pattern's centre, the spots' radii and their intensities."""
    options = gather(flags["recipe"], flags["settings"])["analysis"]
    options.update(center_options(flags["center"]))
    do(open_session(run_path), flags, lambda work: work.analyse(fits=flags["fits"], **options))


@click.command(short_help="CSV files, pictures, plots, I(V) curves, a zip.")
@run_argument
@click.option(
    "--as",
    "exporters",
    multiple=True,
    metavar="NAME",
    shell_complete=complete_backend("exporter"),
    help="An exporter; repeatable (default: csv and overlays).",
)
@click.option(
    "--to",
    "folder",
    type=click.Path(path_type=Path),
    metavar="FOLDER",
    help="Where to (default: exports/ inside the session).",
)
@fits_option
@set_option
@recipe_option
@json_option
def export(run_path: Path, **flags: Any) -> None:
    """Write CSV files, pictures, plots, I(V) curves, training data, or the session as a zip.

    \b
    Examples:
        trackleed export scan.trackleed --as plots --as iv --set exporter.dpi=300
        trackleed export scan.trackleed --as session-zip --to /backup

    An option goes to those of the exporters that have it.
    """
    from trackleed.registry import Registry

    options = gather(flags["recipe"], flags["settings"])["exporter"]
    exports = exporter_options(flags["exporters"] or EXPORTERS, options)
    registry = Registry.discover()
    for name, given in exports.items():
        registry.find("exporter", name).make(**given)  # what is not ready fails before any writes

    def work_all(work: Any) -> list[str]:
        return [
            str(path)
            for name, given in exports.items()
            for path in work.export(name, fits=flags["fits"], folder=flags["folder"], **given)
        ]

    do(open_session(run_path), flags, work_all)


def center_options(center: str | None) -> dict[str, Any]:
    """Options of the analysis from ``--center``: a mode, or a point ``X,Y``."""
    if center is None:
        return {}
    if "," not in center:
        return {"center": center}
    try:
        x, y = (float(part) for part in center.split(","))
    except ValueError:
        raise InputError(f"--center {center!r} is neither a mode nor a point X,Y in px") from None
    return {"center": "fixed", "x": x, "y": y}


def read_seeds(path: Path) -> Any:
    """The ``seeds`` table of a CSV file."""
    import pandas as pd

    from trackleed import tables

    try:
        table = pd.read_csv(path, comment="#")
    except OSError as error:
        raise InputError(f"seeds {path} cannot be read: {error.strerror or error}") from None
    except ValueError as error:
        raise InputError(f"seeds {path} cannot be read: {error}") from None
    return tables.build(tables.SEEDS, table)


def open_session(run_path: Path) -> Any:
    """The session in a directory."""
    from trackleed.session import Session

    return Session.open(run_path)


def do(session: Any, flags: dict[str, Any], verb: Any) -> None:
    """Call a verb under a progress bar and print what it made."""
    from trackleed.cli.progress import progress_bars
    from trackleed.pipeline import Run

    with progress_bars(quiet=flags["as_json"]) as progress:
        made = verb(Run(session, progress=progress, jobs=flags.get("jobs")))
    _tell(made if isinstance(made, list) else [made], flags["as_json"])


def _tell(made: list[Any], as_json: bool) -> None:
    """Print steps, with their notes, or names of files."""
    if as_json:
        click.echo(
            json.dumps([m if isinstance(m, str) else m.model_dump(mode="json") for m in made])
        )
        return
    for line in by_folder([m for m in made if isinstance(m, str)]):
        click.echo(line)
    for one in made:
        if isinstance(one, str):
            continue
        click.echo(f"{one.id}: {one.rows} rows in {one.seconds:.1f} s")
        for note in one.message.splitlines():
            click.echo(f"  {note}")


def by_folder(paths: list[str]) -> list[str]:
    """The files, but of a folder with many of them only its name and their number."""
    count = Counter(Path(path).parent for path in paths)
    lines: dict[str, None] = {}
    for path in paths:
        folder = Path(path).parent
        many = count[folder] > MANY_FILES
        lines[f"{folder}/ ({count[folder]} files)" if many else path] = None
    return list(lines)
