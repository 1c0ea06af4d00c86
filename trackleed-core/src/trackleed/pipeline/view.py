"""What exporters and analyses are shown of a session: the tables that belong to one set of fits."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from trackleed.errors import SessionError
from trackleed.tables import columns

if TYPE_CHECKING:
    import pandas as pd

    from trackleed.frames import FrameSequence
    from trackleed.session import Session, Step

VIEW_ROWS = 32_000
"""Rows in a block, about: what bounds memory. Much smaller blocks cost more than their rows do."""


class SessionView:
    """One chain of steps, from the frames to everything derived from one step.

    Parameters
    ----------
    session : Session
    step : Step
        The step to look at, usually of fits. The view also holds what it was
        made from and, newest first, what was made from it.
    """

    def __init__(self, session: Session, step: Step) -> None:
        self.session = session
        self.steps = _chain(session.steps, step)

    @property
    def path(self) -> Path:
        """Directory of the session."""
        return self.session.path

    @cached_property
    def index(self) -> pd.DataFrame:
        """The ``index`` table."""
        return self.table("index")

    @cached_property
    def frames(self) -> FrameSequence:
        """The frames, with their index."""
        return self.session.store.frames(columns(self.index))

    def has(self, table: str) -> bool:
        """Whether the chain has a table of that name."""
        return table in self.steps

    def table(self, table: str, columns: list[str] | None = None) -> pd.DataFrame:
        """A table of the chain, whole, or some of its columns."""
        return self.session.table(self._step(table), columns=columns)

    def blocks(self, *tables: str) -> Iterator[tuple[pd.DataFrame, ...]]:
        """Rows of several tables, a block of frames at a time, ordered by frame and track."""
        steps = [self._step(name) for name in tables]
        n_frames = len(self.index)
        size = max(1, VIEW_ROWS * n_frames // max(1, *(step.rows for step in steps)))
        for first in range(0, n_frames, size):
            span = (first, min(first + size, n_frames))
            yield tuple(_ordered(self.session.table(step, frames=span)) for step in steps)

    def _step(self, table: str) -> Step:
        if table not in self.steps:
            raise SessionError(
                f"{self.session.path.name} has no {table} yet; it has: {', '.join(self.steps)}",
                f"see: trackleed show {self.session.path}",
            )
        return self.steps[table]


def aspect_of(view: SessionView, given: float | None) -> float:
    """Width of a pixel over its height: as given, or that which the centre was found with, or 1."""
    if given is not None:
        return given
    return (
        float(view.steps["centers"].params.get("pixel_aspect", 1)) if view.has("centers") else 1.0
    )


def _ordered(table: pd.DataFrame) -> pd.DataFrame:
    keys = [name for name in ("frame", "track_id") if name in table]
    return table.sort_values(keys, kind="stable", ignore_index=True)


def _chain(steps: list[Step], step: Step) -> dict[str, Step]:
    """The step, what it was made from, and the newest of each table made from these, by table."""
    by_id = {s.id: s for s in steps}
    chain: dict[str, Step] = {}
    above = [step]
    while above:
        current = above.pop()
        if current.spec:
            chain.setdefault(current.spec, current)
        above += [by_id[i] for i in current.inputs if i in by_id]
    fixed = set(chain)
    for later in steps:
        known = {s.id for s in chain.values()}
        made_from_these = later.inputs and known.issuperset(later.inputs)
        if later.status == "done" and later.spec and later.spec not in fixed and made_from_these:
            chain[later.spec] = later
    # A newer centre makes radii about the older one stale.
    known = {s.id for s in chain.values()}
    return {name: s for name, s in chain.items() if name in fixed or known.issuperset(s.inputs)}
