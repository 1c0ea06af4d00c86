"""What a worker costs: the same backends in this process and in a worker, in turns.

python benchmarks/workers.py [--frames 60] [--size 512] [--rounds 5]

The worker is one of this interpreter, so that it runs the same code. Starting it and
loading the backend are shown apart. The tracker reads its frames from the store's chunk files
on both sides; the detector is handed each frame, which crosses to the worker. Times are the best
of the rounds; on a busy machine the CPU times, of both processes together, tell more.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from trackleed.registry import Registry
from trackleed.simulate import simulate
from trackleed.store import Store
from trackleed.tables import columns
from trackleed.worker.backends import find_backend
from trackleed.worker.environments import Environment

LIMIT = 2.0
"""Milliseconds a frame that a tracker's worker may cost."""


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--frames", type=int, default=60)
    arguments.add_argument("--size", type=int, default=512)
    arguments.add_argument("--rounds", type=int, default=5)
    given = arguments.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        frames, seeds = series(Path(folder), given.frames, given.size)

        def track(tracker: Any) -> list[Any]:
            return list(tracker.track(frames, seeds, None))

        def detect(detector: Any) -> list[Any]:
            return [detector.detect(frames[i], frames.valid) for i in range(len(frames))]

        rows = [
            compared("tracker", "lk", track, given),
            compared("detector", "classic", detect, given),
        ]
    print(f"{given.frames} frames of {given.size} x {given.size}, 16 bit, {len(seeds['x'])} spots")
    print(pd.DataFrame(rows).to_string(index=False, float_format=lambda value: f"{value:.2f}"))
    if rows[0]["cost, CPU ms"] >= LIMIT:
        sys.exit(f"a worker costs the tracker over {LIMIT} ms a frame")


def series(folder: Path, n: int, size: int) -> tuple[Any, dict[str, np.ndarray]]:
    """A simulated deposition in a store, and a seed for each spot of its first frame."""
    sim = simulate("deposition", seed=7, frames=n, size=(size, size))
    known = sim.sequence()
    store = Store.create(folder / "store.zarr", n, known.shape, np.uint16)
    for i in range(n):
        store.append(sim.frame(i))
    store.put_image("valid", known.valid)
    spots = sim.truth
    first = spots[(spots["frame"] == 0) & spots["visible"]]
    seeds = {
        "track_id": first["spot"].to_numpy(),
        "frame": first["frame"].to_numpy(),
        "x": first["x"].to_numpy(),
        "y": first["y"].to_numpy(),
        "width": np.full(len(first), 15.0),
        "height": np.full(len(first), 15.0),
    }
    return store.frames(columns(sim.index)), seeds


def compared(
    kind: Any, name: str, work: Callable[[Any], list[Any]], given: argparse.Namespace
) -> dict[str, Any]:
    """Times of one backend in both places, the best of the rounds."""
    registry = Registry.discover()
    env = Environment(name="here", source=Path(), python=Path(sys.executable))
    here = registry.find(kind, name).make()
    with find_backend(registry, kind, f"{name}@here", {"here": env}).make() as there:
        begun = time.perf_counter()
        rows = work(there)
        first = time.perf_counter() - begun
        for a, b in zip(work(here), rows, strict=True):
            assert all(np.array_equal(a[c], b[c], equal_nan=a[c].dtype.kind == "f") for c in a)
        turns = [(timed(work, here, there), timed(work, there, there)) for _ in range(given.rounds)]
    # Of rounds, in process or not, wall or CPU.
    best = 1000 * np.min(turns, axis=0) / given.frames
    (here_ms, here_cpu), (there_ms, there_cpu) = best.tolist()
    return {
        "backend": f"{kind} {name}",
        "here, ms": here_ms,
        "worker, ms": there_ms,
        "cost, ms": there_ms - here_ms,
        "ratio": there_ms / here_ms,
        "here, CPU ms": here_cpu,
        "worker, CPU ms": there_cpu,
        "cost, CPU ms": there_cpu - here_cpu,
        "start, s": first - there_ms * given.frames / 1000,
    }


def cpu_seconds(remote: Any) -> float:
    """CPU time of a worker so far (Linux)."""
    stat = Path(f"/proc/{remote.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(stat[11]) + int(stat[12])) / os.sysconf("SC_CLK_TCK")


def timed(work: Callable[[Any], list[Any]], backend: Any, remote: Any) -> tuple[float, float]:
    """Wall and CPU seconds of one round; the CPU's are of this process and the worker's."""
    wall, cpu = time.perf_counter(), time.process_time() + cpu_seconds(remote)
    work(backend)
    used = time.process_time() + cpu_seconds(remote) - cpu
    return time.perf_counter() - wall, used


if __name__ == "__main__":
    main()
