"""Whether pixels show a spot: on drawn spots, whose light is known."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("scipy")

from scipy.stats import norm
from scipy.stats import t as student

from trackleed_trackers_box.light import SIGNIFICANT, seen_light

SIGMA, SIDE = 3.0, 18.0


def picture(spots=(), noise=4.0, slope=(0.0, 0.0), shape=(200, 200), seed=0):
    """Spots (x, y, height) on a sloped background, with noise."""
    y, x = np.mgrid[: shape[0], : shape[1]].astype(float)
    image = 100 + slope[0] * x + slope[1] * y
    for at_x, at_y, height in spots:
        image += height * np.exp(-((x - at_x) ** 2 + (y - at_y) ** 2) / (2 * SIGMA**2))
    return image + np.random.default_rng(seed).normal(0, noise, shape)


def look(image, points, others=None, free=None):
    points = np.asarray(points, dtype=float).reshape(-1, 2)
    free = np.ones(image.shape, bool) if free is None else free
    others = points if others is None else np.asarray(others, dtype=float)
    return seen_light(image, free, points, np.full(len(points), SIDE), others)


def test_without_light_t_is_students():
    y, x = np.mgrid[15:190:19, 15:190:19]
    points = np.stack([x.ravel(), y.ravel()], axis=1)
    t = np.concatenate(
        [look(picture(slope=(0.6, -0.3), seed=s), points, points[:1])[0] for s in range(6)]
    )
    assert abs(t.mean()) < 4 / np.sqrt(len(t))
    assert t.std() == pytest.approx(1.0, abs=0.08)
    assert t.max() < SIGNIFICANT


def test_a_dim_spot_is_seen_and_its_height_is_told():
    places = [(40.3, 50.6), (120.1, 60.2), (90.0, 150.9)]
    t, height = look(picture([(*place, 8.0) for place in places]), places)
    assert (t > SIGNIFICANT).all()
    np.testing.assert_allclose(height, 2.0, atol=0.7)


def test_light_of_a_bright_neighbour_is_its_own():
    image = picture([(100.0, 100.0, 900.0)], noise=2.0)
    t, _ = look(image, [(111.0, 100.0)], [(111.0, 100.0), (100.0, 100.0)])
    assert t[0] < SIGNIFICANT


@pytest.mark.parametrize("point", [(100.0, 100.0), (1.0, 1.0), (-40.0, 90.0), (250.0, 250.0)])
def test_where_too_little_is_free_nothing_is_told(point):
    image = picture([(100.0, 100.0, 200.0)])
    free = np.zeros(image.shape, bool)
    free[:, 104:] = True
    assert look(image, [point], free=free)[0].tolist() == [0.0]


def test_pixels_that_are_all_the_same_tell_nothing():
    assert look(np.zeros((60, 60)), [(30.0, 30.0)])[0].tolist() == [0.0]


def grid(size):
    """Places (n, 2) so far from each other that their pixels are not shared."""
    y, x = np.mgrid[12 : size - 12 : 19, 12 : size - 12 : 19]
    return np.stack([x.ravel(), y.ravel()], axis=1)


@pytest.mark.parametrize("level", [2.0, 3.0, SIGNIFICANT])
def test_false_alarms_are_as_many_as_students_t_says(level):
    points = grid(900)
    t = np.concatenate(
        [look(picture(shape=(900, 900), seed=s), points, points[:1])[0] for s in range(5)]
    )
    n_pixels = np.pi * (2.5 * SIGMA) ** 2
    wanted = len(t) * student.sf(level, n_pixels - 4)
    assert abs((t >= level).sum() - wanted) < 4 * np.sqrt(wanted) + 2


@pytest.mark.parametrize("errors", [3.0, 4.0, 5.0, 6.5])
def test_spots_are_missed_as_often_as_their_height_says(errors):
    points = grid(500)
    t, height = look(picture(shape=(500, 500)), points, points[:1])
    error = 4.0 * np.median(height / t)  # of a height, from the noise of 4
    spots = [(x, y, errors * error) for x, y in points]
    image = picture(spots, shape=(500, 500), seed=1)
    missed = (look(image, points, points[:1])[0] < SIGNIFICANT).mean()
    wanted = norm.cdf(SIGNIFICANT - errors)
    assert missed == pytest.approx(wanted, abs=4 * np.sqrt(wanted / len(points)) + 0.01)
