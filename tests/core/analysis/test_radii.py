from __future__ import annotations

import numpy as np
import pytest

from trackleed import tables
from trackleed.analysis.centers import pattern_centers
from trackleed.analysis.radii import radii
from trackleed.errors import InputError
from trackleed.simulate import simulate


def center_table(x, y, x_err, y_err, mode="pairs"):
    n = len(x)
    columns = {"frame": np.arange(n), "x": x, "y": y, "mode": np.full(n, mode)}
    columns |= {"x_err": np.full(n, x_err), "y_err": np.full(n, y_err)}
    columns |= {"n_spots": np.full(n, 6), "rms": np.zeros(n)}
    return tables.build(tables.CENTERS, columns)


def test_radius_and_error_match_monte_carlo(fits_of) -> None:
    n, rng = 4000, np.random.default_rng(3)
    x, y = np.full((n, 2), [30.0, -40.0]), np.full((n, 2), [40.0, 5.0])
    fits = fits_of(x, y, np.array([0.3, 0.1]))
    centers = center_table(rng.normal(0, 0.4, n), rng.normal(0, 0.2, n), 0.4, 0.2)
    table = radii(fits, centers)
    for track_id, truth in ((1, 50.0), (2, np.hypot(40, 5))):
        mine = table[table["track_id"] == track_id]
        assert mine["radius"].mean() == pytest.approx(truth, abs=0.02)
        assert mine["radius_err"].mean() == pytest.approx(mine["radius"].std(), rel=0.05)


def test_what_is_not_known_stays_unknown(fits_of) -> None:
    fits = fits_of(np.full((4, 3), 30.0), np.full((4, 3), 40.0), 0.1)
    fits.loc[fits["track_id"] == 2, "status"] = "left_roi"
    fits.loc[fits["track_id"] == 3, "x_err"] = np.nan
    centers = center_table(np.array([0, np.nan, 0]), np.array([0, np.nan, 0]), 0.1, 0.1)
    table = radii(fits, centers).set_index(["frame", "track_id"])
    assert len(table) == 12
    assert table.loc[(0, 1), "radius"] == pytest.approx(50, abs=1)
    assert table.loc[0, "radius"].notna().tolist() == [True, False, True]
    assert table.loc[0, "radius_err"].notna().tolist() == [True, False, False]
    assert table.loc[[1, 3]].isna().all(axis=None)  # no centre, and no row of centres


def test_a_centre_given_by_hand_counts_as_exact(fits_of) -> None:
    fits = fits_of(np.full((2, 1), 30.0), np.full((2, 1), 40.0), 0.1)
    table = radii(fits, pattern_centers(fits, 2, mode="fixed", fixed=(0, 0)))
    np.testing.assert_allclose(table["radius_err"], 0.1)


def test_a_spot_in_the_centre_has_an_error(fits_of) -> None:
    fits = fits_of(np.zeros((1, 1)), np.zeros((1, 1)), 0.0)
    fits[["x_err", "y_err"]] = 0.1
    table = radii(fits, center_table(np.zeros(1), np.zeros(1), 0.1, 0.1))
    assert table["radius"][0] == 0
    assert table["radius_err"][0] == pytest.approx(np.sqrt(0.02))


def test_pixels_that_are_not_square_are_taken_into_account_with_their_errors(fits_of) -> None:
    n, rng = 4000, np.random.default_rng(4)
    fits = fits_of(np.full((n, 1), 40.0), np.full((n, 1), 27.0), 0.3)
    centers = center_table(rng.normal(0, 0.4, n), rng.normal(0, 0.2, n), 0.4, 0.2)
    table = radii(fits, centers, 0.9)
    assert table["radius"].mean() == pytest.approx(45, abs=0.02)
    assert table["radius_err"].mean() == pytest.approx(table["radius"].std(), rel=0.05)


@pytest.mark.parametrize(("aspect", "round_to"), [(1.0, 0.03), (0.9, 0.001)])
def test_simulated_rings_are_round_in_the_true_aspect_only(fits_of, aspect, round_to) -> None:
    made = simulate("energy-ramp", frames=6, size=384, pixel_aspect=0.9)
    places = made.truth.pivot(index="frame", columns="spot", values=["x", "y"])
    fits = fits_of(places["x"].to_numpy(), places["y"].to_numpy(), 0.01)
    centers = pattern_centers(fits, 6, mode="pairs", pixel_aspect=aspect)
    radius = radii(fits, centers, aspect)["radius"].to_numpy().reshape(6, -1)
    h, k = (made.truth.groupby("spot")[i].first().to_numpy() for i in "hk")
    ring = radius[:, h * h + h * k + k * k == 1]
    scatter = (ring.std(axis=1) / ring.mean(axis=1)).max()
    assert (scatter < round_to) == (aspect == 0.9)


def test_an_aspect_that_is_none_is_refused(fits_of) -> None:
    fits = fits_of(np.full((1, 1), 30.0), np.full((1, 1), 40.0), 0.1)
    with pytest.raises(InputError, match="pixel aspect 0"):
        radii(fits, center_table(np.zeros(1), np.zeros(1), 0.1, 0.1), 0)
