"""The series that trackers are tried on: those of a suite, and labelled ones of one's own."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from trackleed.errors import InputError, TableError
from trackleed.pipeline import Run, import_frames, open_run
from trackleed.registry import Registry
from trackleed.scoring import LABELS_CSV, by_hand, of_truth
from trackleed.session import Session
from trackleed.simulate import LEVELS, Case, Level, suite, write
from trackleed.tables import INDEX, TRACKS

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Opened:
    """A series made ready.

    Attributes
    ----------
    run : Run
        A session of its own, with the frames imported.
    labels : DataFrame
        A `trackleed.scoring.LABELS` table.
    """

    run: Run
    labels: pd.DataFrame


@dataclass(frozen=True)
class Series:
    """One series to try trackers on.

    Attributes
    ----------
    scenario : str
        Series of one scenario share a line of the table.
    name : str
        Its own name, fit for a file.
    key : str
        Differs where frames or labels do.
    open : callable
        Makes it ready in an empty folder.
    """

    scenario: str
    name: str
    key: str
    open: Callable[[Path], Opened]


def of_suite(
    name: str, level: Level, seeds: Sequence[int] | None = None, frames: int | None = None
) -> list[Series]:
    """The series of a suite at one level.

    Raises
    ------
    InputError
        If there is no such suite or level, or a seed is negative.
    """
    chosen = suite(name)
    if level not in LEVELS:
        raise InputError(f"level {level!r} is not known; allowed are {', '.join(LEVELS)}")
    if seeds is not None and (not seeds or min(seeds) < 0):
        raise InputError(f"seeds = {list(seeds)} is not allowed; they are numbers from 0")
    made = []
    for case in chosen.cases[level]:
        for seed in chosen.seeds if seeds is None else seeds:
            key = _digest(json.dumps([asdict(case), seed, frames], sort_keys=True))
            stem = f"{case.name}-{seed}"
            made.append(Series(case.name, stem, key, partial(_simulated, case, seed, frames)))
    return made


def labelled(source: str | Path, labels: str | Path | None = None) -> Series:
    """A series with labels: a folder, a file of frames, or a session.

    Parameters
    ----------
    source : path
    labels : path or str, optional
        A CSV file; or, of a session, a step with a ``tracks`` table. By default ``labels.csv``
        in the folder, in its ``truth/``, or in the session.

    Raises
    ------
    InputError
        If there is no such series, or no labels for it.
    TableError
        If the labels are not such a table.
    """
    source = Path(source)
    if not source.exists():
        raise InputError(
            f"{source} is neither a suite, nor a series, nor a session",
            "a suite: trackleed bench leed-1",
        )
    session = Session.open(source) if (source / "session.json").exists() else None
    if session is None:
        Registry.discover().reader_for(source)
    table = _labels(source, session, labels)
    if table.empty:
        raise InputError(f"the labels of {source} have no rows")
    stamp = [str(source.absolute()), *_stamps(source), table.to_csv()]
    name = source.resolve().stem
    return Series(name, name, _digest("\n".join(stamp)), partial(_imported, source, table))


def _simulated(case: Case, seed: int, frames: int | None, folder: Path) -> Opened:
    sim = case.simulate(seed, frames)
    write(sim, folder / "frames")
    run = import_frames(folder / "frames", folder / "run.trackleed")
    shutil.rmtree(folder / "frames")
    return Opened(run, of_truth(sim.truth))


def _imported(source: Path, labels: pd.DataFrame, folder: Path) -> Opened:
    target = folder / "run.trackleed"
    if (source / "session.json").exists():
        return Opened(_same_frames(open_run(source), target), labels)
    return Opened(import_frames(source, target), labels)


def _same_frames(run: Run, target: Path) -> Run:
    """A new session of the frames of another one, which is left as it is."""
    done = run.session.latest("import")
    if done is None:
        raise InputError(
            f"{run.session.path} has no frames", f"first: trackleed import SRC {run.session.path}"
        )
    session = Session.create(target)
    try:
        session.store_path.symlink_to(run.session.store_path.resolve(), target_is_directory=True)
    except OSError:  # file systems without links
        shutil.copytree(run.session.store_path, session.store_path)
    with session.step(
        "import", spec=INDEX, params=done.params, backend=done.backend, version=done.version
    ) as writer:
        writer.write(run.table(done))
    return Run(session)


def _labels(source: Path, session: Session | None, labels: str | Path | None) -> pd.DataFrame:
    if session is not None and labels is not None and not Path(labels).exists():
        step = session.get(str(labels))
        if step.spec != TRACKS.name:
            raise InputError(f"step {step.id} of {source} has no tracks, to be taken as labels")
        return by_hand(session.table(step))
    folder = source if source.is_dir() else source.parent
    usual = [folder / LABELS_CSV, folder / "truth" / LABELS_CSV]
    places = usual if labels is None else [Path(labels)]
    found = [path for path in places if path.is_file()]
    if not found:
        raise InputError(
            f"{source} has no labels; looked for {', '.join(map(str, places))}",
            "name a CSV file of frame, track_id, x, y, or a step of tracks: --labels",
        )
    return read_labels(found[0])


def read_labels(path: Path) -> pd.DataFrame:
    """Labels from a CSV file of ``frame, track_id, x, y`` and, if it likes, ``state``.

    Raises
    ------
    InputError
        If it cannot be read.
    TableError
        If columns are missing or wrong.
    """
    import pandas as pd

    try:
        return by_hand(pd.read_csv(path, comment="#"))
    except OSError as error:
        raise InputError(f"labels {path} cannot be read: {error.strerror or error}") from None
    except TableError as error:
        raise TableError(f"{path}: {error.message}") from None
    except ValueError as error:
        raise InputError(f"labels {path} cannot be read: {error}") from None


def _stamps(source: Path) -> list[str]:
    """Name, size and time of the files of a series, without what a session adds."""
    files = [source] if source.is_file() else sorted(source.iterdir())
    told = ((path.name, path.stat()) for path in files if path.is_file())
    return [f"{name} {stat.st_size} {stat.st_mtime_ns}" for name, stat in told]


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]
