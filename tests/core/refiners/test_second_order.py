"""The second order of a fit, against sums and differences written out."""

from __future__ import annotations

import numpy as np
import pytest

from trackleed.builtin.refiners import crowds
from trackleed.builtin.refiners.compiled.physical import NUMBERS
from trackleed.builtin.refiners.engine import fit
from trackleed.builtin.refiners.model import PEAK, monomials
from trackleed.simulate import spots

SIDE, UNIT = 21, 10
NAMES = ("x", "y", "amplitude", "sigma_x", "sigma_y", "volume")


def numbers(k, turned):
    """What the parameters mean; widths along the axes where these are known."""
    precision = np.array([[-2 * k[3], -k[4]], [-k[4], -2 * k[5]]])
    moments = np.linalg.inv(precision)
    u, v = moments @ k[1:3]
    amplitude = np.exp(k[0] + 0.5 * (k[1] * u + k[2] * v))
    squares = np.diag(moments)
    if turned:
        values, vectors = np.linalg.eigh(moments)
        squares = values[np.argsort(-np.abs(vectors[0]))]
    volume = 2 * np.pi * amplitude * np.sqrt(np.linalg.det(moments)) * UNIT**2
    return np.array([u * UNIT, v * UNIT, amplitude, *np.sqrt(squares) * UNIT, volume])


def derivatives(k, step, turned):
    """First and second, by differences."""
    n, unit = len(k), np.diag(step)
    first = np.stack([numbers(k + e, turned) - numbers(k - e, turned) for e in unit], 1) / step / 2
    second = np.empty((len(NAMES), n, n))
    for a in range(n):
        for b in range(n):
            p, q = unit[a], unit[b]
            ends = [(p + q, 1), (p - q, -1), (q - p, -1), (-p - q, 1)]
            change = sum(sign * numbers(k + e, turned) for e, sign in ends)
            second[:, a, b] = change / (4 * step[a] * step[b])
    return first, second


def expected_shift(k, data, variance, turned):
    """How far each number is moved, and its error."""
    base = monomials(SIDE).reshape(len(k), -1)
    peak = np.exp(k[:PEAK] @ base[:PEAK])
    model = peak + k[PEAK:] @ base[PEAK:]
    w = 1 / variance(model)
    g = np.concatenate([peak * base[:PEAK], base[PEAK:]])
    information = (w * g) @ g.T
    covariance = np.linalg.inv(information)
    observed = information.copy()
    rest = w * (data.ravel() - model) * peak
    observed[:PEAK, :PEAK] -= (rest * base[:PEAK]) @ base[:PEAK].T
    first, second = derivatives(k, 1e-3 * np.sqrt(np.diag(covariance)), turned)
    shift, error = [], []
    for t, bend in zip(first, second, strict=True):
        z = covariance @ t
        curve = bend.copy()
        curve[:PEAK, :PEAK] -= (w * (z @ g) * peak * base[:PEAK]) @ base[:PEAK].T
        s2 = t @ z
        turned_curve = curve @ covariance
        lean = z @ curve @ z / s2**1.5
        own = np.sqrt(t @ np.linalg.inv(observed) @ t)
        shift.append(own * (0.5 * np.trace(turned_curve) / np.sqrt(s2) - lean))
        error.append(own * np.sqrt(1 + 0.5 * np.trace(turned_curve @ turned_curve) / s2))
    return np.array(shift), np.array(error)


@pytest.mark.parametrize(("sigma", "snr", "turned"), [(2.5, 10, False), ((1.6, 3.6), 45, True)])
def test_numbers_move_by_the_mean_of_the_pull(sigma, snr, turned) -> None:
    widths = sigma if turned else (sigma, sigma)
    simulated = spots(40, roi=SIDE, snr=(snr, snr), sigma=widths, seed=3)
    noise = simulated.noise
    dark = noise.read_noise**2
    variance = np.array([noise.gain, dark - noise.gain * noise.black, dark])[None, :, None, None]
    everything = np.ones(simulated.rois.shape, bool)
    plain, corrected = (
        fit(
            simulated.rois, everything, variance, np.zeros((40, 2)), scale_errors=False,
            second_order=yes,
        )
        for yes in (False, True)
    )  # fmt: skip
    value = [NUMBERS.index(name) for name in NAMES]
    errors = [NUMBERS.index(f"{name}_err") for name in NAMES]
    compared = 0
    for n, data in enumerate(simulated.rois):
        known = np.isfinite(corrected.numbers[n, NUMBERS.index("theta_deg")])
        if known != turned or abs(simulated.truth["theta_deg"][n]) > 35:
            continue
        compared += 1
        shift, error = expected_shift(plain.k[n], data, noise.variance, turned)
        moved = plain.numbers[n, value] - corrected.numbers[n, value]
        assert corrected.numbers[n, errors] == pytest.approx(error, rel=2e-3)
        assert np.all(np.abs(moved - shift) < 1e-3 * error)
    assert compared >= 5


def pair_shift(k, corners, data, background):
    """As `expected_shift`, for two spots in ROIs with these corners; ``k`` (2, 9)."""
    base = np.zeros((2, PEAK, *data.shape))
    seen = np.zeros(data.shape, bool)
    for m, (x, y) in enumerate(corners):
        rows, columns = np.mgrid[: data.shape[0], : data.shape[1]]
        u, v = (columns - x - UNIT) / UNIT, (rows - y - UNIT) / UNIT
        base[m] = [np.ones_like(u), u, v, u * u, u * v, v * v]
        seen[y : y + SIDE, x : x + SIDE] = True
    base, data, below = base[..., seen], data[seen], background[seen]
    peaks = np.exp(np.einsum("ma,map->mp", k[:, :PEAK], base))
    plane = np.stack([np.ones(seen.sum()), *(axis[seen] for axis in np.indices(seen.shape))])
    model = peaks.sum(0) + below
    w = 1 / np.maximum(model + 4, 4)
    g = np.concatenate([peaks[0] * base[0], peaks[1] * base[1], plane])
    information = (w * g) @ g.T
    covariance, observed = np.linalg.inv(information), information.copy()
    own = [slice(0, PEAK), slice(PEAK, 2 * PEAK)]
    for m in (0, 1):
        observed[own[m], own[m]] -= (w * (data - model) * peaks[m] * base[m]) @ base[m].T
    shift, error = np.zeros((2, len(NAMES))), np.zeros((2, len(NAMES)))
    for m in (0, 1):
        first, second = derivatives(k[m, :PEAK], np.full(PEAK, 1e-3), False)
        for n, (t, bend) in enumerate(zip(first, second, strict=True)):
            slope, curve = np.zeros(len(g)), np.zeros((len(g),) * 2)
            slope[own[m]], curve[own[m], own[m]] = t, bend
            z = covariance @ slope
            for other in (0, 1):
                part = (w * (z @ g) * peaks[other] * base[other]) @ base[other].T
                curve[own[other], own[other]] -= part
            s2, turned = slope @ z, curve @ covariance
            e = np.sqrt(slope @ np.linalg.inv(observed) @ slope)
            lean = z @ curve @ z / s2**1.5
            shift[m, n] = e * (0.5 * np.trace(turned) / np.sqrt(s2) - lean)
            error[m, n] = e * np.sqrt(1 + 0.5 * np.trace(turned @ turned) / s2)
    return shift, error


def test_numbers_of_a_pair_move_as_the_sums_over_both_say(lab, monkeypatch) -> None:
    places, corners = np.array([[26.2, 30.1], [33.3, 31.0]]), [(16, 20), (23, 21)]
    clean = sum(lab.spot((61, 61), x, y, 90, 2.3) for x, y in places) + 60
    done = []
    monkeypatch.setattr(crowds, "replace", lambda _found, fit, *_: done.append(fit))
    frames = np.stack([lab.noisy(clean, seed) for seed in range(8)])
    where = lab.rois(places.tolist() * 8, np.repeat(np.arange(8), 2), SIDE)
    for second_order in (False, True):
        options = {"scale_errors": False, "second_order": second_order}
        lab.refine(lab.sequence(frames), where, **options)
    value = [NUMBERS.index(name) for name in NAMES]
    errors = [NUMBERS.index(f"{name}_err") for name in NAMES]
    compared = 0
    for plain, corrected in zip(done[:8], done[8:], strict=True):
        axes = [fit.numbers[:, NUMBERS.index("theta_deg")] for fit in (plain, corrected)]
        if np.isfinite(axes).any():
            continue
        compared += 1
        (x, y), k = corners[0], corrected.k
        rows, columns = np.mgrid[:61, :61]
        level = k[0, 6] + k[0, 7] * (columns - x - UNIT) / UNIT + k[0, 8] * (rows - y - UNIT) / UNIT
        shift, error = pair_shift(k, corners, frames[corrected.rows[0] // 2], level)
        moved = plain.numbers[:, value] - corrected.numbers[:, value]
        assert corrected.numbers[:, errors] == pytest.approx(error, rel=1e-4)
        assert np.all(np.abs(moved - shift) < 1e-4 * error)
    assert compared >= 4
