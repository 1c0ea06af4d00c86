"""What `pattern` takes for a spot, and what not."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("scipy")

from tests.trackers_box.films import by_pattern, film, inside, lattice, spot_of


def test_spots_that_grow_between_others_are_new_tracks():
    main = lattice()
    half = [place for place in main / 2 if np.linalg.norm(main - place, axis=1).min() > 1]
    places = np.concatenate([main, half])
    scene = film(40, np.random.default_rng(4).normal(0, 3, (40, 2)), places=places)
    scene.there[:18, len(main) :] = False
    table, xy = by_pattern(40, scene.detections(), max_gap=0)
    spots = spot_of(xy, scene)
    grown = {spot for spot in inside(scene) if spot >= len(main)}
    assert grown <= set(spots)
    for number, spot in enumerate(spots, start=1):
        rows = table[table["track_id"] == number]
        assert rows[rows["state"] == "seed"]["frame"].tolist() == [18 if spot in grown else 0]


def test_spots_that_come_in_when_the_others_scatter_more_than_they_used_to_are_tracks():
    n, late = 60, 54
    scene = film(n)
    new = inside(scene)[-3:]
    scene.there[:late, new] = False
    scatter = np.where(np.arange(n) < late, 0.03, 0.5)[:, None, None]
    scene.xy += scatter * np.random.default_rng(21).normal(0, 1, scene.xy.shape)
    _, xy = by_pattern(n, scene.detections(noise=0.0))
    assert set(new) <= set(spot_of(xy, scene))


def test_tracks_end_when_everything_fades_and_nothing_is_made_up_after():
    rng = np.random.default_rng(5)
    scene = film(30)
    scene.there[12:] = False
    noise = [(t, *rng.uniform(20, 490, 2)) for t in range(12, 30) for _ in range(2)]
    table, xy = by_pattern(30, scene.detections(extra=noise))
    assert set(spot_of(xy, scene)) == set(inside(scene))
    assert (table[table["frame"] >= 12]["state"] == "lost").all()


def test_what_stands_still_while_the_pattern_moves_is_no_spot():
    n = 40
    hot = [(t, x, y) for t in range(n) for x, y in [(100, 90), (333, 402), (420, 130)]]
    scene = film(n, np.random.default_rng(6).normal(0, 4, (n, 2)))
    _, xy = by_pattern(n, scene.detections(extra=hot))
    spot_of(xy, scene)
    energy = np.linspace(80, 200, n)
    scene = film(n, scale=np.sqrt(120 / energy))
    _, xy = by_pattern(n, scene.detections(extra=hot), energy)
    spot_of(xy, scene)


def test_what_stands_still_and_changes_its_brightness_is_a_beam_of_a_facet():
    n = 40
    energy = np.linspace(80, 200, n)
    scene = film(n, scale=np.sqrt(120 / energy))
    facet = [(t, 240.0, 180.0) for t in range(n)]
    detections = scene.detections(extra=facet)
    facets = np.flatnonzero((detections["x"] == 240.0) & (detections["y"] == 180.0))
    detections["score"][facets] = 40 + 35 * np.cos(energy / 15)
    _, xy = by_pattern(n, detections, energy)
    held = (np.hypot(xy[..., 0] - 240, xy[..., 1] - 180) < 1).sum(axis=0)
    assert held.max() >= 0.9 * n, held.max()


def test_one_spot_is_a_track_though_no_motion_can_be_shared():
    rng = np.random.default_rng(11)
    scene = film(30, places=np.array([[40.0, 25.0]]))
    noise = [(t, *rng.uniform(20, 490, 2)) for t in range(0, 30, 2)]
    table, xy = by_pattern(30, scene.detections(extra=noise))
    assert spot_of(xy, scene) == [0]
    assert (table["state"].isin(["seed", "measured"])).sum() >= 29


def test_the_beam_in_the_fixed_point_is_a_spot():
    energy = np.linspace(80, 200, 20)
    places = np.concatenate([lattice(), [[0.0, 0.0]]])
    scene = film(20, scale=np.sqrt(120 / energy), places=places)
    _, xy = by_pattern(20, scene.detections(), energy)
    assert len(places) - 1 in spot_of(xy, scene)


def test_false_detections_make_no_tracks():
    rng = np.random.default_rng(7)
    false = [(t, *rng.uniform(10, 500, 2)) for t in range(60) for _ in range(8)]
    scene = film(60, np.linspace([0, 0], [6, 6], 60))
    _, xy = by_pattern(60, scene.detections(extra=false))
    spot_of(xy, scene)
