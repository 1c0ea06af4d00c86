"""``trackleed completion``: the script that teaches a shell to complete trackleed."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

WHERE = {
    "bash": "~/.bashrc",
    "zsh": "~/.zshrc",
    "fish": "~/.config/fish/completions/trackleed.fish",
}


@click.command()
@click.argument("shell", type=click.Choice(list(WHERE)))
def completion(shell: str) -> None:
    """Print the completion script for a shell.

    \b
    For example, once and for all:
        trackleed completion bash >> ~/.bashrc
    """
    from trackleed.cli.app import cli

    kind = get_completion_class(shell)
    assert kind is not None  # the choice above names only shells that click knows
    click.echo(kind(cli, {}, "trackleed", "_TRACKLEED_COMPLETE").source())
    if shell == "bash":
        # bash would otherwise break the word in name@env.
        click.echo("COMP_WORDBREAKS=${COMP_WORDBREAKS//@/}")
