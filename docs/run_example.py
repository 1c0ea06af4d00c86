"""Run the cells of ``example.py`` and write ``example.md``: each cell and what it printed.

::

    python docs/run_example.py
"""

from __future__ import annotations

import io
import re
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any, NamedTuple

EXAMPLE = Path(__file__).with_name("example.py")
PAGE = EXAMPLE.with_suffix(".md")


class Cell(NamedTuple):
    """Code, or text."""

    is_text: bool
    source: str


def cells(script: str) -> list[Cell]:
    """The cells of a script in which ``# %%`` begins a cell and ``# %% [markdown]`` a text."""
    found = []
    for part in re.split(r"^# %%", script, flags=re.MULTILINE)[1:]:
        head, _, source = part.partition("\n")
        is_text = "[markdown]" in head
        if is_text:
            source = re.sub(r"^# ?", "", source, flags=re.MULTILINE)
        found.append(Cell(is_text, source.strip()))
    return found


def run(cell: Cell, names: dict[str, Any]) -> str:
    """Run a cell of code among ``names`` and return what it printed."""
    printed = io.StringIO()
    with redirect_stdout(printed):
        exec(compile(cell.source, EXAMPLE.name, "exec"), names)
    return printed.getvalue().rstrip()


def page(script: str) -> str:
    """All cells of a script, run in order, as Markdown."""
    names: dict[str, Any] = {"__name__": "__main__"}
    parts = []
    for cell in cells(script):
        if cell.is_text:
            parts.append(cell.source)
            continue
        parts.append(f"```python\n{cell.source}\n```")
        if printed := run(cell, names):
            parts.append(f"```text\n{printed}\n```")
    return "\n\n".join(parts) + "\n"


if __name__ == "__main__":
    PAGE.write_text(page(EXAMPLE.read_text(encoding="utf-8")), encoding="utf-8")
