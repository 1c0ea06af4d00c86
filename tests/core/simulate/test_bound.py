from __future__ import annotations

import numpy as np
import pytest

from trackleed.frames import NoiseModel
from trackleed.simulate.bound import place_errors
from trackleed.simulate.shape import gaussian_spot

Spots = dict[str, np.ndarray]
SHAPE = (90, 110)
NOISE = NoiseModel(2.0, 5.0, 100.0)
NAMES = ("x", "y", "amplitude", "sigma_x", "sigma_y", "theta_deg")


def spots(*rows: tuple[float, ...]) -> Spots:
    return dict(zip(NAMES, np.array(rows, float).T, strict=True))


def light(made: Spots) -> np.ndarray:
    each = zip(*made.values(), strict=True)
    return sum((gaussian_spot(SHAPE, *row) for row in each), np.full(SHAPE, 400.0))


def errors(made: Spots, others: list[bool] | None = None) -> np.ndarray:
    known = np.ones(len(made["x"]), bool) if others is None else np.array(others)
    usable = np.ones(SHAPE, bool)
    return np.array(place_errors(made, known, light(made), usable, NOISE))


def of_a_fit(made: Spots) -> np.ndarray:
    """The same from numerical derivatives of a model of all spots on a plane."""
    level, rows = light(made), list(zip(*made.values(), strict=True))
    y, x = np.mgrid[: SHAPE[0], : SHAPE[1]]
    by, inside = [np.ones(SHAPE), x / 100, y / 100], np.zeros(SHAPE, bool)
    for row in rows:
        reach = np.ceil(3 * max(row[3:5]))
        inside |= np.maximum(abs(x - np.rint(row[0])), abs(y - np.rint(row[1]))) <= reach
        for n in range(len(NAMES)):
            step = np.eye(len(NAMES))[n] * 1e-4
            by.append(
                (gaussian_spot(SHAPE, *(row + step)) - gaussian_spot(SHAPE, *(row - step))) / 2e-4
            )
    slopes = np.stack(by)[:, inside]
    covariance = np.linalg.inv((slopes / NOISE.variance(level[inside])) @ slopes.T)
    return np.sqrt(np.diag(covariance)[3:].reshape(-1, len(NAMES))[:, :2]).T


@pytest.mark.parametrize(
    "made",
    [
        spots((50.2, 41.7, 300, 3, 4, 20)),
        spots((50.2, 41.7, 300, 3, 4, 20), (58.0, 43.0, 150, 2.5, 3.5, -30)),
        spots((40.2, 41.7, 300, 8, 7, 20), (60.0, 43.0, 150, 7, 9, -30)),
    ],
    ids=["alone", "two", "wide ones, of which not every pixel is taken"],
)
def test_errors_are_those_of_a_fit_of_all_spots_on_a_plane(made: Spots) -> None:
    assert np.allclose(errors(made), of_a_fit(made), rtol=0.02)


def test_a_neighbour_costs_precision_the_more_the_nearer_it_is() -> None:
    at = [
        errors(spots((50, 40, 300, 3, 3, 0), (50 + d, 40, 300, 3, 3, 0)))[0, 0] for d in (6, 9, 40)
    ]
    alone = errors(spots((50, 40, 300, 3, 3, 0)))[0, 0]
    assert at[0] > 1.5 * at[1] > 1.5 * at[2]
    assert at[2] == pytest.approx(alone, rel=1e-6)


def test_what_no_fit_would_know_of_is_no_neighbour() -> None:
    made = spots((50, 40, 300, 3, 3, 0), (57, 40, 1e-3, 3, 3, 0))
    alone = errors(spots((50, 40, 300, 3, 3, 0)))
    assert errors(made, [True, False])[:, 0] == pytest.approx(alone[:, 0], rel=1e-4)
    assert errors(made, [True, True])[0, 0] > 1.1 * alone[0, 0]


def test_light_on_which_a_spot_stands_costs_precision() -> None:
    made = spots((50, 40, 300, 3, 3, 0))
    usable = np.ones(SHAPE, bool)
    streak = 2000 * np.exp(-0.5 * ((np.arange(SHAPE[0]) - 40.0) / 2) ** 2)[:, None]
    plain, lit = (
        place_errors(made, usable[0, :1], light(made) + more, usable, NOISE)[0]
        for more in (0, streak)
    )
    assert lit > 1.5 * plain


def test_without_pixels_nothing_is_known() -> None:
    made = spots((50, 40, 300, 3, 3, 0))
    found = place_errors(made, np.ones(1, bool), light(made), np.zeros(SHAPE, bool), NOISE)
    assert np.isnan(found).all()
