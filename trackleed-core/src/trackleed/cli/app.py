"""The ``trackleed`` command: its sub-commands, loaded when named, and how it fails."""

from __future__ import annotations

import sys
from importlib import import_module

import click

from trackleed import __version__
from trackleed.errors import TrackleedError

COMMANDS = {
    "run": "trackleed.cli.run:run",
    "import": "trackleed.cli.steps:import_",
    "detect": "trackleed.cli.steps:detect",
    "track": "trackleed.cli.steps:track",
    "edit": "trackleed.cli.edit:edit",
    "refine": "trackleed.cli.steps:refine",
    "analyse": "trackleed.cli.steps:analyse",
    "lattice": "trackleed.cli.derived:lattice",
    "radius-energy": "trackleed.cli.derived:radius_energy",
    "quality": "trackleed.cli.derived:quality",
    "positions": "trackleed.cli.positions:positions",
    "export": "trackleed.cli.steps:export",
    "show": "trackleed.cli.show:show",
    "simulate": "trackleed.cli.simulate:simulate",
    "bench": "trackleed.cli.bench:bench",
    "backends": "trackleed.cli.backends:backends",
    "envs": "trackleed.cli.envs:envs",
    "completion": "trackleed.cli.completion:completion",
}


class LazyGroup(click.Group):
    """Imports a command's module only when that command, or the help of all, is wanted."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """In the order of the work, not of the alphabet."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command, imported now."""
        if cmd_name not in COMMANDS:
            return None
        module, _, attribute = COMMANDS[cmd_name].partition(":")
        command: click.Command = getattr(import_module(module), attribute)
        return command


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="trackleed")
@click.option("--debug", is_flag=True, help="Show the full traceback of an error.")
def cli(debug: bool) -> None:
    """Spot tracking and analysis for low-energy electron diffraction.

    \b
    The whole way, with good defaults:
        trackleed run frames/ my-series.trackleed
        trackleed show my-series.trackleed
    """


def main() -> None:
    """Entry point: one line for an expected error, 1 for failure, 130 for Ctrl-C."""
    debug = "--debug" in sys.argv[1:]
    if debug:  # also after the sub-command, where people put it
        sys.argv = [sys.argv[0], *(a for a in sys.argv[1:] if a != "--debug")]
    try:
        cli.main(prog_name="trackleed", standalone_mode=False)
    except click.exceptions.Exit as stop:
        sys.exit(stop.exit_code)
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()
        sys.exit(0)
    except click.ClickException as error:
        command = (
            error.ctx.command_path if isinstance(error, click.UsageError) and error.ctx else ""
        )
        hint = f" — see: {command} --help" if command else ""
        _say(f"error: {error.format_message()}{hint}")
        sys.exit(error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        _say("stopped; what was finished is kept, and the same command goes on from there")
        sys.exit(130)
    except TrackleedError as error:
        _fail(str(error), debug)
    except BrokenPipeError:  # the reader of a pipe, such as `head`, has had enough
        sys.stderr.close()
        sys.exit(1)
    except Exception as error:
        if debug:
            raise
        _fail(
            f"unexpected {type(error).__name__}: {error} — "
            "please report it with what the same command prints with --debug",
            debug,
        )


def _fail(text: str, debug: bool) -> None:
    if debug:
        import traceback

        traceback.print_exc()
    _say(f"error: {text}")
    sys.exit(1)


def _say(text: str) -> None:
    click.secho(text, fg="red" if text.startswith("error") else "yellow", err=True)
