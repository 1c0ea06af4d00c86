"""The command for satellites relative to a reference spot."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import click

from trackleed.cli.options import (
    aspect_option,
    backend_name,
    backend_option,
    gather,
    jobs_option,
    json_option,
    recipe_option,
    run_argument,
    set_option,
)
from trackleed.cli.steps import do, fits_option, open_session
from trackleed.errors import InputError

OPTIONS = (
    *("within", "half_size", "significance", "min_separation", "max_walk", "max_jump"),
    "pixel_aspect",
)


@click.command(short_help="Satellites relative to a reference spot, fitted together.")
@run_argument
@click.option(
    "--group",
    "groups",
    multiple=True,
    metavar="REF[:SAT,...]",
    help="Reference and satellites by track, as in 3:17,18,19; those near it if none are named. "
    "Repeatable (default: every bright track with satellites).",
)
@click.option("--within", type=float, metavar="PX", help="How near satellites are (default: 20).")
@click.option(
    "--half-size", type=int, metavar="PX", help="From a spot to the edge of its ROI (as in refine)."
)
@click.option("--significance", type=float, help="Fewer standard errors are too dim (default: 5).")
@click.option(
    "--min-separation", type=float, metavar="FWHM", help="Nearer spots have merged (default: 1)."
)
@click.option("--max-walk", type=float, metavar="PX", help="Farthest from its seed (default: 3).")
@click.option("--max-jump", type=float, help="Standard deviations from its series (default: 5).")
@aspect_option
@fits_option
@backend_option("refiner", "gaussian")
@set_option
@recipe_option
@jobs_option
@json_option
def positions(run_path: Path, **flags: Any) -> None:
    """Measure satellites relative to a reference spot, all of them in one fit.

    \b
    trackleed show RUN.trackleed --tracks lists the tracks;
    trackleed positions RUN.trackleed --group 3:17,18,19 --group 5
    trackleed positions RUN.trackleed --within 15
    """
    refiner = gather(flags["recipe"], flags["settings"])["refiner"]
    name = backend_name(refiner, flags["refiner"], "gaussian")
    options = {option: flags[option] for option in OPTIONS if flags[option] is not None}
    options["groups"] = [_group(text) for text in flags["groups"]]
    do(
        open_session(run_path),
        flags,
        lambda work: work.positions(name, fits=flags["fits"], refiner=refiner, **options),
    )


def _group(text: str) -> tuple[int, list[int]]:
    """A reference and its satellites, written as ``3:17,18,19`` or ``3``."""
    if not re.fullmatch(r"\d+(:\d+(,\d+)*)?", text):
        raise InputError(
            f"--group {text!r} is no reference with satellites, such as 3:17,18,19, or 3",
        )
    reference, _, satellites = text.partition(":")
    return int(reference), [int(track) for track in satellites.split(",") if track]
