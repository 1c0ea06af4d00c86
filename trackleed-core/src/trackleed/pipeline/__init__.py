"""The verbs, and the only place where steps are chained and frames are looped over."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from trackleed.pipeline.run import Run
from trackleed.pipeline.view import SessionView
from trackleed.session import Session

__all__ = ["Run", "SessionView", "import_frames", "open_run"]


def import_frames(
    source: str | Path, run: str | Path, *, overwrite: bool = False, **options: Any
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
    **options
        As `Run.import_frames` takes them: ``mask="none"``, ``reader_options={...}``.

    Returns
    -------
    Run
        The session and the verbs that work on it.

    Raises
    ------
    InputError
        If the source, or any file of it, cannot be used.
    SessionExists
        If the directory is there and ``overwrite`` was not asked for.
    """
    made = Run(Session.create(Path(run), overwrite=overwrite))
    made.import_frames(source, **options)
    return made


def open_run(run: str | Path) -> Run:
    """The session in a directory, and the verbs that work on it.

    Raises
    ------
    SessionDamaged
        If it cannot be read.
    """
    return Run(Session.open(Path(run)))
