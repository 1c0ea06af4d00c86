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

from trackleed_detectors.classic import chain, noise, sight  # noqa: E402
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


def reference_peaks(frame: np.ndarray, floor: float) -> set[tuple[int, int]]:
    residual = frame - blur(frame, chain.BACKGROUND)
    smooth = blur(residual, chain.SMOOTH)
    hat = morphology.white_tophat(smooth, morphology.disk(chain.DISK_RADIUS))
    found = feature.peak_local_max(hat, min_distance=3, threshold_abs=floor, exclude_border=1)
    return {(int(x), int(y)) for y, x in found}


def look(frame: np.ndarray, sigma: float = chain.BACKGROUND) -> sight.Sight:
    """All of a frame is seen."""
    return sight.look(np.ones(frame.shape, bool), [sigma], 96).copies[0]


def fast_peaks(frame: np.ndarray, floor: float) -> set[tuple[int, int]]:
    view = look(frame)
    scratch = Scratch()
    rest, _ = view.less_background(frame, chain.BACKGROUND, scratch)
    hat = chain.tophat(view.smoothed(rest, scratch), 1.0, scratch)
    found = chain.maxima(hat, np.full_like(hat, floor), view.inner, 3)
    return {tuple(np.rint(p).astype(int).tolist()) for p in chain.peaks(found)}


@pytest.mark.parametrize("seed", range(6))
def test_same_peaks_as_scikit_image(seed):
    frame = spots_frame(seed)
    fast = fast_peaks(frame, 25.0)
    # Within 1 % of the threshold, a peak may fall on either side of it.
    assert reference_peaks(frame, 25.25) <= fast <= reference_peaks(frame, 24.75)
    assert len(fast) > 15


def test_disk_is_that_of_scikit_image():
    np.testing.assert_array_equal(chain.disk(9), morphology.disk(9))


def test_broad_blur_of_a_reduced_copy_is_the_broad_blur():
    frame = spots_frame(3)
    exact = blur(frame, chain.BACKGROUND)
    quick = look(frame).less_background(frame, chain.BACKGROUND, Scratch())[1]
    assert np.abs(quick - exact).max() < 0.01 * exact.max()


@pytest.mark.parametrize("shape", [(40, 55), (12, 7), (3, 90), (25, 25)])
@pytest.mark.parametrize("size", [1.0, 1e-3, 3e5])
def test_top_hat_is_that_of_scikit_image_to_a_step_of_16_bits(shape, size):
    image = np.random.default_rng(3).normal(0, size, shape).astype(np.float32)
    disk = morphology.disk(chain.DISK_RADIUS)
    lowest = morphology.erosion(image, disk, mode="ignore")
    wanted = image - morphology.dilation(lowest, disk, mode="ignore")
    found = chain.tophat(image, np.inf, Scratch())
    step = np.ptp(image) / 65535
    assert (found - wanted).min() >= -0.01 * step
    assert (found - wanted).max() <= 1.02 * step


def test_top_hat_beside_a_pixel_that_is_brighter_by_far():
    image = np.random.default_rng(4).normal(0, 1, (60, 80)).astype(np.float32)
    plain = chain.tophat(image, 1 / 8, Scratch())
    image[10, 10] = 1e7
    bright = chain.tophat(image, 1 / 8, Scratch())
    np.testing.assert_allclose(bright[30:], plain[30:], atol=1 / 8)
    assert bright[10, 10] > 9e6


@pytest.mark.parametrize("value", [0.0, 7.0])
def test_a_flat_image_has_no_top_hat(value):
    assert not chain.tophat(np.full((30, 40), value, np.float32), 1.0, Scratch()).any()


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
    hat = np.zeros((30, 40), np.float32)
    hat[10:14, 20:27] = 5
    found = chain.maxima(hat, np.ones_like(hat), look(hat).inner, 3)
    assert found.shape == (2, 28)
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
    hat = np.zeros((20, 30), np.float32)
    hat[row, column] = 5
    assert chain.maxima(hat, np.ones_like(hat), look(hat).inner, 3).shape == (2, 0)


@pytest.mark.parametrize("scale", [0.5, 1, 30])
def test_noise_is_that_of_the_blurred_image_and_grows_with_the_level(scale):
    rng = np.random.default_rng(5)
    level = np.full((256, 256), 400.0, np.float32)
    level[:, 128:] = 3600
    frame = (rng.normal(0, 1, level.shape) * np.sqrt(level) * scale).astype(np.float32)
    smooth = chain.blur(frame, chain.SMOOTH)
    found = noise.measure(smooth, level, look(level).blocks, Scratch())
    for half in (slice(0, 110), slice(146, 256)):
        places = np.indices(level.shape)[:, :, half].reshape(2, -1)
        assert 0.85 < found.at(places).mean() / smooth[:, half].std() < 1.15
        assert (found.floor(3.0, Scratch())[tuple(places)] <= 3 * found.at(places)).all()


def test_a_cluster_of_spots_is_not_noise():
    rng = np.random.default_rng(6)
    y, x = np.mgrid[:256, :256]
    frame = rng.normal(0, 10, (256, 256))
    near = np.hypot(x - 128, y - 128) < 35
    frame += near * 500 * np.cos(x / 1.6) ** 2 * np.cos(y / 1.6) ** 2
    smooth = chain.blur(frame.astype(np.float32), chain.SMOOTH)
    found = noise.measure(smooth, np.full_like(smooth, 100), look(smooth).blocks, Scratch())
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
    found = noise.measure(smooth, np.full_like(smooth, 100), view.blocks, Scratch())
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


@pytest.mark.parametrize("fwhm", [1.6, 2.0, 4.0])
@pytest.mark.parametrize("shift", [0.0, 0.3, 0.5])
def test_no_spot_stands_alone(fwhm, shift):
    y, x = np.mgrid[:21, :21]
    sigma = fwhm / 2.3548
    spot = np.exp(-((x - 10 - shift) ** 2 + (y - 10) ** 2) / 2 / sigma**2).astype(np.float32)
    assert chain.stand_alone(1000 * spot).shape == (2, 0)


def test_a_hot_pixel_stands_alone():
    frame = np.random.default_rng(0).normal(100, 5, (64, 64)).astype(np.float32)
    frame[20, 30] = 400
    assert chain.stand_alone(frame).T.tolist() == [[20, 30]]
