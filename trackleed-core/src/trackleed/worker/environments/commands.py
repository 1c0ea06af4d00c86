"""Run a command, its output to a log file and, line by line, to whoever watches."""

from __future__ import annotations

import os
import shlex
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path

from trackleed.errors import EnvironmentUnusable

Tell = Callable[[str, str], None]
"""Told the stage and the newest line of output."""

_OURS = ("PYTHONPATH", "PYTHONHOME", "PYTHONSTARTUP", "VIRTUAL_ENV", "__PYVENV_LAUNCHER__")


def environ() -> dict[str, str]:
    """Our environment variables, without those that would lend another interpreter our packages."""
    return {key: value for key, value in os.environ.items() if key not in _OURS} | {
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        "GIT_TERMINAL_PROMPT": "0",
    }


def run(stage: str, command: Sequence[str | Path], log: Path, tell: Tell) -> None:
    """Run a command to its end.

    Parameters
    ----------
    stage : str
        What it does, for people.
    command : sequence of str or Path
        Program and arguments; no shell is involved.
    log : Path
        File that its output is appended to.
    tell : callable
        Told each line of it.

    Raises
    ------
    EnvironmentUnusable
        If it cannot be started or fails, with its own words for why.
    """
    words = [str(word) for word in command]
    tell(stage, "")
    with log.open("a", encoding="utf-8") as file:
        file.write(f"$ {shlex.join(words)}\n")
        try:
            process = subprocess.Popen(
                words,
                env=environ(),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                errors="replace",
            )
        except OSError as error:
            raise EnvironmentUnusable(f"{words[0]} cannot be run: {error.strerror}") from error
        lines = _follow(process, file.write, lambda line: tell(stage, line))
    if process.returncode:
        raise EnvironmentUnusable(
            f"{stage} failed with exit code {process.returncode}: {_reason(lines)}",
            f"all its output: {log}",
        )


def _follow(
    process: subprocess.Popen[str], keep: Callable[[str], object], tell: Callable[[str], None]
) -> list[str]:
    lines = []
    assert process.stdout is not None  # it is a pipe
    try:
        for line in process.stdout:
            keep(line)
            if line.strip():
                lines.append(line.strip())
                tell(line.strip())
        process.wait()
    except BaseException:  # Ctrl-C too: what we started does not outlive us
        process.terminate()
        process.wait()
        raise
    finally:
        process.stdout.close()
    return lines


def _reason(lines: list[str]) -> str:
    """The line that says why: the last that calls itself an error, else the last one."""
    errors = [line for line in lines if line.lower().startswith(("error", "fatal"))]
    return (errors or lines or ["it said nothing"])[-1]
