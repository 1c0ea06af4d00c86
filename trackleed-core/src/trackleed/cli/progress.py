"""A progress bar for each stage, with rate and time left."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    SpinnerColumn,
    Task,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.text import Text

from trackleed.progress import Progress as Callback


class RateColumn(ProgressColumn):
    """Frames per second."""

    def render(self, task: Task) -> Text:
        """The rate so far, empty before anything is done."""
        rate = task.finished_speed or task.speed
        return Text(f"{rate:.0f}/s" if rate and rate >= 10 else f"{rate:.1f}/s" if rate else "")


@contextmanager
def progress_bars(quiet: bool = False) -> Iterator[Callback]:
    """A callback that draws one bar a stage on standard error.

    Where standard error is no terminal each stage gets one line when it is done.
    """
    console = Console(stderr=True)
    if quiet:
        yield _Quiet(console)
        return
    if not console.is_terminal:
        yield _Lines(console)
        return
    columns = (
        SpinnerColumn(finished_text="✓"),
        TextColumn("{task.description:<16}"),
        BarColumn(bar_width=32),
        MofNCompleteColumn(),
        RateColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console) as bars:
        yield _Bars(bars)


class _Bars:
    def __init__(self, bars: Progress) -> None:
        self.bars = bars
        self.tasks: dict[str, TaskID] = {}

    def __call__(self, stage: str, done: int, total: int) -> None:
        if stage not in self.tasks:
            self.tasks[stage] = self.bars.add_task(stage, total=total or None)
        # A total of 0 means that it is not known beforehand.
        self.bars.update(self.tasks[stage], completed=done, total=total or None)

    def say(self, text: str) -> None:
        self.bars.console.print(text, style="yellow", highlight=False, markup=False)


class _Quiet:
    """Only what is said in words."""

    def __init__(self, console: Console) -> None:
        self.console = console

    def __call__(self, stage: str, done: int, total: int) -> None:
        pass

    def say(self, text: str) -> None:
        self.console.print(text, highlight=False, markup=False, soft_wrap=True)


class _Lines(_Quiet):
    """A line for each stage when it is done."""

    finished = ""

    def __call__(self, stage: str, done: int, total: int) -> None:
        if total and done == total and self.finished != stage:
            self.console.print(f"{stage}: {done} done", highlight=False)
            self.finished = stage
        elif done < total:
            self.finished = ""
