"""``trackleed run``: the whole way from frames to numbers and pictures."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from trackleed.cli.options import (
    backend_name,
    backend_option,
    gather,
    jobs_option,
    json_option,
    recipe_option,
    run_argument,
    set_option,
)
from trackleed.cli.series import import_arguments, open_or_create, series_options

EXPORTERS = ("csv", "overlays")


@click.command()
@click.argument("source", metavar="SRC")
@run_argument
@series_options
@backend_option("detector", "classic")
@backend_option("tracker", "hungarian")
@backend_option("refiner", "gaussian")
@click.option(
    "--center",
    metavar="MODE|X,Y",
    help="Pattern centre: auto (default), pairs, circle, or a fixed point in px.",
)
@set_option
@recipe_option
@jobs_option
@json_option
def run(source: str, run_path: Path, **flags: Any) -> None:
    """Import SRC, find and track its spots, measure them, and export CSVs and pictures.

    SRC is a folder of images, a glob in quotes, or a TIFF stack or GIF. Run the same command
    again after an interruption and it goes on where it stopped.

    \b
    Examples:
        trackleed run frames/ scan.trackleed
        trackleed run "scan/*.tif" scan.trackleed --mask none --set detector.threshold=8
    """
    from trackleed.cli.progress import progress_bars
    from trackleed.cli.show import report
    from trackleed.cli.steps import center_options
    from trackleed.pipeline import Run

    options = gather(flags["recipe"], flags["settings"])
    arguments = import_arguments(options, flags)
    detector = backend_name(options["detector"], flags["detector"], "classic")
    tracker = backend_name(options["tracker"], flags["tracker"], "hungarian")
    refiner = backend_name(options["refiner"], flags["refiner"], "gaussian")
    analysis = {**options["analysis"], **center_options(flags["center"])}
    session = open_or_create(run_path, flags["overwrite"])
    with progress_bars(quiet=flags["as_json"]) as progress:
        work = Run(session, progress=progress, jobs=flags["jobs"])
        work.check("detector", detector, options["detector"])
        work.check("tracker", tracker, options["tracker"])
        work.check("refiner", refiner, options["refiner"])
        work.import_frames(source, **arguments)
        detections = work.detect(detector, **options["detector"])
        tracks = work.track(tracker, detections=detections, **options["tracker"])
        fits = work.refine(refiner, tracks=tracks, **options["refiner"])
        work.analyse(fits=fits, **analysis)
        for exporter in EXPORTERS:
            work.export(exporter, fits=fits)
    report(session, as_json=flags["as_json"])
