"""The motion that `pattern` finds: jumps, turns, and scales that energies tell or not."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("scipy")

from tests.trackers_box.films import (
    CENTRE,
    Dark,
    by_pattern,
    film,
    inside,
    lattice,
    sequence,
    spot_of,
)
from trackleed_trackers_box.params import PatternParams
from trackleed_trackers_box.pattern import Pattern
from trackleed_trackers_box.scaling import contraction


def test_jumps_of_many_pixels():
    jumps = np.random.default_rng(1).uniform(-14, 14, (25, 2))
    scene = film(25, jumps)
    table, xy = by_pattern(25, scene.detections())
    assert set(inside(scene)) <= set(spot_of(xy, scene))
    assert (table.dropna(subset="x")["state"].isin(["seed", "measured", "predicted"])).all()


def test_a_sudden_displacement_and_a_turn():
    shift = np.where(np.arange(30)[:, None] < 12, 0.0, [21.0, -15.0])
    scene = film(30, shift, turn=np.linspace(0, 0.05, 30))
    _, xy = by_pattern(30, scene.detections())
    assert set(inside(scene)) <= set(spot_of(xy, scene))


def test_a_sample_that_is_turned_at_once():
    scene = film(30, turn=np.where(np.arange(30) < 14, 0.0, np.deg2rad(3)))
    _, xy = by_pattern(30, scene.detections())
    assert set(inside(scene)) <= set(spot_of(xy, scene))


@pytest.mark.parametrize("seed", range(3))
def test_large_irregular_energy_steps_about_a_point_that_nobody_gave(seed):
    rng = np.random.default_rng(seed)
    energy = np.array([187.0, 168.0, 102.0, 220.0, 304.0, 143.0, 260.0])
    scene = film(7, rng.normal(0, 1.5, (7, 2)), np.sqrt(160 / (energy + 8.0)))
    _, xy = by_pattern(7, scene.detections(0.5), energy)
    assert set(inside(scene)) <= set(spot_of(xy, scene))


def test_satellites_ten_pixels_apart_while_spots_go_farther():
    ring = 10 * np.array([(np.cos(t), np.sin(t)) for t in np.arange(6) * np.pi / 3])
    main = lattice(spacing=110, reach=2)
    places = np.concatenate([main, (main[:, None] + ring).reshape(-1, 2)])
    energy = np.array([90.0, 110.0, 125.0, 150.0, 182.0, 210.0])
    scene = film(6, scale=np.sqrt(110 / energy), places=places)
    assert np.linalg.norm(np.diff(scene.xy, axis=0), axis=2).max() > 15
    _, xy = by_pattern(6, scene.detections(0.3), energy)
    assert set(inside(scene)) <= set(spot_of(xy, scene))


@pytest.mark.parametrize("motion", ["shake", "walk", "jump", "turn"])
def test_a_contracting_pattern_that_moves_besides_is_not_taken_for_one_with_facets(motion):
    n, rng = 50, np.random.default_rng(11)
    energy = np.linspace(60, 200, n)
    shift, turn = np.zeros((n, 2)), np.zeros(n)
    if motion == "shake":
        shift = rng.normal(0, 3, (n, 2))
    elif motion == "walk":
        shift = rng.normal(0, 3, (n, 2)).cumsum(axis=0)
    elif motion == "jump":
        shift[25:] = (40, 5)
    else:
        turn = np.linspace(0, 0.1, n)
    scene = film(n, shift, np.sqrt(100 / energy), turn)
    _, xy = by_pattern(n, scene.detections(), energy)
    assert set(inside(scene)) <= set(spot_of(xy, scene))


def test_a_leem_keeps_its_scale_at_all_energies():
    n = 40
    energy = np.linspace(20, 60, n)
    scene = film(n, np.linspace([0, 0], [9, 2], n))
    _, xy = by_pattern(n, scene.detections(), energy)
    assert set(inside(scene)) <= set(spot_of(xy, scene))


def test_a_scale_that_no_energy_tells():
    scene = film(40, scale=np.linspace(1.25, 0.75, 40))
    _, xy = by_pattern(40, scene.detections())
    assert set(inside(scene)) <= set(spot_of(xy, scene))


def test_an_energy_that_is_wrong_in_the_log():
    energy = np.linspace(90, 200, 12)
    scene = film(12, scale=np.sqrt(120 / energy))
    said = energy.copy()
    said[7] = 60.0
    table, xy = by_pattern(12, scene.detections(), said)
    assert set(inside(scene)) <= set(spot_of(xy, scene))
    assert table[table["frame"] == 7]["state"].isin(["seed", "measured"]).all()


@pytest.mark.parametrize("follows", [True, False])
def test_contraction_and_its_centre_are_read_off_the_detections(follows):
    energy = np.linspace(70, 180, 30)
    scale = np.sqrt(110 / energy) if follows else np.ones(30)
    scene = film(30, np.random.default_rng(8).normal(0, 0.5, (30, 2)), scale)
    points = [xy[((xy > 0) & (xy < 511)).all(axis=1)] for xy in scene.xy]
    told, centre, contracts = contraction(points, energy, (512, 512))
    assert contracts == follows
    if follows:
        np.testing.assert_allclose(centre, CENTRE, atol=1.0)
        np.testing.assert_allclose(np.diff(told), np.diff(np.log(scale)), atol=1e-12)


def test_what_was_made_of_the_energies_is_noted():
    energy = np.linspace(80, 200, 20)
    scene = film(20, scale=np.sqrt(120 / energy))
    tracker = Pattern(PatternParams())
    for index, said in (({"energy": energy}, "follows the energies"), ({}, "free")):
        list(tracker.track(sequence(Dark(20), **index), None, scene.detections()))
        assert len(tracker.notes) == 1
        assert said in tracker.notes[0]
