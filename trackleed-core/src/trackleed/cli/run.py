"""``trackleed run``: the whole way from frames to numbers and pictures."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from trackleed.backend import Kind
from trackleed.cli.options import (
    DEFAULTS,
    EXPORTERS,
    PACKAGES,
    backend_name,
    backend_option,
    exporter_options,
    gather,
    jobs_option,
    json_option,
    recipe_option,
    run_argument,
    set_option,
)
from trackleed.cli.series import import_arguments, series_options
from trackleed.cli.steps import center_options


@click.command(short_help="The whole way: frames in, CSVs and pictures out.")
@click.argument("source", metavar="SRC")
@run_argument
@series_options
@backend_option("detector", DEFAULTS["detector"])
@backend_option("tracker", DEFAULTS["tracker"])
@backend_option("refiner", DEFAULTS["refiner"])
@click.option(
    "--center",
    metavar="MODE|X,Y",
    help="Pattern centre: auto (default), pairs, circle, ellipse, energy, or a fixed point in px.",
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
    from trackleed.pipeline import import_frames

    options = gather(flags["recipe"], flags["settings"])
    names = {
        kind: backend_name(options[kind], flags[kind], default)
        for kind, default in DEFAULTS.items()
    }
    arguments = import_arguments(options, flags)
    analysis = {**options["analysis"], **center_options(flags["center"])}
    exports = exporter_options(EXPORTERS, options["exporter"])
    check(source, names, options, arguments, analysis, exports)
    with progress_bars(quiet=flags["as_json"]) as progress:
        work = import_frames(
            source,
            run_path,
            overwrite=flags["overwrite"],
            goes_on=True,
            progress=progress,
            jobs=flags["jobs"],
            **arguments,
        )
        detections = work.detect(names["detector"], **options["detector"])
        detections = work.edited(detections)
        tracks = work.track(names["tracker"], detections=detections, **options["tracker"])
        fits = work.refine(names["refiner"], tracks=work.edited(tracks), **options["refiner"])
        work.analyse(fits=fits, **analysis)
        for exporter, given in exports.items():
            work.export(exporter, fits=fits, **given)
    report(work.session, as_json=flags["as_json"])


def check(
    source: str,
    names: dict[Kind, str],
    options: dict[str, dict[str, Any]],
    arguments: dict[str, Any],
    analysis: dict[str, Any],
    exports: dict[str, dict[str, Any]],
) -> None:
    """Fail now, and not after an hour, over what can be known beforehand."""
    from trackleed.errors import BackendNotFound
    from trackleed.params import make
    from trackleed.pipeline.analysing import AnalysisParams
    from trackleed.pipeline.importing import Series
    from trackleed.registry import Registry
    from trackleed.worker.backends import find_backend

    registry = Registry.discover()
    Series(registry, source, **arguments)
    for kind, name in names.items():
        if name in PACKAGES and all(b.spec.name != name for b in registry.of_kind(kind)):
            raise BackendNotFound(
                f"the {kind} {name!r} is not installed", f"pip install {PACKAGES[name]}"
            )
        find_backend(registry, kind, name).make(**options[kind])
    for name, given in exports.items():
        registry.find("exporter", name).make(**given)
    make(AnalysisParams, analysis, "analysis")
