"""Both trackers: on spots whose places are known, on the simulator, and on a measured series."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("cv2")

from trackleed.errors import ParamsError
from trackleed.frames import ArraySource, Correction, FrameSequence
from trackleed.registry import Registry

BOTH = pytest.mark.parametrize("tracker", ["lk", "lk-skip"])
SEEN = ("seed", "measured", "saturated")


def states(table, track):
    return table[table["track_id"] == track].sort_values("frame")["state"].tolist()


@BOTH
@pytest.mark.parametrize("step", [(0.7, 0.0), (0.0, 0.7), (2.3, -1.6)])
def test_drifting_spots_are_followed_both_ways(series, drift, tracker, step):
    made = series(drift(16, step) - 8 * np.array(step))
    table, xy = made.track(tracker, made.seeds(frame=8))
    assert (made.error(xy) < 0.4).all()
    assert (table["state"] == np.where(table["frame"] == 8, "seed", "measured")).all()


@BOTH
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.int32, np.float32, np.float64])
def test_every_type_of_pixel_does_and_stays_as_it_was(series, drift, tracker, dtype):
    made = series(drift(8), dtype=dtype)
    before = made.stack.copy()
    seeds = made.seeds()
    kept = {key: values.copy() for key, values in {**seeds, **made.detections}.items()}
    _, xy = made.track(tracker, seeds)
    assert (made.error(xy) < 0.5).all()
    np.testing.assert_array_equal(made.stack, before)
    for key, values in {**seeds, **made.detections}.items():
        np.testing.assert_array_equal(values, kept[key])


@BOTH
def test_the_same_again_is_the_same(series, drift, tracker):
    made = series(drift(10), 100.0)
    assert made.track(tracker)[0].equals(made.track(tracker)[0])


@BOTH
def test_corrected_frames_do(series, drift, tracker):
    made = series(drift(8))
    flat = np.linspace(0.5, 1.5, made.stack.shape[2]) * np.ones(made.stack.shape[1:])
    flat[20, 20] = 0
    made.frames = FrameSequence(
        ArraySource((made.stack * np.where(flat > 0, flat, 1)).astype(np.uint16)),
        correction=Correction(flat=1000 * flat),
    )
    _, xy = made.track(tracker, made.seeds())
    assert (made.error(xy) < 0.5).all()


@BOTH
def test_one_frame_is_a_row_for_each_seed(series, drift, tracker):
    for seeds in (None, {}):
        made = series(drift(1))
        table, _ = made.track(tracker, made.seeds() if seeds is not None else None)
        assert table["state"].tolist() == ["seed"] * 12


@BOTH
def test_without_detections_there_is_nothing(series, drift, tracker):
    made = series(drift(3), 0.0)
    tracks = list(Registry.discover().find("tracker", tracker).make().track(
        made.frames, None, made.detections
    ))  # fmt: skip
    assert tracks == []


@BOTH
def test_seeds_may_begin_in_different_frames_and_more_than_once(series, drift, tracker):
    made = series(drift(14))
    parts = [made.seeds(3, [0, 1]), made.seeds(9, [1, 2])]
    seeds = {key: np.concatenate([part[key] for part in parts]) for key in parts[0]}
    table, xy = made.track(tracker, seeds)
    assert np.hypot(*(xy - made.xy[:, :3]).transpose(2, 0, 1)).max() < 0.4
    started = table[table["state"] == "seed"][["frame", "track_id"]].to_numpy().tolist()
    assert started == [[3, 1], [3, 2], [9, 2], [9, 3]]


@BOTH
def test_numbers_and_boxes_are_those_of_the_seeds(series, drift, tracker):
    made = series(drift(4))
    seeds = made.seeds(2, [4, 7]) | {
        "track_id": np.array([70, 12]),
        "width": np.array([21.0, 13.0]),
    }
    table, _ = made.track(tracker, seeds)
    assert table.groupby("track_id")["width"].unique().to_dict() == {12: [13.0], 70: [21.0]}
    seed = table[(table["frame"] == 2) & (table["track_id"] == 12)].iloc[0]
    assert (seed["x"], seed["y"]) == tuple(made.xy[2, 7])


@BOTH
def test_clipped_spots_are_saturated(series, drift, tracker):
    heights = np.full((8, 12), 500.0)
    heights[:, 3] = 4000.0
    made = series(drift(8), heights, saturation=2500)
    table, _ = made.track(tracker, made.seeds())
    assert states(table, 4) == ["seed"] + ["saturated"] * 7
    assert set(table["state"]) == {"seed", "measured", "saturated"}


@BOTH
def test_frames_are_followed_in_the_order_of_their_energies(series, drift, tracker):
    mixed = np.random.default_rng(2).permutation(12)
    made = series(drift(12, (3.0, -2.0))[mixed] + (0, 25), energy=100 + 1e-3 * mixed)
    _, xy = made.track(tracker, made.seeds(4))
    assert (made.error(xy) < 0.5).all()


def test_plain_flow_without_a_spot_under_it_is_no_measurement(series, drift):
    # The seed is on the background beside a spot, which carries it along.
    made = series(drift(6))
    table, xy = made.track("lk", made.seeds(spots=[5], off=(7.0, 0.0)))
    assert set(table["state"]) == {"seed", "predicted"}
    np.testing.assert_allclose(xy[:, 0], made.xy[:, 5] + (7, 0), atol=1.5)


def test_plain_flow_ends_where_the_spot_ends(series, drift):
    heights = np.full((12, 12), 600.0)
    heights[6:] = 0.0
    table, _ = series(drift(12), heights).track("lk")
    late = table[table["frame"] >= 6]
    assert not late["state"].isin(SEEN).any()


def test_a_spot_that_is_gone_is_predicted_then_lost_then_found(series, drift):
    heights = np.full((24, 12), 600.0)
    heights[4:18, 6] = 0.0
    made = series(drift(24), heights)
    table, xy = made.track("lk-skip", made.seeds(), max_gap=5)
    assert states(table, 7) == (
        ["seed"] + ["measured"] * 3 + ["predicted"] * 5 + ["lost"] * 9 + ["measured"] * 6
    )
    assert np.nanmax(made.error(xy)) < 0.6  # the predictions too


def test_when_everything_is_gone_nothing_is_predicted_and_all_is_found_again(series, drift):
    heights = np.full((20, 12), 600.0)
    heights[8:13] = 0.0
    made = series(drift(20), heights)
    table, xy = made.track("lk-skip", made.seeds())
    dark = table["frame"].between(8, 12)
    assert (table.loc[dark, "state"] == "lost").all()
    assert table.loc[~dark, "state"].isin(SEEN).all()
    assert np.nanmax(made.error(xy)) < 0.5


def test_a_spot_behind_the_mask_is_masked_where_it_should_be(series, drift):
    valid = np.ones((150, 210), bool)
    valid[:, 55:71] = False
    made = series(drift(24, (1.5, 0.0)), valid=valid)
    table, xy = made.track("lk-skip", made.seeds(spots=[0, 2, 3, 6, 7]))
    hidden = np.abs(made.xy[:, 0, 0] - 62.5) <= 6
    assert {s for s, h in zip(states(table, 1), hidden, strict=True) if h} == {"masked"}
    assert states(table, 1)[-1] == "measured"
    np.testing.assert_allclose(xy[hidden][:, 0], made.xy[hidden][:, 0], atol=0.7)


def test_a_spot_that_leaves_the_frame_is_lost(series, drift):
    made = series(drift(30, (2.0, 0.0)))
    table, _ = made.track("lk-skip", made.seeds())
    assert states(table, 4)[-1] == "lost"
    assert states(table, 1)[-1] == "measured"


def test_jumps_of_the_whole_pattern_are_followed(series, drift):
    jumps = np.random.default_rng(3).normal(0, 6, (20, 1, 2))
    made = series(drift(20, (0, 0)) + np.clip(jumps, -13, 13))
    table, xy = made.track("lk-skip", made.seeds())
    assert table["state"].isin(SEEN).all()
    assert (made.error(xy) < 0.3).all()


@pytest.mark.parametrize("order", [slice(None), [2, 1, 0, 3, 4]])
def test_large_and_irregular_steps_of_the_energy_are_followed(series, order):
    energy = np.array([102.0, 168.0, 187.0, 220.0, 304.0])[order]
    centre = np.array([162.0, 148.0])
    rng = np.random.default_rng(6)
    star = [
        (r * np.cos(a), r * np.sin(a))
        for r in (60, 105, 135)
        for a in np.deg2rad(np.arange(0, 360, 60) + r)
    ]
    places = centre + np.sqrt(102 / energy)[:, None, None] * np.array(star)
    made = series(places + rng.normal(0, 1, (5, 1, 2)), energy=energy, shape=(300, 330))
    table, xy = made.track("lk-skip", made.seeds())
    assert np.abs(np.diff(places, axis=0)).max() > 20
    assert table["state"].isin(SEEN).all()
    assert (made.error(xy) < 0.3).all()


def test_a_hand_placed_seed_beside_the_spot_moves_onto_it(series, drift):
    made = series(drift(6))
    _, xy = made.track("lk-skip", made.seeds(off=(1.8, -1.5)))
    assert (made.error(xy)[0] > 2).all()  # the seed itself stays as it was given
    assert (made.error(xy)[1:] < 0.3).all()


def test_of_two_seeds_on_one_spot_one_is_followed(series, drift):
    made = series(drift(6))
    seeds = made.seeds(spots=[5, 6, 5]) | {"track_id": np.array([1, 2, 3])}
    seeds["x"][2] += 2.0
    table, _ = made.track("lk-skip", seeds, min_ncc=0)
    assert states(table, 1) == ["seed"] + ["measured"] * 5
    assert states(table, 3) == ["seed"] + ["lost"] * 5


def test_errors_do_not_add_up():
    """After 50 frames: below 0.35 px for 9 of 10, and no worse than for spots just seeded."""
    from trackleed.simulate import simulate

    sim = simulate("energy-ramp", seed=301, frames=60, size=400)
    truth = sim.truth.set_index(["frame", "spot"])
    clear = sim.truth[sim.truth["visible"] & (sim.truth["snr"] > 10)].groupby("frame")["spot"]
    names = np.intersect1d(clear.get_group(0), clear.get_group(49))
    known = sim.sequence()
    stack = ArraySource(np.stack([sim.frame(i) for i in range(60)]))
    series = FrameSequence(stack, known.index, known.valid, known.noise, known.saturation)
    late = {}
    for start in (0, 49):
        at = truth.loc[start].loc[names]
        seeds = {
            "track_id": names,
            "frame": np.full(len(names), start),
            "x": at["x"].to_numpy(),
            "y": at["y"].to_numpy(),
            "width": np.full(len(names), 21.0),
            "height": np.full(len(names), 21.0),
        }
        tracker = Registry.discover().find("tracker", "lk-skip").make()
        error = []
        for part in tracker.track(series, seeds, None):
            if part["frame"][0] >= 50:
                true = truth.loc[part["frame"][0]].loc[names]
                off = np.hypot(part["x"] - true["x"], part["y"] - true["y"]).to_numpy()
                error.extend(off[(true["snr"] >= 10) & (part["state"] == "measured")])
        late[start] = error
    assert len(late[0]) == len(late[49]) >= 25
    assert np.quantile(late[0], 0.9) < 0.35
    assert np.quantile(late[0], 0.9) < np.quantile(late[49], 0.9) + 0.02


@pytest.mark.real_data
def test_first_order_spots_of_a_measured_series_stay_one_track_each(real_data):
    from PIL import Image

    files = sorted((real_data / "mos2_uleed").glob("MoS2_*.png"))[60:100:2]
    stack = np.array([np.asarray(Image.open(file).convert("L")) for file in files])
    series = FrameSequence(ArraySource(stack), saturation=255)
    known = np.array([(235, 176), (358, 154), (438, 250), (393, 364), (273, 381), (195, 291)])
    seeds = {
        "track_id": np.arange(1, 7),
        "frame": np.zeros(6, int),
        "x": known[:, 0] * 1.0,
        "y": known[:, 1] * 1.0,
        "width": np.full(6, 23.0),
        "height": np.full(6, 23.0),
    }
    for name in ("lk", "lk-skip"):
        tracker = Registry.discover().find("tracker", name).make()
        rows = list(tracker.track(series, seeds, None))
        xy = np.array([[part["x"], part["y"]] for part in rows]).transpose(0, 2, 1)
        assert np.isin(np.array([part["state"] for part in rows]), SEEN).all()
        assert np.hypot(*(xy - known).transpose(2, 0, 1)).max() < 8


@pytest.mark.parametrize(
    ("tracker", "options"),
    [
        ("lk", {"reference": -1}),
        ("lk", {"reference": "brightest"}),
        ("lk", {"window": 2}),
        ("lk", {"levels": 7}),
        ("lk", {"order": "time"}),
        ("lk", {"search": 5}),
        ("lk-skip", {"min_ncc": 1.0}),
        ("lk-skip", {"max_gap": -1}),
        ("lk-skip", {"search": 0}),
        ("lk-skip", {"max_fb_error": 0}),
    ],
)
def test_nonsense_options_are_refused(tracker, options):
    with pytest.raises(ParamsError, match=next(iter(options))):
        Registry.discover().find("tracker", tracker).make(**options)


@BOTH
def test_registered_and_ready(tracker):
    backend = Registry.discover().find("tracker", tracker)
    assert backend.state == "ready"
    assert backend.dist == "trackleed-trackers-point"
