"""Peak memory and time of ``trackleed run`` for a short and a long series.

python benchmarks/memory.py [--frames 260 5000] [--size 256]

A few simulated frames are linked under as many names as frames are wanted, forwards and
backwards in turn, so that nothing jumps. Peak memory is that of the process that runs the
command, as the kernel counts it (ru_maxrss); the steps' seconds are those of its session.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from itertools import cycle, islice
from pathlib import Path

from trackleed.simulate import simulate, write

DISTINCT = 20


def make_series(folder: Path, frames: int, size: int) -> None:
    """``frames`` names for `DISTINCT` files."""
    files = write(simulate("cooling", frames=DISTINCT, size=size), folder.with_name("distinct"))
    folder.mkdir()
    for i, file in enumerate(islice(cycle(files + files[::-1]), frames)):
        os.link(file, folder / f"frame_{i:05d}{file.suffix}")


def measure(frames: int, size: int) -> tuple[float, dict[str, float]]:
    """Peak memory in MiB, and seconds by step."""
    with tempfile.TemporaryDirectory(prefix="trackleed-") as name:
        series, session = Path(name) / "frames", Path(name) / "run.trackleed"
        make_series(series, frames, size)
        command = [sys.executable, "-m", "trackleed", "run", str(series), str(session)]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            raise SystemExit(f"trackleed run ended with {process.returncode}")
        steps = json.loads((session / "session.json").read_text())["steps"]
    unit = 2**20 if sys.platform == "darwin" else 2**10
    return usage.ru_maxrss / unit, {step["id"]: step["seconds"] for step in steps}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--frames", type=int, nargs="+", default=[260, 5000])
    parser.add_argument("--size", type=int, default=256)
    options = parser.parse_args()
    measure(DISTINCT, options.size)  # what is compiled once and kept is done now
    for n, frames in enumerate(options.frames):
        peak, seconds = measure(frames, options.size)
        if n == 0:
            line = ["frames", "peak MiB", *(f"{step} s" for step in seconds)]
            print("| " + " | ".join(line) + " |\n|" + " --- |" * len(line))
        times = (f"{value:.1f}" for value in seconds.values())
        print(f"| {frames} | {peak:.0f} | " + " | ".join(times) + " |", flush=True)


if __name__ == "__main__":
    main()
