"""A screen that shows more of a superstructure on one side: symmetric about many points there."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from trackleed.analysis.centers import pattern_centers

SPECULAR, SCREEN = np.array([320.0, 330.0]), np.array([320.0, 270.0])
ENERGY = np.array([102.0, 140, 168, 187, 220, 260, 304])


@pytest.fixture(scope="module")
def series() -> tuple[pd.DataFrame, pd.DataFrame]:
    """Fits and index of half-order spots in a ring-shaped screen that is not about the (0,0)."""
    rng = np.random.default_rng(0)
    turn = np.radians([10, 70])
    basis = 1500 * np.stack([np.cos(turn), np.sin(turn)], axis=1)
    rows, track = [], 0
    for h in np.arange(-3, 3.1, 0.5):
        for k in np.arange(-3, 3.1, 0.5):
            track += 1
            for frame, energy in enumerate(ENERGY):
                place = SPECULAR + (h * basis[0] + k * basis[1]) / np.sqrt(energy)
                if 45 < np.hypot(*(place - SCREEN)) < 210 and rng.random() < 0.8:
                    x, y = place + rng.normal(0, 0.3, 2)
                    rows.append((frame, track, x, y, 0.3, 0.3, "ok"))
    names = ["frame", "track_id", "x", "y", "x_err", "y_err", "status"]
    index = pd.DataFrame({"frame": np.arange(len(ENERGY)), "energy_eV": ENERGY})
    return pd.DataFrame(rows, columns=names), index


@pytest.mark.parametrize(("mode", "within"), [("pairs", 0.5), ("circle", 15.0), ("ellipse", 1.0)])
def test_the_energies_say_about_which_point(
    series: tuple[pd.DataFrame, pd.DataFrame], mode: str, within: float
) -> None:
    fits, index = series
    found = pattern_centers(fits, len(ENERGY), mode=mode, index=index)
    assert (found["mode"] == mode).mean() > 0.8
    off = np.hypot(found["x"].median() - SPECULAR[0], found["y"].median() - SPECULAR[1])
    assert off < within
    blind = pattern_centers(fits, len(ENERGY), mode=mode)
    assert np.hypot(*(blind[["x", "y"]].median() - SPECULAR)) > 40


def test_where_no_symmetry_is_near_that_point_it_is_looked_for_everywhere(
    series: tuple[pd.DataFrame, pd.DataFrame],
) -> None:
    fits, index = series
    turn = 2 * np.pi * np.arange(8) / 8
    ring = [
        (frame, 500 + n, 320 + 80 * np.cos(t), 200 + 80 * np.sin(t), 0.3, 0.3, "ok")
        for frame in range(len(ENERGY))
        for n, t in enumerate(turn)
    ]
    others = fits[fits["track_id"].isin([30, 45, 60])]  # too few to be a ring of their own
    both = pd.concat([pd.DataFrame(ring, columns=fits.columns), others])
    found = pattern_centers(both, len(ENERGY), mode="circle", index=index)
    assert np.hypot(found["x"].median() - 320, found["y"].median() - 200) < 0.5
