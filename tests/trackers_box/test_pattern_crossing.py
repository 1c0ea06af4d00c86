"""Spots that move on their own, and pass others."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("scipy")

from tests.trackers_box.films import (
    CENTRE,
    Film,
    by_pattern,
    detections,
    film,
    inside,
    lattice,
    spot_of,
)

N = 60


def test_spots_that_pass_others_keep_their_tracks():
    main = lattice(spacing=110, reach=2)
    away = np.linspace(-9, 9, 40)
    passing = main[:6] + np.array([0.0, 6.0])
    xy = np.concatenate(
        [
            np.repeat(main[None], 40, axis=0),
            passing[None] + np.stack([away, np.zeros(40)], axis=1)[:, None],
        ],
        axis=1,
    )
    scene = Film(xy + CENTRE, np.ones(xy.shape[:2], bool), np.linspace(150, 40, len(main) + 6))
    _, followed = by_pattern(40, scene.detections())
    assert set(inside(scene)) <= set(spot_of(followed, scene, reach=6.0))


def test_spots_that_wander_on_their_own_are_followed():
    n = 120
    scene = film(n)
    scene.xy += np.cumsum(np.random.default_rng(12).normal(0, 0.3, scene.xy.shape), axis=0)
    _, xy = by_pattern(n, scene.detections())
    assert set(inside(scene)) <= set(spot_of(xy, scene))


def pieces(after, gap=(28, 36)):
    """Tracks of a pattern that stands, and of what passes it.

    It goes 0.6 px a frame along x, is not seen in ``gap``, and goes on from ``after`` (x, y) px
    beside its way.
    """
    rng = np.random.default_rng(1)
    still = np.array([(x, y) for x in range(60, 480, 70) for y in range(60, 480, 70)], float)
    frames = np.arange(N)
    way = np.stack([95 + 0.6 * frames, np.full(N, 95.0)], axis=1)
    way[gap[1] :] += after
    seen = (frames < gap[0]) | (frames >= gap[1])
    at = np.concatenate([np.tile(still, (N, 1)), way[seen]])
    frame = np.append(np.repeat(frames, len(still)), frames[seen])
    at = at + rng.normal(0, 0.2, at.shape)
    table, xy = by_pattern(N, detections(np.column_stack([frame, at]), side=19.0))
    states = table["state"].to_numpy().reshape(N, -1)
    return len(still), xy, states


def test_what_passes_and_is_hidden_for_a_while_is_one_track():
    still, xy, states = pieces((0.0, 0.0))
    assert xy.shape[1] == still + 1
    moving = np.flatnonzero(np.isin(states, ["seed", "measured"]).sum(axis=0) < N)
    [track] = moving
    assert np.nanmax(np.abs(xy[28:36, track, 0] - (95 + 0.6 * np.arange(28, 36)))) < 2.0
    assert (states[:, track] == "seed").sum() == 1


@pytest.mark.parametrize("after", [(0.0, 9.0), (12.0, 0.0)])
def test_what_goes_on_elsewhere_is_another_track(after):
    still, xy, _ = pieces(after)
    assert xy.shape[1] == still + 2
