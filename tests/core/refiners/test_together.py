"""Spots in each other's ROIs, fitted together."""

from __future__ import annotations

import numpy as np
import pytest

SHAPE = (91, 91)


def series(lab, spots, count, slope=0.0):
    """Frames of the spots (x, y, amplitude, sigma) on a sloping background."""
    columns = np.arange(SHAPE[1])
    clean = sum(lab.spot(SHAPE, *spot) for spot in spots) + 60 + slope * columns
    return lab.sequence(np.stack([lab.noisy(clean, i) for i in range(count)]))


def refine(lab, frames, spots, size=21, **options):
    count = len(frames)
    where = lab.rois(
        [spot[:2] for spot in spots] * count, np.repeat(np.arange(count), len(spots)), size
    )
    where["track_id"] = np.tile(np.arange(1, len(spots) + 1), count)
    fits = lab.refine(frames, where, **options)
    return {name: np.reshape(column, (count, len(spots))) for name, column in fits.items()}


@pytest.mark.parametrize(("distance", "ratio"), [(7, 1.0), (8, 0.2), (10, 5.0)])
def test_errors_of_close_pairs_are_true(lab, distance, ratio) -> None:
    spots = [(40.2, 45.1, 400, 2.5), (40.2 + distance, 45.1, ratio * 400, 2.2)]
    fits = refine(lab, series(lab, spots, 150), spots, scale_errors=False)
    assert np.mean(fits["status"] == "ok") > 0.99
    for m, truth in enumerate(spots):
        for name, value in zip(("x", "y", "amplitude", "sigma_x"), truth, strict=True):
            pull = (fits[name][:, m] - value) / fits[f"{name}_err"][:, m]
            assert abs(np.nanmean(pull)) < 0.3, name
            assert np.nanstd(pull) == pytest.approx(1, abs=0.2), name
    assert np.mean(fits["chi2_red"]) == pytest.approx(1, abs=0.03)


def test_pair_that_merges_in_the_noise_is_ok_only_where_its_errors_are_true(lab) -> None:
    spots = [(40.2, 45.1, 70, 2.4), (46.0, 45.1, 70, 2.4)]
    fits = refine(lab, series(lab, spots, 300), spots, scale_errors=False)
    ok = fits["status"] == "ok"
    assert 0.3 < ok.mean() < 0.98
    for n, name in enumerate("xy"):
        pull = (fits[name] - np.array(spots)[:, n]) / fits[f"{name}_err"]
        assert np.std(pull[ok]) == pytest.approx(1, abs=0.15)
        assert np.abs(pull[ok]).max() < 6
    swallowed = fits["sigma_x"] * fits["sigma_y"] > 2.5 * 2.4**2
    assert not np.any(ok & swallowed & swallowed[:, ::-1])
    assert np.all(np.isfinite(fits["x"][fits["status"] == "neighbour"]))  # to be looked at


def test_satellites_of_a_bright_spot_on_a_steep_background(lab) -> None:
    # As moire satellites round a reference spot; alone, their fits lean towards it.
    angles = np.radians([5, 65, 125, 185, 245, 305])
    dim = [(45 + 11 * np.cos(a), 45 + 11 * np.sin(a), 60.0, 2.0) for a in angles]
    spots = [(45.3, 44.8, 900.0, 2.6), *dim]
    fits = refine(lab, series(lab, spots, 25, slope=3.0), spots)
    assert np.mean(fits["status"] == "ok") > 0.95
    truth = np.array(spots)
    for n, name in enumerate("xy"):
        pull = (fits[name] - truth[:, n]) / fits[f"{name}_err"]
        assert np.nanstd(pull) == pytest.approx(1, abs=0.2)
        assert np.all(np.abs(np.nanmean(pull, axis=0)) < 4 / 5)


def test_faded_spot_does_not_walk_to_its_neighbour_nor_disturb_it(lab) -> None:
    spots = [(40.2, 45.1, 500, 2.5), (49.0, 45.1, 0.0, 2.5)]
    fits = refine(lab, series(lab, spots, 30), spots)
    assert np.all(fits["status"][:, 0] == "ok")
    assert np.mean(fits["status"][:, 1] == "ok") < 0.1
    pull = (fits["x"][:, 0] - 40.2) / fits["x_err"][:, 0]
    assert abs(pull.mean()) < 0.6
    there = np.isfinite(fits["x"][:, 1])
    x, y = fits["x"][there, 1], fits["y"][there, 1]
    assert np.all(np.hypot(x - 49, y - 45.1) <= np.hypot(x - 40.2, y - 45.1))


def test_crowd_larger_than_a_group_is_measured_too(lab) -> None:
    spots = [(20 + 10 * i, 30 + 10 * j, 300, 2.0) for i in range(5) for j in range(3)]
    fits = refine(lab, series(lab, spots, 2), spots)
    assert np.mean(fits["status"] == "ok") > 0.9
    off = np.hypot(*(fits[n] - np.array(spots)[:, m] for m, n in enumerate("xy")))
    assert np.nanmax(off) < 0.3


def test_masked_pixels_of_a_group_count_for_nothing(lab) -> None:
    spots = [(40.0, 45.0, 500, 2.5), (48.0, 45.0, 400, 2.5)]
    frames = series(lab, spots, 1)
    valid = np.ones(SHAPE, bool)
    valid[38:42, 38:52] = False
    spoiled = frames.source.frames.copy()
    spoiled[:, ~valid] = 1e5
    clean = refine(lab, lab.sequence(frames.source.frames, valid=valid), spots)
    masked = refine(lab, lab.sequence(spoiled, valid=valid), spots)
    assert list(masked["status"][0]) == ["ok", "ok"]
    for name in ("x", "amplitude", "chi2_red"):
        assert np.array_equal(masked[name], clean[name]), name


@pytest.mark.parametrize("options", [{"shape": "circular"}, {"background": "constant"}])
def test_fewer_parameters_are_shared_by_the_group(lab, options) -> None:
    spots = [(40.2, 45.1, 400, 2.5), (48.2, 45.1, 300, 2.2)]
    fits = refine(lab, series(lab, spots, 20), spots, **options)
    assert np.all(fits["status"] == "ok")
    for m, truth in enumerate(spots):
        assert np.mean(fits["x"][:, m]) == pytest.approx(truth[0], abs=0.05)
    if "shape" in options:
        assert np.array_equal(fits["sigma_x"], fits["sigma_y"])
