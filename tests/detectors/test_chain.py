"""The fast chain against the transparent one of scikit-image, on the same frames."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

pytest.importorskip("cv2")
filters = pytest.importorskip("skimage.filters")
morphology = pytest.importorskip("skimage.morphology")
feature = pytest.importorskip("skimage.feature")

from trackleed_detectors.classic import chain, noise, shape, sight  # noqa: E402
from trackleed_detectors.classic.scratch import Pool, Scratch  # noqa: E402


def spots_frame(seed: int, shape: tuple[int, int] = (256, 320), n: int = 30) -> np.ndarray:
    """Spots on a diffuse background with Poisson noise, counts."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[: shape[0], : shape[1]]
    frame = 200 + 300 * np.exp(-((x - 160) ** 2 + (y - 120) ** 2) / 2 / 90**2)
    for _ in range(n):
        cx, cy = rng.uniform(5, shape[1] - 5), rng.uniform(5, shape[0] - 5)
        r2 = (x - cx) ** 2 + (y - cy) ** 2
        frame += rng.uniform(20, 900) * np.exp(-r2 / 2 / rng.uniform(1.2, 3) ** 2)
    return rng.poisson(frame).astype(np.float32)


def blur(image: np.ndarray, sigma: float) -> np.ndarray:
    return filters.gaussian(image, sigma, mode="reflect", preserve_range=True, truncate=4)


def tophat(frame: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The blurred frame without its background, and what rises above its opening by a disk."""
    smooth = blur(frame - blur(frame, chain.BACKGROUND), chain.SMOOTH)
    return smooth, morphology.white_tophat(smooth, morphology.disk(chain.FOOT))


def look(frame: np.ndarray, sigma: float = chain.BACKGROUND) -> sight.Sight:
    """All of a frame is seen."""
    return sight.look(np.ones(frame.shape, bool), [sigma], 96).copies[0]


def reduced(frame: np.ndarray) -> np.ndarray:
    return chain.halve(chain.halve(frame, Scratch()), Scratch())


def smoothed(frame: np.ndarray) -> np.ndarray:
    rest = frame.copy()
    look(frame).less_background(rest, reduced(frame), chain.BACKGROUND, Scratch())
    return look(frame).smoothed(rest, Scratch())


@pytest.mark.parametrize("seed", range(6))
def test_same_maxima_as_scikit_image(seed):
    smooth = smoothed(spots_frame(seed))
    wanted = feature.peak_local_max(smooth, min_distance=2, exclude_border=1)
    found = chain.maxima(smooth, look(smooth).inner, 2)
    assert set(zip(*found.tolist(), strict=True)) == set(map(tuple, wanted.tolist()))


@pytest.mark.parametrize("seed", range(6))
def test_no_maximum_is_ruled_out_that_a_disk_tells_from_its_surroundings(seed):
    frame = spots_frame(seed)
    smooth, hat = tophat(frame)
    at = feature.peak_local_max(smooth, min_distance=2, exclude_border=1).T
    kept = chain.rising(smoothed(frame), look(frame), at, np.full(at.shape[1], 25.0))
    assert kept[hat[tuple(at)] > 25.5].all()
    assert 15 < kept.sum() < at.shape[1] / 2


@pytest.mark.parametrize("seed", range(3))
def test_what_falls_on_every_side_rises_above_its_opening_by_a_disk(seed):
    smooth, hat = tophat(spots_frame(seed))
    at = feature.peak_local_max(smooth, min_distance=2, exclude_border=1)
    seen = np.ones(smooth.shape, np.uint8)
    falls = shape.measure(smooth.astype(np.float32), seen, at[:, ::-1].astype(float)).fall
    clear = falls > 25
    assert (hat[tuple(at[clear].T)] > 0.97 * falls[clear]).all()
    assert clear.sum() > 10


def test_broad_blur_of_a_reduced_copy_is_the_broad_blur():
    frame = spots_frame(3)
    exact = blur(frame, chain.BACKGROUND)
    rest = frame.copy()
    level = look(frame).less_background(rest, reduced(frame), chain.BACKGROUND, Scratch())
    assert level.shape == (64, 80)
    quick = frame - rest
    assert np.abs(quick - exact).max() < 0.01 * exact.max()


def test_each_thread_has_a_scratch_of_its_own_and_the_last_one_is_used_again():
    pool = Pool()
    with pool.lend((4, 5)) as one, pool.lend((4, 5)) as other:
        assert one("image", (4, 5)) is one("image", (4, 5))
        assert one("image", (4, 5)) is not other("image", (4, 5))
        assert one("image", (2, 3)).shape == (2, 3)
    with pool.lend((4, 5)) as again:
        assert again is one
    with pool.lend((6, 7)) as fresh:
        assert fresh is not one


def test_a_plateau_is_one_peak_at_its_centroid():
    image = np.zeros((30, 40), np.float32)
    image[10:14, 20:27] = 5
    found = chain.maxima(image, look(image).inner, 3)
    assert found.shape == (2, 18)  # its brim
    np.testing.assert_allclose(chain.peaks(found), [[23, 11.5]])


@given(st.sets(st.tuples(st.integers(0, 7), st.integers(0, 7)), max_size=40))
@settings(max_examples=40, deadline=None)
def test_peaks_are_the_groups_of_pixels_that_touch(places):
    image = np.zeros((8, 8), bool)
    for place in places:
        image[place] = True
    labels, count = ndimage.label(image, np.ones((3, 3)))
    wanted = ndimage.center_of_mass(image, labels, np.arange(1, count + 1))
    found = chain.peaks(np.stack(np.nonzero(image)))[:, ::-1]
    assert sorted(np.round(found, 9).tolist()) == sorted(
        np.round(wanted, 9).reshape(-1, 2).tolist()
    )


@pytest.mark.parametrize(("row", "column"), [(0, 10), (19, 10), (10, 0), (10, 29)])
def test_a_maximum_on_the_edge_of_the_frame_is_no_peak(row, column):
    image = np.zeros((20, 30), np.float32)
    image[row, column] = 5
    assert chain.maxima(image, look(image).inner, 3).shape == (2, 0)


def test_a_high_quadrant_rules_a_maximum_out_unless_some_of_it_is_hidden():
    image = np.zeros((40, 50), np.float32)
    image[5:21, 10:26] = 4
    image[20, 25] = 5
    valid = np.ones(image.shape, bool)
    place, least = np.array([[20], [25]]), np.array([2.0])
    for hidden in (False, True):
        valid[10:14, 18:22] = not hidden
        view = sight.look(valid, [chain.BACKGROUND], 96).copies[0]
        assert chain.rising(image, view, place, least) == hidden


@pytest.mark.parametrize("scale", [0.5, 1, 30])
def test_noise_is_that_of_the_blurred_image_and_grows_with_the_level(scale):
    rng = np.random.default_rng(5)
    level = np.full((256, 256), 400.0, np.float32)
    level[:, 128:] = 3600
    frame = (rng.normal(0, 1, level.shape) * np.sqrt(level) * scale).astype(np.float32)
    smooth = chain.blur(frame, chain.SMOOTH)
    found = noise.measure(smooth, reduced(level), look(level).blocks, Scratch())
    for half in (slice(0, 110), slice(146, 256)):
        places = np.indices(level.shape)[:, :, half].reshape(2, -1)
        assert 0.85 < found.at(places).mean() / smooth[:, half].std() < 1.15


def test_a_cluster_of_spots_is_not_noise():
    rng = np.random.default_rng(6)
    y, x = np.mgrid[:256, :256]
    frame = rng.normal(0, 10, (256, 256))
    near = np.hypot(x - 128, y - 128) < 35
    frame += near * 500 * np.cos(x / 1.6) ** 2 * np.cos(y / 1.6) ** 2
    smooth = chain.blur(frame.astype(np.float32), chain.SMOOTH)
    found = noise.measure(
        smooth, np.full_like(reduced(smooth), 100), look(smooth).blocks, Scratch()
    )
    everywhere = found.at(np.indices(smooth.shape).reshape(2, -1)).reshape(smooth.shape)
    assert everywhere[128, 128] < 1.5 * np.median(everywhere)


def test_quantile_leaves_out_what_is_unknown():
    assert noise.quantile(np.array([3.0, np.nan, 1.0, 2.0]), 0.5) == 2.0
    assert np.isnan(noise.quantile(np.array([np.nan]), 0.5))


def test_the_noise_of_a_half_masked_image_is_that_of_what_is_seen():
    rng = np.random.default_rng(7)
    smooth = chain.blur(rng.normal(0, 10, (200, 300)).astype(np.float32), chain.SMOOTH)
    valid = np.ones(smooth.shape, bool)
    valid[:, 170:] = False
    smooth[~valid] = 0
    view = sight.look(valid, [chain.BACKGROUND], 96).copies[0]
    found = noise.measure(smooth, np.full_like(reduced(smooth), 100), view.blocks, Scratch())
    places = np.stack(np.nonzero(valid))
    np.testing.assert_allclose(found.at(places), smooth[:, :170].std(), rtol=0.2)


def test_a_hole_is_filled_and_a_masked_half_is_not():
    y, x = np.mgrid[:40, :40]
    frame = (10 + 2 * x + y).astype(np.float32)
    valid = np.ones((40, 40), bool)
    valid[20, 12] = False
    valid[:, 30:] = False
    frame[~valid] = 1e4
    seen = sight.look(valid, [chain.BACKGROUND], 96)
    assert seen.holes.tolist() == [[20], [12]]
    assert seen.copies[0].seen[20, 12] == 1
    assert not seen.copies[0].seen[:, 30:].any()
    chain.bridge(frame, valid, seen.holes)
    assert frame[20, 12] == pytest.approx(10 + 24 + 20, abs=1)
    assert (frame[:, 30:] == 1e4).all()


def alone(frame: np.ndarray) -> list[list[int]]:
    return chain.usable_part(frame, np.ones(frame.shape, bool), Scratch())[1].T.tolist()


@pytest.mark.parametrize("fwhm", [1.6, 2.0, 4.0])
@pytest.mark.parametrize("shift", [0.0, 0.3, 0.5])
def test_no_spot_stands_alone(fwhm, shift):
    y, x = np.mgrid[:21, :21]
    sigma = fwhm / 2.3548
    spot = np.exp(-((x - 10 - shift) ** 2 + (y - 10) ** 2) / 2 / sigma**2).astype(np.float32)
    assert alone(1000 * spot) == []


def test_a_hot_pixel_stands_alone():
    frame = np.random.default_rng(0).normal(100, 5, (64, 64)).astype(np.float32)
    frame[20, 30] = 400
    assert alone(frame) == [[20, 30]]
