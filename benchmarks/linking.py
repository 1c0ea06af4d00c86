"""Linking alone: 200 spots in 1000 frames, their detections given, in one process.

python benchmarks/linking.py [--spots 200] [--frames 1000] [--repeats 7]

Prints a Markdown table: time on the clock and CPU time, IDF1 (E. Ristani et al., ECCV Works., LNCS
9914, 17, 2016) against the truth, and how many times as fast as `trackpy.link`, by the one time and
the other. `pattern` works on all cores where it can, the others on one. No pixels are looked at.
What is compiled is compiled before, by all; they take turns, and the best of a few repeats counts.

In `pattern motion` a hexagonal pattern shakes, turns and contracts as one, and each spot leaves its
place by lens errors; in `own motion` every spot drifts and wanders on its own, which no LEED
pattern does. Both have detections that scatter by 0.3 px, 5 % gaps of one to five frames, births,
deaths, and as many false detections as 5 % of the spots.

The peers get what the truth says is best for them: the distance that holds 99.9 % of all steps,
and gaps of up to five frames (trackpy also with `memory=3`). norfair is slow and linked over 100
frames only; `pip install norfair` brings it.
"""

from __future__ import annotations

import argparse
import importlib.util
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy.optimize import linear_sum_assignment

from trackleed.frames import FrameSequence
from trackleed.tables import State
from trackleed_trackers_box.hungarian import Hungarian
from trackleed_trackers_box.params import HungarianParams, PatternParams
from trackleed_trackers_box.pattern import Pattern

Array = np.ndarray[Any, np.dtype[Any]]
Linker = Callable[["Film", int], Callable[[], Array]]
"""Links the detections of so many frames, and returns what tells each one's track; -1 for none."""

SIZE = 1024  # px
NOISE = 0.3  # px
SEEN = (State.SEED, State.MEASURED, State.SATURATED)
GAPS, LONGEST_GAP = 0.05, 5
FALSE = 0.05
NORFAIR_FRAMES = 100
REFERENCE = "trackpy.link, memory 3"


@dataclass
class Film:
    """Detections and the spot, from 0, that each is; -1 for a false one."""

    table: dict[str, Array]
    spot: Array
    step: float

    def until(self, frames: int) -> Film:
        some = self.table["frame"] < frames
        return Film({k: v[some] for k, v in self.table.items()}, self.spot[some], self.step)


class Dark:
    """Frames that nobody reads."""

    dtype = np.dtype("u1")

    def __init__(self, frames: int) -> None:
        self.shape, self.frames = (SIZE, SIZE), frames

    def __len__(self) -> int:
        return self.frames

    def read(self, i: int) -> Array:
        return np.zeros(self.shape, self.dtype)


def places(spots: int, rng: np.random.Generator) -> Array:
    """A hexagonal lattice of so many spots that fills the screen."""
    spacing = SIZE / np.sqrt(spots * 1.6)
    a, b = spacing * np.array([0.98, 0.17]), spacing * np.array([0.34, 0.93])
    h, k = (grid.ravel() for grid in np.mgrid[-40:41, -40:41])
    every = h[:, None] * a + k[:, None] * b + rng.uniform(0, 5, 2)
    return every[np.argsort(np.hypot(*every.T))[1 : spots + 1]]


def paths(motion: str, spots: int, frames: int, rng: np.random.Generator) -> Array:
    """Positions (frames, spots, 2)."""
    rest = places(spots, rng)
    if motion == "own motion":
        drift = rng.normal(0, 0.01, (spots, 2)) * np.arange(frames)[:, None, None]
        wander = np.cumsum(rng.normal(0, 0.3, (frames, spots, 2)), axis=0)
        return rest + drift + wander + SIZE / 2
    scale = np.linspace(1.12, 0.9, frames)[:, None, None]
    turn = 0.01 * np.sin(np.linspace(0, 9, frames))
    lens = rng.normal(0, 1, (spots, 2)) * np.sin(np.linspace(0, 4, frames))[:, None, None]
    matrix = np.moveaxis(
        np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]]), 2, 0
    )
    shake = rng.normal(0, 4.0, (frames, 1, 2))
    return rest @ matrix * scale + lens + shake + SIZE / 2


def film(motion: str, spots: int, frames: int, seed: int) -> Film:
    rng = np.random.default_rng(seed)
    xy = paths(motion, spots, frames, rng)
    there = np.ones((frames, spots), bool)
    for spot in range(spots):
        for start in np.flatnonzero(rng.random(frames) < 2 * GAPS / (1 + LONGEST_GAP)):
            there[start : start + rng.integers(1, LONGEST_GAP + 1), spot] = False
    for spot in rng.permutation(spots)[: spots // 4]:
        born = rng.integers(0, frames // 2)
        there[:born, spot] = False
        there[born + frames // 3 :, spot] = False
    there &= ((xy > 5) & (xy < SIZE - 6)).all(axis=2)
    frame, spot = np.nonzero(there)
    n_false = rng.poisson(FALSE * spots, frames)
    position = np.concatenate(
        [
            xy[there] + rng.normal(0, NOISE, (len(frame), 2)),
            rng.uniform(5, SIZE - 6, (n_false.sum(), 2)),
        ]
    )
    frame = np.append(frame, np.repeat(np.arange(frames), n_false))
    spot = np.append(spot, np.full(n_false.sum(), -1))
    score = np.where(spot < 0, 8.0, 40.0) * np.exp(rng.normal(0, 0.5, len(spot)))
    sort = np.argsort(frame, kind="stable")
    side = np.full(len(frame), 19.0)
    table = {
        "frame": frame,
        "x": position[:, 0],
        "y": position[:, 1],
        "width": side,
        "height": side,
    }
    table = {name: values[sort] for name, values in {**table, "score": score}.items()}
    steps = np.diff(xy + rng.normal(0, NOISE, xy.shape), axis=0)
    step = float(np.quantile(np.hypot(*steps.reshape(-1, 2).T), 0.999))
    return Film(table, spot[sort], step)


def idf1(truth: Array, label: Array) -> float:
    """Of detections whose spot and track are given; -1 is none."""
    both = (truth >= 0) & (label >= 0)
    number = np.unique(label[both], return_inverse=True)[1]
    together = np.zeros((truth.max() + 1, number.max() + 1 if len(number) else 1))
    np.add.at(together, (truth[both], number), 1)
    right = together[linear_sum_assignment(-together)].sum()
    return float(2 * right / ((truth >= 0).sum() + (label >= 0).sum()))


def by_pattern(given: Film, frames: int) -> Callable[[], Array]:
    """From a detections table to boxes and states of all tracks, before pixels are looked at."""
    series = FrameSequence(Dark(frames))
    values, states = Pattern(PatternParams()).link(series, given.table)

    def labels() -> Array:
        frame, track = np.nonzero(np.isin(states, [state.value for state in SEEN]))
        x, y = values[frame, track, :2].T
        return label_of(given, frame, x, y, track)

    return labels


def by_hungarian(given: Film, frames: int) -> Callable[[], Array]:
    """From a detections table to rows of all tracks."""
    rows = list(Hungarian(HungarianParams()).track(FrameSequence(Dark(frames)), None, given.table))

    def labels() -> Array:
        whole = {name: np.concatenate([part[name] for part in rows]) for name in rows[0]}
        columns = (whole[name][whole["x"] > 0] for name in ("frame", "x", "y", "track_id"))
        return label_of(given, *columns)

    return labels


def label_of(given: Film, frame: Array, x: Array, y: Array, track: Array) -> Array:
    """Track of each detection; -1 for none."""
    of = dict(zip(zip(frame, x, y, strict=True), track.tolist(), strict=True))
    table = given.table
    return np.array(
        [of.get(k, -1) for k in zip(table["frame"], table["x"], table["y"], strict=True)]
    )


def by_trackpy(memory: int) -> Linker:
    import trackpy

    logging.getLogger("trackpy").setLevel(logging.ERROR)

    def link(given: Film, frames: int) -> Callable[[], Array]:
        table = pd.DataFrame({name: given.table[name] for name in ("frame", "x", "y")})
        label = trackpy.link(table, given.step, memory=memory)["particle"].to_numpy()
        return lambda: only_lasting(label)

    return link


def by_norfair(given: Film, frames: int) -> Callable[[], Array]:
    import norfair

    tracker = norfair.Tracker("euclidean", given.step, hit_counter_max=LONGEST_GAP + 1)
    label = np.full(len(given.spot), -1)
    points = np.stack([given.table["x"], given.table["y"]], axis=1)
    for frame in range(frames):
        rows = np.flatnonzero(given.table["frame"] == frame)
        seen = [norfair.Detection(points[row], data=int(row)) for row in rows]
        for track in tracker.update(seen):
            if track.last_detection.data in rows:
                label[track.last_detection.data] = track.id
    return lambda: label


def only_lasting(label: Array) -> Array:
    """Tracks of less than three detections are none: the same as our trackers say."""
    return np.where(np.bincount(label)[label] >= 3, label, -1)


@dataclass
class Measured:
    """What a linker does with a film."""

    name: str
    link: Linker
    given: Film
    frames: int
    clock: float = float("inf")  # s, the least of all runs
    cpu: float = float("inf")
    score: float = float("nan")

    def run(self) -> None:
        """Once more."""
        start = time.perf_counter(), time.process_time()
        labels = self.link(self.given, self.frames)
        self.clock = min(self.clock, time.perf_counter() - start[0])
        self.cpu = min(self.cpu, time.process_time() - start[1])
        if np.isnan(self.score):
            self.score = idf1(self.given.spot, labels())

    def cells(self, reference: Measured | None) -> list[str]:
        """Of a row of the table."""
        each = [seconds / self.frames for seconds in (self.clock, self.cpu)]
        cells = [self.name, str(self.frames), *(f"{1000 * one:.3f}" for one in each)]
        cells.append(f"{self.score:.4f}")
        if reference is None:
            return [*cells, "", ""]
        per_frame = [seconds / reference.frames for seconds in (reference.clock, reference.cpu)]
        return [*cells, *(f"{of / one:.1f}" for of, one in zip(per_frame, each, strict=True))]


def measured(whole: Film, frames: int, repeats: int) -> list[Measured]:
    """Of all linkers, in turns; norfair links a few frames, once."""
    every = []
    for name, link in linkers().items():
        some = min(NORFAIR_FRAMES, frames) if name == "norfair" else frames
        every.append(Measured(name, link, whole.until(some), some))
    for turn in range(repeats):
        for each in every:
            if turn == 0 or each.name != "norfair":
                each.run()
    return every


def linkers() -> dict[str, Linker]:
    found: dict[str, Linker] = {
        "pattern": by_pattern,
        "hungarian": by_hungarian,
    }
    if importlib.util.find_spec("trackpy"):
        found[REFERENCE] = by_trackpy(3)
        found[f"trackpy.link, memory {LONGEST_GAP}"] = by_trackpy(LONGEST_GAP)
    if importlib.util.find_spec("norfair"):
        found["norfair"] = by_norfair
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--spots", type=int, default=200)
    parser.add_argument("--frames", type=int, default=1000)
    parser.add_argument("--motions", default="pattern motion,own motion")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--repeats", type=int, default=7)
    given = parser.parse_args()
    head = ["motion", "linker", "frames", "ms/frame", "CPU ms/frame", "IDF1", "x trackpy.link"]
    head.append("x by CPU time")
    print("| " + " | ".join(head) + " |\n|" + " --- |" * len(head))
    for link in linkers().values():
        link(film("pattern motion", 20, 20, 0), 20)  # compiles, or loads what is compiled
    for motion in given.motions.split(","):
        whole = film(motion, given.spots, given.frames, given.seed)
        every = measured(whole, given.frames, given.repeats)
        reference = next((each for each in every if each.name == REFERENCE), None)
        for each in every:
            print("| " + " | ".join([motion, *each.cells(reference)]) + " |", flush=True)


if __name__ == "__main__":
    main()
