"""Fits per second: the refiner's engine and what else fits Gaussians to spots.

python benchmarks/fits.py [--n 20000] [--sides 21 31] [--repeats 5] [--slow 300]

Every fitter gets the same simulated ROIs (rotated elliptical Gaussian, constant background, Poisson
and read noise) in one process, in turns; the table has the medians. Slow fitters get the
first ROIs only. ``CPU`` counts the processor's seconds of all threads, and hardly cares what else
the machine does; ``wall`` is the clock. Peers that are not installed are left out:
pip install picassosr trackpy (into an environment of its own; Picasso wants an older pandas).
"""

from __future__ import annotations

import argparse
import time
import warnings
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec
from statistics import median

import numpy as np
from scipy.optimize import curve_fit

from trackleed.builtin.refiners.compiled.physical import NUMBERS
from trackleed.builtin.refiners.engine import fit
from trackleed.simulate import Spots, spots

Fitter = Callable[[np.ndarray], np.ndarray]  # ROIs (n, side, side) to centres (n, 2)
THREADS = (1, 2)
CHUNK = 1000
FAR = 2.0  # px, from the truth: a failure


def engine(noise: np.ndarray | None, background: str, threads: int) -> Fitter:
    """Ours, with equal weights or those of the noise."""
    variance = np.array([0.0, 1.0, 1.0]) if noise is None else noise

    def part(rois: np.ndarray) -> np.ndarray:
        usable, shift = np.ones(rois.shape, bool), np.zeros((len(rois), 2))
        out = fit(rois, usable, variance[None, :, None, None], shift, "rotated", background)
        centre = [NUMBERS.index("x"), NUMBERS.index("y")]
        return out.numbers[:, centre] + rois.shape[1] // 2

    def run(rois: np.ndarray) -> np.ndarray:
        chunks = [rois[a : a + CHUNK] for a in range(0, len(rois), CHUNK)]
        with ThreadPoolExecutor(threads) as pool:
            return np.concatenate(list(pool.map(part, chunks)))

    return run


def model(
    place: np.ndarray, a: float, x: float, y: float, sx: float, sy: float, t: float, b: float
):
    """A textbook's Gaussian."""
    along = (place[0] - x) * np.cos(t) + (place[1] - y) * np.sin(t)
    across = (place[1] - y) * np.cos(t) - (place[0] - x) * np.sin(t)
    return a * np.exp(-0.5 * ((along / sx) ** 2 + (across / sy) ** 2)) + b


def jacobian(
    place: np.ndarray, a: float, x: float, y: float, sx: float, sy: float, t: float, _: float
):
    """Its derivatives."""
    cos, sin = np.cos(t), np.sin(t)
    along = (place[0] - x) * cos + (place[1] - y) * sin
    across = (place[1] - y) * cos - (place[0] - x) * sin
    f = np.exp(-0.5 * ((along / sx) ** 2 + (across / sy) ** 2))
    p, q = a * f * along / sx**2, a * f * across / sy**2
    turn = along * q - across * p
    return np.stack(
        [f, p * cos - q * sin, p * sin + q * cos, p * along / sx, q * across / sy, turn, f**0], 1
    )


def scipy(analytic: bool) -> Fitter:
    """`scipy.optimize.curve_fit`, from a sensible start."""

    def run(rois: np.ndarray) -> np.ndarray:
        side = rois.shape[1]
        place = np.mgrid[:side, :side][::-1].reshape(2, -1).astype(float)
        centres = np.full((len(rois), 2), np.nan)
        for n, roi in enumerate(rois):
            level = np.median(roi)
            start = [roi.max() - level, side // 2, side // 2, side / 6, side / 7, 0.3, level]
            try:
                best, _ = curve_fit(
                    model, place, roi.ravel(), start, jac=jacobian if analytic else None
                )
            except RuntimeError:
                continue
            centres[n] = best[1:3]
        return centres

    return run


def picasso(tolerance: float, threads: int) -> Fitter:
    """Picasso's batched fit of rotated Gaussians."""
    from picasso.fitting import gaussfit, seeds

    def run(rois: np.ndarray) -> np.ndarray:
        small = rois.astype(np.float32)
        start = seeds.initial_parameters_gauss(small, rois.shape[1], rotated=True)
        running = gaussfit.fit_spots_async(
            gaussfit.ROTATED, small, start, False, tolerance, 200, threads
        )
        while not running.finished():
            time.sleep(1e-3)
        running.raise_errors()
        return np.asarray(running.results()[0])[:, 1:3]

    return run


def trackpy() -> Fitter:
    """trackpy's least-squares refinement, of round Gaussians."""
    import pandas as pd
    from trackpy.refine.least_squares import refine_leastsq

    def run(rois: np.ndarray) -> np.ndarray:
        side = rois.shape[1]
        centres = np.empty((len(rois), 2))
        for n, roi in enumerate(rois):
            level = np.median(roi)
            start = {"x": side / 2, "y": side / 2, "size": side / 6, "background": level}
            start["signal"] = roi.max() - level
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                done = refine_leastsq(pd.DataFrame([start]), roi, side - 4, max_shift=side // 4)
            centres[n] = done[["x", "y"]].to_numpy()[0]
        return centres

    return run


def fitters(simulated: Spots) -> dict[str, tuple[Fitter, bool]]:
    """Name to fitter, and whether it is fast."""
    camera = simulated.noise
    dark = camera.read_noise**2
    noise = np.array([camera.gain, dark - camera.gain * camera.black, dark])
    found = {
        "curve_fit, numeric Jacobian": (scipy(False), False),
        "curve_fit, analytic Jacobian": (scipy(True), False),
    }
    for threads in THREADS:
        end = f", threads: {threads}"
        found |= {
            f"trackleed, equal weights, constant{end}": (engine(None, "constant", threads), True),
            f"trackleed, default (noise, plane){end}": (engine(noise, "plane", threads), True),
        }
        if find_spec("picasso"):
            found[f"Picasso gaussfit, tolerance 1e-8{end}"] = (picasso(1e-8, threads), True)
    if find_spec("picasso"):
        found["Picasso gaussfit, its default 1e-2"] = (picasso(1e-2, max(THREADS)), True)
    if find_spec("trackpy"):
        found["trackpy refine_leastsq (round)"] = (trackpy(), False)
    return found


def table(side: int, n: int, slow: int, repeats: int) -> None:
    """Measure and print, for one size of ROI."""
    simulated = spots(n, roi=side, snr=(10, 300), sigma=(1.5, 3.5), seed=side)
    truth = simulated.truth[["x", "y"]].to_numpy()
    found = fitters(simulated)
    core: dict[str, list[float]] = {name: [] for name in found}
    wall: dict[str, list[float]] = {name: [] for name in found}
    failed = {}
    for run, _ in found.values():
        run(simulated.rois[:20])  # compiles
    for _ in range(repeats):
        for name, (run, fast) in found.items():
            rois = simulated.rois if fast else simulated.rois[:slow]
            began, busy = time.perf_counter(), time.process_time()
            centres = run(rois)
            core[name].append(len(rois) / (time.process_time() - busy))
            wall[name].append(len(rois) / (time.perf_counter() - began))
            off = np.hypot(*(centres - truth[: len(rois)]).T)
            failed[name] = 100 * np.mean(~(off < FAR))
    first = next(iter(found))
    print(f"\n{side} x {side}, {n} ROIs ({slow} for the slow ones), medians of {repeats}\n")
    print(
        "| fitter | fits per CPU second | x | fits per second, wall | x | off by > 2 px or none |"
    )
    print("| --- | --- | --- | --- | --- | --- |")
    for name in found:
        c, w = median(core[name]), median(wall[name])
        more = [f"{c / median(core[first]):.1f}", f"{w:,.0f}", f"{w / median(wall[first]):.1f}"]
        print(f"| {name} | {c:,.0f} | {' | '.join(more)} | {failed[name]:.2f} % |")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--n", type=int, default=20_000)
    parser.add_argument("--slow", type=int, default=300)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--sides", type=int, nargs="+", default=[21, 31])
    options = parser.parse_args()
    for side in options.sides:
        table(side, options.n, options.slow, options.repeats)


if __name__ == "__main__":
    main()
