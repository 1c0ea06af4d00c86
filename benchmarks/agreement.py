"""The engine's fits against `scipy.optimize.curve_fit`.

python benchmarks/agreement.py [--n 1000]

Rotated elliptical Gaussians on a constant or a sloping background, fitted with equal weights, and
with those of the noise at the engine's own fitted model, which curve_fit is handed. Differences
are in units of curve_fit's error bar (equal weights: with ``absolute_sigma=False``); those
of the errors are relative. curve_fit has the analytic Jacobian, since
the numeric one leaves dim spots up to 0.03 error bars off the minimum, and starts at the ROI's
centre, not quite round, since a round start has no derivative by the angle.
curve_fit knows first derivatives only: the engine's second order is left out (benchmarks/pulls.py).
Only spots that both call converged are compared. A failure has no result, or is 2 px off.
"""

from __future__ import annotations

import argparse

import numpy as np
from scipy.optimize import curve_fit

from trackleed.builtin.refiners.compiled.physical import NUMBERS
from trackleed.builtin.refiners.compiled.single import CONVERGED, Results
from trackleed.builtin.refiners.engine import fit
from trackleed.builtin.refiners.model import background, peak
from trackleed.simulate import Spots, spots

COMPARED = ("x", "y", "amplitude", "offset", "volume")
SIDE, FAR = 21, 2.0


def textbook(place, x, y, amplitude, sx, sy, theta, offset, *slopes):
    """A Gaussian as in a textbook; the offset is that under the peak."""
    dx, dy = place[0] - x, place[1] - y
    along = dx * np.cos(theta) + dy * np.sin(theta)
    across = dy * np.cos(theta) - dx * np.sin(theta)
    tilt = slopes[0] * dx + slopes[1] * dy if slopes else 0.0
    return amplitude * np.exp(-0.5 * ((along / sx) ** 2 + (across / sy) ** 2)) + offset + tilt


def jacobian(place, x, y, amplitude, sx, sy, theta, _, *slopes):
    """Derivatives of `textbook`."""
    dx, dy, cos, sin = place[0] - x, place[1] - y, np.cos(theta), np.sin(theta)
    along, across = dx * cos + dy * sin, dy * cos - dx * sin
    f = np.exp(-0.5 * ((along / sx) ** 2 + (across / sy) ** 2))
    p, q = amplitude * f * along / sx**2, amplitude * f * across / sy**2
    gx, gy = slopes or (0.0, 0.0)
    columns = [p * cos - q * sin - gx, p * sin + q * cos - gy, f, p * along / sx, q * across / sy]
    columns += [along * q - across * p, np.ones_like(f)]
    return np.stack([*columns, dx, dy] if slopes else columns, axis=1)


def ours(simulated: Spots, weighted: bool, plane: bool) -> Results:
    """All spots, errors as the weights imply."""
    camera, n = simulated.noise, len(simulated.rois)
    dark = camera.read_noise**2
    noise = [camera.gain, dark - camera.gain * camera.black, dark] if weighted else [0.0, 1.0, 1.0]
    return fit(
        simulated.rois,
        np.ones(simulated.rois.shape, bool),
        np.array(noise)[None, :, None, None],
        np.zeros((n, 2)),
        "rotated",
        "plane" if plane else "constant",
        scale_errors=not weighted,
        second_order=False,
    )


def theirs(
    roi: np.ndarray, spread: np.ndarray | None, plane: bool
) -> tuple[np.ndarray, ...] | None:
    """Values and errors of `COMPARED` from curve_fit."""
    place = np.mgrid[:SIDE, :SIDE][::-1].reshape(2, -1).astype(float)
    level = np.median(roi)
    start = [SIDE // 2, SIDE // 2, roi.max() - level, SIDE / 6, SIDE / 7, 0.3, level]
    start += [0.0, 0.0] if plane else []
    try:
        best, covariance = curve_fit(
            textbook, place, roi.ravel(), start, spread, absolute_sigma=spread is not None,
            jac=jacobian, xtol=1e-12, ftol=1e-12,
        )  # fmt: skip
    except RuntimeError:
        return None
    volume = 2 * np.pi * best[2] * abs(best[3] * best[4])
    d = volume * np.array([1 / best[2], 1 / best[3], 1 / best[4]])
    errors = np.sqrt(np.diag(covariance))
    volume_error = np.sqrt(d @ covariance[2:5, 2:5] @ d)
    return np.array([*best[[0, 1, 2, 6]], volume]), np.array([*errors[[0, 1, 2, 6]], volume_error])


def row(simulated: Spots, weighted: bool, plane: bool) -> str:
    """One line of the table."""
    fits = ours(simulated, weighted, plane)
    at = [NUMBERS.index(name) for name in COMPARED]
    errors_at = [NUMBERS.index(f"{name}_err") for name in COMPARED]
    values, errors = fits.numbers[:, at], fits.numbers[:, errors_at]
    values[:, :2] += SIDE // 2
    model = peak(fits.k, SIDE) + background(fits.k, SIDE)
    spread = np.sqrt(simulated.noise.variance(model))
    truth = simulated.truth[["x", "y"]].to_numpy()
    differences, relative, failed = [], [], 0
    for n, roi in enumerate(simulated.rois):
        other = theirs(roi, spread[n].ravel() if weighted else None, plane)
        if other is None or not np.hypot(*(other[0][:2] - truth[n])) < FAR:
            failed += 1
        elif fits.outcome[n] == CONVERGED and np.isfinite(other[1]).all():
            differences.append(np.abs(values[n] - other[0]) / other[1])
            relative.append(np.abs(errors[n] / other[1] - 1))
    far = ~(np.hypot(*(values[:, :2] - truth).T) < FAR)
    ours_failed = np.count_nonzero(far | (fits.outcome != CONVERGED))
    cells = ["noise" if weighted else "equal", "plane" if plane else "constant"]
    for numbers in (differences, relative):
        cells += [f"{np.quantile(numbers, q):.1e}" for q in (0.5, 0.99, 1.0)]
    cells += [str(ours_failed), str(failed)]
    return "| " + " | ".join(cells) + " |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--n", type=int, default=1000)
    options = parser.parse_args()
    simulated = spots(options.n, roi=SIDE, snr=(5, 300), sigma=(1.5, 3.5), seed=8)
    print(f"{options.n} spots of snr 5 to 300 in {SIDE} x {SIDE} px\n")
    head = ["weights", "background", "difference / error: median", "99 %", "largest"]
    head += ["errors, relative: median", "99 %", "largest", "failed: trackleed", "curve_fit"]
    print("| " + " | ".join(head) + " |\n|" + " --- |" * len(head))
    for weighted in (False, True):
        for plane in (False, True):
            print(row(simulated, weighted, plane), flush=True)


if __name__ == "__main__":
    main()
