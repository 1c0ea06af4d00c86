"""What `pattern` says of a spot in frames in which it was not detected."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("scipy")

from tests.trackers_box.films import by_pattern, film, inside, spot_of
from trackleed.frames import ArraySource, FrameSequence
from trackleed_trackers_box.params import PatternParams
from trackleed_trackers_box.pattern import Pattern


def test_most_spots_vanish_while_the_pattern_jumps():
    shift = np.random.default_rng(3).uniform(-8, 8, (30, 2))
    scene = film(30, shift)
    kept = inside(scene)[:4]
    scene.there[10:15] = False
    scene.there[10:15, kept] = True
    table, xy = by_pattern(30, scene.detections())
    spots = spot_of(xy, scene, reach=1.5)
    assert set(inside(scene)) <= set(spots)
    gone = table[table["frame"].isin(range(10, 15)) & (table["state"] == "predicted")]
    assert gone.groupby("frame").size().min() >= len(inside(scene)) - 4


def test_ten_frames_without_any_spot_are_bridged():
    n = 40
    scene = film(n, np.linspace([0, 0], [20, -10], n))
    scene.there[15:25] = False
    table, xy = by_pattern(n, scene.detections())
    assert set(inside(scene)) <= set(spot_of(xy, scene, reach=1.0))
    assert (table[table["frame"].between(15, 24)]["state"].isin(["predicted", "lost"])).all()
    assert table[table["frame"].between(15, 24)].dropna(subset="x")["score"].isna().all()


def test_nothing_is_predicted_where_a_pattern_that_jumps_is_not_seen():
    scene = film(30, np.random.default_rng(10).normal(0, 8, (30, 2)))
    scene.there[12:16] = False
    table, xy = by_pattern(30, scene.detections())
    assert set(inside(scene)) <= set(spot_of(xy, scene))
    assert (table[table["frame"].between(12, 15)]["state"] == "lost").all()


def test_a_spot_is_predicted_for_max_gap_frames_then_lost_then_found_again():
    scene = film(40)
    gone = int(inside(scene)[0])
    scene.there[10:30, gone] = False
    table, xy = by_pattern(40, scene.detections(), max_gap=4)
    number = 1 + spot_of(xy, scene).index(gone)
    state = table[table["track_id"] == number]["state"].to_numpy()
    assert (state[10:14] == "predicted").all()
    assert (state[14:26] == "lost").all()
    assert (state[26:30] == "predicted").all()
    assert (state[30:] == "measured").all()
    assert np.isnan(xy[14:26, number - 1]).all()


def test_places_on_the_mask_are_masked_and_none_lies_outside_the_frame():
    n = 30
    scene = film(n, np.linspace([0, 0], [60, 0], n))
    valid = np.ones((512, 512), bool)
    valid[:, 200:260] = False
    columns = np.rint(scene.xy[..., 0]).astype(int)
    scene.there &= ~((columns >= 200) & (columns < 260))
    table, xy = by_pattern(n, scene.detections(), valid=valid)
    spot_of(xy, scene)
    hidden = table[table["state"] == "masked"]
    assert len(hidden) > 20
    assert hidden["x"].between(199.5, 259.5).all()
    assert not table[table["state"] == "predicted"]["x"].between(199.5, 259.5).any()
    placed = table.dropna(subset="x")
    assert placed[["x", "y"]].min().min() >= 0
    assert placed[["x", "y"]].max().max() <= 511


def test_what_the_pixels_show_is_measured_though_it_was_not_detected():
    scene = film(12)
    dim, gone = inside(scene)[:2]
    scene.there[4:8, [dim, gone]] = False
    y, x = np.mgrid[:512, :512]
    away = (x - scene.xy[0, dim, 0]) ** 2 + (y - scene.xy[0, dim, 1]) ** 2
    light = 50 + 10 * np.exp(-away / (2 * 3.0**2))
    pixels = np.random.default_rng(9).normal(light, 4, (12, 512, 512)).astype(np.float32)
    detections = scene.detections(noise=0.1)
    parts = list(
        Pattern(PatternParams()).track(FrameSequence(ArraySource(pixels)), None, detections)
    )
    xy = np.stack([[part["x"], part["y"]] for part in parts]).transpose(0, 2, 1)
    followed = spot_of(xy, scene)
    for spot, state in ((dim, "measured"), (gone, "predicted")):
        number = followed.index(spot)
        assert [part["state"][number] for part in parts[4:8]] == [state] * 4
        assert np.linalg.norm(xy[4:8, number] - scene.xy[4:8, spot], axis=1).max() < 0.5


def test_clipped_pixels_are_saturated():
    scene = film(6)
    pixels = np.zeros((6, 512, 512), np.uint8)
    column, row = np.rint(scene.xy[4, 3]).astype(int)
    pixels[4, row, column] = 255
    frames = FrameSequence(ArraySource(pixels), saturation=255)
    tracker = Pattern(PatternParams())
    parts = list(tracker.track(frames, None, scene.detections(noise=0.0)))
    states = np.array([part["state"] for part in parts])
    xy = np.stack([[part["x"], part["y"]] for part in parts]).transpose(0, 2, 1)
    number = spot_of(xy, scene).index(3)
    assert np.argwhere(states == "saturated").tolist() == [[4, number]]
