"""Every simulated scenario through the whole chain with default options, against the truth.

python benchmarks/scenarios.py [--seeds 3] [--frames 60] [--size 512] [--scenario drift]

Prints a Markdown table, a line for each scenario and seed. Precision and recall are those of the
detections, recall of visible spots with a true SNR of 4 or more. Mean error (px) and the standard
deviation of the pulls, error over stated error, are those of fits with status ok of visible spots
with a true SNR of 10 or more. Tracks per spot: of spots with SNR 4 in three frames or more.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import pandas as pd

import trackleed as tl
from trackleed.scoring import compare_fits, of_truth, score_detections
from trackleed.simulate import SCENARIOS, simulate, write

STEPS = ("import", "detect", "track", "refine")


def measure(scenario: str, seed: int, frames: int, size: int) -> dict[str, object]:
    """One line of the table."""
    simulation = simulate(scenario, seed=seed, frames=frames, size=size)
    with tempfile.TemporaryDirectory(prefix="trackleed-") as folder:
        write(simulation, Path(folder) / "frames")
        run = tl.import_frames(Path(folder) / "frames", Path(folder) / "run.trackleed")
        detections = run.table(run.detect())
        run.track()
        fits = run.table(run.refine())
        seconds = {step.kind: step.seconds for step in run.session.steps}
    score = score_detections(detections, of_truth(simulation.truth, snr=4))
    compared = compare_fits(fits, of_truth(simulation.truth))
    good = compared[compared["wanted"] & (compared["snr"] >= 10) & (compared["status"] == "ok")]
    return {
        "scenario": scenario,
        "seed": seed,
        "precision": f"{score.precision:.4f}",
        "recall": f"{score.recall:.4f}",
        "fits": len(good),
        "mean dx": f"{good['dx'].mean():+.4f} ± {good['dx'].sem():.4f}",
        "mean dy": f"{good['dy'].mean():+.4f} ± {good['dy'].sem():.4f}",
        "pull x": f"{good['pull_x'].std():.3f}",
        "pull y": f"{good['pull_y'].std():.3f}",
        "tracks per spot": f"{tracks_per_spot(compared, simulation.truth):.2f}",
        **{f"{kind} ms/frame": f"{1000 * seconds[kind] / frames:.1f}" for kind in STEPS},
    }


def tracks_per_spot(compared: pd.DataFrame, truth: pd.DataFrame) -> float:
    """Mean number of tracks that a spot is cut into; 1 is perfect, below 1 some have none."""
    bright = truth[truth["visible"] & (truth["snr"] >= 4)].groupby("spot").size()
    spots = bright.index[bright >= 3]
    tracks = compared.groupby("spot")["track_id"].nunique()
    return float(tracks.reindex(spots, fill_value=0).mean())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--frames", type=int, default=60)
    parser.add_argument("--size", type=int, default=512)
    parser.add_argument("--scenario", choices=SCENARIOS, action="append")
    options = parser.parse_args()
    head = True
    for scenario in options.scenario or SCENARIOS:
        for seed in range(options.seeds):
            line = measure(scenario, seed, options.frames, options.size)
            if head:
                print("| " + " | ".join(line) + " |")
                print("|" + " --- |" * len(line))
                head = False
            print("| " + " | ".join(map(str, line.values())) + " |", flush=True)


if __name__ == "__main__":
    main()
