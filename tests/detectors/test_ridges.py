"""Spots on streaks and rings, and streaks and rings without."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("cv2")

from trackleed.simulate import gaussian_spot
from trackleed_detectors.classic import Classic
from trackleed_detectors.params import ClassicParams

Array = np.ndarray
SHAPE = (160, 200)
Y, X = np.mgrid[: SHAPE[0], : SHAPE[1]].astype(float)


def detected(light: Array, valid: Array | None = None, seed: int = 0) -> Array:
    """Spots, (n, 2), of a picture with photon noise."""
    frame = np.random.default_rng(seed).poisson(400 + light).astype(np.uint16)
    found = Classic(ClassicParams()).detect(frame, np.ones(SHAPE, bool) if valid is None else valid)
    return np.stack([found["x"], found["y"]], axis=1)


def streak(angle_deg: float, height: float = 300.0, sigma: float = 3.0) -> Array:
    """A bright line through (100, 80)."""
    c, s = np.cos(np.radians(angle_deg)), np.sin(np.radians(angle_deg))
    across = (Y - 80) * c - (X - 100) * s
    return height * np.exp(-0.5 * (across / sigma) ** 2)


def ring(radius: float, height: float = 300.0) -> Array:
    """A bright circle that passes (100, 80)."""
    return height * np.exp(-0.5 * ((np.hypot(X - 100 - radius, Y - 80) - radius) / 3) ** 2)


@pytest.mark.parametrize("angle", [0, 13, 45, 80, 120])
def test_a_spot_on_a_streak_is_found_where_it_is(angle: float) -> None:
    found = detected(streak(angle) + gaussian_spot(SHAPE, 100.3, 80.2, 120, 3, 3.5))
    assert len(found) == 1
    assert np.hypot(*(found[0] - (100.3, 80.2))) < 1


def test_a_spot_on_a_bent_ridge_is_found() -> None:
    found = detected(ring(120) + gaussian_spot(SHAPE, 100, 80, 150, 3, 3))
    assert len(found) == 1
    assert np.hypot(*(found[0] - (100, 80))) < 1


def test_a_spot_beside_the_mask_is_told_from_the_streak_by_one_side() -> None:
    valid = X < 110
    found = detected(streak(13) + gaussian_spot(SHAPE, 100, 80, 150, 3, 3), valid)
    assert len(found) == 1
    assert np.hypot(*(found[0] - (100, 80))) < 1.5


@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize(
    "light",
    [streak(0), streak(33, 2000), ring(60, 1000), ring(200, 1000), streak(5) + streak(80)],
    ids=["streak", "bright streak", "ring", "large ring", "crossing"],
)
def test_ridges_alone_have_no_spots_but_where_they_cross(light: Array, seed: int) -> None:
    found = detected(light, seed=seed)
    away = np.hypot(found[:, 0] - 100, found[:, 1] - 80) > 8
    assert not away.any()


def test_the_edge_of_a_plateau_has_no_spots() -> None:
    edge = np.where(Y + 0.3 * X < 110, 1500.0, 0.0)
    assert len(detected(edge)) == 0
