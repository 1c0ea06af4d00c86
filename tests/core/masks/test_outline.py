from __future__ import annotations

import numpy as np

from trackleed.masks import boundary


def test_the_line_lies_on_masked_pixels_all_round_the_valid_ones() -> None:
    valid = np.zeros((9, 9), bool)
    valid[3:6, 3:6] = True
    line = boundary(valid)
    ring = np.zeros((9, 9), bool)
    ring[2:7, 2:7] = True
    assert np.array_equal(line, ring & ~valid)


def test_a_hot_pixel_is_a_dot() -> None:
    valid = np.ones((5, 5), bool)
    valid[2, 3] = False
    assert np.argwhere(boundary(valid)).tolist() == [[2, 3]]


def test_the_edge_of_the_frame_is_no_line() -> None:
    assert not boundary(np.ones((4, 6), bool)).any()
    assert not boundary(np.zeros((4, 6), bool)).any()
