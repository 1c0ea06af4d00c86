"""The loops over frames: blocks of frames through an executor, results in order.

A block's work is a module-level function of picklable arguments, which opens
the store and the backend itself, so that threads, processes and the executor of
a cluster all do.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from trackleed.backend import Kind
from trackleed.errors import OF_ADAPTERS, BackendFailed, TrackleedError, WorkerError
from trackleed.registry import Registry
from trackleed.store import open_frames
from trackleed_kit.errors import KitError

if TYPE_CHECKING:
    from trackleed.frames import FrameSequence
    from trackleed.tables import Columns

B = TypeVar("B")
R = TypeVar("R")

FEWEST, MOST = 8, 32
"""Frames in a block: enough to keep a worker busy, few enough to stop quickly."""

BLOCKS = 32
"""Blocks that a series makes at least, unless they become too small: work for every worker."""

AHEAD = 8
"""Blocks handed to the executor before the first of them is asked for."""


@dataclass(frozen=True)
class Job:
    """What a worker needs for its share of a step."""

    store: Path
    kind: Kind
    backend: str
    options: tuple[tuple[str, Any], ...]
    token: str
    """Differs from step to step, so that a worker never serves a store that was replaced."""
    made: Any = field(default=None, compare=False)
    """The backend, if it is hosted elsewhere and this process talks to it."""

    @property
    def label(self) -> str:
        """How messages name the backend."""
        return f"{self.kind} {self.backend!r}"


@lru_cache(maxsize=4)
def opened_frames(store: Path, token: str) -> FrameSequence:
    """The frames of a store, opened once a worker and step."""
    return open_frames(store)


def _opened(job: Job) -> tuple[FrameSequence, Any]:
    made = _made(job) if job.made is None else job.made
    return opened_frames(job.store, job.token), made


@lru_cache(maxsize=4)
def _made(job: Job) -> Any:
    return Registry.discover().find(job.kind, job.backend).make(**dict(job.options))


def detect_block(job: Job, numbers: range) -> dict[str, Any]:
    """Detections of some frames, columns of the ``detections`` table."""
    frames, detector = _opened(job)
    parts = []
    for i in numbers:
        with blame(job.label, f"frame {i}"):
            found = detector.detect(frames[i], frames.valid)
            parts.append({"frame": np.full(len(found["x"]), i), **found})
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def refine_block(job: Job, rois: Columns) -> Columns:
    """Fits of some rows of ``tracks``."""
    frames, refiner = _opened(job)
    return _refined(job, rois, partial(refiner.refine, frames))


def refine_groups_block(job: Job, rois: Columns) -> Columns:
    """Joint fits of some rows of ``tracks`` that have a ``group`` and a ``role``."""
    frames, refiner = _opened(job)
    return _refined(job, rois, partial(refiner.refine_groups, frames))


def _refined(job: Job, rois: Columns, refine: Callable[[Columns], Columns]) -> Columns:
    numbers = np.unique(rois["frame"])
    with blame(
        job.label, f"frames {numbers.min()} to {numbers.max()}" if len(numbers) else "no frames"
    ):
        fits = refine(rois)
        if len(fits["frame"]) != len(rois["frame"]):
            raise ValueError(f"{len(fits['frame'])} fits returned for {len(rois['frame'])} ROIs")
    return fits


@contextmanager
def blame(backend: str, where: str) -> Iterator[None]:
    """Turn whatever a backend raises into a `BackendFailed` that names it and the place."""
    try:
        yield
    except WorkerError as error:
        raise error if error.where else error.at(f"at {where}") from error.__cause__
    except TrackleedError:
        raise
    except KitError as error:
        meant = OF_ADAPTERS[type(error).__name__]
        raise meant(f"{backend} at {where}: {error.message}", error.hint) from error
    except Exception as error:
        raise BackendFailed(
            f"{backend} failed at {where}: {type(error).__name__}: {error}"
        ) from error


def blocks(n_frames: int) -> list[range]:
    """Frame numbers 0 to ``n_frames`` in blocks of equal size, the last one smaller."""
    size = min(max(n_frames // BLOCKS, FEWEST), MOST)
    return [range(a, min(a + size, n_frames)) for a in range(0, n_frames, size)]


def rows_of_blocks(read: Callable[[range], Columns], spans: list[range]) -> Iterator[Columns]:
    """The rows of one block of frames after another, of a table that is read in larger pieces.

    Parameters
    ----------
    read : callable
        Gives the rows of a range of frames, in the order of the frames.
    spans : list of range
        The blocks, each beginning where the one before it ends.
    """
    for first in range(0, len(spans), AHEAD):
        some = spans[first : first + AHEAD]
        rows = read(range(some[0].start, some[-1].stop))
        bounds = np.searchsorted(rows["frame"], [some[0].start, *(span.stop for span in some)])
        for here in map(slice, bounds[:-1], bounds[1:]):
            yield {name: values[here] for name, values in rows.items()}


def run_blocks(
    task: Callable[[B], R], items: Iterable[B], executor: Executor | None
) -> Iterator[R]:
    """Results of ``task`` in the order of ``items``, with a bounded number in flight.

    Without an executor, one after the other in this thread.
    """
    if executor is None:
        yield from map(task, items)
        return
    pending: deque[Future[R]] = deque()
    try:
        for item in items:
            pending.append(executor.submit(task, item))
            if len(pending) >= AHEAD:
                yield pending.popleft().result()
        while pending:
            yield pending.popleft().result()
    finally:
        for future in pending:
            future.cancel()


@contextmanager
def executor_or_threads(executor: Executor | None, jobs: int | None) -> Iterator[Executor]:
    """The user's executor, or threads of our own for as long as the step lasts.

    Threads do, because the numerical libraries work outside the interpreter lock,
    and they ask nothing of the user's script.
    """
    if executor is not None:
        yield executor
        return
    threads = ThreadPoolExecutor(jobs or os.cpu_count() or 1, thread_name_prefix="trackleed")
    try:
        yield threads
    finally:
        threads.shutdown(wait=True, cancel_futures=True)
