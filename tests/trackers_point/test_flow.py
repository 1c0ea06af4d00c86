"""Flow between two images: its convention, its failures, and the same in tiles."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("cv2")

from trackleed_trackers_point.flow import between_tiles, inside, there_and_back, tiles

SHAPE = (90, 160)
SPOTS = np.array([[30.0, 25.0], [80.4, 40.7], [120.2, 60.9], [45.8, 66.3]])


def image(xy, shape=SHAPE):
    y, x = np.mgrid[: shape[0], : shape[1]]
    light = [190 * np.exp(-((x - px) ** 2 + (y - py) ** 2) / (2 * 2.5**2)) for px, py in xy]
    return np.rint(20 + np.sum(light, axis=0)).astype(np.uint8)


@pytest.mark.parametrize("shift", [(0.37, 0.0), (0.0, 0.37), (-1.6, 0.0), (0.0, 2.25), (0.0, 0.0)])
def test_integers_are_pixel_centres_and_x_comes_first(shift):
    there, error = there_and_back(image(SPOTS), image(SPOTS + shift), SPOTS, SPOTS, 15, 2)
    np.testing.assert_allclose(there, SPOTS + shift, atol=0.03)
    assert (error < 0.05).all()


def test_a_point_beside_the_spot_keeps_its_distance_from_it():
    beside = SPOTS + np.array([1.0, -2.0])
    there, _ = there_and_back(
        image(SPOTS), image(SPOTS + np.array([0.5, 0.0])), beside, beside, 15, 2
    )
    np.testing.assert_allclose(there, beside + np.array([0.5, 0.0]), atol=0.1)


def test_tiles_of_several_frames_give_the_same_flow():
    befores = [image(SPOTS), image(SPOTS + np.array([4, 3]))]
    after = image(SPOTS + np.array([1.3, -0.8]))
    here = SPOTS + np.array([(0, 0), (4, 3), (0, 0), (4, 3)])
    cut = [tiles(befores[i % 2], here[i : i + 1], 24) for i in range(4)]
    anchors, corners = (np.concatenate(part) for part in zip(*cut, strict=True))
    around, corner = tiles(after, SPOTS, 24)
    there, error = between_tiles(anchors, around, here - corners, SPOTS - corner, 15, 1)
    np.testing.assert_allclose(there + corner, SPOTS + np.array([1.3, -0.8]), atol=0.05)
    assert (error < 0.1).all()


def test_where_nothing_is_there_is_nothing_to_follow():
    points = np.array([[10.0, 80.0], [np.nan, 5.0], [30.0, 25.0]])
    there, error = there_and_back(image(SPOTS), image(SPOTS), points, points, 15, 2)
    assert np.isnan(there[:2]).all()
    assert np.isnan(error[:2]).all()
    assert error[2] < 0.01


def test_no_points_are_no_flow():
    none = np.zeros((0, 2))
    assert there_and_back(image(SPOTS), image(SPOTS), none, none, 15, 2)[0].shape == (0, 2)
    around, corner = tiles(image(SPOTS), none, 5)
    assert between_tiles(around, around, none, none - corner, 9, 1)[1].shape == (0,)


def test_tiles_repeat_the_edge():
    cut, corner = tiles(np.arange(20, dtype=np.uint8).reshape(4, 5), np.array([[0.4, 3.0]]), 1)
    assert corner.tolist() == [[-1, 2]]
    assert cut[0].tolist() == [[10, 10, 11], [15, 15, 16], [15, 15, 16]]


def test_inside_reaches_to_the_outer_edges_of_pixels():
    points = np.array([[-0.5, 0], [159.4, 89.4], [159.5, 0], [0, 89.5], [np.nan, 1]])
    assert inside(points, SHAPE).tolist() == [True, True, False, False, False]
