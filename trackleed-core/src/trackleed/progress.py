"""How long work tells whoever watches how far it is."""

from __future__ import annotations

from typing import Protocol


class Progress(Protocol):
    """Told how far a stage is; may raise to cancel it."""

    def __call__(self, stage: str, done: int, total: int) -> None:
        """Called often; ``total`` is 0 where it is not known beforehand."""


def say(progress: Progress, text: str) -> None:
    """Tell whoever watches something in words, if ``progress`` has a method ``say`` for it."""
    tell = getattr(progress, "say", None)
    if tell is not None:
        tell(text)


def silent(stage: str, done: int, total: int) -> None:
    """Progress that nobody watches."""
