"""Detections and fits as steps: blocks of frames, each worked on by itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Executor
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

from trackleed import tables
from trackleed.pipeline.compiling import compiling_is_told
from trackleed.pipeline.engine import (
    Job,
    blocks,
    detect_block,
    refine_block,
    rows_of_blocks,
    run_blocks,
)
from trackleed.pipeline.steps import add_backend_step
from trackleed.pipeline.using import Remembered, used

if TYPE_CHECKING:
    from trackleed.progress import Progress
    from trackleed.registry import Backend
    from trackleed.session import Session, Step, StepWriter
    from trackleed.tables import Columns


@dataclass(frozen=True)
class Blockwise:
    """A backend that works on blocks of frames, and where it does.

    Parameters
    ----------
    session : Session
    backend : Backend
    options : dict
        Its options.
    executor : concurrent.futures.Executor
        Where blocks are worked on, unless the backend is hosted in a worker.
    progress : callable
    """

    session: Session
    backend: Backend
    options: dict[str, Any]
    executor: Executor
    progress: Progress

    def detections(self, frames: Step) -> Step:
        """The step of the detections in the frames of an import."""

        def work(writer: StepWriter) -> None:
            spans = blocks(self.session.store.n_valid)
            self._write("detect", detect_block, spans, spans, writer)

        return self._add("detect", frames, tables.DETECTIONS, work)

    def fits(self, tracks: Step) -> Step:
        """The step of the fits of a step of tracks."""

        def work(writer: StepWriter) -> None:
            spans = blocks(self.session.store.n_valid)
            rois = rows_of_blocks(partial(self._rows, tracks), spans)
            self._write("refine", refine_block, rois, spans, writer)

        return self._add("refine", tracks, tables.FITS, work)

    def _add(
        self, kind: str, source: Step, spec: tables.TableSpec, work: Callable[[StepWriter], None]
    ) -> Step:
        return add_backend_step(
            self.session, kind, work, self.backend, self.options, [source], spec
        )

    def _write(
        self,
        stage: str,
        block: Callable[[Job, Any], Any],
        items: Iterator[Any] | list[range],
        spans: list[range],
        writer: StepWriter,
    ) -> None:
        """Work through the items, write what comes, say how far it is."""
        total = spans[-1].stop if spans else 0
        told = Remembered(self.progress)
        told(stage, 0, total)
        with ExitStack() as stack:
            job, executor = self._job(writer), None
            if self.backend.env is None:
                executor = self.executor
                stack.enter_context(compiling_is_told(writer, self.progress))
            else:  # one worker, which is talked to from this thread
                made = stack.enter_context(used(self.backend, self.options, writer, told))
                job = replace(job, made=made)
            results = run_blocks(partial(block, job), items, executor)
            for span, rows in zip(spans, results, strict=True):
                writer.write(rows)
                told(stage, span.stop, total)

    def _job(self, writer: StepWriter) -> Job:
        return Job(
            self.session.store_path,
            self.backend.kind,
            self.backend.address,
            tuple(self.options.items()),
            f"{writer.step.id} {writer.step.started}",
        )

    def _rows(self, tracks: Step, span: range) -> Columns:
        return tables.columns(self.session.table(tracks, frames=(span.start, span.stop)))
