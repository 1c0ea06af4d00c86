from __future__ import annotations

import numpy as np
import pytest

from trackleed.analysis.apertures import measure_apertures, place_apertures
from trackleed.frames import NoiseModel
from trackleed.tables import TRACKS, build

CELL = 60
HELD = 1 - np.exp(-4.5)  # of a Gaussian within 3 sigma


def scene(amplitude, sigma, level, slope, n=6, seed=0, gain=1.0):
    """Spots in the cells of a square, each on a slope of its own; counts, x, y."""
    rng = np.random.default_rng(seed)
    rows, columns = np.mgrid[: n * CELL, : n * CELL]
    at = np.arange(n) * CELL + CELL / 2
    x, y = (a.ravel() + rng.uniform(-0.5, 0.5, n * n) for a in np.meshgrid(at, at))
    light = 1.0 * level + slope[0] * (columns % CELL) + slope[1] * (rows % CELL)
    for cx, cy in zip(x, y, strict=True):
        light += amplitude * np.exp(-((columns - cx) ** 2 + (rows - cy) ** 2) / (2 * sigma**2))
    frame = gain * rng.poisson(light / gain) + rng.normal(0, 2, light.shape)
    return np.rint(frame), x, y


def measure(frame, x, y, radius, gain=1.0, valid=None, saturated=None):
    return measure_apertures(
        frame,
        np.ones(frame.shape, bool) if valid is None else valid,
        np.zeros(frame.shape, bool) if saturated is None else saturated,
        {"x": np.asarray(x), "y": np.asarray(y), "radius": np.full(len(x), float(radius))},
        NoiseModel(gain, 2.0).variance,
    )


@pytest.mark.parametrize(
    ("amplitude", "sigma", "level", "slope", "gain"),
    [
        (50, 2.5, 100, (0, 0), 1.0),
        (50, 2.5, 100, (2, 1), 1.0),
        (500, 3.0, 300, (5, -2), 1.0),
        (20, 2.5, 11, (0, 0), 0.1),
        (0, 2.0, 30, (1, 0), 1.0),
    ],
)
def test_intensity_is_unbiased_and_its_error_true(amplitude, sigma, level, slope, gain) -> None:
    pull = []
    for seed in range(6):
        frame, x, y = scene(amplitude, sigma, level, slope, seed=seed, gain=gain)
        found = measure(frame, x, y, 3 * sigma, gain)
        truth = 2 * np.pi * sigma**2 * amplitude * HELD
        pull.append((found["intensity"] - truth) / found["intensity_err"])
        under = level + slope[0] * (x % CELL) + slope[1] * (y % CELL)
        assert abs((found["background"] - under).mean()) < 0.5
    pull = np.concatenate(pull)
    assert abs(pull.mean()) < 4 / np.sqrt(len(pull))
    assert 0.85 < pull.std() < 1.15


@pytest.mark.parametrize("radius", [1.5, 3.0, 4.7, 9.0])
def test_the_aperture_has_the_area_of_its_circle(radius) -> None:
    rng = np.random.default_rng(0)
    x, y = rng.uniform(30, 50, (2, 50))
    frame = np.zeros((80, 80))
    rows, columns = np.mgrid[:80, :80]
    areas = []
    for cx, cy in zip(x, y, strict=True):
        inside = np.hypot(columns - cx, rows - cy) < radius + 0.9  # not as far as the ring
        areas.append(measure(np.where(inside, 1.0, frame), [cx], [cy], radius)["intensity"][0])
    assert np.mean(areas) == pytest.approx(np.pi * radius**2, rel=0.02)
    assert np.std(areas) < 0.03 * np.pi * radius**2


def test_masked_and_clipped_pixels_inside_make_it_unknown() -> None:
    frame, x, y = scene(100, 2.5, 50, (0, 0), n=3)
    hidden = np.zeros(frame.shape, bool)
    hidden[round(y[0]) + 2, round(x[0])] = True  # inside the first
    hidden[round(y[1]) + 12, round(x[1])] = True  # in the ring of the second
    plain = measure(frame, x, y, 7.5)
    for masks in ({"valid": ~hidden}, {"saturated": hidden}):
        found = measure(np.where(hidden, 1e6, frame), x, y, 7.5, **masks)
        assert np.isnan(found["intensity"][0])
        assert np.isnan(found["intensity_err"][0])
        assert np.isfinite(found["background"][0])
        assert found["intensity"][1] == pytest.approx(plain["intensity"][1], rel=0.02)
        np.testing.assert_allclose(found["intensity"][2:], plain["intensity"][2:])


def test_pixels_without_a_value_are_as_masked() -> None:
    frame, x, y = scene(100, 2.5, 50, (0, 0), n=2)
    frame[round(y[0]), round(x[0])] = np.nan
    found = measure(frame, x, y, 7.5)
    assert np.isnan(found["intensity"]).tolist() == [True, False, False, False]


def test_a_neighbours_light_is_no_background() -> None:
    frame, x, y = scene(50, 2.0, 100, (1, 0), n=4)
    rows, columns = np.mgrid[: frame.shape[0], : frame.shape[1]]
    bright = np.column_stack([x + 14, y + 3])
    for cx, cy in bright:
        frame += np.rint(900 * np.exp(-((columns - cx) ** 2 + (rows - cy) ** 2) / 8))
    found = measure(frame, np.append(x, bright[:, 0]), np.append(y, bright[:, 1]), 6.0)
    truth = 2 * np.pi * 4 * 50 * HELD
    pull = (found["intensity"][:16] - truth) / found["intensity_err"][:16]
    assert abs(pull.mean()) < 1


@pytest.mark.parametrize(
    "place", [(2.0, 30.0), (57.0, 30.0), (30.0, -0.4), (-40.0, 30.0), (1e4, 0)]
)
def test_apertures_that_leave_the_frame_are_unknown(place) -> None:
    frame, _, _ = scene(0, 2.0, 100, (0, 0), n=1)
    found = measure(frame, [place[0], 30.0], [place[1], 30.0], 6.0)
    assert np.isnan(found["intensity"]).tolist() == [True, False]


def test_lost_spots_are_unknown_and_none_is_no_error() -> None:
    frame, x, y = scene(100, 2.5, 50, (0, 0), n=2)
    x[1] = np.nan
    found = measure(frame, x, y, 7.5)
    assert np.isnan(found["intensity"]).tolist() == [False, True, False, False]
    assert all(len(column) == 0 for column in measure(frame, [], [], 5).values())


def test_without_a_ring_there_is_no_background() -> None:
    frame, x, y = scene(100, 2.5, 50, (0, 0), n=1)
    rows, columns = np.mgrid[: frame.shape[0], : frame.shape[1]]
    only_inside = np.hypot(columns - x[0], rows - y[0]) < 9
    found = measure(frame, x, y, 7.5, valid=only_inside)
    assert all(np.isnan(column[0]) for column in found.values())


def tracks_table(fits):
    n = len(fits)
    columns = {name: fits[name].to_numpy() + 0.5 for name in ("x", "y")}
    columns |= {name: np.full(n, 24.0) for name in ("width", "height")}
    columns |= {name: fits[name].to_numpy() for name in ("frame", "track_id")}
    columns |= {"score": np.ones(n), "state": np.full(n, "measured")}
    return build(TRACKS, columns)


def test_apertures_sit_on_the_fit_or_on_the_track_with_one_radius(fits_of) -> None:
    fits = fits_of(np.full((5, 2), 30.0), np.full((5, 2), 40.0), 0.0)
    tracks = tracks_table(fits)
    fits["sigma_y"] = 2.0 + 0.1 * fits["frame"]
    dim = (fits["frame"] == 3) & (fits["track_id"] == 1)
    fits.loc[dim, "status"] = "too_dim"
    fits.loc[fits["track_id"] == 2, "status"] = "neighbour"
    spots = place_apertures(tracks, fits, scale=3.0)
    assert spots["x"].tolist() == [30, 30.5, 30, 30.5, 30, 30.5, 30.5, 30.5, 30, 30.5]
    assert spots["radius"].tolist() == pytest.approx([3 * 2.15] * 10)
    assert place_apertures(tracks)["radius"].tolist() == [8.0] * 10
    assert place_apertures(tracks, fits, scale=0.1)["radius"].min() == 1.5
