"""Backends while a step uses them, in this process or in a worker."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from trackleed.progress import say
from trackleed_kit import place

if TYPE_CHECKING:
    from trackleed.progress import Progress
    from trackleed.registry import Backend
    from trackleed.session import StepWriter


class Remembered:
    """Progress that can be told again, while nothing new comes.

    So whoever watches can cancel although a worker is silent.
    """

    def __init__(self, progress: Progress) -> None:
        self.progress = progress
        self.last: tuple[str, int, int] | None = None

    def __call__(self, stage: str, done: int, total: int) -> None:
        """As `Progress` is called."""
        self.last = (stage, done, total)
        self.progress(stage, done, total)

    def pulse(self, news: str) -> None:
        """Tell the last progress again, and what else there is to say."""
        if self.last is not None:
            self.progress(*self.last)
        if news:
            say(self.progress, news)


@contextmanager
def used(
    backend: Backend, options: dict[str, Any], writer: StepWriter, progress: Remembered
) -> Iterator[Any]:
    """A backend, made for one step: what it notes is kept there, and its worker ends with it."""
    place.take_notes()  # of an earlier step in this thread
    made = backend.make(**options)
    if backend.env is not None:
        made.log = writer.log
        made.pulse = progress.pulse
    try:
        yield made
    finally:
        writer.note(*dict.fromkeys([*place.take_notes(), *getattr(made, "notes", ())]))
        if backend.env is not None:
            made.close()
