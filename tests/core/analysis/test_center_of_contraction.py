from __future__ import annotations

import numpy as np
import pytest

from trackleed.analysis.centers import pattern_centers
from trackleed.errors import InputError

A, B = np.array([100.0, 0.0]), np.array([50.0, 86.6])
CENTER = (300.0, 240.0)
N = 12
ENERGY = np.linspace(90, 190, N)


def superlattice(at: tuple[float, float], rmax: float) -> np.ndarray:
    """Spots of a p(2x2) within a circle about the index ``at``: symmetric about it."""
    h, k = (a.ravel() / 2 for a in np.mgrid[-6:7, -6:7])
    points = h[:, None] * A + k[:, None] * B
    return points[np.hypot(*(points - at[0] * A - at[1] * B).T) < rmax]


def contracting(points: np.ndarray, energy: np.ndarray = ENERGY):
    g = np.sqrt(140 / energy)[:, None]
    return CENTER[0] + points[:, 0] * g, CENTER[1] + points[:, 1] * g


def test_of_many_points_of_symmetry_the_one_that_stays_is_the_centre(fits_of, index_of) -> None:
    x, y = contracting(superlattice((0.25, 0.25), 110))
    fits = fits_of(x, y, 0.05)
    blind = pattern_centers(fits, N)
    assert np.hypot(blind["x"] - CENTER[0], blind["y"] - CENTER[1]).min() > 20
    centers = pattern_centers(fits, N, index=index_of(ENERGY))
    assert (centers["mode"] == "pairs").all()
    np.testing.assert_allclose(centers["x"], CENTER[0], atol=0.2)
    np.testing.assert_allclose(centers["y"], CENTER[1], atol=0.2)


def test_where_nothing_is_symmetric_the_contraction_gives_the_centre(fits_of, index_of) -> None:
    rng = np.random.default_rng(4)
    x, y = contracting(rng.uniform([20, -120], [150, 120], (9, 2)))
    fits = fits_of(x, y, 0.05)
    centers = pattern_centers(fits, N, index=index_of(ENERGY))
    assert (centers["mode"] == "energy").all()
    assert (centers["n_spots"] == 9).all()
    for axis, true in zip("xy", CENTER, strict=True):
        assert np.abs(centers[axis] - true).max() < 5 * centers[f"{axis}_err"].min() < 5
    asked = pattern_centers(fits, N, mode="energy", index=index_of(ENERGY))
    np.testing.assert_array_equal(asked["x"], centers["x"])


def test_a_pattern_that_does_not_contract_is_centred_as_without_energies(fits_of, index_of) -> None:
    points = superlattice((0, 0), 110)
    x, y = (np.broadcast_to(c + p, (N, len(points))) for c, p in zip(CENTER, points.T, strict=True))
    fits = fits_of(x, y, 0.05)
    with_index = pattern_centers(fits, N, index=index_of(ENERGY))
    np.testing.assert_array_equal(with_index["x"], pattern_centers(fits, N)["x"])


def test_a_centre_that_the_energies_do_not_tell_is_refused_with_the_reason(
    fits_of, index_of
) -> None:
    fits = fits_of(*contracting(superlattice((0, 0), 110)), 0.05)
    with pytest.raises(InputError, match="fewer than two beam energies"):
        pattern_centers(fits, N, mode="energy", index=index_of(np.full(N, 80.0)))
    with pytest.raises(InputError, match="no beam energies are given"):
        pattern_centers(fits, N, mode="energy")
