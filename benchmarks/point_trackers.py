"""The point trackers on simulated series: does each spot keep its number, and its place?

python benchmarks/point_trackers.py [--trackers lk,lk-skip] [--seeds 101,102,103] [--frames 60]

Detections come from `classic`. A row counts as a claim to have seen a spot if its state is seed,
measured or saturated; claims and true spots are paired frame by frame as
`trackleed.scoring` does. Wanted are the visible spots with SNR >= 3. IDF1 is that of
E. Ristani et al., ECCV Workshops, LNCS 9914, 17 (2016); claims on spots too dim to be wanted count
neither way. `recall of seeded` is over the spots that have a track at all: a tracker that
starts from one frame can have no other. Errors are over claims with the right number.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator

import numpy as np
import pandas as pd

from trackleed.frames import ArraySource, FrameSequence
from trackleed.registry import Registry
from trackleed.scoring import of_truth, pair
from trackleed.simulate import SCENARIOS, simulate
from trackleed.tables import TRACKS, State, build

CLAIMS = (State.SEED, State.MEASURED, State.SATURATED)
SNR = 3.0


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--trackers", default="lk,lk-skip")
    arguments.add_argument("--scenarios", default=",".join(SCENARIOS))
    arguments.add_argument("--seeds", default="101,102,103")
    arguments.add_argument("--frames", type=int, default=60)
    given = arguments.parse_args()
    seeds = [int(seed) for seed in given.seeds.split(",")]
    rows = []
    for scenario in given.scenarios.split(","):
        runs = [run for s in seeds for run in runs_of(scenario, s, given.frames, given.trackers)]
        for tracker in given.trackers.split(","):
            rows.append({"scenario": scenario, **pooled([r for r in runs if r["name"] == tracker])})
    table = pd.DataFrame(rows)
    print(f"{given.frames} frames of 512 x 512, 16 bit; seeds {given.seeds}")
    print(table.to_string(index=False, float_format=lambda value: f"{value:.3f}"))


def runs_of(scenario: str, seed: int, frames: int, trackers: str) -> Iterator[dict]:
    """Counts and errors of each tracker on one series."""
    sim = simulate(scenario, seed=seed, frames=frames)
    known = sim.sequence()
    # Drawn once: the trackers are timed, not the simulator.
    stack = ArraySource(np.stack([sim.frame(i) for i in range(frames)]))
    series = FrameSequence(stack, known.index, known.valid, known.noise, known.saturation)
    registry = Registry.discover()
    detector = registry.find("detector", "classic").make()
    found = [detector.detect(series[i], series.valid) for i in range(frames)]
    detections = {
        "frame": np.repeat(np.arange(frames), [len(part["x"]) for part in found]),
        **{name: np.concatenate([part[name] for part in found]) for name in found[0]},
    }
    for name in trackers.split(","):
        tracker = registry.find("tracker", name).make()
        start = time.process_time()
        parts = list(tracker.track(series, None, detections))
        seconds = time.process_time() - start
        tracks = build(TRACKS, {key: np.concatenate([p[key] for p in parts]) for key in parts[0]})
        yield {"name": name, "frames": frames, "seconds": seconds, **score(tracks, sim.truth)}


def score(tracks: pd.DataFrame, truth: pd.DataFrame) -> dict:
    """Counts of claims and wanted spots, and the errors of the claims that are right."""
    from scipy.optimize import linear_sum_assignment

    claims = tracks[tracks["state"].isin(CLAIMS)].reset_index(drop=True)
    row = pair(claims, of_truth(truth))
    wanted = (truth["visible"] & (truth["snr"] >= SNR)).to_numpy()
    counts = (row >= 0) & wanted[row]
    spot = truth["spot"].to_numpy()
    n_tracks, n_spots = int(tracks["track_id"].max()), int(spot.max())
    together = np.zeros((n_tracks + 1, n_spots + 1))
    track = claims["track_id"].to_numpy()
    np.add.at(together, (track[counts], spot[row[counts]]), 1)
    partner = np.zeros(n_tracks + 1, int)
    chosen = linear_sum_assignment(-together)
    partner[chosen[0]] = np.where(together[chosen] > 0, chosen[1], 0)
    right = counts & (partner[track] == spot[row])
    seeded = wanted & np.isin(spot, partner[1:])
    true = truth.iloc[row[right]].reset_index(drop=True)
    error = claims.loc[right, ["x", "y"]].reset_index(drop=True) - true[["x", "y"]]
    return {
        "wanted": int(wanted.sum()),
        "seeded": int(seeded.sum()),
        "claims": int(counts.sum() + (row < 0).sum()),
        "false": int((row < 0).sum()),
        "found": int(counts.sum()),
        "right": int(right.sum()),
        "error": np.hypot(error["x"], error["y"]).to_numpy(),
    }


def pooled(runs: list[dict]) -> dict[str, float | str]:
    """One row of the table."""
    total = {key: sum(run[key] for run in runs) for key in runs[0] if key not in ("name", "error")}
    error = np.concatenate([run["error"] for run in runs])
    return {
        "tracker": runs[0]["name"],
        "IDF1": 2 * total["right"] / (total["wanted"] + total["claims"]),
        "recall": total["found"] / total["wanted"],
        "recall of seeded": total["right"] / total["seeded"],
        "precision": 1 - total["false"] / total["claims"],
        "median error, px": float(np.median(error)),
        "90 %, px": float(np.quantile(error, 0.9)),
        "frames per CPU second": total["frames"] / total["seconds"],
    }


if __name__ == "__main__":
    main()
