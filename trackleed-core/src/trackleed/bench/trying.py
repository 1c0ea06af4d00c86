"""Trackers tried on series, one after the other; what was done before is not done again."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import tempfile
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trackleed import files
from trackleed.bench.series import Opened, Series
from trackleed.errors import TrackleedError
from trackleed.pipeline import open_run
from trackleed.progress import Progress, silent
from trackleed.registry import Backend, Registry
from trackleed.scoring import Counts, count, score_detections
from trackleed.worker.backends import find_backend

if TYPE_CHECKING:
    import pandas as pd

Record = dict[str, Any]

_BOX = 4.0  # side of a seed's ROI over the reach of its label: six widths


@dataclass(frozen=True)
class Setup:
    """What is the same for all trackers.

    Attributes
    ----------
    detector, refiner : str
    options : dict
        Options by backend: by the name of a tracker, or ``"detector"``, ``"refiner"``.
    jobs : int, optional
        Threads of detector and refiner.
    """

    detector: str = "classic"
    refiner: str = "gaussian"
    options: dict[str, dict[str, Any]] = field(default_factory=dict)
    jobs: int | None = None

    def of(self, name: str) -> dict[str, Any]:
        """The options of one backend."""
        return self.options.get(name, {})


@dataclass
class Trial:
    """Tries trackers on one series.

    Parameters
    ----------
    series : Series
    trackers : list of str
        Names or addresses, as `Run.track` takes them.
    setup : Setup
    folder : Path
        Where records are kept.
    progress : callable
        Told how far the tracker at work is.
    fresh : bool
        Whether everything is done anew.
    """

    series: Series
    trackers: list[str]
    setup: Setup
    folder: Path
    progress: Progress = silent
    fresh: bool = False

    def __call__(self, on_record: Callable[[Record], None]) -> None:
        """Hand over the record of the detections and then of each tracker."""
        names = ["", *self.trackers]
        known = {name: self._known(name) for name in names}
        with files.OwnFolder(self.folder, "trackleed-bench-") as place:
            opened: Opened | None = None
            for name in names:
                record = known[name]
                if record is None:
                    try:
                        opened = opened or self._open(place)
                        record = self._made(name, opened)
                    except TrackleedError as error:
                        record = {"error": str(error)}
                    record = {**self._head(name), **record}
                    self._keep(name, record)
                on_record(record)

    def _open(self, place: Path) -> Opened:
        self.progress(f"make {self.series.name}", 0, 0)
        opened = self.series.open(place)
        opened.run.jobs = self.setup.jobs
        opened.run.detect(**self._detection)
        return opened

    def _made(self, tracker: str, opened: Opened) -> Record:
        if not tracker:
            detections = opened.run.table(opened.run.detect(**self._detection))
            score = score_detections(detections, opened.labels)
            return {"counts": {name: float(n) for name, n in vars(score).items()}}
        request = self._request(tracker, opened)
        answer = apart(request, self.progress)
        if "error" in answer:
            return answer
        run = open_run(opened.run.session.path)  # as the other process left it
        tracks, fits = run.table(answer.pop("tracks")), run.table(answer.pop("fits"))
        counts: Counts = count(tracks, fits, opened.labels)
        return {**answer, "counts": counts, "frames": len(run.session.store.frames())}

    @property
    def _detection(self) -> dict[str, Any]:
        return {"backend": self.setup.detector, **self.setup.of("detector")}

    def _request(self, tracker: str, opened: Opened) -> dict[str, Any]:
        needs = find_backend(Registry.discover(), "tracker", tracker).spec.needs
        found = opened.run.detect(**self._detection).id if "detections" in needs else None
        return {
            "session": str(opened.run.session.path),
            "tracker": tracker,
            "options": self.setup.of(tracker),
            "detections": found,
            "seeds": seeds_of(opened.labels) if "seeds" in needs else None,
            "refiner": self.setup.refiner,
            "refiner_options": self.setup.of("refiner"),
            "jobs": self.setup.jobs,
        }

    def _head(self, tracker: str) -> Record:
        given = "frames"
        if tracker:
            with suppress(TrackleedError):
                given = told(find_backend(Registry.discover(), "tracker", tracker))
        return {
            "key": self._key(tracker),
            "scenario": self.series.scenario,
            "series": self.series.name,
            "tracker": tracker,
            "given": given,
            "error": "",
        }

    def _path(self, tracker: str) -> Path:
        safe = "".join(c if c.isalnum() or c in "-_." else "+" for c in tracker) or "detections"
        return self.folder / f"{self.series.name}--{safe}.json"

    def _key(self, tracker: str) -> str:
        registry = Registry.discover()
        code = [_code("trackleed"), _code("trackleed_kit")]
        for kind, name in (("detector", self.setup.detector), ("tracker", tracker)):
            with suppress(TrackleedError):
                found = find_backend(registry, kind, name)  # type: ignore[arg-type]
                code.append(f"{found.version} {_code(found.spec.factory.partition('.')[0])}")
        options = {name: self.setup.of(name) for name in ("detector", "refiner", tracker)}
        parts = [self.series.key, self.setup.detector, self.setup.refiner, tracker, options, code]
        return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:16]

    def _known(self, tracker: str) -> Record | None:
        """What an earlier run of just this left."""
        if self.fresh:
            return None
        try:
            record: Record = json.loads(self._path(tracker).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None
        same = isinstance(record, dict) and record.get("key") == self._key(tracker)
        return record if same and not record["error"] else None

    def _keep(self, tracker: str, record: Record) -> None:
        text = json.dumps(record, indent=1) + "\n"
        files.replace(self._path(tracker), text.encode(), durable=False)


def told(backend: Backend) -> str:
    """What a tracker is given besides the frames."""
    needs = backend.spec.needs
    return " and ".join("seeds of the truth" if n == "seeds" else n for n in needs) or "frames"


def seeds_of(labels: pd.DataFrame) -> dict[str, list[float]]:
    """Columns of ``seeds``: each spot in the first frame in which it is to be found."""
    from trackleed.scoring import WANTED

    seen = labels[labels["state"].isin(WANTED)].sort_values("frame", kind="stable")
    first = seen.drop_duplicates("track_id")
    side = _BOX * first["reach"]
    table = first[["track_id", "frame", "x", "y"]].assign(width=side, height=side)
    return {str(name): table[name].tolist() for name in table.columns}


def apart(request: dict[str, Any], progress: Progress) -> Record:
    """The answer of a process of its own; its end without an answer is an error as well."""
    command = [sys.executable, "-m", "trackleed.bench.child"]
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True
        )
        assert process.stdin is not None
        assert process.stdout is not None
        answer: Record = {}
        try:
            process.stdin.write(json.dumps(request))
            process.stdin.close()
            for line in process.stdout:
                answer = json.loads(line)
                if "stage" in answer:
                    progress(**answer)
        except BrokenPipeError:
            pass
        finally:
            process.stdout.close()
            with suppress(OSError):
                process.terminate()
            code = process.wait()
        if "error" in answer or "tracks" in answer:
            return answer
        log.seek(0)
        last = log.read().decode(errors="replace").strip().splitlines()[-1:] or ["it said nothing"]
    return {"error": f"ended with code {code}: {last[0]}"}


@lru_cache(maxsize=64)
def _code(package: str) -> str:
    """A digest of a package's source files: numbers of versions do not change as often."""
    spec = find_spec(package)
    places = [Path(place) for place in (spec.submodule_search_locations or [])] if spec else []
    digest = hashlib.sha256()
    for path in sorted(path for place in places for path in place.rglob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]
