"""Whether the refiner's error bars are true: pulls on simulated spots.

python benchmarks/pulls.py [--n 10000] [--first-order]

A pull is (fit - truth) / stated error: with true errors its mean is 0 and its standard deviation 1.
Every option of the refiner is the default unless a table says otherwise. Single spots: the
signal-to-noise ratio is the volume over its Cramér-Rao error, even in its logarithm; sigma
is 1.2 to 6 px, and the ROI eight sigma wide. ``x / CR`` is the scatter of x over the Cramér-Rao
bound of the fitted model, ``x / CR0`` over that of a spot on a constant background, which is
lower. Pairs: two spots on a steep background, fitted together; their ``snr`` is what each would
have alone. Single spots are left out where they have no numbers, pairs where they are not ok.
"""

from __future__ import annotations

import argparse

import numpy as np

from trackleed.builtin.refiners.gaussian import Gaussian
from trackleed.builtin.refiners.model import PEAK, half, monomials
from trackleed.builtin.refiners.params import GaussianParams
from trackleed.frames import ArraySource, FrameSequence, NoiseModel
from trackleed.noise import estimate_noise
from trackleed.simulate import Spots, spots

NAMES = ("x", "y", "amplitude", "sigma_x", "sigma_y", "volume")
SNR = [(5, 8), (8, 15), (15, 40), (40, 120), (120, 500), (5, 500)]
SIGMA = (1.2, 1.8, 2.5, 4.0, 6.0)
TILE, PER_FRAME = 61, 8  # px around a spot or pair, tiles along each side of a frame
APART = (6, 8, 10, 12)  # px, the spots of a pair
PAIR_SIGMA, SLOPE = 2.2, 5.0  # px, counts per px

Array = np.ndarray


def tiled(rois: Array, noise: NoiseModel, level: float, known: bool) -> FrameSequence:
    """ROIs (n, side, side) in rows on frames of noise; that noise, or what the frames tell of it.

    So few stand on a frame as in a diffraction pattern. The last frame is filled from the first.
    """
    side, count = rois.shape[1], PER_FRAME**2
    margin = (TILE - side) // 2
    n = -(-len(rois) // count) * count
    rng = np.random.default_rng(side)
    tiles = noisy(np.full((n, TILE, TILE), max(level, noise.black)), noise, rng)
    inner = slice(margin, margin + side)
    tiles[:, inner, inner] = np.resize(rois, (n, side, side))
    grid = tiles.reshape(-1, PER_FRAME, PER_FRAME, TILE, TILE).swapaxes(2, 3)
    source = ArraySource(grid.reshape(-1, PER_FRAME * TILE, PER_FRAME * TILE))
    return FrameSequence(source, noise=noise if known else estimate_noise(FrameSequence(source)))


def corners(n: int, side: int) -> tuple[Array, Array, Array]:
    """Frame, x and y of the first pixel of each of n ROIs that are `tiled`."""
    frame, place = np.divmod(np.arange(n), PER_FRAME**2)
    margin = (TILE - side) // 2
    return frame, TILE * (place % PER_FRAME) + margin, TILE * (place // PER_FRAME) + margin


def noisy(level: Array, noise: NoiseModel, rng: np.random.Generator) -> Array:
    """Counts where these are expected."""
    counts = rng.poisson((level - noise.black) / noise.gain) * noise.gain + noise.black
    return counts + rng.normal(0, noise.read_noise, level.shape)


def refine(frames: FrameSequence, frame: Array, x: Array, y: Array, box: int, **options):
    """The table of fits to spots that are tracked at x and y."""
    rois = {
        "frame": frame,
        "track_id": np.arange(len(frame)),
        "x": x,
        "y": y,
        **{name: np.full(len(frame), float(box)) for name in ("width", "height")},
        "state": np.full(len(frame), "measured", object),
    }
    return dict(Gaussian(GaussianParams(**options)).refine(frames, rois))


def bound(simulated: Spots, plane: bool) -> Array:
    """Cramér-Rao bound of x, of the rotated spot on a plane or a constant; px."""
    truth, side = simulated.truth, simulated.rois.shape[1]
    base = monomials(side)[: PEAK + (3 if plane else 1)].reshape(-1, side * side)
    below = truth["offset"].to_numpy()[:, None]
    expected = simulated.expected.reshape(len(truth), -1)
    peak, weights = expected - below, 1 / simulated.noise.variance(expected)
    found = np.empty(len(truth))
    for n in range(len(truth)):
        slopes = np.concatenate([peak[n] * base[:PEAK], base[PEAK:]])
        covariance = np.linalg.inv((weights[n] * slopes) @ slopes.T)
        # u = -k1 / (2 k3) for a round spot, whose k4 only turns it: du = M (dk1 + 2 u dk3 + v dk4)
        u, v = ((truth[name][n] - side // 2) / half(side) for name in ("x", "y"))
        d = np.zeros(len(base))
        d[1], d[3], d[4] = 1.0, 2 * u, v
        moment = (truth["sigma_x"][n] / half(side)) ** 2
        found[n] = np.sqrt(d @ covariance @ d) * moment * half(side)
    return found


def singles(snr: tuple[float, float], n: int, known: bool, **options) -> str:
    """One line of the tables of single spots."""
    pulls, off, off0, chi2, ok = [], [], [], [], []
    for sigma in SIGMA:
        simulated = spots(
            n // len(SIGMA),
            roi=max(11, 2 * round(4 * sigma) + 1),
            snr=snr,
            sigma=(sigma, sigma),
            seed=int(10 * sigma),
        )
        count, side, _ = simulated.rois.shape
        frame, x, y = corners(count, side)
        middle = side // 2
        level = float(simulated.truth["offset"][0])
        frames = tiled(simulated.rois, simulated.noise, level, known)
        fits = refine(frames, frame, x + middle, y + middle, side, **options)
        fits["x"], fits["y"] = fits["x"] - x, fits["y"] - y
        truth = simulated.truth
        good = np.isfinite(fits["x"])
        pulls.append(pull(fits, truth)[good])
        away = (fits["x"] - truth["x"].to_numpy())[good]
        off.append(away / bound(simulated, options.get("background", "plane") == "plane")[good])
        off0.append(away / bound(simulated, plane=False)[good])
        chi2.append(fits["chi2_red"][good])
        ok.append(np.mean(fits["status"] == "ok"))
    rms = [f"{np.sqrt(np.mean(np.concatenate(parts) ** 2)):.3f}" for parts in (off, off0)]
    return line(snr, pulls, [*rms, f"{np.mean(np.concatenate(chi2)):.3f}", f"{np.mean(ok):.2%}"])


def pairs(apart: float, snr: tuple[float, float], n: int, **options) -> str:
    """One line of the table of pairs."""
    frames, truth = two(apart, snr, n, seed=int(apart))
    frame, x, y = (np.repeat(values, 2) for values in corners(n, TILE))
    tracked = (np.rint(truth[name]) for name in ("x", "y"))
    at = [corner + place for corner, place in zip((x, y), tracked, strict=True)]
    fits = refine(frames, frame, *at, 21, **options)
    fits["x"], fits["y"] = fits["x"] - x, fits["y"] - y
    ok = fits["status"] == "ok"
    cells = [f"{np.mean(fits['chi2_red'][ok]):.3f}", f"{np.mean(ok):.2%}"]
    return line((apart, *snr), [pull(fits, truth)[ok]], cells)


def two(apart: float, snr: tuple[float, float], n: int, seed: int) -> tuple[FrameSequence, dict]:
    """Frames of n pairs on slopes, and the truth of their spots, two after each other."""
    rng = np.random.default_rng(seed)
    like = spots(400, roi=25, snr=snr, sigma=(PAIR_SIGMA,) * 2, seed=seed)
    noise, alone = like.noise, like.truth.sort_values("snr")
    angle = rng.uniform(0, 2 * np.pi, n)
    step = 0.5 * apart * np.stack([np.cos(angle), np.sin(angle)])
    middle = TILE // 2 + rng.uniform(-0.5, 0.5, (2, n))
    x, y = (np.stack([m - s, m + s], axis=1) for m, s in zip(middle, step, strict=True))
    wanted = np.exp(rng.uniform(*np.log(snr), (n, 2)))
    amplitude = np.interp(wanted, alone["snr"], alone["amplitude"])
    rows, columns = np.mgrid[:TILE, :TILE]
    level = 2000 + noise.black + SLOPE * (columns - TILE // 2) + np.zeros((n, 1, 1))
    for m in range(2):
        dx, dy = columns - x[:, m, None, None], rows - y[:, m, None, None]
        shape = np.exp(-0.5 * (dx**2 + dy**2) / PAIR_SIGMA**2)
        level += amplitude[:, m, None, None] * shape
    frames = tiled(noisy(level, noise, rng), noise, 0.0, known=True)
    truth = {"x": x.ravel(), "y": y.ravel(), "amplitude": amplitude.ravel()}
    truth |= {name: np.full(2 * n, PAIR_SIGMA) for name in ("sigma_x", "sigma_y")}
    truth["volume"] = 2 * np.pi * truth["amplitude"] * PAIR_SIGMA**2
    return frames, truth


def pull(fits: dict[str, Array], truth: dict[str, Array]) -> Array:
    """(n, len(NAMES))."""
    return np.stack(
        [(fits[name] - np.asarray(truth[name])) / fits[f"{name}_err"] for name in NAMES], axis=1
    )


def line(first: tuple[float, ...], pulls: list[Array], last: list[str]) -> str:
    """A row of a table: mean and standard deviation of the pulls."""
    every = np.concatenate(pulls)
    cells = [f"{m:+.2f}, {s:.2f}" for m, s in zip(every.mean(0), every.std(0), strict=True)]
    start = [*map(str, first[:-2]), f"{first[-2]}-{first[-1]}"]
    return "| " + " | ".join([*start, *cells, *last]) + " |"


def head(first: list[str], last: list[str]) -> None:
    columns = [*first, *NAMES, *last]
    print("| " + " | ".join(columns) + " |\n|" + " --- |" * len(columns))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--n", type=int, default=10_000, help="spots in a row of a table")
    parser.add_argument("--first-order", action="store_true", help="as any least-squares fit")
    given = parser.parse_args()
    order = {"second_order": not given.first_order}
    for background, known in (("plane", True), ("constant", True), ("plane", False)):
        noise = "known" if known else "estimated from the frames"
        print(f"\nBackground {background}, noise {noise}, {given.n} spots a row:\n")
        head(["snr"], ["x / CR", "x / CR0", "chi2_red", "ok"])
        for snr in SNR:
            print(singles(snr, given.n, known, background=background, **order), flush=True)
    print(f"\nPairs, {given.n // 2} spots a row:\n")
    head(["apart, px", "snr"], ["chi2_red", "ok"])
    for apart in APART:
        for snr in SNR[1:4]:
            print(pairs(apart, snr, given.n // 4, **order), flush=True)


if __name__ == "__main__":
    main()
