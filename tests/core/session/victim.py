"""Works on a session in forked processes and has them killed; run by test_kill.py.

    python victim.py FOLDER random SEED N      N runs, each killed after a random time
    python victim.py FOLDER calls STEP         killed at every STEP-th call that touches a file

Run number k works on FOLDER/k.trackleed and notes in FOLDER/k.log, a line each, what it
was told is done. numpy, zarr and pyarrow are imported once, before the first fork.
"""

from __future__ import annotations

import os
import random
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet  # noqa: F401
import zarr  # noqa: F401

from trackleed import tables
from trackleed.session import (
    Session,
    tablefile,  # noqa: F401
)
from trackleed.store import Store

N_FRAMES = 6
SHAPE = (16, 24)
CALLS = ("open", "os.", "shutil.", "fcntl.")


def frame(i: int) -> np.ndarray:
    return np.random.default_rng(i).integers(0, 4096, SHAPE).astype(np.uint16)


def index() -> pd.DataFrame:
    columns: dict[str, object] = {name: np.full(N_FRAMES, np.nan) for name in tables.INDEX.names}
    columns |= {"frame": np.arange(N_FRAMES), "source": [f"{i}.tif" for i in range(N_FRAMES)]}
    return tables.build(tables.INDEX, columns)


def detections(n: int, i: int) -> dict[str, np.ndarray]:
    rng = np.random.default_rng([n, i])
    columns = {name: rng.normal(size=5) for name in tables.DETECTIONS.names}
    return columns | {"frame": np.full(5, i)}


def work(path: Path, say: Callable[[str], None]) -> None:
    session = Session.create(path)
    say("created")
    with session.step("import", spec=tables.INDEX) as writer:
        store = Store.create(session.store_path, N_FRAMES, SHAPE, "uint16")
        for i in range(N_FRAMES):
            store.append(frame(i))
            say(f"frame {i}")
        store.put_image("valid", frame(0) > 100)
        store.set(saturation=4095)
        writer.write(index())
    say("import-1")
    for n in (1, 2):
        with session.step("detect", inputs=["import-1"], spec=tables.DETECTIONS) as writer:
            for i in range(N_FRAMES):
                writer.write(detections(n, i))
        say(f"detect-{n}")


def fork(folder: Path, number: int, prepare: Callable[[], None]) -> int:
    log = os.open(folder / f"{number}.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    pid = os.fork()
    if pid:
        os.close(log)
        return pid
    prepare()
    work(folder / f"{number}.trackleed", lambda text: os.write(log, f"{text}\n".encode()) and None)
    os._exit(0)


def killed_at_random(folder: Path, seed: int, n: int) -> None:
    rng = random.Random(seed)
    begun = time.perf_counter()
    os.waitpid(fork(folder, 0, lambda: None), 0)
    whole = time.perf_counter() - begun
    for number in range(1, n):
        pid = fork(folder, number, lambda: None)
        time.sleep(rng.uniform(0, whole))
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)


def killed_at_calls(folder: Path, step: int) -> None:
    number = 0
    while True:
        left = 1 + step * number

        def count(event: str, _: object) -> None:
            nonlocal left
            left -= event.startswith(CALLS)
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)

        _, status = os.waitpid(fork(folder, number, lambda: sys.addaudithook(count)), 0)
        if not os.WIFSIGNALED(status):
            return
        number += 1


if __name__ == "__main__":
    folder, mode, *numbers = sys.argv[1:]
    {"random": killed_at_random, "calls": killed_at_calls}[mode](Path(folder), *map(int, numbers))
