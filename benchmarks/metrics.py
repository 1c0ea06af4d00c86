"""Our metrics of tracking beside those of TrackEval, on random tracks.

python benchmarks/metrics.py [--series 20]        needs: pip install trackeval

Prints the largest difference of each metric and count. HOTA is that over all alphas, IDF1 and CLEAR
are at a similarity of 1/2, which is the distance ``reach``. TrackEval: J. Luiten and A. Hoffhues,
https://github.com/JonathonLuiten/TrackEval (MIT).
"""

from __future__ import annotations

import argparse
from collections import defaultdict

import numpy as np
import pandas as pd
import trackeval

from trackleed.scoring import Sight, by_hand, clear, count, identity, rates, sight


def tables(rng: np.random.Generator) -> tuple[pd.DataFrame, pd.DataFrame]:
    """True spots that move at random, and tracks of them: displaced, missed, swapped, made up."""
    n_spots, n_frames = int(rng.integers(3, 25)), int(rng.integers(5, 40))
    frame, spot = (part.ravel() for part in np.indices((n_frames, n_spots)))
    way = rng.normal(0, 2, (n_frames, n_spots, 2)).cumsum(axis=0) + rng.uniform(0, 80, (n_spots, 2))
    x, y = way.reshape(-1, 2).T
    true = pd.DataFrame({"frame": frame, "track_id": spot + 1, "x": x, "y": y, "state": "measured"})
    tracks = true.assign(
        x=x + rng.normal(0, 1.5, len(x)),
        y=y + rng.normal(0, 1.5, len(x)),
        track_id=np.where(frame > n_frames // 2, (spot + rng.integers(0, 2)) % n_spots, spot) + 1,
    )
    ghosts = tracks.sample(frac=0.1, random_state=1).assign(track_id=n_spots + 1)
    ghosts = ghosts.drop_duplicates("frame").assign(x=lambda t: t["x"] + 3)
    kept = pd.concat([tracks[rng.random(len(tracks)) < 0.85], ghosts])
    return true[rng.random(len(true)) < 0.9], kept


def theirs(seen: Sight) -> dict[str, float]:
    """What TrackEval makes of the same frames."""
    data = {
        "num_gt_ids": seen.n_spots,
        "num_tracker_ids": seen.n_tracks,
        "num_gt_dets": sum(len(spots) for spots, _, _ in seen.frames),
        "num_tracker_dets": sum(len(tracks) for _, tracks, _ in seen.frames),
        "num_timesteps": len(seen.frames),
        "gt_ids": [spots for spots, _, _ in seen.frames],
        "tracker_ids": [tracks for _, tracks, _ in seen.frames],
        "similarity_scores": [alike for _, _, alike in seen.frames],
    }
    metrics = trackeval.metrics
    by_identity = metrics.Identity({"PRINT_CONFIG": False}).eval_sequence(data)
    by_clear = metrics.CLEAR({"PRINT_CONFIG": False}).eval_sequence(data)
    return {
        "hota": float(np.mean(metrics.HOTA().eval_sequence(data)["HOTA"])),
        "idf1": float(by_identity["IDF1"]),
        "recall": float(by_clear["CLR_Re"]),
        "precision": float(by_clear["CLR_Pr"]),
        "switches": float(by_clear["IDSW"]),
        "identified": float(by_identity["IDTP"]),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--series", type=int, default=20)
    rng = np.random.default_rng(0)
    largest: dict[str, float] = defaultdict(float)
    n = parser.parse_args().series
    for _ in range(n):
        true, tracks = tables(rng)
        labels = by_hand(true)
        seen = sight(tracks, labels)
        ours = {**rates(count(tracks, None, labels)), **clear(seen), **identity(seen)}
        for name, value in theirs(seen).items():
            largest[name] = max(largest[name], abs(float(ours[name]) - value))
    print(f"largest difference from TrackEval over {n} series:")
    for name, value in largest.items():
        print(f"  {name:<12} {value:.2g}")


if __name__ == "__main__":
    main()
