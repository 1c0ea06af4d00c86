"""``trackleed simulate``: frames with known truth."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import click
from click.shell_completion import CompletionItem


class Size(click.ParamType[tuple[int, int]]):
    """``WxH`` in px, as (height, width)."""

    name = "WxH"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[int, int]:
        """Split it."""
        width, times, height = str(value).lower().partition("x")
        if not (times and width.isdecimal() and height.isdecimal()):
            self.fail(f"{value!r} is not a size such as 512x512", param, ctx)
        return int(height), int(width)


class ScenarioName(click.ParamType[str]):
    """Name of a scenario, completed by the shell."""

    name = "scenario"

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        """Names that begin so."""
        from trackleed.simulate import SCENARIOS

        return [
            CompletionItem(name, help=scenario.summary)
            for name, scenario in SCENARIOS.items()
            if name.startswith(incomplete)
        ]


@click.command(short_help="Frames with known truth.")
@click.argument("scenario", required=False, type=ScenarioName())
@click.argument("folder", required=False, type=click.Path(path_type=Path))
@click.option("--frames", type=click.IntRange(min=1), help="How many frames.")
@click.option("--size", type=Size(), metavar="WxH", help="Size of a frame (default: 512x512).")
@click.option(
    "--bits", type=click.Choice(["8", "16"]), default="16", show_default=True, help="Depth."
)
@click.option("--dose", type=float, help="Electrons at full scale; less means more noise.")
@click.option(
    "--exposure", type=float, help="Brightest spot over full scale; above 1 it is clipped."
)
@click.option("--seed", type=int, default=0, show_default=True, help="Seed of all randomness.")
@click.option(
    "--format", "suffix", type=click.Choice(["tif", "png"]), default="tif", show_default=True
)
def simulate(
    scenario: str | None, folder: Path | None, suffix: Literal["tif", "png"], **options: Any
) -> None:
    """Write simulated LEED frames, and the truth about them, to FOLDER.

    Without arguments it lists the scenarios.
    """
    from trackleed.cli.progress import progress_bars
    from trackleed.errors import InputError
    from trackleed.simulate import SCENARIOS, write
    from trackleed.simulate import simulate as make

    if scenario is None:
        for name, known in SCENARIOS.items():
            click.echo(f"{name:<14} {known.summary}")
        return
    if folder is None:
        raise InputError(
            "simulate needs a folder to write to", f"trackleed simulate {scenario} FOLDER"
        )
    given = {name: value for name, value in options.items() if value is not None}
    simulation = make(scenario, **{**given, "bits": int(given["bits"])})
    with progress_bars() as progress:
        write(simulation, folder, format=suffix, on_frame=lambda i, n: progress("simulate", i, n))
    click.echo(f"{len(simulation)} frames in {folder}; the truth is in {folder / 'truth'}")
    click.echo(f"next: trackleed run {folder} {folder.name}.trackleed")
