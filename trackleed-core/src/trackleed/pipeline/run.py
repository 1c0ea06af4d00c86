"""The verbs: each takes what earlier steps left in a session and adds a step of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Executor
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trackleed import __version__, tables
from trackleed.backend import Kind
from trackleed.errors import SessionError
from trackleed.pipeline import engine
from trackleed.pipeline.analyses import Analyses
from trackleed.pipeline.analysing import analyse
from trackleed.pipeline.current import TABLE_OF, current, furthest, stale
from trackleed.pipeline.editing import Editing
from trackleed.pipeline.engine import Job
from trackleed.pipeline.importing import Series, import_into
from trackleed.pipeline.steps import add_step
from trackleed.pipeline.tracking import write_tracks
from trackleed.pipeline.using import Remembered, used
from trackleed.pipeline.view import SessionView
from trackleed.progress import Progress, say, silent
from trackleed.registry import Backend, Registry
from trackleed.session import Session, Step, StepWriter
from trackleed.worker.backends import Hosted, find_backend

if TYPE_CHECKING:
    import pandas as pd

Work = Callable[[StepWriter], None]


class Run(Analyses, Editing):
    """One session and the verbs that work on it.

    A verb that finds its step already done, with the same options and inputs,
    returns that step: running a whole chain again goes on where it stopped.

    Parameters
    ----------
    session : Session
    progress : callable, optional
        Called as ``progress(stage, done, total)``; raising from it cancels the step.
    executor : concurrent.futures.Executor, optional
        Where frames are worked on; threads of our own by default. Its workers
        must be able to read the session's directory.
    jobs : int, optional
        How many threads; one for each processor by default.
    """

    def __init__(
        self,
        session: Session,
        *,
        progress: Progress = silent,
        executor: Executor | None = None,
        jobs: int | None = None,
    ) -> None:
        self.session = session
        self.progress = progress
        self.executor = executor
        self.jobs = jobs
        self.registry = Registry.discover()

    def __repr__(self) -> str:
        return f"<Run {self.session.path}: {', '.join(s.id for s in self.session.steps)}>"

    def import_frames(self, source: str | Path | Series, **options: Any) -> Step:
        """Copy a series into the session, with its metadata, mask and noise model.

        Parameters
        ----------
        source : path
            A folder, a glob such as ``"scan/*.tif"``, or a file of one or many frames.
        **options
            ``reader`` and ``reader_options`` (chosen by the name of the source if not
            given), ``mask``, ``dark``, ``flat``, ``background`` and ``background_mode``.

        Returns
        -------
        Step
            With the ``index`` table, a row for each frame.

        Raises
        ------
        InputError
            If the source, or any file of it, cannot be used.
        """
        series = source if isinstance(source, Series) else Series(self.registry, source, **options)
        return import_into(self.session, series, self.progress)

    def detect(self, backend: str = "classic", **options: Any) -> Step:
        """Find the spots of every frame.

        Parameters
        ----------
        backend : str
            A detector, as ``trackleed backends`` lists them, or ``name@env``.
        **options
            Its options.

        Returns
        -------
        Step
            With the ``detections`` table.
        """
        found = self._found("detector", backend)
        inputs = [self._chosen("import", None)]

        def work(writer: StepWriter) -> None:
            spans = engine.blocks(self._n_frames)
            self._run("detect", engine.detect_block, found, options, spans, spans, writer)

        return self._add("detect", found, options, inputs, tables.DETECTIONS, work)

    def track(
        self,
        backend: str = "pattern",
        *,
        detections: Step | str | None = None,
        seeds: pd.DataFrame | None = None,
        **options: Any,
    ) -> Step:
        """Follow the spots through the series.

        Parameters
        ----------
        backend : str
            A tracker, as ``trackleed backends`` lists them, or ``name@env``.
        detections : Step or str, optional
            Detections to use; the newest by default, if the tracker needs any.
        seeds : DataFrame, optional
            Start positions, a ``seeds`` table.
        **options
            Its options.

        Returns
        -------
        Step
            With the ``tracks`` table: a row for every track in every frame.
        """
        found = self._found("tracker", backend)
        inputs = [self._chosen("import", None)]
        if detections is not None or "detections" in found.spec.needs:
            inputs.append(self._chosen("detect", detections))
        known = (*found.spec.needs, *found.spec.takes)
        if seeds is not None and "seeds" not in known:
            raise SessionError(
                f"tracker {backend!r} takes no start positions; it finds its own spots",
                "leave them out, or choose another tracker: trackleed backends",
            )
        if seeds is not None:
            inputs.append(self._kept_seeds(seeds))
        elif "seeds" in found.spec.needs:
            raise SessionError(
                f"tracker {backend!r} needs start positions, and none were given",
                "give them with --seeds FILE.csv (in Python seeds=), or choose another tracker",
            )

        def work(writer: StepWriter) -> None:
            write_tracks(self.session, found, options, inputs, writer, self.progress)

        return self._add("track", found, options, inputs, tables.TRACKS, work)

    def refine(
        self, backend: str = "gaussian", *, tracks: Step | str | None = None, **options: Any
    ) -> Step:
        """Measure every tracked spot in every frame.

        Parameters
        ----------
        backend : str
            A refiner, as ``trackleed backends`` lists them, or ``name@env``.
        tracks : Step or str, optional
            Tracks to refine; the newest by default.
        **options
            Its options.

        Returns
        -------
        Step
            With the ``fits`` table: a row for every row of the tracks.
        """
        found = self._found("refiner", backend)
        source = self._chosen("track", tracks)

        def work(writer: StepWriter) -> None:
            spans = engine.blocks(self._n_frames)
            rois = engine.rows_of_blocks(partial(self._rows, source), spans)
            self._run("refine", engine.refine_block, found, options, rois, spans, writer)

        return self._add("refine", found, options, [source], tables.FITS, work)

    def analyse(self, *, fits: Step | str | None = None, **options: Any) -> list[Step]:
        """Find the pattern's centre, the spots' radii and their intensities.

        Parameters
        ----------
        fits : Step or str, optional
            Fits to analyse; the newest by default.
        **options
            ``center`` (a mode), ``x`` and ``y`` of a fixed centre, ``aperture``.

        Returns
        -------
        list of Step
            With the ``centers``, ``radii`` and ``intensities`` tables.
        """
        source = self._chosen("refine", fits)
        with engine.executor_or_threads(self.executor, self.jobs) as executor:
            return analyse(self.session, source, options, executor, self.progress)

    def export(
        self,
        backend: str = "csv",
        *,
        fits: Step | str | None = None,
        folder: str | Path | None = None,
        **options: Any,
    ) -> list[Path]:
        """Write files for other programs and for people.

        Parameters
        ----------
        backend : str
            An exporter, as ``trackleed backends`` lists them.
        fits : Step or str, optional
            Fits to export, with all that belongs to them; by default the newest, or what
            there is before there are any.
        folder : path, optional
            Where to; ``exports/`` of the session by default.
        **options
            Its options.

        Returns
        -------
        list of Path
            The files written.
        """
        found = self.registry.find("exporter", backend)
        source = self._chosen("refine", fits) if fits else furthest(self.session)
        source = source or self._chosen("import", None)
        target = Path(folder) if folder is not None else self.session.path / "exports"
        view = SessionView(self.session, source)
        exporter = found.make(**options)

        def work(writer: StepWriter) -> None:
            target.mkdir(parents=True, exist_ok=True)
            n = 0
            with engine.blame(found.label, f"writing to {target}"):
                for n, path in enumerate(exporter.export(view, target), start=1):
                    writer.note(str(path.relative_to(target)))
                    self.progress(f"export {backend}", n, 0)
                self.progress(f"export {backend}", n, n)

        step = add_step(
            self.session,
            "export",
            work,
            params={
                **found.params(**options).model_dump(mode="json"),
                "folder": str(target.absolute()),
            },
            inputs=list(view.steps.values()),
            backend=found.address,
            version=found.version,
            still_good=lambda step: (
                "session" not in found.spec.needs and self._untouched(step, target)
            ),
        )
        return _files(step, target)

    def table(self, step: Step | str) -> pd.DataFrame:
        """The table of a step."""
        return self.session.table(step)

    def _found(self, kind: Kind, address: str) -> Backend:
        """The backend of an address, which may name an environment."""
        found = find_backend(self.registry, kind, address)
        if isinstance(found, Hosted) and found.note:
            say(self.progress, found.note)
        return found

    @property
    def _n_frames(self) -> int:
        return self.session.store.n_valid

    def _add(
        self,
        kind: str,
        backend: Backend,
        options: dict[str, Any],
        inputs: list[Step],
        spec: tables.TableSpec,
        work: Work,
    ) -> Step:
        backend.make(**options)  # a backend that is not ready fails before any work
        return add_step(
            self.session,
            kind,
            work,
            params=backend.params(**options).model_dump(mode="json"),
            inputs=inputs,
            spec=spec,
            backend=backend.address,
            version=backend.version,
            env=backend.env,
        )

    def _run(
        self,
        stage: str,
        block: Callable[[Job, Any], Any],
        backend: Backend,
        options: dict[str, Any],
        items: Iterator[Any] | list[range],
        spans: list[range],
        writer: StepWriter,
    ) -> None:
        """Work through the items, write what comes, say how far it is."""
        total = spans[-1].stop if spans else 0
        told = Remembered(self.progress)
        told(stage, 0, total)
        with ExitStack() as stack:
            job, executor = self._job(backend, options, writer), None
            if backend.env is None:
                threads = engine.executor_or_threads(self.executor, self.jobs)
                executor = stack.enter_context(threads)
            else:  # one worker, which is talked to from this thread
                made = stack.enter_context(used(backend, options, writer, told))
                job = replace(job, made=made)
            results = engine.run_blocks(partial(block, job), items, executor)
            for span, rows in zip(spans, results, strict=True):
                writer.write(rows)
                told(stage, span.stop, total)

    def _job(self, backend: Backend, options: dict[str, Any], writer: StepWriter) -> Job:
        return Job(
            self.session.store_path,
            backend.kind,
            backend.address,
            tuple(options.items()),
            f"{writer.step.id} {writer.step.started}",
        )

    def _rows(self, step: Step, span: range) -> dict[str, Any]:
        rows = self.session.table(step, frames=(span.start, span.stop))
        return dict(tables.columns(rows))

    def _chosen(self, kind: str, step: Step | str | None) -> Step:
        """The step that the user named, or the current one; an edit counts as what it edits."""
        table = TABLE_OF[kind]
        if step is not None:
            chosen = self.session.get(step.id if isinstance(step, Step) else step)
            if chosen.spec != table:
                raise SessionError(f"step {chosen.id} is no {kind} step")
            return chosen
        newest = current(self.session, table)
        if newest is not None:
            return newest
        path, older = self.session.path, stale(self.session)
        if kind == "refine" and older is not None:
            raise SessionError(
                f"the fits of {older.id} are not of the newest tracks",
                f"first: trackleed refine {path}, or name the older fits: --fits {older.id}",
            )
        verb = "import SRC" if kind == "import" else kind
        raise SessionError(f"{path} has no finished {kind} step", f"first: trackleed {verb} {path}")

    def _untouched(self, export: Step, folder: Path) -> bool:
        """Whether the files of an export are there, and no later export wrote over them."""
        later = self.session.steps[self.session.steps.index(export) + 1 :]
        over = {
            path
            for step in later
            if step.kind == "export"
            for path in _files(step, Path(step.params["folder"]))
        }
        files = _files(export, folder.absolute())
        return all(path.exists() and path not in over for path in files)

    def _kept_seeds(self, seeds: pd.DataFrame) -> Step:
        with self.session.step(
            "edit", backend="seeds", version=__version__, spec=tables.SEEDS
        ) as writer:
            writer.write(seeds)
        return writer.step


def _files(step: Step, folder: Path) -> list[Path]:
    """What an export wrote, as its step tells."""
    return [folder / name for name in step.message.splitlines()]
