"""The verbs, and the only place where steps are chained and frames are looped over."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from trackleed.pipeline.importing import Series
from trackleed.pipeline.run import Run
from trackleed.pipeline.view import SessionView
from trackleed.progress import Progress, silent
from trackleed.registry import Registry
from trackleed.session import Session

__all__ = ["Run", "SessionView", "import_frames", "open_run"]


def import_frames(
    source: str | Path,
    run: str | Path,
    *,
    overwrite: bool = False,
    goes_on: bool = False,
    progress: Progress = silent,
    jobs: int | None = None,
    **options: Any,
) -> Run:
    """Make a session and copy a series into it.

    Parameters
    ----------
    source : path
        A folder, a glob such as ``"scan/*.tif"``, or a file of one or many frames.
    run : path
        The session's directory, by custom ``NAME.trackleed``.
    overwrite : bool
        Replace a session that is there already.
    goes_on : bool
        Go on with a session of the same series that is there already.
    progress, jobs
        As `Run` takes them.
    **options
        As `Run.import_frames` takes them: ``mask="none"``, ``reader_options={...}``.

    Returns
    -------
    Run
        The session and the verbs that work on it.

    Raises
    ------
    InputError
        If the source, or any file of it, cannot be used; nothing is made or replaced then.
    SessionExists
        If the directory is there, and it was not said what to do with it.
    """
    series = Series(Registry.discover(), source, **options)
    if goes_on and not overwrite and Path(run).exists():
        session = Session.open(Path(run))
    else:
        _ = series.source, series.images  # before anything is made, or an old session goes
        session = Session.create(Path(run), overwrite=overwrite)
    made = Run(session, progress=progress, jobs=jobs)
    made.import_frames(series)
    return made


def open_run(run: str | Path) -> Run:
    """The session in a directory, and the verbs that work on it.

    Raises
    ------
    SessionDamaged
        If it cannot be read.
    """
    return Run(Session.open(Path(run)))
