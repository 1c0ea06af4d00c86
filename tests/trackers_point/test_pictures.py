"""Frames to 8 bits: one scale for the whole series, whatever the type."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("cv2")

from trackleed.frames import ArraySource, Correction, FrameSequence
from trackleed_trackers_point.pictures import Pictures


def ramp(n=6, dtype=np.uint16, shape=(40, 60)):
    """Frames whose brightness doubles over the series."""
    rng = np.random.default_rng(3)
    one = rng.uniform(0, 1000, shape)
    return np.array([(1 + i / (n - 1)) * one for i in range(n)]).astype(dtype)


@pytest.mark.parametrize("dtype", [np.uint16, np.int32, np.float32, np.float64])
def test_one_scale_serves_all_frames(dtype):
    stack = ramp(dtype=dtype)
    pictures = Pictures(FrameSequence(ArraySource(stack)))
    grey = np.stack([pictures[i].grey for i in range(6)]).astype(float)
    linear = (stack - pictures.low) * 255 / (pictures.high - pictures.low)
    np.testing.assert_allclose(grey, np.clip(linear, 0, 255), atol=0.51)
    assert grey[0].mean() < 0.6 * grey[-1].mean()


def test_eight_bits_stay_in_range():
    stack = (ramp() // 8).astype(np.uint8)
    picture = Pictures(FrameSequence(ArraySource(stack)))[5]
    assert picture.grey.dtype == np.uint8
    assert picture.grey.min() < 5
    assert picture.grey.max() == 255
    assert picture.step == 1


def test_a_few_hot_pixels_do_not_set_the_scale():
    stack = ramp(shape=(150, 150))
    hot = stack.copy()
    hot[:, 30, 3] = 65_000
    assert Pictures(FrameSequence(ArraySource(hot))).high < 1.2 * stack.max()


def test_frames_are_not_changed():
    stack = ramp(dtype=np.float32)
    valid = np.ones(stack.shape[1:], bool)
    valid[:10] = False
    before = stack.copy()
    Pictures(FrameSequence(ArraySource(stack), valid=valid))[2]
    np.testing.assert_array_equal(stack, before)


def test_masked_and_unknown_pixels_take_the_level_around():
    flat = np.ones((40, 60))
    flat[20, 30] = 0  # no light in the flat field: unknown
    stack = np.full((3, 40, 60), 500, np.uint16)
    stack[:, :8] = 60_000
    valid = np.ones((40, 60), bool)
    valid[:8] = False
    frames = FrameSequence(ArraySource(stack), valid=valid, correction=Correction(flat=flat))
    picture = Pictures(frames)[1]
    np.testing.assert_allclose(picture.counts, 500, rtol=1e-4)
    assert not picture.usable[:8].any()
    assert not picture.usable[20, 30]
    assert picture.usable.sum() == 32 * 60 - 1


@pytest.mark.parametrize("value", [0, 700])
def test_a_series_without_any_structure_has_a_scale(value):
    pictures = Pictures(FrameSequence(ArraySource(np.full((2, 20, 30), value, np.uint16))))
    assert pictures.high > pictures.low
    assert len(np.unique(pictures[0].grey)) == 1


def test_nothing_valid_is_no_error():
    frames = FrameSequence(ArraySource(ramp()), valid=np.zeros((40, 60), bool))
    assert not Pictures(frames)[0].usable.any()


def test_grey_levels_of_twelve_bits_in_sixteen():
    stack = (ramp() // 16 * 16).astype(np.uint16)
    assert Pictures(FrameSequence(ArraySource(stack))).step == 16
