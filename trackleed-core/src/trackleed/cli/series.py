"""The options that say what to import and how, shared by ``run`` and ``import``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

from trackleed.cli.options import backend_name, backend_option

F = TypeVar("F", bound=Callable[..., Any])

FILE = click.Path(path_type=str)

SERIES_OPTIONS = (
    backend_option("reader", None),
    click.option(
        "--mask",
        metavar="auto|none|FILE",
        type=FILE,
        help="Hide what is not screen: found by itself (default), not at all, or from an "
        "image or JSON file.",
    ),
    click.option("--dark", type=FILE, metavar="FILE", help="Dark frame, subtracted."),
    click.option("--flat", type=FILE, metavar="FILE", help="Flat field, divided out."),
    click.option("--background", type=FILE, metavar="FILE", help="Image without spots."),
    click.option(
        "--background-mode",
        type=click.Choice(["subtract", "normalise"]),
        help="What to do with the background image (default: subtract).",
    ),
    click.option(
        "--index",
        "index_csv",
        type=FILE,
        metavar="FILE.csv",
        help="Table of energies, temperatures ...: first column the file name.",
    ),
    click.option(
        "--pattern",
        metavar="REGEX",
        help="Your own expression for file names, e.g. '_(?P<energy_eV>[0-9.]+)eV'.",
    ),
    click.option(
        "--skip-bad",
        is_flag=True,
        default=None,
        help="Leave out files that cannot be used, and list them.",
    ),
    click.option("--overwrite", is_flag=True, help="Replace a session of that name."),
)


def series_options(command: F) -> F:
    """Add all of them to a command."""
    for decorate in reversed(SERIES_OPTIONS):
        command = decorate(command)
    return command


def import_arguments(options: dict[str, dict[str, Any]], flags: dict[str, Any]) -> dict[str, Any]:
    """Arguments of `trackleed.import_frames` from a recipe, ``--set`` and the flags; flags win."""
    reader = options["reader"]
    chosen = backend_name(reader, flags["reader"], "")
    for name in ("index_csv", "pattern", "skip_bad"):
        if flags[name] is not None:
            reader[name] = flags[name]
    values = options["import"]
    for name in ("mask", "dark", "flat", "background", "background_mode"):
        if flags[name] is not None:
            values[name] = flags[name]
    return {"reader": chosen or None, "reader_options": reader, **values}
