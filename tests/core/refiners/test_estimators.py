"""Shapes, estimators and noise that the user may choose."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import minimize

from trackleed.errors import InputError
from trackleed.frames import NoiseModel

SHAPE = (61, 61)


def test_upright_and_circular_spots_are_found_as_such(lab) -> None:
    frame = lab.noisy(lab.spot(SHAPE, 30.3, 29.8, 900, 3.2, 2.1) + 20)
    where = lab.rois([(30, 30)])
    upright = lab.refine(lab.sequence(frame), where, shape="upright")
    assert upright["sigma_x"][0] == pytest.approx(3.2, abs=4 * upright["sigma_x_err"][0])
    assert upright["sigma_y"][0] == pytest.approx(2.1, abs=4 * upright["sigma_y_err"][0])
    assert upright["theta_deg"][0] == 0
    circular = lab.refine(lab.sequence(frame), where, shape="circular")
    assert circular["sigma_x"][0] == circular["sigma_y"][0]
    assert 2.1 < circular["sigma_x"][0] < 3.2
    assert circular["asymmetry"][0] == 0


@pytest.mark.parametrize("shape", ["upright", "circular"])
@pytest.mark.parametrize("background", ["plane", "constant"])
def test_fewer_parameters_have_true_and_smaller_errors(lab, shape, background) -> None:
    stack = np.stack([lab.noisy(lab.spot(SHAPE, 30, 30, 200) + 20, i) for i in range(400)])
    where = lab.rois([(30, 30)] * 400, frame=np.arange(400))
    options = {"background": background, "scale_errors": False}
    fits = lab.refine(lab.sequence(stack), where, shape=shape, **options)
    free = lab.refine(lab.sequence(stack), where, **options)
    assert np.all(fits["status"] == "ok")
    for name, truth in (("x", 30), ("amplitude", 200), ("sigma_x", 2.5)):
        pull = (fits[name] - truth) / fits[f"{name}_err"]
        assert pull.std() == pytest.approx(1, abs=0.12), name
        assert np.median(fits[f"{name}_err"]) <= 1.001 * np.median(free[f"{name}_err"]), name
    assert np.median(fits["amplitude_err"]) < np.median(free["amplitude_err"])


def test_poisson_fit_is_where_the_likelihood_is_highest(lab) -> None:
    noise = NoiseModel(gain=2.0, read_noise=3.0, black=10.0)
    v, u = np.mgrid[:21, :21]
    rng = np.random.default_rng(5)
    clean = lab.spot((21, 21), 10.4, 9.7, 60, 2.4) + 8
    data = 2.0 * rng.poisson(clean / 2.0) + rng.normal(0, 3, clean.shape) + 10
    options = {"shape": "circular", "background": "constant", "scale_errors": False}
    options["second_order"] = False  # the maximum itself
    fit = lab.refine(
        lab.sequence(data, noise=noise), lab.rois([(10, 10)]), estimator="poisson", **options
    )
    photons = np.maximum((data - 10) / 2 + 9 / 4, 0)

    def minus_log_likelihood(p):
        x, y, amplitude, sigma, offset = p
        model = amplitude * np.exp(-0.5 * ((u - x) ** 2 + (v - y) ** 2) / sigma**2) + offset
        expected = (model - 10) / 2 + 9 / 4
        return np.sum(expected - photons * np.log(expected))

    names = ("x", "y", "amplitude", "sigma_x", "offset")
    start = [fit[name][0] + 0.2 * fit[f"{name}_err"][0] for name in names]
    best = minimize(minus_log_likelihood, start, method="Nelder-Mead", options={"xatol": 1e-6})
    for name, value in zip(names, best.x, strict=True):
        assert fit[name][0] == pytest.approx(value, abs=0.02 * fit[f"{name}_err"][0]), name
    model = lab.spot((21, 21), *(fit[n][0] for n in names[:4])) + fit["offset"][0]
    expected = (model - 10) / 2 + 9 / 4
    logs = photons * np.log(np.where(photons > 0, photons, 1) / expected)
    deviance = 2 * np.sum(logs - photons + expected)
    assert fit["chi2_red"][0] == pytest.approx(deviance / (21 * 21 - 5), rel=1e-4)


def test_estimators_agree_on_everything_but_chi2(lab) -> None:
    frames = lab.sequence(lab.noisy(lab.spot(SHAPE, 30.3, 29.8, 90) + 5))
    options = {"scale_errors": False}
    least = lab.refine(frames, lab.rois([(30, 30)]), **options)
    likely = lab.refine(frames, lab.rois([(30, 30)]), estimator="poisson", **options)
    for name in ("x", "y", "amplitude", "volume", "x_err"):
        assert likely[name][0] == least[name][0], name
    assert likely["chi2_red"][0] != least["chi2_red"][0]
    assert likely["chi2_red"][0] == pytest.approx(1, abs=0.3)


def test_noise_that_the_user_knows_takes_the_place_of_the_estimate(lab) -> None:
    frame = lab.noisy(lab.spot(SHAPE, 30, 30, 900) + 200)
    wrong = lab.sequence(frame, noise=NoiseModel(5.0, 9.0, 0.0))
    told = lab.refine(wrong, lab.rois([(30, 30)]), gain=1, read_noise=2)
    right = lab.refine(lab.sequence(frame), lab.rois([(30, 30)]))
    assert told["x_err"][0] == right["x_err"][0]
    assert told["chi2_red"][0] == right["chi2_red"][0]


def test_poisson_without_gain_is_refused(lab) -> None:
    frames = lab.sequence(np.zeros(SHAPE), noise=NoiseModel(0.0, 2.0))
    with pytest.raises(InputError, match="photon counts need a gain above 0"):
        lab.refine(frames, lab.rois([(30, 30)]), estimator="poisson")
