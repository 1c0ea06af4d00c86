"""The fast chain against the transparent one of scikit-image, on the same frames."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("cv2")
filters = pytest.importorskip("skimage.filters")
morphology = pytest.importorskip("skimage.morphology")
feature = pytest.importorskip("skimage.feature")

from trackleed_detectors.classic import chain  # noqa: E402


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


def fast_peaks(frame: np.ndarray, floor: float) -> set[tuple[int, int]]:
    seen = np.ones_like(frame)
    residual = frame - chain.background(frame, seen, chain.BACKGROUND)
    hat = chain.tophat(chain.blur(residual, chain.SMOOTH))
    return {tuple(np.rint(p).astype(int).tolist()) for p in chain.peaks(hat, floor, seen, 3)}


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
    quick = chain.background(frame, np.ones_like(frame), chain.BACKGROUND)
    assert np.abs(quick - exact).max() < 0.01 * exact.max()


def test_a_plateau_is_one_peak_at_its_centroid():
    hat = np.zeros((30, 40), np.float32)
    hat[10:14, 20:27] = 5
    found = chain.peaks(hat, 1.0, np.ones_like(hat), 3)
    np.testing.assert_allclose(found, [[23, 11.5]])


@pytest.mark.parametrize(("row", "column"), [(0, 10), (19, 10), (10, 0), (10, 29)])
def test_a_maximum_on_the_edge_of_the_frame_is_no_peak(row, column):
    hat = np.zeros((20, 30), np.float32)
    hat[row, column] = 5
    assert len(chain.peaks(hat, 1.0, np.ones_like(hat), 3)) == 0


@pytest.mark.parametrize("scale", [0.5, 1, 30])
def test_noise_is_that_of_the_blurred_image_and_grows_with_the_level(scale):
    rng = np.random.default_rng(5)
    level = np.full((256, 256), 400.0, np.float32)
    level[:, 128:] = 3600
    frame = (rng.normal(0, 1, level.shape) * np.sqrt(level) * scale).astype(np.float32)
    smooth = chain.blur(frame, chain.SMOOTH)
    noise = chain.noise(smooth, level, np.ones_like(level))
    for half in (slice(0, 110), slice(146, 256)):
        ratio = noise[:, half].mean() / smooth[:, half].std()
        assert 0.85 < ratio < 1.15


def test_a_cluster_of_spots_is_not_noise():
    rng = np.random.default_rng(6)
    y, x = np.mgrid[:256, :256]
    frame = rng.normal(0, 10, (256, 256))
    near = np.hypot(x - 128, y - 128) < 35
    frame += near * 500 * np.cos(x / 1.6) ** 2 * np.cos(y / 1.6) ** 2
    smooth = chain.blur(frame.astype(np.float32), chain.SMOOTH)
    noise = chain.noise(smooth, np.full_like(smooth, 100), np.ones_like(smooth))
    assert noise[128, 128] < 1.5 * np.median(noise)


def test_quantile_leaves_out_what_is_unknown():
    values = np.array([[3.0, np.nan, 1.0, 2.0], [np.nan, np.nan, np.nan, np.nan]])
    np.testing.assert_array_equal(chain.quantile(values, 0.5), [2.0, np.nan])


def test_a_hole_is_filled_and_a_masked_half_is_not():
    y, x = np.mgrid[:40, :40]
    frame = (10 + 2 * x + y).astype(np.float32)
    valid = np.ones((40, 40), bool)
    valid[20, 12] = False
    valid[:, 30:] = False
    frame[~valid] = 1e4
    filled, seen = chain.fill(frame, valid)
    assert filled[20, 12] == pytest.approx(10 + 24 + 20, abs=1)
    assert seen[20, 12] == 1
    assert not seen[:, 31:].any()
    assert not filled[:, 31:].any()
    assert frame[20, 12] == 1e4


@pytest.mark.parametrize("fwhm", [1.6, 2.0, 4.0])
@pytest.mark.parametrize("shift", [0.0, 0.3, 0.5])
def test_no_spot_stands_alone(fwhm, shift):
    y, x = np.mgrid[:21, :21]
    sigma = fwhm / 2.3548
    spot = np.exp(-((x - 10 - shift) ** 2 + (y - 10) ** 2) / 2 / sigma**2).astype(np.float32)
    assert not chain.stand_alone(1000 * spot).any()


def test_a_hot_pixel_stands_alone():
    frame = np.random.default_rng(0).normal(100, 5, (64, 64)).astype(np.float32)
    frame[20, 30] = 400
    assert np.argwhere(chain.stand_alone(frame)).tolist() == [[20, 30]]
