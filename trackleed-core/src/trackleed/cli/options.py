"""Options that several commands share."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import click
from click.shell_completion import CompletionItem

from trackleed.backend import Kind
from trackleed.errors import InputError
from trackleed.params import parse_settings

F = TypeVar("F", bound=Callable[..., Any])

DEFAULTS: dict[Kind, str] = {
    "detector": "classic",
    "tracker": "pattern",
    "refiner": "gaussian",
}
PACKAGES = {"classic": "trackleed-detectors", "pattern": "trackleed-trackers-box"}
"""Where the defaults that do not come with the core come from."""
EXPORTERS = ("csv", "overlays")
"""What ``run`` exports."""

SECTIONS = ("reader", "import", "detector", "tracker", "refiner", "analysis", "exporter")
"""Kinds of options that ``--set`` and a recipe may name."""


class RunPath(click.ParamType[Path]):
    """A session's directory, completed by the shell to ``*.trackleed``."""

    name = "run.trackleed"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Path:
        """Take it as it is; opening it says what is wrong."""
        return Path(value)

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        """Directories."""
        return [CompletionItem(incomplete, type="dir")]


run_argument = click.argument("run_path", metavar="RUN.trackleed", type=RunPath())


def backend_option(kind: Kind, default: str | None, flag: str | None = None) -> Callable[[F], F]:
    """``--tracker NAME`` and the like, completed with what is installed."""
    text = f"The {kind} to use" + (f" (default: {default})." if default else ".")
    return click.option(
        flag or f"--{kind}",
        kind,
        metavar="NAME",
        shell_complete=complete_backend(kind),
        help=text,
    )


def complete_backend(kind: Kind) -> Callable[[click.Context, click.Parameter, str], list[str]]:
    """Names of the backends of a kind that begin as typed, with the environments they run in."""

    def complete(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
        from trackleed.registry import Registry
        from trackleed.worker.environments import readable_environments, readiness

        environments, _ = readable_environments(Path())
        names = [
            name
            for b in Registry.discover().of_kind(kind)
            for name in (
                b.spec.name,
                *(f"{b.spec.name}@{env}" for env in readiness(b, environments).environments),
            )
        ]
        return [name for name in names if name.startswith(incomplete)]

    return complete


def complete_name(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    """Names of all backends that begin as typed."""
    from trackleed.registry import Registry

    names = {b.spec.name for b in Registry.discover().backends}
    return sorted(name for name in names if name.startswith(incomplete))


set_option = click.option(
    "--set",
    "settings",
    multiple=True,
    metavar="KIND.OPTION=VALUE",
    help="Set an option of a backend, as in --set tracker.max_gap=3. Repeatable.",
)
aspect_option = click.option(
    "--aspect",
    "pixel_aspect",
    type=float,
    help="Width of a pixel over its height (default: that of analyse).",
)
recipe_option = click.option(
    "--recipe",
    type=click.Path(path_type=Path),
    metavar="FILE.toml",
    help="Options from a file, a table for each kind: [tracker] max_gap = 3.",
)
json_option = click.option(
    "--json", "as_json", is_flag=True, help="Print JSON, for other programs to read."
)
jobs_option = click.option(
    "--jobs", type=click.IntRange(min=1), help="Threads to work with (default: one a processor)."
)


def gather(recipe: Path | None, settings: tuple[str, ...]) -> dict[str, dict[str, Any]]:
    """Options by kind: the recipe's, overridden by ``--set``.

    Raises
    ------
    InputError
        If the recipe cannot be read or names an unknown kind.
    """
    options: dict[str, dict[str, Any]] = {kind: {} for kind in SECTIONS}
    for source, part in ((recipe, read_recipe(recipe)), ("--set", parse_settings(settings))):
        for kind, values in part.items():
            if kind not in SECTIONS:
                raise InputError(f"{source}: unknown kind {kind!r}; allowed: {', '.join(SECTIONS)}")
            options[kind].update(values)
    return options


def read_recipe(path: Path | None) -> dict[str, dict[str, Any]]:
    """The tables of a recipe file."""
    if path is None:
        return {}
    try:
        recipe = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"recipe {path} cannot be read: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"recipe {path} is not valid TOML: {error}") from None
    loose = [key for key, value in recipe.items() if not isinstance(value, dict)]
    if loose:
        raise InputError(
            f"recipe {path}: {loose[0]!r} stands outside a table; "
            f"put it under one of: {', '.join(f'[{s}]' for s in SECTIONS)}"
        )
    return recipe


def backend_name(options: dict[str, Any], flag: str | None, default: str) -> str:
    """The backend to use: the flag's, else the recipe's ``backend``, else the default."""
    named = options.pop("backend", None)
    return flag or named or default


def exporter_options(
    exporters: Sequence[str], options: dict[str, Any]
) -> dict[str, dict[str, Any]]:
    """Options by exporter: each is given those of its own.

    Raises
    ------
    InputError
        If none of the exporters has an option of that name.
    """
    from trackleed.registry import Registry

    registry = Registry.discover()
    has = {name: registry.find("exporter", name).spec.params.model_fields for name in exporters}
    for option in options:
        if not any(option in fields for fields in has.values()):
            known = ", ".join(sorted({n for fields in has.values() for n in fields})) or "none"
            raise InputError(
                f"{' and '.join(exporters)}: no option {option!r}; there are: {known}",
                f"see: trackleed backends show {exporters[-1]}",
            )
    return {name: {o: v for o, v in options.items() if o in has[name]} for name in exporters}
