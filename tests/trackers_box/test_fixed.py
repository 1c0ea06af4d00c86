"""Points about which spots contract, from their detections."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("scipy")

from tests.trackers_box.films import CENTRE, film, lattice
from trackleed_trackers_box import fixed
from trackleed_trackers_box.scaling import frame_pairs

ENERGY = np.linspace(90, 180, 40)
SCALE = -0.5 * np.log(ENERGY) + np.log(126) / 2
PAIRS = frame_pairs(SCALE)
SHAPE = (512, 512)


def points(*centres, shift=(0.0, 0.0), seed=1, false=0):
    """Detections of patterns that contract about some points, each of a lattice of its own."""
    rng = np.random.default_rng(seed)
    places = [lattice(spacing=60 + 9 * k) for k in range(len(centres))]
    patterns = [film(40, shift, np.exp(SCALE), places=p).xy for p in places]
    at = [xy - CENTRE + centre for xy, centre in zip(patterns, centres, strict=True)]
    at = np.concatenate(at, axis=1) + rng.normal(0, 0.3, (40, sum(map(len, places)), 2))
    some = [np.concatenate([xy, rng.uniform(0, 511, (false, 2))]) for xy in at]
    return [xy[((xy > 0) & (xy < 511)).all(axis=1)] for xy in some]


def others(given, centre=CENTRE):
    return fixed.others(given, PAIRS, SCALE, SHAPE, centre)


@pytest.mark.parametrize("centre", [CENTRE, (-90.0, 256.0), (300.0, 640.0)])
def test_the_best_point_may_be_beside_the_frame(centre):
    votes, at = fixed.best(points(centre), PAIRS, SCALE, SHAPE)
    assert votes > len(PAIRS)
    np.testing.assert_allclose(at, centre, atol=1.5)


@pytest.mark.parametrize("facets", [[], [(400.0, 270.0)], [(400.0, 270.0), (190.0, 150.0)]])
def test_points_of_facets_are_found_and_no_others(facets):
    found = others(points(CENTRE, *facets, false=10))
    assert len(found) == len(facets)
    for facet in facets:
        assert np.hypot(*(found - facet).T).min() < 3


def test_a_lattice_alone_has_no_other_point_though_it_drifts():
    given = points(CENTRE, shift=np.linspace([0, 0], [8, -5], 40), false=10)
    assert not len(others(given, fixed.best(given, PAIRS, SCALE, SHAPE)[1]))


def test_without_change_of_scale_nothing_is_told():
    still = np.zeros(40)
    assert fixed.others(points(CENTRE), frame_pairs(still), still, SHAPE, CENTRE).shape == (0, 2)
