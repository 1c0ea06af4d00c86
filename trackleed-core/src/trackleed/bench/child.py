"""One tracker on one series in a process of its own, so that its peak memory is its own.

``python -m trackleed.bench.child``: reads a request from standard input, as JSON, and answers on
standard output with a line of JSON for each progress and one at the end. Whatever else is
printed, by a backend perhaps, goes to standard error.
"""

from __future__ import annotations

import json
import os
import sys
import time
from typing import Any, TextIO

from trackleed.errors import TrackleedError

EVERY_S = 0.2
"""How often progress is told."""


def main() -> None:
    """Serve one request."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    request = json.load(sys.stdin)
    try:
        answer = serve(request, answers)
    except TrackleedError as error:
        answer = {"error": str(error)}
    except Exception as error:
        answer = {"error": f"{type(error).__name__}: {error}"}
    _say(answers, answer)


def serve(request: dict[str, Any], answers: TextIO) -> dict[str, Any]:
    """Track and refine; the ids of the steps, seconds of tracking and peak memory.

    The seconds are those from the start of the loop over the frames to its end: opening the
    session and writing the table safely to the disk take as long for every tracker.
    """
    from trackleed.pipeline import open_run

    run = open_run(request["session"])
    run.progress = teller = _Teller(answers)
    run.jobs = request["jobs"]
    seeds = None
    if request["seeds"] is not None:
        import pandas as pd

        seeds = pd.DataFrame(request["seeds"])
    tracks = run.track(
        request["tracker"], detections=request["detections"], seeds=seeds, **request["options"]
    )
    peak = peak_mb()
    fits = run.refine(request["refiner"], tracks=tracks, **request["refiner_options"])
    return {"tracks": tracks.id, "fits": fits.id, "seconds": teller.tracking, "peak_mb": peak}


def peak_mb() -> float:
    """Largest memory so far, in MiB, of this process and of the largest that it started; or NaN.

    Not ``ru_maxrss`` for this process, which on Linux remembers the process that started it.
    """
    try:
        import resource
    except ImportError:
        return float("nan")
    unit = 2**20 if sys.platform == "darwin" else 2**10
    own = float(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
    try:
        with open("/proc/self/status", encoding="ascii") as file:  # noqa: PTH123
            own = next(float(line.split()[1]) for line in file if line.startswith("VmHWM"))
    except (OSError, StopIteration):
        pass
    return (own + resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss) / unit


class _Teller:
    """Passes progress on, but not too often, and takes the time of tracking."""

    def __init__(self, answers: TextIO) -> None:
        self.answers = answers
        self.last = 0.0
        self.begun: float | None = None
        self.tracking = 0.0

    def __call__(self, stage: str, done: int, total: int) -> None:
        now = time.monotonic()
        if stage == "track":
            self.begun = now if self.begun is None else self.begun
            self.tracking = now - self.begun
        if now - self.last >= EVERY_S:
            self.last = now
            _say(self.answers, {"stage": stage, "done": done, "total": total})


def _say(answers: TextIO, answer: dict[str, Any]) -> None:
    answers.write(json.dumps(answer) + "\n")
    answers.flush()


if __name__ == "__main__":
    main()
