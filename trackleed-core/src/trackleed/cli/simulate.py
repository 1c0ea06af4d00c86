"""``trackleed simulate``: frames with known truth."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click


@click.command()
@click.argument("scenario", required=False)
@click.argument("folder", required=False, type=click.Path(path_type=Path))
@click.option("--frames", type=click.IntRange(min=1), help="How many frames.")
@click.option("--size", metavar="WxH", help="Size of a frame in px, such as 512x512.")
@click.option("--bits", type=click.Choice(["8", "16"]), default="16", show_default=True)
@click.option("--seed", type=int, default=0, show_default=True, help="Seed of all that is random.")
@click.option(
    "--format", "suffix", type=click.Choice(["tif", "png"]), default="tif", show_default=True
)
def simulate(scenario: str | None, folder: Path | None, **flags: Any) -> None:
    """Write simulated LEED frames and their truth to FOLDER; without arguments, list the scenarios."""
