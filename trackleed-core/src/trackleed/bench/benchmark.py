"""`bench`: every tracker on every series, and the table of what came out."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trackleed import __version__, files
from trackleed.bench.series import Series, labelled, of_suite
from trackleed.bench.table import behind, markdown, table
from trackleed.bench.trying import Record, Setup, Trial
from trackleed.errors import InputError
from trackleed.progress import Progress, silent
from trackleed.registry import Registry
from trackleed.simulate import SUITES, Level
from trackleed.worker.backends import find_backend

if TYPE_CHECKING:
    import pandas as pd


@dataclass
class Benchmark:
    """What came out, so far.

    Attributes
    ----------
    title : str
        What was tried, with the version.
    trackers : list of str
    records : list of dict
        One for each series and tracker.
    """

    title: str
    trackers: list[str]
    records: list[Record] = field(default_factory=list)

    @property
    def table(self) -> pd.DataFrame:
        """One line for each scenario and tracker; see docs/bench.md for the columns."""
        return table(self.records)

    @property
    def markdown(self) -> str:
        """Title, table, and where the first tracker is behind another."""
        lines = self.table
        text = f"# {self.title}\n\n{markdown(lines)}"
        if len(self.trackers) > 1:
            said = behind(lines, self.trackers[0])
            where = "".join(f"- {one}\n" for one in said) or "- nowhere\n"
            text += f"\nWhere {self.trackers[0]} is behind in IDF1:\n\n{where}"
        return text

    def write(self, folder: Path) -> list[Path]:
        """Write ``table.csv``, ``table.md``, ``runs.jsonl`` and, with matplotlib, ``table.png``."""
        written = {
            "table.csv": self.table.to_csv(index=False),
            "table.md": self.markdown,
            "runs.jsonl": "".join(json.dumps(record) + "\n" for record in self.records),
        }
        for name, text in written.items():
            files.replace(folder / name, text.encode(), durable=False)
        paths = [folder / name for name in written]
        if find_spec("matplotlib") is not None:
            from trackleed.bench.plots import plot

            paths.append(plot(self.table, folder / "table.png", self.title))
        return paths


def ready_trackers() -> list[str]:
    """Names of the installed trackers that run in this process and have all they need."""
    trackers = Registry.discover().of_kind("tracker")
    return [b.spec.name for b in trackers if not b.missing and b.spec.runs_in == "host"]


def bench(
    sources: Sequence[str | Path],
    trackers: Sequence[str] = (),
    *,
    to: str | Path,
    level: Level = "middle",
    seeds: Sequence[int] | None = None,
    frames: int | None = None,
    labels: str | Path | None = None,
    detector: str = "classic",
    refiner: str = "gaussian",
    options: Mapping[str, Mapping[str, Any]] | None = None,
    jobs: int | None = None,
    fresh: bool = False,
    progress: Progress = silent,
) -> Benchmark:
    """Try trackers on series whose spots are known, and write the table of what came out.

    Each tracker works on each series in a process of its own. One that fails has its reason in
    the table, and the others go on. Whatever is finished is kept in ``to`` at once, and not done
    again as long as nothing that it depends on is changed, the code included.

    Parameters
    ----------
    sources : sequence of str or path
        Suites, such as ``"leed-1"``; folders or files of frames with labels; sessions with labels.
    trackers : sequence of str
        As `Run.track` takes them, ``name`` or ``name@environment``; all that are ready here when
        none is named.
    to : path
        Folder for the table and what is kept; made if it is not there.
    level : {"easy", "middle", "hard"}
        Of suites.
    seeds, frames : optional
        Other seeds than the suites' own, and shorter series: not the standard table then.
    labels : path or str, optional
        A CSV file, or a step of a session, instead of ``labels.csv``; for a single source.
    detector, refiner : str
    options : mapping, optional
        Options by backend: by the tracker's name, or ``"detector"`` and ``"refiner"``.
    jobs : int, optional
        Threads of detector and refiner.
    fresh : bool
        Do everything anew.
    progress : callable
        Told ``("bench", runs done, runs in all)``, and how far the tracker at work is.

    Returns
    -------
    Benchmark

    Raises
    ------
    InputError, TableError
        If a source or its labels cannot be used.
    BackendNotFound, ParamsError
        If a backend or an option is not known.
    """
    trackers = list(dict.fromkeys(trackers)) or ready_trackers()
    setup = Setup(detector, refiner, {k: dict(v) for k, v in (options or {}).items()}, jobs)
    _check(trackers, setup)
    series = _series(sources, level, seeds, frames, labels)
    folder = Path(to)
    try:
        (folder / "runs").mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"cannot write to {folder}: {error.strerror or error}") from None
    result = Benchmark(_title(sources, level, seeds, frames), trackers)
    n_runs = len(series) * (len(trackers) + 1)

    def add(record: Record) -> None:
        result.records.append(record)
        progress("bench", len(result.records), n_runs)

    progress("bench", 0, n_runs)
    try:
        for one in series:
            Trial(one, trackers, setup, folder / "runs", progress, fresh)(add)
    finally:
        if result.records:
            result.write(folder)
    return result


def _check(trackers: list[str], setup: Setup) -> None:
    """Fail now, and not after an hour, over what can be known beforehand."""
    registry = Registry.discover()
    find_backend(registry, "detector", setup.detector).make(**setup.of("detector"))
    find_backend(registry, "refiner", setup.refiner).make(**setup.of("refiner"))
    for name in trackers:
        find_backend(registry, "tracker", name).params(**setup.of(name))
    odd = [name for name in setup.options if name not in ("detector", "refiner", *trackers)]
    if odd:
        raise InputError(
            f"options for {odd[0]!r}, which is not tried; "
            f"allowed are detector, refiner, {', '.join(trackers)}"
        )


def _series(
    sources: Sequence[str | Path],
    level: Level,
    seeds: Sequence[int] | None,
    frames: int | None,
    labels: str | Path | None,
) -> list[Series]:
    if not sources:
        raise InputError("no series to try trackers on", "a suite: trackleed bench leed-1")
    if labels is not None and len(sources) > 1:
        raise InputError(f"labels are named, but there are {len(sources)} sources: name one")
    made: list[Series] = []
    for source in sources:
        if _is_suite(source):
            made += of_suite(str(source), level, seeds, frames)
        else:
            made.append(labelled(source, labels))
    names = [one.name for one in made]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise InputError(f"two series are called {twice!r}; the names of folders must differ")
    return made


def _is_suite(source: str | Path) -> bool:
    text = str(source)
    return text.removeprefix("suite:") in SUITES or text.startswith("suite:")


def _title(
    sources: Sequence[str | Path],
    level: Level,
    seeds: Sequence[int] | None,
    frames: int | None,
) -> str:
    said = [
        f"{str(source).removeprefix('suite:')} {level}" if _is_suite(source) else Path(source).name
        for source in sources
    ]
    other = []
    if any(map(_is_suite, sources)):
        other += [f"seeds {', '.join(map(str, seeds))}"] if seeds is not None else []
        other += [f"{frames} frames"] if frames is not None else []
    more = f" with {' and '.join(other)}" if other else ""
    return f"Trackers on {', '.join(said)}{more}, trackleed {__version__}"
