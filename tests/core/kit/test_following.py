"""What adapters of upstream trackers share, tried with models that are easy to see through."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.core.testing.conftest import subject_of
from trackleed.testing import run, scenes
from trackleed.testing.trackers import CHECKS
from trackleed_kit import place
from trackleed_kit.errors import BadInput
from trackleed_kit.following import (
    Grey,
    Options,
    Window,
    bounded,
    index_mask,
    of_masks,
    seeds_for,
    track,
)
from trackleed_kit.following.points import settled
from trackleed_kit.following.verdict import height
from trackleed_kit.frames import ArraySource, FrameSequence, NoiseModel


class Follower:
    """Goes to the centre of the light near the last place; one picture after another."""

    def __init__(self, shape: tuple[int, int] | None = None, longest: int | None = None) -> None:
        self.shape, self.longest = shape, longest
        self.clips: list[int] = []

    def follow(self, pictures: Iterable[Any], queries: Any) -> Iterator[Any]:
        if self.longest is not None:
            pictures = np.stack(list(pictures))
            assert len(pictures) <= self.longest
            self.clips.append(len(pictures))
        at = queries[:, 1:3].copy()
        for t, picture in enumerate(pictures):
            found = np.full((len(queries), 5), np.nan)
            for k, (start, _, _, width, high) in enumerate(queries):
                if t > start:
                    at[k] = self.find(picture, at[k], 0.35 * width, 0.35 * high)
                if t >= start:
                    found[k] = (*at[k], width, high, 0.9)
            yield found

    def find(self, picture: Any, at: Any, rx: float, ry: float) -> Any:
        y, x = np.indices(picture.shape)
        near = ((x - at[0]) / rx) ** 2 + ((y - at[1]) / ry) ** 2 < 1
        light = np.where(near, picture - picture[near].min(initial=1.0), 0.0) ** 2
        if light.sum() == 0:
            return at
        return np.array([(light * x).sum(), (light * y).sum()]) / light.sum()


WAYS = {
    "whole frames": (Follower(), Options()),
    "resized to a square": (Follower((128, 128)), Options()),
    "clips of five": (Follower(longest=5), Options()),
    "zoomed": (Follower((64, 64)), Options(zoom=3.0)),
    "zoomed clips": (Follower((64, 64), longest=6), Options(zoom=3.0)),
    "light under a Gaussian": (Follower(), Options(place="gaussian")),
}


@pytest.mark.parametrize("way", WAYS)
def test_a_model_becomes_a_tracker_that_keeps_to_its_contract(way: str) -> None:
    model, options = WAYS[way]

    def adapter(params: Any) -> Any:
        def follow(frames: Any, seeds: Any, detections: Any) -> Any:
            return track(model, frames, seeds, options)

        return SimpleNamespace(track=follow)

    tested = subject_of("tracker", adapter, needs=("seeds",))
    found = {r.check.name: f"{r.outcome} {r.reason}".strip() for r in run(tested, CHECKS)}
    assert set(found.values()) == {"passed"}, found
    assert all(n <= (model.longest or 0) for n in model.clips)


def rows_of(model: Any, scene: scenes.Scene, **options: Any) -> dict[str, Any]:
    parts = list(track(model, scene.frames(), scene.seeds(), Options(**options)))
    return {n: np.stack([p[n] for p in parts]) for n in parts[0]}


def test_a_late_seed_is_followed_back_to_the_first_frame_only_if_asked() -> None:
    scene = scenes.moving((0.8, 0.0), n=8).like(starts=np.array([0, 0, 0, 5]))
    back = rows_of(Follower(), scene)
    assert set(back["state"][:5, 3]) == {"measured"}
    assert np.abs(back["x"][:5, 3] - scene.places[:5, 3, 0]).max() < 0.3
    forward = rows_of(Follower(), scene, backward=False)
    assert set(forward["state"][:5, 3]) == {"lost"}
    assert set(forward["state"][5:, 3]) == {"seed", "measured"}


def test_a_track_with_two_seeds_starts_anew_from_the_second() -> None:
    scene = scenes.moving((0.8, 0.0), n=8)
    seeds = scene.seeds()
    again = {n: np.append(v, v[0]) for n, v in seeds.items()}
    again["frame"][-1] = 4
    again["x"][-1], again["y"][-1] = scene.places[4, 1]  # it is the second spot from there on
    parts = list(track(Follower(), scene.frames(), again, Options()))
    x = np.array([p["x"][0] for p in parts])
    assert np.abs(x[:4] - scene.places[:4, 0, 0]).max() < 0.3
    assert np.abs(x[4:] - scene.places[4:, 1, 0]).max() < 0.3
    assert parts[4]["state"][0] == "seed"
    assert all(len(p["track_id"]) == 4 for p in parts)


def test_a_model_that_is_not_sure_or_sees_nothing_there_is_not_believed() -> None:
    scene = scenes.moving((0.0, 0.0), n=3)

    class Unsure(Follower):
        def follow(self, pictures: Any, queries: Any) -> Any:
            for found in super().follow(pictures, queries):
                found[0, 4] = 0.2
                found[1, :2] += 20.0
                yield found

    rows = rows_of(Unsure(), scene)
    assert list(rows["state"][1]) == ["lost", "lost", "measured", "measured"]
    assert np.isnan(rows["x"][1, :2]).all()
    assert rows["score"][1, 0] == pytest.approx(0.2)


def test_a_model_that_skips_pictures_is_told() -> None:
    class Skips(Follower):
        def follow(self, pictures: Any, queries: Any) -> Any:
            yield from list(super().follow(pictures, queries))[1:]

    with pytest.raises(ValueError, match="told of 2 pictures of 3"):
        rows_of(Skips(), scenes.moving((0.0, 0.0), n=3))


def test_frames_go_through_one_by_one_and_none_is_kept() -> None:
    scene = scenes.moving((0.2, 0.0), n=12)
    asked: list[int] = []

    class Counting(ArraySource):
        def read(self, i: int) -> Any:
            asked.append(i)
            return super().read(i)

    frames = FrameSequence(Counting(scene.images()))
    rows = track(Follower(), frames, scene.seeds(), Options())
    next(rows)
    looked_at_for_the_scale = 12
    assert len(asked) <= looked_at_for_the_scale + 4
    rows.close()


boxes = st.tuples(st.floats(-20, 200), st.floats(-20, 200), st.floats(1, 60), st.floats(1, 60)).map(
    np.array
)


@settings(max_examples=50, deadline=None)
@given(
    boxes,
    st.tuples(st.floats(-50, 50), st.floats(-50, 50)),
    st.tuples(st.floats(5, 300), st.floats(5, 300)),
    st.tuples(st.integers(4, 300), st.integers(4, 300)),
)
def test_places_go_into_a_window_and_come_back(
    box: Any, corner: Any, size: Any, shape: Any
) -> None:
    window = Window(*corner, size, shape)
    there = window.to_picture(box)
    np.testing.assert_allclose(window.to_frame(there), box, atol=1e-9)


@settings(max_examples=25, deadline=None)
@given(st.integers(40, 200), st.integers(40, 200), st.floats(20, 60), st.floats(20, 60))
def test_a_spot_in_a_window_is_where_its_place_is_mapped(
    rows: int, columns: int, x: float, y: float
) -> None:
    r, c = np.indices((80, 90))
    image = np.exp(-((c - x) ** 2 + (r - y) ** 2) / (2 * 4.0**2))
    for window in (Window.whole((80, 90), (rows, columns)), Window.around(x, y, 40.0, (96, 96))):
        picture = window.cut(image)
        pr, pc = np.indices(picture.shape)
        found = np.array([(picture * pc).sum(), (picture * pr).sum()]) / picture.sum()
        np.testing.assert_allclose(found, window.to_picture(np.array([x, y])), atol=0.06)


def test_a_window_over_the_edge_goes_on_as_the_frame_ends() -> None:
    image = np.arange(12.0).reshape(3, 4)
    picture = Window.around(0.0, 0.0, 4.0, (4, 4)).cut(image)
    assert picture[0, 0] == 0.0
    assert picture[2, 2] == pytest.approx(np.mean([0, 1, 4, 5]))


def test_one_grey_scale_holds_for_the_whole_series() -> None:
    images = np.full((3, 40, 60), 100.0, np.float32)
    images[:, 10:14, 10:14] = np.array([1000.0, 500.0, 200.0])[:, None, None]
    grey = Grey(FrameSequence(ArraySource(images)), gamma=1.0)
    peaks = [float(grey(image).max()) for image in images]
    assert peaks[0] == pytest.approx(1.0)
    assert peaks[1] == pytest.approx(400 / 900, abs=0.01)
    assert peaks[2] == pytest.approx(100 / 900, abs=0.01)


def test_noise_passes_as_a_spot_as_rarely_as_stated() -> None:
    rng = np.random.default_rng(3)
    frames = FrameSequence(
        ArraySource(rng.normal(100, 5, (1, 300, 300)).astype(np.float32)),
        noise=NoiseModel(gain=0.0, read_noise=5.0),
    )
    places = rng.uniform(20, 280, (2000, 2))
    found = np.array([height(frames[0], frames, x, y, 20.0) for x, y in places])
    assert abs(found.mean()) < 0.1
    assert found.std() == pytest.approx(1.0, abs=0.08)


@pytest.mark.parametrize(("how", "most"), [("peak", 0.8), ("gaussian", 0.05)])
def test_a_place_moves_onto_the_light(how: str, most: float) -> None:
    y, x = np.indices((60, 80))
    frame = 100 + 500 * np.exp(-((x - 40.3) ** 2 + (y - 30.6) ** 2) / (2 * 2.5**2))
    box = np.array([[42.0, 29.0, 20.0, 20.0]])
    moved = settled(frame, np.ones(frame.shape, bool), box, how)
    assert np.hypot(*(moved[0, :2] - (40.3, 30.6))) < most
    assert np.array_equal(settled(frame, np.ones(frame.shape, bool), box, "model"), box)


def test_the_brightest_pixel_is_one_of_the_spot_and_not_of_its_neighbour() -> None:
    frame = np.zeros((60, 80))
    frame[30, 40], frame[34, 44] = 500.0, 900.0  # outside the ellipse, inside its square
    moved = settled(frame, np.ones(frame.shape, bool), np.array([[41.0, 30.0, 18.0, 14.0]]), "peak")
    assert moved[0, :2].tolist() == [40.0, 30.0]


def test_what_has_grown_beyond_all_bounds_is_not_believed() -> None:
    found = np.array([[5, 5, 30, 30, 0.9], [5, 5, 25, 20, 0.8], [np.nan] * 4 + [0.0]])
    kept = bounded(found, np.full((3, 4), 10.0), 6.0)
    assert kept[:, 4].tolist() == [0.0, 0.8, 0.0]
    np.testing.assert_array_equal(kept[:, :4], found[:, :4])


def test_masks_of_boxes_give_the_boxes_back() -> None:
    wanted = np.array([[20.4, 15.3, 20.0, 20.0], [50.0, 40.0, 30.0, 24.0]])
    mask = index_mask(wanted, (64, 80))
    soft = np.stack([np.where(mask == k + 1, 0.9, 0.0) for k in range(2)])
    found = of_masks(soft)
    np.testing.assert_allclose(found[:, :2], wanted[:, :2], atol=0.3)
    np.testing.assert_allclose(found[:, 2:4], wanted[:, 2:], rtol=0.1)
    np.testing.assert_allclose(found[:, 4], 0.9)


def test_an_empty_mask_is_nowhere() -> None:
    found = of_masks(np.full((1, 5, 6), 0.3))
    assert np.isnan(found[0, :4]).all()
    assert found[0, 4] == 0.0


def test_without_seeds_the_richest_frame_gives_them() -> None:
    scene = scenes.appearing(n=10, first=4)
    found = seeds_for(scene.frames(), None, scene.detections())
    frame = int(found["frame"][0])
    assert frame >= 5  # the fourth spot is found again on both sides
    noted = f"no seeds were given: the 4 spots of frame {frame} are followed"
    assert noted in place.take_notes()
    assert list(found["track_id"]) == [1, 2, 3, 4]
    np.testing.assert_allclose(np.sort(found["x"]), np.sort(scene.places[frame, :, 0]), atol=1e-9)


def test_a_detection_that_flickers_is_no_seed() -> None:
    scene = scenes.moving((0.5, 0.0), n=5)
    once = {"frame": 2, "x": 80.0, "y": 80.0, "width": 20.0, "height": 20.0, "score": 1e6}
    detections = {n: np.append(v, once[n]) for n, v in scene.detections().items()}
    assert len(seeds_for(scene.frames(), None, detections)["x"]) == 4


def test_seeds_that_were_given_come_before_detections() -> None:
    scene = scenes.moving((0.5, 0.0), n=5)
    given = {n: v[:2] for n, v in scene.seeds().items()}
    given["width"] = np.array([np.nan, 18.0])  # one is taken as wide as most sides are
    found = seeds_for(scene.frames(), given, scene.detections())
    assert list(found["track_id"]) == [1, 2]
    assert list(found["width"]) == [20.0, 18.0]
    nothing = seeds_for(scene.frames(), {n: v[:0] for n, v in given.items()}, None)
    assert len(nothing["track_id"]) == 0


@pytest.mark.parametrize(
    ("name", "value"), [("frame", 5), ("frame", -1), ("x", 160.0), ("y", -1.0)]
)
def test_a_seed_outside_of_the_series_is_refused(name: str, value: float) -> None:
    scene = scenes.moving((0.5, 0.0), n=5)
    seeds = {n: v.copy() for n, v in scene.seeds().items()}
    seeds[name][1] = value
    with pytest.raises(BadInput, match=r"seed of track 2 .* is not in the series: 5 frames of 160"):
        seeds_for(scene.frames(), seeds, None)


def test_neither_seeds_nor_detections_is_told() -> None:
    with pytest.raises(BadInput, match="neither seeds nor detections"):
        seeds_for(scenes.empty().frames(), None, None)
