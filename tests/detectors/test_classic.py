"""The detector on frames whose spots are known."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import distance_transform_edt
from scipy.optimize import linear_sum_assignment

pytest.importorskip("cv2")

from trackleed.params import make
from trackleed.registry import Registry
from trackleed_detectors.classic import Classic
from trackleed_detectors.params import ClassicParams


def detect(frame, valid=None, **options):
    valid = np.ones(frame.shape, bool) if valid is None else valid
    return Classic(make(ClassicParams, options, "classic")).detect(frame, valid)


def places(found):
    return np.stack([found["x"], found["y"]], axis=1)


def gaussians(shape, spots, level=200.0):
    """Expected counts; spots are (x, y, amplitude, sigma_x, sigma_y)."""
    y, x = np.mgrid[: shape[0], : shape[1]]
    frame = np.full(shape, float(level))
    for cx, cy, amplitude, sx, sy in spots:
        frame += amplitude * np.exp(-(((x - cx) / sx) ** 2 + ((y - cy) / sy) ** 2) / 2)
    return frame


def grid(seed, shape=(320, 384), amplitude=400.0, sigma=2.5):
    """Spots on a jittered grid, 48 px apart."""
    rng = np.random.default_rng(seed)
    return [
        (x + rng.uniform(-5, 5), y + rng.uniform(-5, 5), amplitude, sigma, sigma)
        for y in range(30, shape[0] - 20, 48)
        for x in range(30, shape[1] - 20, 48)
    ]


def matched(found, wanted, radius=4.0):
    """Index pairs of detections and wanted places that belong together."""
    apart = np.hypot(*(found[:, None] - wanted[None]).transpose(2, 0, 1))
    a, b = linear_sum_assignment(np.where(apart <= radius, apart, 1e3))
    near = apart[a, b] <= radius
    return a[near], b[near]


def scores(found, spots):
    wanted = np.array(spots)[:, :2]
    pairs = len(matched(places(found), wanted)[0])
    return pairs / max(len(found["x"]), 1), pairs / len(wanted)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
@pytest.mark.parametrize("amplitude", [20, 40, 4000])
def test_finds_dim_and_bright_spots_with_one_default(dtype, amplitude):
    spots = grid(1, amplitude=amplitude)
    level = 60.0 if dtype is np.uint8 else 200.0
    noise = 5.0
    frame = gaussians((320, 384), spots, level)
    frame += np.random.default_rng(2).normal(0, noise, frame.shape)
    info = np.iinfo(dtype) if dtype is not np.float32 else np.finfo(dtype)
    precision, recall = scores(detect(np.clip(np.rint(frame), 0, info.max).astype(dtype)), spots)
    assert precision >= 0.95
    assert recall >= 0.95


@pytest.mark.parametrize(
    ("scenario", "bits"),
    [("energy-ramp", 16), ("deposition", 16), ("deposition", 8), ("dropout", 8)],
)
def test_simulated_series_with_gun_shadow(scenario, bits):
    simulate = pytest.importorskip("trackleed.simulate").simulate
    sim = simulate(scenario, seed=11, bits=bits)
    to_mask = distance_transform_edt(np.pad(sim.valid, 1))[1:-1, 1:-1]
    right = wrong = seen = wanted = 0
    for i in np.linspace(0, len(sim) - 1, 4).astype(int):
        truth = sim.truth[(sim.truth["frame"] == i) & sim.truth["x"].notna()]
        found = places(detect(sim.frame(i), sim.valid))
        b = matched(found, truth[["x", "y"]].to_numpy(), radius=5.0)[1]
        snr = truth["snr"].to_numpy()
        right += (snr[b] > 1).sum()
        wrong += len(found) - (snr[b] > 1).sum()
        # The top of a spot cannot be told if it lies on the very edge of the mask.
        x, y = (np.rint(truth[name]).clip(0, 511).astype(int) for name in ("x", "y"))
        needed = np.flatnonzero((snr >= 4) & truth["visible"].to_numpy() & (to_mask[y, x] > 2))
        wanted += len(needed)
        seen += np.isin(needed, b).sum()
    assert right / (right + wrong) >= 0.95
    assert seen / wanted >= 0.95


def test_start_positions_are_without_bias():
    spots = grid(3, amplitude=800)
    frame = np.random.default_rng(4).poisson(gaussians((320, 384), spots)).astype(np.uint16)
    found, wanted = places(detect(frame)), np.array(spots)[:, :2]
    a, b = matched(found, wanted)
    error = found[a] - wanted[b]
    assert np.abs(error.mean(axis=0)).max() < 0.05
    assert error.std() < 0.15


def test_roi_follows_the_measured_width():
    narrow = detect(gaussians((128, 128), [(60, 64, 1000, 2, 2)]))
    broad = detect(gaussians((128, 128), [(60, 64, 1000, 4, 4)]))
    oblong = detect(gaussians((128, 128), [(60, 64, 1000, 4, 2.5)]))
    for found, sx, sy in ((narrow, 2, 2), (broad, 4, 4), (oblong, 4, 2.5)):
        assert len(found["x"]) == 1
        assert found["width"][0] / 2 == pytest.approx(3 * sx, abs=0.3 * 3 * sx + 1)
        assert found["height"][0] / 2 == pytest.approx(3 * sy, abs=0.3 * 3 * sy + 1)
        assert found["width"][0] % 2 == found["height"][0] % 2 == 1


@pytest.mark.parametrize("zoom", [1, 3])
def test_same_defaults_for_frames_of_any_size(zoom):
    spots = [tuple(zoom * v if k != 2 else v for k, v in enumerate(s)) for s in grid(5)]
    shape = (320 * zoom, 384 * zoom)
    frame = gaussians(shape, spots) + np.random.default_rng(6).normal(0, 8, shape)
    assert scores(detect(frame.astype(np.float32)), spots) == (1.0, 1.0)


@settings(max_examples=15)
@given(gain=st.sampled_from([0.25, 3.0, 16.0]), offset=st.floats(0, 5000))
def test_neither_gain_nor_offset_of_the_camera_matters(gain, offset):
    frame = gaussians((160, 160), [(50, 60, 300, 2, 2), (110, 90, 60, 3, 3)], level=0.0)
    frame += 100 + np.random.default_rng(7).normal(0, 5, frame.shape)
    one = places(detect(frame.astype(np.float32)))
    other = places(detect((gain * frame + offset).astype(np.float32)))
    assert len(one) == 2
    np.testing.assert_allclose(one, other, atol=0.05)


def test_frame_and_mask_stay_as_they_were():
    frame = np.random.default_rng(8).poisson(gaussians((96, 96), [(40, 50, 400, 2, 2)]))
    frame = frame.astype(np.uint16)
    valid = np.ones(frame.shape, bool)
    valid[:10] = False
    before = frame.copy(), valid.copy()
    frame.setflags(write=False)
    valid.setflags(write=False)
    first, second = detect(frame, valid), detect(frame, valid)
    np.testing.assert_array_equal(frame, before[0])
    np.testing.assert_array_equal(valid, before[1])
    for name in first:
        np.testing.assert_array_equal(first[name], second[name])


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32, np.float64])
@pytest.mark.parametrize("value", [0, 200])
@pytest.mark.parametrize("shape", [(512, 512), (60, 80), (7, 5)])
def test_nothing_in_a_uniform_frame(dtype, value, shape):
    found = detect(np.full(shape, value, dtype))
    assert list(found) == ["x", "y", "width", "height", "score"]
    assert all(len(column) == 0 for column in found.values())


@pytest.mark.parametrize("fill", [100.0, np.nan])
def test_nothing_where_all_is_masked(fill):
    frame = np.full((100, 100), fill)
    assert len(detect(frame, np.zeros(frame.shape, bool))["x"]) == 0
    assert len(detect(np.full((100, 100), np.nan))["x"]) == 0


@pytest.mark.parametrize("seed", range(3))
def test_next_to_nothing_in_pure_noise(seed):
    rng = np.random.default_rng(seed)
    assert len(detect(rng.poisson(40, (512, 512)).astype(np.uint16))["x"]) <= 1
    assert len(detect(np.rint(rng.normal(12, 3, (512, 512))).clip(0).astype(np.uint8))["x"]) <= 1


def test_grey_levels_of_a_smooth_background_are_no_spots():
    y, x = np.mgrid[:400, :400]
    smooth = 3 + 9 * np.exp(-((x - 200) ** 2 + (y - 180) ** 2) / 2 / 120**2)
    assert len(detect(smooth.astype(np.uint8))["x"]) == 0


def test_hot_pixels_are_no_spots():
    rng = np.random.default_rng(9)
    frame = rng.normal(100, 5, (200, 200))
    for row, column in rng.integers(10, 190, (15, 2)):
        frame[row, column] = rng.uniform(300, 4000)
    assert len(detect(frame)["x"]) == 0
    assert len(detect(frame, hot_pixels=False)["x"]) > 5


def test_a_saturated_plateau_is_one_spot_at_its_centroid():
    frame = gaussians((400, 400), [(90.4, 101.3, 40_000, 6, 6)])
    frame += np.random.default_rng(10).normal(0, 5, frame.shape)
    found = places(detect(np.clip(frame, 0, 4095).astype(np.uint16)))
    assert len(found) == 1
    np.testing.assert_allclose(found[0], [90.4, 101.3], atol=0.3)


def test_humps_ridges_and_the_screens_rim_are_no_spots():
    y, x = np.mgrid[:400, :400]
    r = np.hypot(x - 200, y - 200)
    frame = 50 + 400 * (r < 150) + 300 * np.exp(-((r - 150) ** 2) / 2 / 4**2)
    frame += 500 * np.exp(-(r**2) / 2 / 60**2)
    frame[:200, 190:210] = 50
    frame += np.random.default_rng(11).normal(0, 5, frame.shape)
    assert len(detect(frame)["x"]) <= 2


def test_a_satellite_near_a_bright_spot_is_found():
    spots = [(100, 100, 4000, 2.5, 2.5), (111, 100, 400, 2.2, 2.2), (94, 109, 400, 2.2, 2.2)]
    halo = gaussians((200, 200), [(100, 100, 500, 30, 30)], level=300)
    frame = halo + gaussians((200, 200), spots, level=0)
    frame = np.random.default_rng(12).poisson(frame).astype(np.uint16)
    assert scores(detect(frame), spots) == (1.0, 1.0)


@pytest.fixture
def half_masked():
    """A frame of which the left part, x < 80, is masked and full of bright text."""
    valid = np.ones((200, 200), bool)
    valid[:, :80] = False

    def make_frame(*spots):
        frame = gaussians((200, 200), spots)
        frame += np.random.default_rng(13).normal(0, 5, frame.shape)
        frame[::7, :80] = 60_000
        return frame.astype(np.float32)

    return make_frame, valid


def test_the_mask_hides_what_is_bright_beneath_it(half_masked):
    make_frame, valid = half_masked
    assert len(detect(make_frame(), valid)["x"]) == 0


def test_a_spot_close_to_the_mask_is_found_in_its_place(half_masked):
    make_frame, valid = half_masked
    found = places(detect(make_frame((86, 100, 300, 2.5, 2.5)), valid))
    assert len(found) == 1
    np.testing.assert_allclose(found[0], [86, 100], atol=0.6)


def test_a_spot_centred_behind_the_mask_is_no_spot(half_masked):
    make_frame, valid = half_masked
    assert len(detect(make_frame((77, 100, 300, 2.5, 2.5)), valid)["x"]) == 0


def test_a_masked_pixel_on_a_spot_does_not_hide_it():
    frame = gaussians((120, 120), [(60, 60, 300, 2.5, 2.5)])
    valid = np.ones(frame.shape, bool)
    valid[60, 61] = False
    frame[60, 61] = 0
    found = places(detect(frame, valid))
    assert len(found) == 1
    np.testing.assert_allclose(found[0], [60, 60], atol=0.3)


def test_a_spot_at_the_edge_of_the_frame_is_found():
    frame = gaussians((120, 120), [(4, 60, 300, 2.5, 2.5)])
    frame += np.random.default_rng(14).normal(0, 5, frame.shape)
    found = places(detect(frame))
    assert len(found) == 1
    np.testing.assert_allclose(found[0], [4, 60], atol=0.6)


def test_spot_size_selects():
    spots = [(60, 60, 400, 2, 2), (180, 60, 400, 8, 8)]
    frame = gaussians((240, 240), spots) + np.random.default_rng(15).normal(0, 4, (240, 240))
    assert len(detect(frame)["x"]) == 2
    assert places(detect(frame, spot_size=4.7))[:, 0] == pytest.approx([60], abs=0.5)
    assert places(detect(frame, spot_size=19))[:, 0] == pytest.approx([180], abs=0.5)


def test_streaks_are_left_out_unless_asked_for():
    frame = gaussians((200, 200), [(100, 100, 400, 2, 8)])
    frame += np.random.default_rng(16).normal(0, 4, frame.shape)
    assert len(detect(frame)["x"]) == 0
    assert len(detect(frame, max_elongation=6)["x"]) == 1


def test_min_distance_thins_out():
    frame = gaussians((120, 120), [(55, 60, 500, 2, 2), (64, 60, 300, 2, 2)])
    frame += np.random.default_rng(17).normal(0, 4, frame.shape)
    assert len(detect(frame)["x"]) == 2
    assert places(detect(frame, min_distance=12))[:, 0] == pytest.approx([55], abs=0.5)


def test_normalising_evens_out_the_illumination():
    rng = np.random.default_rng(18)
    light = np.linspace(0.1, 1, 256)
    spots = [(40, 128, 400, 2.5, 2.5), (215, 128, 400, 2.5, 2.5)]
    frame = light * gaussians((256, 256), spots, level=1000) + rng.normal(0, 1, (256, 256))
    plain, even = detect(frame), detect(frame, normalise=True)
    assert len(plain["x"]) == len(even["x"]) == 2
    # By position: without, the lit side stands out by its light alone.
    order = np.argsort(even["x"])
    assert even["width"][order][0] == pytest.approx(even["width"][order][1], abs=4)
    assert scores(even, spots) == (1.0, 1.0)


def test_registered_light_and_made_by_name():
    backend = Registry.discover().find("detector", "classic")
    assert backend.state == "ready"
    assert isinstance(backend.make(), Classic)


@pytest.mark.real_data
def test_first_order_spots_of_a_real_frame(real_data):
    image = pytest.importorskip("PIL.Image")
    files = sorted((real_data / "mos2_uleed").glob("MoS2_060_*.png"))
    frame = np.asarray(image.open(files[0]).convert("L"))
    valid = np.zeros(frame.shape, bool)
    valid[45:-36, 36:] = True
    found = detect(frame, valid)
    known = [(235, 176), (358, 154), (438, 250), (393, 364), (273, 381), (195, 291)]
    a, b = matched(places(found), np.array(known, float), radius=6)
    assert len(b) == 6
    # They and (0,0) stand out from all the rest.
    assert found["score"][a].min() > 3 * np.sort(found["score"])[::-1][7]


def test_a_dim_broad_spot_is_found_once() -> None:
    y, x = np.mgrid[0:200, 0:240]
    for seed in range(12):
        frame = np.full(x.shape, 400.0)
        centres = [(40 + 53 * i, 45 + 55 * j) for i in range(4) for j in range(3)]
        for cx, cy in centres:
            frame += 45 * np.exp(-((x - cx) ** 2 + (y - cy) ** 2) / (2 * 4.5**2))
        frame = np.random.default_rng(seed).poisson(frame).astype(np.uint16)
        found = Classic(ClassicParams()).detect(frame, np.ones(frame.shape, bool))
        for cx, cy in centres:
            near = np.hypot(found["x"] - cx, found["y"] - cy) < 8
            assert near.sum() <= 1
