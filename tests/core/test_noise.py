from __future__ import annotations

import numpy as np
import pytest

from trackleed.frames import ArraySource, FrameSequence, NoiseModel
from trackleed.noise import NoiseEstimate, estimate_noise, estimate_saturation, measure_noise


def scene(shape=(256, 256), glow=60.0, spots=30, amplitude=800.0, sigma=2.5, seed=0):
    """Expected counts of a screen with spots on a glow."""
    rng = np.random.default_rng(seed)
    rows, columns = np.mgrid[: shape[0], : shape[1]]
    radius2 = (columns - shape[1] / 2) ** 2 + (rows - shape[0] / 2) ** 2
    expected = 10 + glow * np.exp(-radius2 / (2 * 70**2))
    for _ in range(spots):
        x, y = rng.uniform(10, shape[1] - 10), rng.uniform(10, shape[0] - 10)
        light = rng.uniform(0.1, 1) * amplitude
        expected += light * np.exp(-((columns - x) ** 2 + (rows - y) ** 2) / (2 * sigma**2))
    return expected


def camera(expected, n, gain=1.0, read_noise=3.0, black=100.0, seed=1):
    rng = np.random.default_rng(seed)
    size = (n, *expected.shape)
    return gain * rng.poisson(expected / gain, size) + rng.normal(black, read_noise, size)


def series(frames, **known):
    return FrameSequence(ArraySource(frames), **known)


@pytest.mark.parametrize("gain", [0.3, 1.0, 4.0])
def test_variance_of_a_smooth_screen_is_right_to_a_tenth(gain) -> None:
    expected = scene(glow=900, spots=0)
    noise = estimate_noise(series(camera(expected, 6, gain).round().astype(np.uint16)))
    assert noise.gain == pytest.approx(gain, rel=0.1)
    for level in (60, 200, 900):
        truth = 3.0**2 + 1 / 12 + gain * level
        assert noise.variance(100 + level) == pytest.approx(truth, rel=0.1)


@pytest.mark.parametrize("n", [1, 12])
def test_spots_are_not_taken_for_noise(n) -> None:
    noise = estimate_noise(series(camera(scene(), n).round().astype(np.uint16)))
    for level in (30, 300, 800):
        assert noise.variance(100 + level) == pytest.approx(9 + level, rel=0.25)


@pytest.mark.parametrize("sigma", [1.2, 1.8])
def test_sharp_bright_spots_are_not_taken_for_noise(sigma) -> None:
    expected = scene((384, 384), glow=0, amplitude=4000, sigma=sigma)
    noise = estimate_noise(series(camera(expected, 12).round().astype(np.uint16)))
    for level in (0, 300, 3000):
        assert noise.variance(110 + level) == pytest.approx(19 + level, rel=0.2)


@pytest.mark.parametrize("gain", [0.2, 3.0])
def test_the_error_of_the_gain_is_true(gain) -> None:
    found = [measure_noise(series(camera(scene(), 3, gain, seed=n))) for n in range(6)]
    pulls = [(one.model.gain - gain) / one.gain_err for one in found]
    assert 0.2 < np.sqrt(np.mean(np.square(pulls))) < 2
    assert all(one.white and len(one.notes) == 1 for one in found)


def test_smoothed_frames_are_recognised_and_keep_the_variance_of_their_pixels() -> None:
    white = camera(np.full((256, 256), 400.0), 4)
    found = measure_noise(series((white + np.roll(white, 1, axis=2)) / 2))
    assert found.colour > 1.5
    assert "not independent" in found.notes[1]
    assert found.model.variance(500) == pytest.approx(409 / 2, rel=0.5)


def test_noise_that_is_no_straight_line_is_said_to_be_none() -> None:
    """As of a screen that is grainy in some parts and not in others."""
    expected = scene((384, 384), glow=400, spots=0)
    one = camera(expected, 2)
    assert measure_noise(series(one.round().astype(np.uint16))).misfit < 1.1
    assert len(measure_noise(series(one.round().astype(np.uint16))).notes) == 1
    rng = np.random.default_rng(2)
    grain = 40 * np.sin(expected / 40) ** 2 * rng.normal(size=one.shape)
    found = measure_noise(series((one + grain).clip(0).round().astype(np.uint16)))
    assert found.misfit > 1.2
    assert "no gain of the camera" in found.notes[1]


def test_a_gain_of_nothing_is_told_as_zero() -> None:
    model = NoiseModel(read_noise=2.0, gain=1.8e-19, black=100.0)
    (said,) = NoiseEstimate(model, 0.002, colour=1.0).notes
    assert "0 ± 0.002 counts of variance" in said


def test_sharpened_frames_are_recognised() -> None:
    white = camera(np.full((256, 256), 400.0), 4)
    rows = white - (np.roll(white, 1, axis=1) + np.roll(white, -1, axis=1)) / 2
    both = rows - (np.roll(rows, 1, axis=2) + np.roll(rows, -1, axis=2)) / 2
    assert measure_noise(series(both)).colour < 0.5


def test_hot_pixels_are_not_taken_for_noise() -> None:
    frames = camera(scene(), 6)
    places = np.random.default_rng(2).integers(0, 256, (2, 60))
    frames[:, *places] += 3000
    noise = estimate_noise(series(frames))
    for level in (30, 300):
        assert noise.variance(100 + level) == pytest.approx(9 + level, rel=0.25)


def test_eight_bit_frames(recwarn) -> None:
    frames = camera(scene(glow=40, amplitude=150), 8, 0.5, 1.0, 10).round().clip(0, 255)
    noise = estimate_noise(series(frames.astype(np.uint8)))
    assert noise.variance(10 + 40) == pytest.approx(1 + 1 / 12 + 20, rel=0.25)


def test_frames_of_a_single_level_have_a_constant_noise() -> None:
    rng = np.random.default_rng(0)
    noise = estimate_noise(series(rng.normal(500, 7, (4, 128, 128))))
    assert noise.variance(500) == pytest.approx(49, rel=0.1)
    assert noise.variance(510) == pytest.approx(49, rel=0.3)


@pytest.mark.parametrize("level", [0, 17, 255])
def test_constant_frames_have_the_noise_of_rounding(level) -> None:
    noise = estimate_noise(series(np.full((3, 64, 64), level, np.uint8)))
    assert noise.gain == 0
    assert noise.read_noise >= np.sqrt(1 / 12)


@pytest.mark.parametrize("value", [0.0, 3.5])
def test_float_frames_without_any_noise_still_have_a_variance(value) -> None:
    assert estimate_noise(series(np.full((2, 64, 64), value))).variance(value) > 0


def test_dark_frames_clipped_at_zero_do_not_make_the_noise_vanish() -> None:
    frames = camera(scene(glow=0, spots=10), 4, read_noise=2.0, black=-8).round().clip(0)
    noise = estimate_noise(series(frames.astype(np.uint16)))
    assert noise.read_noise > 0.25


def test_masked_and_saturated_pixels_are_left_out() -> None:
    frames = camera(scene(spots=0), 4).round().astype(np.uint16)
    valid = np.ones(frames.shape[1:], bool)
    valid[:60] = False
    spoiled = frames.copy()
    spoiled[:, :60] = np.random.default_rng(0).integers(0, 60000, (4, 60, 256))
    spoiled[:, 200:, 100:104] = 65535
    noise = estimate_noise(series(spoiled, valid=valid, saturation=65535))
    assert noise.variance(100 + 40) == pytest.approx(9 + 40, rel=0.15)


def test_everything_masked_or_too_small_gives_a_constant() -> None:
    masked = series(np.ones((1, 64, 64), np.uint8), valid=np.zeros((64, 64), bool))
    tiny = series(np.ones((1, 4, 4), np.uint8))
    found = measure_noise(masked)
    assert (found.model.gain, found.model.read_noise) == (0, 1)
    assert np.isnan(found.gain_err)
    assert "masked" in found.reason
    assert found.reason in found.notes[0]
    assert estimate_noise(tiny).read_noise > 0


def test_frames_without_a_value_are_left_out() -> None:
    frames = camera(scene(spots=0), 3)
    frames[1] = np.nan
    assert estimate_noise(series(frames)).variance(140) == pytest.approx(49, rel=0.15)


def test_frames_are_not_modified() -> None:
    frames = camera(scene(), 2)
    before = frames.copy()
    estimate_noise(series(frames))
    estimate_saturation(series(frames))
    assert np.array_equal(frames, before)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_full_scale_is_the_saturation_where_pixels_reach_it(dtype) -> None:
    top = np.iinfo(dtype).max
    frames = camera(scene(amplitude=2.0 * top, sigma=3), 2).round().clip(0, top).astype(dtype)
    assert estimate_saturation(series(frames)) == top


def test_twelve_bits_in_sixteen_are_found() -> None:
    frames = camera(scene(amplitude=9000), 3).round().clip(0, 4095).astype(np.uint16)
    assert estimate_saturation(series(frames)) == 4095


def test_float_frames_with_a_plateau_are_clipped_there() -> None:
    frames = camera(scene(amplitude=9000), 3).clip(0, 4000.5)
    assert estimate_saturation(series(frames)) == 4000.5


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_frames_that_nothing_clips_have_no_saturation(dtype) -> None:
    frames = camera(scene(amplitude=80, glow=40), 3, black=20).round().clip(0, 250).astype(dtype)
    assert estimate_saturation(series(frames)) is None


@pytest.mark.parametrize("value", [0, 9])
def test_constant_frames_have_no_saturation(value) -> None:
    assert estimate_saturation(series(np.full((2, 32, 32), value, np.uint16))) is None


def test_masked_text_at_full_scale_is_no_saturation() -> None:
    frames = np.random.default_rng(0).integers(0, 90, (2, 32, 32)).astype(np.uint8)
    frames[:, 0] = 255
    valid = np.ones((32, 32), bool)
    valid[0] = False
    assert estimate_saturation(series(frames, valid=valid)) is None
