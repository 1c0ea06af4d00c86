"""Commands for what follows from the fits alone: lattice, radius against energy, quality."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from trackleed.cli.options import aspect_option, json_option, run_argument
from trackleed.cli.steps import do, fits_option, open_session
from trackleed.errors import InputError


@click.command(short_help="Index the spots; vectors, strain and rotation of each frame.")
@run_argument
@click.option(
    "--basis", required=True, metavar="A,B", help="Tracks of the spots (1,0) and (0,1), as in 3,5."
)
@click.option(
    "--specular", type=int, metavar="TRACK", help="Track of the (0,0) spot, instead of the centre."
)
@click.option(
    "--wood",
    multiple=True,
    metavar="NAME",
    help='Superstructure in Wood\'s notation, as in "p(2x2)"; repeatable, one for each domain.',
)
@click.option(
    "--matrix",
    multiple=True,
    metavar="M11,M12,M21,M22",
    help="Superstructure as a matrix; repeatable.",
)
@click.option("--tolerance", type=float, help="How far off, over the distance of neighbours.")
@aspect_option
@click.option("--reference", type=int, metavar="FRAME", help="Frame that strain refers to.")
@click.option(
    "--contracts",
    type=click.Choice(["auto", "yes", "no"]),
    help="Whether the pattern contracts with the energy (default: as the spots say).",
)
@click.option("--energy-shift", type=float, metavar="eV", help="E0 in 1/sqrt(E + E0).")
@click.option(
    "--lattice-constant",
    metavar="A[,B]",
    help="Known lattice, in Å: tells px in 1/Å, vectors and the camera constant.",
)
@click.option(
    "--unit-cell",
    metavar="CELL",
    help="Of that lattice: hexagonal, square, rectangular, or its angle in degrees.",
)
@fits_option
@json_option
def lattice(run_path: Path, basis: str, wood: Any, matrix: Any, **flags: Any) -> None:
    """Index the spots, and fit the reciprocal lattice of every frame.

    \b
    trackleed show RUN.trackleed --tracks lists the tracks;
    trackleed lattice RUN.trackleed --basis 3,5 --wood "p(2x2)"
    trackleed lattice RUN.trackleed --basis 3,5 --lattice-constant 2.715 --unit-cell hexagonal
    """
    names = ("specular", "tolerance", "pixel_aspect", "reference", "contracts", "energy_shift")
    options = {name: flags[name] for name in names if flags[name] is not None}
    several = [*wood, *(_matrix(text) for text in matrix)]
    if several:
        options["superstructure"] = several[0] if len(several) == 1 else several
    options |= _known_cell(flags["lattice_constant"], flags["unit_cell"])
    pair = _whole(basis, 2, "--basis", "two tracks, such as 3,5")
    do(
        open_session(run_path),
        flags,
        lambda work: work.lattice((pair[0], pair[1]), fits=flags["fits"], **options),
    )


@click.command("radius-energy", short_help="Fit r^2 (E + E0) = const to the radii.")
@run_argument
@fits_option
@json_option
def radius_energy(run_path: Path, **flags: Any) -> None:
    """Fit r^2 (E + E0) = const to the radii that analyse found."""
    do(open_session(run_path), flags, lambda work: work.radius_energy(fits=flags["fits"]))


@click.command(short_help="Which tracks and frames to trust, and why not.")
@run_argument
@fits_option
@json_option
def quality(run_path: Path, **flags: Any) -> None:
    """Say which tracks and frames to trust, and list the uncertain ones with the reason."""
    do(open_session(run_path), flags, lambda work: work.quality(fits=flags["fits"]))


def _known_cell(constants: str | None, cell: str | None) -> dict[str, Any]:
    options: dict[str, Any] = {}
    if constants is not None:
        try:
            options["lattice_constant"] = [float(part) for part in constants.split(",")]
        except ValueError:
            raise InputError(
                f"--lattice-constant {constants!r} is neither a length in Å nor two, as in 2.7,4.4"
            ) from None
    if cell is not None:
        try:
            options["unit_cell"] = float(cell)
        except ValueError:
            options["unit_cell"] = cell
    return options


def _matrix(text: str) -> tuple[tuple[int, int], tuple[int, int]]:
    a, b, c, d = _whole(text, 4, "--matrix", "four whole numbers, such as 2,1,-1,1")
    return (a, b), (c, d)


def _whole(text: str, n: int, flag: str, allowed: str) -> list[int]:
    try:
        numbers = [int(part) for part in text.split(",")]
    except ValueError:
        numbers = []
    if len(numbers) != n:
        raise InputError(f"{flag} {text!r} is not {allowed}")
    return numbers
