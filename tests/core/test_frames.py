from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from trackleed import frames as public
from trackleed_kit import coords
from trackleed_kit.frames import ArraySource, Correction, FrameSequence, NoiseModel

PIXELS = st.floats(-1e4, 1e4)
SIZES = st.integers(1, 5000)


def series(n: int = 3, **known: object) -> FrameSequence:
    frames = np.arange(n * 4 * 5, dtype=np.uint16).reshape(n, 4, 5)
    return FrameSequence(ArraySource(frames), **known)


def test_the_core_hands_out_the_classes_of_the_kit() -> None:
    assert public.FrameSequence is FrameSequence
    assert {name: getattr(public, name) for name in public.__all__} == {
        "ArraySource": ArraySource,
        "Correction": Correction,
        "FrameSequence": FrameSequence,
        "NoiseModel": NoiseModel,
    }


# Frames


def test_frames_come_as_the_camera_wrote_them() -> None:
    frames = series()
    assert (len(frames), frames.shape, frames.dtype) == (3, (4, 5), np.uint16)
    assert frames[1].dtype == np.uint16
    np.testing.assert_array_equal(np.stack(list(frames)), np.arange(60).reshape(3, 4, 5))


def test_frames_are_read_only_and_the_source_stays_writable() -> None:
    source = ArraySource(np.zeros((2, 4, 5)))
    corrected = FrameSequence(source, correction=Correction(dark=np.ones((4, 5))))
    for frames in (FrameSequence(source), corrected):
        with pytest.raises(ValueError, match="read-only"):
            frames[0][0, 0] = 1
    source.frames[0, 0, 0] = 1


@pytest.mark.parametrize("i", [-1, 3])
def test_a_frame_that_is_not_there_is_an_index_error(i: int) -> None:
    with pytest.raises(IndexError, match=f"frame {i} of a series of 3"):
        series()[i]


def test_the_mask_is_all_true_when_nothing_is_known_and_cannot_be_changed() -> None:
    frames = series()
    assert frames.valid.all()
    assert frames.valid.shape == (4, 5)
    with pytest.raises(ValueError, match="read-only"):
        frames.valid[0, 0] = False


def test_the_callers_mask_is_left_alone() -> None:
    mask = np.ones((4, 5), dtype=bool)
    frames = series(valid=mask)
    mask[0, 0] = False
    assert frames.valid[0, 0]


def test_saturated_pixels_are_judged_on_the_raw_frame() -> None:
    frames = series(saturation=38, correction=Correction(dark=np.full((4, 5), 30)))
    np.testing.assert_array_equal(frames.saturated(1), np.arange(20).reshape(4, 5) >= 18)
    assert not series().saturated(2).any()


def test_an_array_must_be_a_stack() -> None:
    with pytest.raises(ValueError, match=r"\(t, y, x\), not 2-D"):
        ArraySource(np.zeros((4, 5)))


# Correction

GRID = arrays(np.float32, (3, 4), elements=st.floats(1, 1000, width=32))


@settings(max_examples=40)
@given(scene=GRID, dark=GRID, flat=GRID)
def test_dark_and_flat_give_the_scene_back(
    scene: np.ndarray, dark: np.ndarray, flat: np.ndarray
) -> None:
    raw = dark + scene * (flat / flat.mean())
    corrected = Correction(dark=dark, flat=dark + flat).apply(raw)
    assert corrected.dtype == np.float32
    scale = np.abs(raw).max() * flat.mean() / flat.min()  # where float32 loses its digits
    np.testing.assert_allclose(corrected, scene, rtol=1e-3, atol=3e-6 * scale)


@settings(max_examples=40)
@given(scene=GRID, background=GRID)
def test_a_background_is_taken_off(scene: np.ndarray, background: np.ndarray) -> None:
    corrected = Correction(background=background).apply(scene + background)
    np.testing.assert_allclose(corrected, scene, atol=1e-3)


@settings(max_examples=40)
@given(background=GRID)
def test_normalising_evens_the_background_out_and_keeps_its_mean(background: np.ndarray) -> None:
    corrected = Correction(background=background, mode="normalise").apply(background)
    np.testing.assert_allclose(corrected, background.mean(), rtol=1e-4)


def test_the_background_is_corrected_like_a_frame() -> None:
    dark, flat = np.full((2, 2), 10.0), np.array([[11.0, 12.0], [13.0, 14.0]])
    background = np.array([[20.0, 30.0], [40.0, 50.0]])
    both = Correction(dark=dark, flat=flat, background=background)
    np.testing.assert_allclose(both.apply(background), 0, atol=1e-5)


def test_where_the_correction_is_unknown_the_pixel_is_nan() -> None:
    flat = np.array([[0.0, 2.0], [2.0, 2.0]])
    corrected = Correction(flat=flat).apply(np.full((2, 2), 7))
    np.testing.assert_array_equal(np.isnan(corrected), flat == 0)
    np.testing.assert_allclose(corrected[flat > 0], 7)


def test_an_unknown_mode_is_refused() -> None:
    with pytest.raises(ValueError, match="'divide' is not one of"):
        Correction(mode="divide")


def test_a_corrected_series_says_float32() -> None:
    frames = series(correction=Correction(dark=np.ones((4, 5))))
    assert frames.dtype == frames[0].dtype == np.float32


# Noise


@settings(max_examples=40)
@given(st.floats(0, 10), st.floats(0, 50), st.floats(-100, 100), st.floats(0, 1e5))
def test_variance_grows_with_the_light(
    gain: float, read_noise: float, black: float, light: float
) -> None:
    noise = NoiseModel(gain, read_noise, black)
    assert noise.variance(black + light) == pytest.approx(
        read_noise**2 + gain * light, rel=1e-6, abs=1e-6
    )
    assert noise.variance(black - 5) == pytest.approx(read_noise**2)


def test_poisson_counts_with_read_noise_scatter_as_the_model_says() -> None:
    rng = np.random.default_rng(0)
    counts = 100 + 2 * rng.poisson(300, 40_000) + rng.normal(0, 5, 40_000)
    expected = NoiseModel(gain=2, read_noise=5, black=100).variance(700)
    assert counts.var() == pytest.approx(expected, rel=0.04)


# Coordinates


@given(PIXELS)
def test_corner_coordinates_and_back(x: float) -> None:
    assert coords.from_corner(coords.to_corner(x)) == pytest.approx(x, abs=1e-9)
    assert coords.to_corner(x) - x == pytest.approx(0.5)


@given(SIZES, SIZES)
def test_resizing_keeps_the_outer_edges(size: int, new_size: int) -> None:
    assert coords.resize(-0.5, size, new_size) == pytest.approx(-0.5)
    assert coords.resize(size - 0.5, size, new_size) == pytest.approx(new_size - 0.5)


@given(PIXELS, SIZES, SIZES)
def test_resizing_and_back(x: float, size: int, new_size: int) -> None:
    back = coords.resize(coords.resize(x, size, new_size), new_size, size)
    assert back == pytest.approx(x, rel=1e-9, abs=1e-6)


def test_resizing_agrees_with_an_image_library() -> None:
    from PIL import Image

    y, x = np.indices((40, 60))
    spot = np.exp(-((x - 21.3) ** 2 + (y - 12.8) ** 2) / (2 * 4.0**2)).astype(np.float32)
    big = np.asarray(Image.fromarray(spot).resize((150, 120), Image.Resampling.BICUBIC))
    v, u = np.indices(big.shape)
    centre = (np.average(u, weights=big), np.average(v, weights=big))
    expected = (coords.resize(21.3, 60, 150), coords.resize(12.8, 40, 120))
    np.testing.assert_allclose(centre, expected, atol=0.02)
