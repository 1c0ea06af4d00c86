"""The verbs: each takes what earlier steps left in a session and adds a step of its own."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Executor
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trackleed.backend import Kind
from trackleed.pipeline.analyses import Analyses
from trackleed.pipeline.analysing import analyse
from trackleed.pipeline.blockwise import Blockwise
from trackleed.pipeline.current import chosen, furthest
from trackleed.pipeline.editing import Editing
from trackleed.pipeline.engine import executor_or_threads
from trackleed.pipeline.exporting import export
from trackleed.pipeline.importing import Series, import_into
from trackleed.pipeline.tracking import add_tracks
from trackleed.progress import Progress, say, silent
from trackleed.registry import Backend, Registry
from trackleed.session import Session, Step
from trackleed.worker.backends import Hosted, find_backend

if TYPE_CHECKING:
    import pandas as pd


class Run(Analyses, Editing):
    """One session and the verbs that work on it.

    A verb that finds its step already done, with the same options and inputs,
    returns that step: running a whole chain again goes on where it stopped. What was asked for
    last is what later verbs take, whether it was done anew or not.

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
        frames = chosen(self.session, "import", None)
        with self._blockwise("detector", backend, options) as work:
            return self.asked_for(work.detections(frames))

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
        tracks = add_tracks(self.session, found, options, detections, seeds, self.progress)
        return self.asked_for(tracks)

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
        source = chosen(self.session, "track", tracks)
        with self._blockwise("refiner", backend, options) as work:
            return self.asked_for(work.fits(source))

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
        source = chosen(self.session, "refine", fits)
        with executor_or_threads(self.executor, self.jobs) as executor:
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
        source = chosen(self.session, "refine", fits) if fits else furthest(self.session)
        source = source or chosen(self.session, "import", None)
        target = Path(folder) if folder is not None else self.session.path / "exports"
        return export(self.session, found, source, options, target, self.progress)

    def table(self, step: Step | str) -> pd.DataFrame:
        """The table of a step."""
        return self.session.table(step)

    def _found(self, kind: Kind, address: str) -> Backend:
        """The backend of an address, which may name an environment."""
        found = find_backend(self.registry, kind, address)
        if isinstance(found, Hosted) and found.note:
            say(self.progress, found.note)
        return found

    @contextmanager
    def _blockwise(self, kind: Kind, address: str, options: dict[str, Any]) -> Iterator[Blockwise]:
        found = self._found(kind, address)
        with executor_or_threads(self.executor, self.jobs) as executor:
            yield Blockwise(self.session, found, options, executor, self.progress)
