"""The order in which the frames of a series are linked."""

from __future__ import annotations

import numpy as np
import pytest

from trackleed.errors import InputError
from trackleed.ordering import link_order

UP, MIXED = np.array([1.0, 2.0, 2.0, 3.0]), np.array([3.0, 1.0, 3.0, 2.0])


@pytest.mark.parametrize("energy", [UP, UP[::-1], None, np.array([3.0, 1.0, np.nan, 2.0])])
def test_frames_keep_their_order_where_energies_are_steady_or_not_known(energy):
    assert link_order(energy, 4, "auto", "t").tolist() == [0, 1, 2, 3]


def test_frames_whose_energies_go_up_and_down_are_sorted_and_equal_ones_keep_their_order():
    assert link_order(MIXED, 4, "auto", "t").tolist() == [1, 3, 0, 2]


def test_the_order_can_be_asked_for():
    assert link_order(MIXED, 4, "frame", "t").tolist() == [0, 1, 2, 3]
    assert link_order(UP[::-1], 4, "energy", "t").tolist() == [3, 1, 2, 0]


@pytest.mark.parametrize(
    ("energy", "missing"), [(None, "3 of 3 have none"), ([50, np.nan, 60], "first is frame 1")]
)
def test_energies_asked_for_and_not_known_are_an_error_that_names_tracker_and_frame(
    energy, missing
):
    energy = None if energy is None else np.array(energy)
    with pytest.raises(InputError, match=f"^t: .*needs the beam energy of every frame.*{missing}"):
        link_order(energy, 3, "energy", "t")
