"""The trackers of detections on every simulated scenario, default options, against the truth.

python benchmarks/trackers.py [--trackers hungarian,directional,pattern] [--seeds 101,102,103]

Prints a Markdown table, a line for each scenario and tracker, pooled over the seeds. Import,
automatic mask and detector are those of `trackleed run`.

A track's position belongs to the true spot that `trackleed.scoring.pair` gives it, lit or
not. Wanted are visible spots with a true SNR of 3 or more. `recall`: wanted spots with a position;
`seen`: those whose position is a detection, not a prediction. `precision`: positions that belong
to a spot; a detection of a spot without light is wrong too. IDF1 (E. Ristani et al., ECCV Works.,
LNCS 9914, 17, 2016): each spot has one track at most that is right; positions on spots that
are too dim to be wanted count neither way. `switches`: times that a spot's track changes.
`fragments`: tracks of a spot beyond its first, over all spots. `ghosts`: tracks of no spot.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.optimize import linear_sum_assignment

import trackleed as tl
from trackleed.scoring import of_truth, pair
from trackleed.simulate import SCENARIOS, simulate, write
from trackleed.tables import State

SNR = 3.0
SEEN = (State.SEED, State.MEASURED, State.SATURATED)


def runs_of(
    scenario: str, seed: int, frames: int, trackers: list[str]
) -> Iterator[tuple[str, float, pd.DataFrame, pd.DataFrame]]:
    """Name, seconds and tracks of each tracker on one series, and its truth."""
    simulation = simulate(scenario, seed=seed, frames=frames)
    with tempfile.TemporaryDirectory(prefix="trackleed-") as folder:
        write(simulation, Path(folder) / "frames")
        run = tl.import_frames(Path(folder) / "frames", Path(folder) / "run.trackleed")
        detections = run.detect()
        for name in trackers:
            step = run.track(name, detections=detections)
            yield name, float(step.seconds or 0.0), run.table(step), simulation.truth


def score(tracks: pd.DataFrame, truth: pd.DataFrame) -> dict[str, float]:
    """Counts of one series; they add up over series."""
    rows = tracks[tracks["x"].notna()].reset_index(drop=True)
    # Predictions may stand on spots that have no light.
    row = pair(rows, of_truth(truth), unlit=True)
    lit = (truth["amplitude"] > 0).to_numpy()
    wanted = (truth["visible"] & (truth["snr"] >= SNR)).to_numpy()
    seen = rows["state"].isin(SEEN).to_numpy()
    paired = row >= 0
    false = ~paired | (seen & ~lit[row])
    right = paired & wanted[row]
    spot = truth["spot"].to_numpy()
    track, n_tracks = rows["track_id"].to_numpy(), int(rows["track_id"].max()) if len(rows) else 0
    together = np.zeros((n_tracks + 1, int(spot.max()) + 1))
    np.add.at(together, (track[right], spot[row[right]]), 1)
    found = pd.DataFrame({"spot": spot[row[right]], "frame": rows["frame"][right]})
    found["track"] = track[right]
    found = found.sort_values(["spot", "frame"])
    same = found["spot"].diff() == 0
    return {
        "wanted": int(wanted.sum()),
        "positions": len(rows),
        "false": int(false.sum()),
        "found": int(right.sum()),
        "seen": int((right & seen).sum()),
        "counted": int((right | false).sum()),
        "identified": float(together[linear_sum_assignment(-together)].sum()),
        "switches": int((same & (found["track"].diff() != 0)).sum()),
        "fragments": int(np.maximum((together > 0).sum(axis=0) - 1, 0).sum()),
        "ghosts": n_tracks - len(np.unique(track[paired])),
        "spots": len(np.unique(spot[wanted])),
    }


def line(scenario: str, tracker: str, counts: pd.Series, seconds: float, frames: int) -> list[str]:
    """Cells of the table."""
    return [
        scenario,
        tracker,
        f"{2 * counts['identified'] / (counts['wanted'] + counts['counted']):.4f}",
        f"{counts['found'] / counts['wanted']:.4f}",
        f"{counts['seen'] / counts['wanted']:.4f}",
        f"{1 - counts['false'] / max(counts['positions'], 1):.4f}",
        *(f"{counts[name]:.0f}" for name in ("switches", "fragments", "ghosts", "spots")),
        f"{1000 * seconds / frames:.2f}",
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--trackers", default="hungarian,directional,pattern")
    parser.add_argument("--scenarios", default=",".join(SCENARIOS))
    parser.add_argument("--seeds", default="101,102,103")
    parser.add_argument("--frames", type=int, default=60)
    given = parser.parse_args()
    trackers, seeds = given.trackers.split(","), [int(seed) for seed in given.seeds.split(",")]
    head = ["scenario", "tracker", "IDF1", "recall", "seen", "precision"]
    head += ["switches", "fragments", "ghosts", "spots", "ms/frame"]
    print("| " + " | ".join(head) + " |")
    print("|" + " --- |" * len(head))
    pooled = []
    for scenario in given.scenarios.split(","):
        counts = []
        for seed in seeds:
            for name, seconds, tracks, truth in runs_of(scenario, seed, given.frames, trackers):
                counts.append({"tracker": name, "seconds": seconds, **score(tracks, truth)})
        pooled += counts
        print_lines(scenario, pd.DataFrame(counts), trackers, given.frames * len(seeds))
    total = given.frames * len(seeds) * len(given.scenarios.split(","))
    print_lines("all", pd.DataFrame(pooled), trackers, total)


def print_lines(scenario: str, counts: pd.DataFrame, trackers: list[str], frames: int) -> None:
    """One line for each tracker."""
    for name in trackers:
        whole = counts[counts["tracker"] == name].drop(columns="tracker").sum()
        cells = line(scenario, name, whole, whole["seconds"], frames)
        print("| " + " | ".join(cells) + " |", flush=True)


if __name__ == "__main__":
    main()
