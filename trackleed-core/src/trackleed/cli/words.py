"""What the commands of ``trackleed edit`` read from words, and what they say at the end."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from trackleed.errors import InputError

if TYPE_CHECKING:
    from trackleed.session import Session


def track_ids(words: Sequence[str]) -> list[int]:
    """Numbers of tracks, apart or with commas."""
    try:
        return [int(part) for word in words for part in word.split(",") if part]
    except ValueError:
        raise InputError(f"{' '.join(words)!r} are no numbers of tracks, such as 3 7") from None


def place(flag: str, text: str) -> tuple[float, float]:
    """A point ``X,Y`` in px."""
    try:
        x, y = (float(part) for part in text.split(","))
    except ValueError:
        raise InputError(f"{flag} {text!r} is no place X,Y in px, such as 103.2,88.1") from None
    return x, y


def frame_range(text: str) -> tuple[int, int]:
    """First and last frame of ``10-20``, or ``10`` alone."""
    first, dash, last = text.partition("-")
    try:
        return int(first), int(last if dash else first)
    except ValueError:
        raise InputError(f"--frames {text!r} are no frames FIRST-LAST, such as 10-20") from None


def say_next(session: Session, table: str) -> None:
    """Print what has to be done again after the tracks or detections changed."""
    from trackleed.pipeline.current import current, stale

    if table == "detections":
        click.echo(f"the tracks are of other detections now; next: trackleed track {session.path}")
    elif stale(session) is not None:
        click.echo(
            "fits, centres and exports are of other tracks now; "
            f"next: trackleed refine {session.path}, then analyse and export"
        )
    elif current(session, "fits") is not None and session.latest("export") is not None:
        click.echo(f"these tracks have fits; next: trackleed export {session.path}")
