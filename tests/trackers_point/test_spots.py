"""Where a spot is, and whether there is one: on pixels whose truth is known."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

pytest.importorskip("cv2")

from trackleed_trackers_point import spots
from trackleed_trackers_point.pictures import Picture

SHAPE = (70, 110)
Y, X = np.mgrid[: SHAPE[0], : SHAPE[1]]


def picture(light, usable=None, step=0.0):
    usable = np.ones(SHAPE, bool) if usable is None else usable
    counts = np.asarray(light, np.float32)
    return Picture(0, counts, usable, np.zeros(SHAPE, np.uint8), step)


def gaussian(x, y, height=500.0, sigma=2.5):
    return height * np.exp(-((X - x) ** 2 + (Y - y) ** 2) / (2 * sigma**2))


def locate(image, xy, sigma=2.5, **options):
    return spots.locate(picture(image, **options), np.atleast_2d(xy), np.full(1, sigma))


@settings(max_examples=40)
@given(
    st.floats(25, 85), st.floats(20, 50), st.floats(-3, 3), st.floats(-3, 3),
    st.floats(-1.8, 1.8), st.floats(-1.8, 1.8),
)  # fmt: skip
def test_the_centre_is_found_from_beside_it_and_on_a_slope(x, y, slope_x, slope_y, dx, dy):
    image = 1000 + slope_x * X + slope_y * Y + gaussian(x, y)
    centre, snr = locate(image, (x + dx, y + dy))
    np.testing.assert_allclose(centre, [(x, y)], atol=0.05)
    assert snr[0] > 100


@pytest.mark.parametrize("shift", [(0.4, 0.0), (0.0, 0.4)])
def test_x_is_to_the_right_and_y_down(shift):
    at = np.array([60.0, 30.0]) + shift
    centre, _ = locate(100 + gaussian(*at), (60.0, 30.0))
    np.testing.assert_allclose(centre[0], at, atol=0.005)


def test_a_neighbour_in_the_ring_does_not_pull():
    centre, _ = locate(100 + gaussian(50, 30) + gaussian(59, 30, 300, 1.2), (50.5, 30.2))
    np.testing.assert_allclose(centre[0], (50, 30), atol=0.1)


def test_the_scatter_is_near_the_limit_and_the_snr_true():
    rng = np.random.default_rng(4)
    # Cramér-Rao for a Gaussian on white noise: noise / height * sqrt(2 / pi) along each axis.
    at = np.array([(20.3 + 17 * i, 12.6 + 11 * j) for i in range(5) for j in range(5)])
    clean = 200 + np.sum([gaussian(x, y, 100, 1.6) for x, y in at], axis=0)
    found, snr = zip(
        *(
            spots.locate(picture(clean + rng.normal(0, 10, SHAPE)), at, np.full(25, 1.6))
            for _ in range(30)
        ),
        strict=True,
    )
    error = (np.array(found) - at).ravel()
    assert abs(error.mean()) < 0.01
    assert error.std() < 1.15 * 10 / 100 * np.sqrt(2 / np.pi)
    assert 0.75 < np.median(snr) / (100 / 10 * np.sqrt(np.pi) * 1.6) < 1  # less the level's error


def test_noise_alone_is_not_significant():
    rng = np.random.default_rng(5)
    places = rng.uniform(15, 55, (400, 2))
    image = picture(300 + rng.normal(0, 10, SHAPE))
    _, snr = spots.locate(image, places, np.full(400, 2.5))
    assert np.nan_to_num(snr).max() < 4


def test_contour_lines_of_a_smooth_background_are_no_spots():
    image = np.rint(20 + 0.05 * X + 0.02 * Y + 3e-4 * (X - 50) ** 2)
    places = np.array([(x, y) for x in range(15, 95, 3) for y in range(15, 55, 3)], float)
    _, snr = spots.locate(picture(image, step=1.0), places, np.full(len(places), 2.5))
    assert np.nan_to_num(snr).max() < 4


def test_a_hidden_spot_is_not_judged():
    usable = X < 50
    centre, snr = locate(100 + gaussian(54, 30), (54, 30), usable=usable)
    assert np.isnan(centre).all()
    assert np.isnan(snr).all()
    assert locate(100 + gaussian(47, 30), (47, 30), usable=usable)[1][0] > 50


def test_what_has_no_place_stays_without():
    centre, snr = locate(100 + gaussian(50, 30), (np.nan, 30))
    assert np.isnan([*centre[0], snr[0]]).all()
    assert spots.locate(picture(100 + 0 * X), np.zeros((0, 2)), np.zeros(0))[0].shape == (0, 2)


def test_correlation_sees_shape_and_not_brightness():
    image = gaussian(40.3, 30.6)
    one = spots.templates(image.astype(np.float32), np.array([[40.3, 30.6]]), 6)
    brighter = spots.templates(
        (50 + 3 * gaussian(60.8, 20.1)).astype(np.float32), np.array([[60.8, 20.1]]), 6
    )
    assert spots.correlation(one, brighter)[0] > 0.999
    assert spots.correlation(one, -one)[0] == pytest.approx(-1)
    assert spots.correlation(one, np.full_like(one, 7.0))[0] == 0
    wide = spots.templates(
        gaussian(40.3, 30.6, sigma=8).astype(np.float32), np.array([[40.3, 30.6]]), 6
    )
    assert spots.correlation(one, wide)[0] < 0.9


def test_any_near_looks_within_the_radius_and_not_beyond_the_edge():
    mask = np.zeros(SHAPE, bool)
    mask[30, 42] = True
    places = np.array([(40, 30), (39.4, 30), (42, 32), (-50, -50), (np.nan, 0)])
    assert spots.any_near(mask, places, 2).tolist() == [True, False, True, False, False]
