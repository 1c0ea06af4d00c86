"""A series from files to fitted centres: the usual afternoon script, and trackleed.

python benchmarks/end_to_end.py [--frames 1000] [--script-frames 100] [--repeats 3]

Both read the same simulated folder of 512x512 16-bit TIFF files, some 60 spots a frame, and
find, link and fit the spots. The script is what one writes in an afternoon with scikit-image,
trackpy and scipy: frame by frame, one `curve_fit` a spot. It is slow, so it is given the first
`--script-frames` frames only, and its times are scaled to all frames. Both run in this process, in
turn, after a few frames to warm up (imports, compiled code); the table has the medians. trackleed
runs twice: as it is, looking for spots of any size; and told the width of the spots, as the
script is told it by its disk and its blur. Beside each time stands that of the processors
(`cpu`, all threads and the system together): the script keeps one core busy, trackleed both, and
on a machine that others use, too, the wall clock of both means little.

The folder has `DISTINCT` different frames under as many names as frames are wanted, forwards and
backwards in turn, so that nothing jumps.

The script fits without weights and with a constant background. For the comparison of the
centres trackleed does the same (`background = "constant"`, a noise model without gain) on the
same ROIs of 21x21 px; its times are those of its defaults.

Needs scikit-image and trackpy.
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import time
from itertools import cycle, islice
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import tifffile
import trackpy
from scipy.optimize import OptimizeWarning, curve_fit
from skimage.feature import peak_local_max
from skimage.filters import gaussian
from skimage.morphology import disk, white_tophat

import trackleed as tl
from trackleed.simulate import simulate, write
from trackleed.simulate.scenarios import Scenario

DISTINCT = 50
HALF = 10  # px, of the ROIs
SPOT = 7.5  # px, full width at half maximum of the spots
THRESHOLD = 500.0  # counts, of the script: found by trying, as one does
SERIES = Scenario(
    "sixty",
    "Ag(111) (√3x√3)R30 with some 60 spots, drifting by (6, -4) px",
    superstructure="(√3x√3)R30",
    energy_eV=(240.0, 240.0),
    coverage_ML=(0.333, 0.333),
    drift_px=(6.0, -4.0),
)

Seconds = dict[str, tuple[float, float]]  # by stage: on the wall, of the processors


def make_series(folder: Path, frames: int) -> None:
    """``frames`` names for `DISTINCT` files."""
    sim = simulate(SERIES, frames=min(frames, DISTINCT), hot_pixels=0)
    files = write(sim, folder.with_name("distinct"))
    folder.mkdir()
    for i, file in enumerate(islice(cycle(files + files[::-1]), frames)):
        os.link(file, folder / f"frame_{i:05d}{file.suffix}")


class Clock:
    """Seconds by stage, in the order in which they end."""

    def __init__(self) -> None:
        self.seconds: Seconds = {}
        self._last = self._now()

    def lap(self, stage: str) -> None:
        wall, cpu = self._now()
        self.seconds[stage] = wall - self._last[0], cpu - self._last[1]
        self._last = wall, cpu

    @staticmethod
    def _now() -> tuple[float, float]:
        return time.perf_counter(), time.process_time()


# The script. --------------------------------------------------------------------------------


def script(folder: Path, frames: int) -> tuple[Seconds, pd.DataFrame]:
    """Seconds by stage, and a row for each spot of each frame."""
    clock = Clock()
    stack = [tifffile.imread(file) for file in sorted(folder.glob("*.tif"))[:frames]]
    clock.lap("read")
    found = []
    for i, image in enumerate(stack):
        hat = white_tophat(gaussian(image, 1.5, preserve_range=True), disk(9))
        peaks = peak_local_max(hat, min_distance=5, threshold_abs=THRESHOLD, exclude_border=HALF)
        found.append(pd.DataFrame({"frame": i, "x": peaks[:, 1], "y": peaks[:, 0]}))
    clock.lap("detect")
    spots = trackpy.link(pd.concat(found, ignore_index=True), search_range=6, memory=3)
    clock.lap("track")
    fitted = [fit(stack[row.frame], row.x, row.y) for row in spots.itertuples()]
    spots[["fit_x", "fit_y"]] = np.array(fitted)
    clock.lap("refine")
    return clock.seconds, spots


def spot(at: Any, a: float, x0: float, y0: float, sx: float, sy: float, t: float, c: float) -> Any:
    """Rotated elliptical Gaussian on a constant."""
    x, y = at
    u = (x - x0) * np.cos(t) + (y - y0) * np.sin(t)
    v = (y - y0) * np.cos(t) - (x - x0) * np.sin(t)
    return a * np.exp(-(u**2 / sx**2 + v**2 / sy**2) / 2) + c


def fit(image: Any, x: int, y: int) -> tuple[float, float]:
    """Fitted centre of the spot at a pixel; NaN where the fit fails."""
    roi = image[y - HALF : y + HALF + 1, x - HALF : x + HALF + 1].astype(float)
    down, right = np.mgrid[-HALF : HALF + 1, -HALF : HALF + 1]
    guess = (roi.max() - np.median(roi), 0, 0, 3, 3, 0, np.median(roi))
    try:
        p, _ = curve_fit(spot, (right.ravel(), down.ravel()), roi.ravel(), guess, maxfev=2000)
    except (RuntimeError, OptimizeWarning):
        return np.nan, np.nan
    return x + p[1], y + p[2]


# trackleed. ---------------------------------------------------------------------------------


def ours(folder: Path, session: Path, **detector: Any) -> tuple[Seconds, tl.Run]:
    """Seconds by stage, and the session."""
    clock = Clock()
    run = tl.import_frames(folder, session)
    clock.lap("read")
    run.detect("classic", **detector)
    clock.lap("detect")
    run.track("pattern")
    clock.lap("track")
    run.refine("gaussian")
    clock.lap("refine")
    return clock.seconds, run


def warm_up(home: Path) -> None:
    """Imports and compiled code, for both."""
    few = home / "warm" / "frames"
    few.parent.mkdir()
    make_series(few, 10)
    script(few, 2)
    ours(few, few.with_name("few.trackleed"))


def same_model(run: tl.Run) -> pd.DataFrame:
    """Fits as the script makes them: no weights, a constant background, ROIs of its size."""
    side = 2 * HALF + 1
    run.session.store.set(gain=0.0, read_noise=1.0)
    fits = run.table(run.refine(background="constant", min_size=side, max_size=side))
    tracks = run.table(run.session.latest("track"))
    return fits.merge(
        tracks[["frame", "track_id", "x", "y"]], on=["frame", "track_id"], suffixes=("", "_start")
    )


# Comparison. --------------------------------------------------------------------------------


def nearest(a: pd.DataFrame, b: pd.DataFrame, radius: float = 3.0) -> tuple[Any, Any]:
    """Rows of ``a`` and of ``b`` that are each other's nearest in their frame."""
    from scipy.spatial import cKDTree

    # Frames lie far apart along a third axis.
    p, q = (np.stack([t["x"], t["y"], 1e4 * t["frame"]], axis=1) for t in (a, b))
    far, there = cKDTree(q).query(p)
    back = cKDTree(p).query(q)[1]
    both = (back[there] == np.arange(len(p))) & (far < radius)
    return np.flatnonzero(both), there[both]


def agreement(spots: pd.DataFrame, run: tl.Run, frames: int) -> str:
    """What the script and trackleed agree on, in words."""
    found = run.table(run.session.latest("detect"))
    found = found[found["frame"] < frames]
    a, _ = nearest(spots, found)
    fits = same_model(run)
    fits = fits[(fits["frame"] < frames) & fits["x"].notna()]
    i, j = nearest(spots.assign(x=spots["fit_x"], y=spots["fit_y"]).dropna(), fits)
    theirs, us = spots.dropna().iloc[i], fits.iloc[j]
    apart = np.hypot(theirs["fit_x"].to_numpy() - us["x"], theirs["fit_y"].to_numpy() - us["y"])
    same = (theirs["x"].to_numpy() == np.rint(us["x_start"])) & (
        theirs["y"].to_numpy() == np.rint(us["y_start"])
    )
    return (
        f"Peaks of the script that trackleed has too: {len(a)} of {len(spots)}; of trackleed that "
        "the "
        f"script has: {len(a)} of {len(found)}.\n"
        f"Fitted centres, same model: median difference {np.median(apart[same]):.1e} px in the "
        f"{same.sum()} ROIs that are cut alike, {np.median(apart):.1e} px in all {len(apart)}."
    )


def median(runs: list[Seconds]) -> Seconds:
    found = {}
    for stage in runs[0]:
        wall, cpu = zip(*(run[stage] for run in runs), strict=True)
        found[stage] = statistics.median(wall), statistics.median(cpu)
    found["all"] = sum(wall for wall, _ in found.values()), sum(cpu for _, cpu in found.values())
    return found


def report(script_s: Seconds, runs: dict[str, Seconds]) -> None:
    line = ["seconds (cpu)", "script", *(f"trackleed, {name} | ratio (cpu)" for name in runs)]
    print("| " + " | ".join(line) + " |")
    print("|" + " --- |" * (2 + 2 * len(runs)))
    for stage, (wall, cpu) in script_s.items():
        row = [stage, f"{wall:.2f} ({cpu:.2f})"]
        for seconds in runs.values():
            wall_here, cpu_here = seconds[stage]
            row += [f"{wall_here:.2f} ({cpu_here:.2f})"]
            row += [f"{wall / wall_here:.0f}x ({cpu / cpu_here:.0f}x)"]
        print("| " + " | ".join(row) + " |")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--frames", type=int, default=1000)
    parser.add_argument("--script-frames", type=int, default=100)
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args()
    some = min(options.script_frames, options.frames)
    kinds: dict[str, dict[str, Any]] = {
        "defaults": {},
        f"spot_size = {SPOT:g}": {"spot_size": SPOT},
    }
    trackpy.quiet()
    with tempfile.TemporaryDirectory(prefix="trackleed-") as name:
        home = Path(name)
        make_series(home / "frames", options.frames)
        warm_up(home)
        theirs: list[Seconds] = []
        us: dict[str, list[Seconds]] = {kind: [] for kind in kinds}
        for repeat in range(options.repeats):
            seconds, spots = script(home / "frames", some)
            more = options.frames / some
            theirs.append({k: (wall * more, cpu * more) for k, (wall, cpu) in seconds.items()})
            for kind, detector in kinds.items():
                seconds, run = ours(
                    home / "frames", home / f"{kind} {repeat}.trackleed", **detector
                )
                us[kind].append(seconds)
        print(agreement(spots, run, some))
        report(median(theirs), {kind: median(runs) for kind, runs in us.items()})


if __name__ == "__main__":
    main()
