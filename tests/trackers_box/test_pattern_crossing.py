"""Spots that pass others: those of facets, and those that move on their own."""

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
from trackleed.simulate import suite

N = 60
ENERGY = np.linspace(90, 180, N)
FACET = np.array([98.5, 17.0])  # its specular beam, from that of the surface


def faceted(points=(FACET,), energy=ENERGY, merged=7.0):
    """A surface with facets, each with all its spots, of which the dimmer of two hides."""
    scale = np.sqrt(126 / energy)
    whole = film(len(energy), scale=scale, places=lattice(spacing=95))
    parts = [whole.xy, *(whole.xy + point for point in points)]
    xy = np.concatenate(parts, axis=1)
    rng = np.random.default_rng(3)
    scene = Film(xy, np.ones(xy.shape[:2], bool), rng.uniform(20, 150, xy.shape[1]))
    for there, at in zip(scene.there, xy, strict=True):
        near = np.hypot(*(at[:, None] - at).transpose(2, 0, 1)) < merged
        there &= ~(near & (scene.brightness > scene.brightness[:, None])).any(axis=1)
    return scene


@pytest.mark.parametrize("points", [(FACET,), (FACET, np.array([-70.0, -43.0]))])
def test_spots_of_facets_keep_their_tracks_through_all_crossings(points):
    scene = faceted(points)
    assert not scene.there[:, inside(scene)].all()
    _, xy = by_pattern(N, scene.detections(), ENERGY)
    spots = spot_of(xy, scene)
    assert set(inside(scene)) <= set(spots)
    found = np.isfinite(xy[:, [spots.index(spot) for spot in inside(scene)], 0])
    assert found.mean() > 0.97


def test_facets_whose_spots_shift_with_the_sample():
    scene = faceted()
    scene.xy += np.random.default_rng(5).normal(0, 1, (N, 1, 2)).cumsum(axis=0) / 3
    _, xy = by_pattern(N, scene.detections(), ENERGY)
    assert set(inside(scene)) <= set(spot_of(xy, scene, reach=2.5))


@pytest.mark.parametrize("seed", [41, 42])
def test_simulated_facets_are_followed_with_hardly_an_error(seed, simulated):
    [case] = (c for c in suite("leed-1").cases["middle"] if c.name == "satellites")
    sim, seen, table = simulated(case.scenario, seed)
    found, _ = by_pattern(len(sim), table, sim.index["energy_eV"].to_numpy())
    spot = dict(zip(table["x"].tolist(), seen["spot"].tolist(), strict=True))
    pairs = found[found["state"].isin(["seed", "measured"])]
    pairs = pairs.assign(spot=pairs["x"].map(spot))
    assert (pairs.groupby("track_id")["spot"].nunique() == 1).all()
    assert (pairs.groupby("spot")["track_id"].nunique() == 1).all()
    assert len(pairs) >= 0.97 * len(seen)


def test_a_spot_beside_another_one_is_predicted_for_longer_than_max_gap():
    n, hidden = 60, slice(20, 50)
    places = np.concatenate([lattice(), lattice()[:1] + np.array([9.0, 0.0])])
    scene = film(n, places=places)
    alone, beside = int(inside(scene)[5]), len(lattice())
    scene.there[hidden, [alone]] = False
    scene.there[hidden, [beside]] = False
    _, xy = by_pattern(n, scene.detections(), max_gap=4)
    spots = spot_of(xy, scene)
    missing = np.isnan(xy[:, [spots.index(alone), spots.index(beside)], 0]).sum(axis=0)
    assert missing.tolist() == [22, 0]


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
