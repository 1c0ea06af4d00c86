"""Whether the refiner's error bars are true: pulls on simulated spots.

python benchmarks/pulls.py [--n 20000] [--background plane|constant]

A pull is (fit - truth) / stated error: with true errors its mean is 0 and its standard deviation 1.
The signal-to-noise ratio is the volume over its Cramér-Rao error, even in its logarithm; sigma is
1.2 to 6 px, and the ROI eight sigma wide. ``x / CR`` is the scatter of x over the Cramér-Rao bound
of the same spot on a constant background: a fit with a plane pays for it.
"""

from __future__ import annotations

import argparse

import numpy as np

from trackleed.builtin.refiners.gaussian import Gaussian
from trackleed.builtin.refiners.params import GaussianParams
from trackleed.frames import ArraySource, FrameSequence
from trackleed.simulate import Spots, spots

NAMES = ("x", "y", "amplitude", "sigma_x", "sigma_y", "volume")
SNR = [(5, 8), (8, 15), (15, 40), (40, 120), (120, 500), (5, 500)]
SIGMA = (1.2, 1.8, 2.5, 4.0, 6.0)


def refine(simulated: Spots, background: str) -> dict[str, np.ndarray]:
    """Every ROI as a frame of its own, tracked in its middle."""
    n, side, _ = simulated.rois.shape
    rois = {
        "frame": np.arange(n),
        "track_id": np.ones(n, int),
        **{name: np.full(n, float(side // 2)) for name in ("x", "y")},
        **{name: np.full(n, float(side)) for name in ("width", "height")},
        "state": np.full(n, "measured", object),
    }
    frames = FrameSequence(ArraySource(simulated.rois), noise=simulated.noise)
    return dict(Gaussian(GaussianParams(background=background)).refine(frames, rois))


def row(snr: tuple[float, float], n: int, background: str) -> str:
    """One line of the table."""
    pulls: dict[str, list[np.ndarray]] = {name: [] for name in NAMES}
    bound, ok, chi2 = [], [], []
    for sigma in SIGMA:
        simulated = spots(
            n // len(SIGMA),
            roi=max(11, 2 * round(4 * sigma) + 1),
            snr=snr,
            sigma=(sigma, sigma),
            seed=int(10 * sigma),
        )
        fits, truth = refine(simulated, background), simulated.truth
        good = np.isfinite(fits["x"])
        for name in NAMES:
            pull = (fits[name] - truth[name].to_numpy()) / fits[f"{name}_err"]
            pulls[name].append(pull[good])
        bound.append(((fits["x"] - truth["x"]) / truth["x_err"]).to_numpy()[good])
        ok.append(np.mean(fits["status"] == "ok"))
        chi2.append(fits["chi2_red"][good])
    cells = [
        f"{mean(pulls[name]):+.2f}, {np.std(np.concatenate(pulls[name])):.2f}" for name in NAMES
    ]
    cells.append(f"{np.sqrt(np.mean(np.concatenate(bound) ** 2)):.3f}")
    cells.append(f"{mean(chi2):.3f}")
    cells.append(f"{100 * np.mean(ok):.1f} %")
    return f"| {snr[0]}-{snr[1]} | " + " | ".join(cells) + " |"


def mean(parts: list[np.ndarray]) -> float:
    """Mean of several arrays."""
    return float(np.mean(np.concatenate(parts)))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--n", type=int, default=20_000)
    parser.add_argument("--background", default="plane", choices=["plane", "constant"])
    options = parser.parse_args()
    print(f"background {options.background}, {options.n} spots a row: mean, standard deviation\n")
    head = ["snr", *NAMES, "x / CR", "chi2_red", "ok"]
    print("| " + " | ".join(head) + " |\n|" + " --- |" * len(head))
    for snr in SNR:
        print(row(snr, options.n, options.background), flush=True)


if __name__ == "__main__":
    main()
