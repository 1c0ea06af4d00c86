"""Run a tracker and keep what it yields, holding it to its contract."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping
from contextlib import closing
from typing import TYPE_CHECKING, Any

import numpy as np

from trackleed import __version__, tables
from trackleed.errors import BackendFailed, SessionError
from trackleed.pipeline.compiling import compiling_is_told
from trackleed.pipeline.current import chosen
from trackleed.pipeline.engine import blame
from trackleed.pipeline.steps import add_backend_step
from trackleed.pipeline.using import Remembered, used

if TYPE_CHECKING:
    import pandas as pd

    from trackleed.progress import Progress
    from trackleed.registry import Backend
    from trackleed.session import Session, Step, StepWriter
    from trackleed.tables import Columns

ROWS_FRAMES = 64
"""Frames whose rows are written together."""


def add_tracks(
    session: Session,
    backend: Backend,
    options: dict[str, Any],
    detections: Step | str | None,
    seeds: pd.DataFrame | None,
    progress: Progress,
) -> Step:
    """Add the step of the tracks, or return the one that is done.

    Raises
    ------
    SessionError
        If start positions are needed and not given, or given and not taken.
    """
    name, needs = backend.spec.name, backend.spec.needs
    inputs = [chosen(session, "import", None)]
    if detections is not None or "detections" in needs:
        inputs.append(chosen(session, "detect", detections))
    if seeds is not None and "seeds" not in (*needs, *backend.spec.takes):
        raise SessionError(
            f"tracker {name!r} takes no start positions; it finds its own spots",
            "leave them out, or choose another tracker: trackleed backends",
        )
    if seeds is not None:
        inputs.append(_kept(session, seeds))
    elif "seeds" in needs:
        raise SessionError(
            f"tracker {name!r} needs start positions, and none were given",
            "give them with --seeds FILE.csv (in Python seeds=), or choose another tracker",
        )

    def work(writer: StepWriter) -> None:
        _write(session, backend, options, inputs, writer, progress)

    return add_backend_step(session, "track", work, backend, options, inputs, tables.TRACKS)


def _kept(session: Session, seeds: pd.DataFrame) -> Step:
    """Start positions as a step, which the tracks name as what they were made from."""
    with session.step("edit", backend="seeds", version=__version__, spec=tables.SEEDS) as writer:
        writer.write(seeds)
    return writer.step


def _write(
    session: Session,
    backend: Backend,
    options: dict[str, Any],
    inputs: list[Step],
    writer: StepWriter,
    progress: Progress,
) -> None:
    """Run a tracker over the whole series and write its rows as they come."""
    given = {step.spec: tables.columns(session.table(step)) for step in inputs}
    waiting: list[Columns] = []
    with closing(follow(session, backend, options, given, progress, writer)) as rows:
        try:
            for part in rows:
                waiting.append(part)
                if len(waiting) == ROWS_FRAMES:
                    block, waiting = waiting, []
                    writer.write(joined(block))
        finally:
            if waiting:  # also those that came before a failure
                writer.write(joined(waiting))


def follow(
    session: Session,
    backend: Backend,
    options: dict[str, Any],
    given: Mapping[str | None, Columns],
    progress: Progress,
    writer: StepWriter,
) -> Generator[Columns]:
    """Rows of a tracker, one frame after another, each held to the contract.

    Parameters
    ----------
    given : mapping of str to Columns
        The ``index`` table, and ``seeds`` and ``detections`` if the tracker is to have them.
    writer : StepWriter
        Of the step; keeps the lines that the tracker has for the user.

    Raises
    ------
    BackendFailed
        If the tracker raises, or a frame or a row is missing.
    """
    frames = session.store.frames(given["index"])
    told = Remembered(progress)
    told("track", 0, len(frames))
    contract = _Contract(backend.spec.name, len(frames))
    with used(backend, options, writer, told) as tracker, compiling_is_told(writer, progress):
        with blame(backend.label, "the start"):
            rows = tracker.track(frames, given.get("seeds"), given.get("detections"))
        for done, part in enumerate(_blamed(rows, backend, contract), start=1):
            yield part
            told("track", done, len(frames))
        contract.finish()


def _blamed(rows: Iterator[Columns], backend: Backend, contract: _Contract) -> Iterator[Columns]:
    while True:
        with blame(backend.label, f"frame number {contract.n_seen} of the pass"):
            part = next(rows, None)
        if part is None:
            return
        contract.check(part)
        yield part


def joined(parts: list[Columns]) -> dict[str, Any]:
    """Rows of several frames as one set of columns."""
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


class _Contract:
    """Every frame once, every track in every frame."""

    def __init__(self, name: str, n_frames: int) -> None:
        self.name = name
        self.missing = set(range(n_frames))
        self.n_frames = n_frames
        self.tracks: frozenset[int] | None = None

    @property
    def n_seen(self) -> int:
        return self.n_frames - len(self.missing)

    def check(self, rows: Columns) -> None:
        frames = np.unique(rows["frame"])
        if len(frames) == 0 and self.tracks in (None, frozenset()):
            self.tracks = frozenset()
            return
        if len(frames) != 1:
            self._fail(f"yielded rows of {len(frames)} frames at once")
        frame = int(frames[0])
        if frame not in self.missing:
            self._fail(f"yielded frame {frame} twice, or it is not in the series")
        self.missing.remove(frame)
        tracks = frozenset(rows["track_id"].tolist())
        self.tracks = tracks if self.tracks is None else self.tracks
        if tracks != self.tracks:
            odd = sorted(tracks ^ self.tracks)[:5]
            self._fail(f"has not every track in frame {frame}: {odd} differ from the frames before")

    def finish(self) -> None:
        if self.missing and self.tracks:
            self._fail(f"yielded no rows for frames {sorted(self.missing)[:5]}")

    def _fail(self, what: str) -> None:
        raise BackendFailed(
            f"tracker {self.name!r} {what}",
            "each track has a row in each frame; where the spot is not there it is lost, with NaN",
        )
