"""Noise model and saturation level of a camera, from the series itself."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np

from trackleed.frames import FrameSequence, NoiseModel

Array: TypeAlias = np.ndarray[Any, np.dtype[Any]]

FRAMES = 16  # frames looked at, spread evenly over the series
BLOCK = 5  # side in px of the blocks in which the scatter is measured
ORDER = 4  # of the polynomial taken out of each block: it follows the top of a spot
BINS = 60  # levels at which the scatter is averaged: so narrow that it hardly changes within one
LOW_QUANTILE = 0.25  # of the scatter at one level: what structure adds is always upwards


def estimate_noise(frames: FrameSequence) -> NoiseModel:
    """Estimate gain, read noise and black level from the raw frames of a series.

    The photon-transfer method [1]_ without its pairs of flat fields: each raw frame
    is cut into blocks, a polynomial surface is taken out of every block, and the variance of what
    remains is set against the block's mean level. A low quantile over the blocks of
    one level, scaled to the mean of the chi-squared distribution, keeps
    out what is structure rather than noise. A straight line through the levels is
    the model. One frame is enough.

    The black level is the lowest level that was seen; the level without light and the
    read noise cannot be told apart by this method, and need not be.
    Where the line cannot be drawn (a single level, nothing but clipped or masked
    pixels) the model is a constant: ``gain`` is 0. The variance is never taken for less
    than that of rounding to whole counts, 1/12.

    Parameters
    ----------
    frames : FrameSequence
        Masked and saturated pixels are left out. Not modified.

    Returns
    -------
    NoiseModel
        For raw counts, whatever correction the series has.

    References
    ----------
    .. [1] Janesick, *Photon Transfer* (SPIE Press, 2007).
    """
    samples = [_scatter(frames, i) for i in _sample(frames)]
    level = np.concatenate([s[0] for s in samples] or [np.empty(0)])
    variance = np.concatenate([s[1] for s in samples] or [np.empty(0)])
    floor = 1 / 12 if np.issubdtype(frames.source.dtype, np.integer) else 0.0
    if len(level) == 0:
        return NoiseModel(gain=0.0, read_noise=max(floor, 1.0) ** 0.5)
    levels, variances, errors = _by_level(level, variance)
    variances = np.maximum(variances, floor)
    black = float(level.min())
    if len(levels) < 3 or not (variances > 0).all():
        read = max(float(np.median(variances)), floor) ** 0.5
        return NoiseModel(gain=0.0, read_noise=read or _tiny(frames), black=black)
    gain, dark = _line(levels - black, variances, errors)
    return NoiseModel(gain=gain, read_noise=max(dark, floor) ** 0.5, black=black)


def estimate_saturation(frames: FrameSequence) -> float | None:
    """Level at which the camera clips, in raw counts; None if nothing is clipped.

    That is the full scale of the integer type where pixels reach it, or else the
    highest value if pixels pile up there: more than twice as many as in the two
    per cent below it, as where a spot is cut off (12-bit data in 16-bit files).
    """
    valid = frames.valid
    samples = [frames.raw(i)[valid] for i in _sample(frames)]
    pixels = np.concatenate([p.ravel() for p in samples] or [np.empty(0)])
    pixels = pixels[np.isfinite(pixels)]
    if pixels.size == 0:
        return None
    top = pixels.max()
    if np.issubdtype(pixels.dtype, np.integer) and top == np.iinfo(pixels.dtype).max:
        return float(top)
    at_top = int(np.count_nonzero(pixels == top))
    below = int(np.count_nonzero((pixels >= 0.98 * top) & (pixels < top)))
    piled_up = at_top >= 8 and at_top > 2 * below and at_top < pixels.size // 2
    return float(top) if piled_up else None


def _sample(frames: FrameSequence) -> list[int]:
    count = min(len(frames), FRAMES)
    return sorted({round(i) for i in np.linspace(0, len(frames) - 1, count)}) if count else []


def _scatter(frames: FrameSequence, i: int) -> tuple[Array, Array]:
    """Mean level and variance of the usable blocks of raw frame ``i``, two arrays (n,)."""
    raw = frames.raw(i)
    pixels = raw.astype(np.float64)
    usable = frames.valid & np.isfinite(pixels)
    if frames.saturation is not None:
        usable = usable & (raw < frames.saturation)
    usable = usable & (pixels < pixels.max(where=usable, initial=-np.inf))
    # A level at which more than a few pixels in a hundred stand still is clipped black.
    lowest = pixels.min(where=usable, initial=np.inf)
    if np.count_nonzero(pixels[usable] == lowest) > 0.02 * np.count_nonzero(usable):
        usable = usable & (pixels > lowest)
    whole = _blocks(usable).all(axis=1)
    blocks = _blocks(pixels)[whole]
    surface = _surfaces()
    without = np.eye(len(surface)) - surface @ surface.T
    rest = blocks @ without
    freedom = BLOCK**2 - surface.shape[1]
    return blocks.mean(axis=1), np.einsum("ij,ij->i", rest, rest) / freedom


def _blocks(image: Array) -> Array:
    """``image`` (y, x) as blocks (n, BLOCK * BLOCK); what does not fill a block is left out."""
    rows, columns = image.shape[0] // BLOCK, image.shape[1] // BLOCK
    tiles = image[: rows * BLOCK, : columns * BLOCK].reshape(rows, BLOCK, columns, BLOCK)
    return tiles.swapaxes(1, 2).reshape(-1, BLOCK * BLOCK)


def _surfaces() -> Array:
    """Orthonormal polynomials over one block, array (pixels, terms)."""
    v, u = np.mgrid[:BLOCK, :BLOCK].reshape(2, -1) / (BLOCK - 1) - 0.5
    terms = [u**p * v**q for p in range(ORDER + 1) for q in range(ORDER + 1 - p)]
    return np.linalg.qr(np.stack(terms, axis=1))[0]


def _by_level(level: Array, variance: Array) -> tuple[Array, Array, Array]:
    """Levels, the variance at each and its relative error, bins with many blocks first to last."""
    from scipy.stats import chi2

    freedom = BLOCK**2 - _surfaces().shape[1]
    to_mean = freedom / chi2.ppf(LOW_QUANTILE, freedom)
    # Half of the bins hold equal shares of the blocks, half equal steps up to the brightest:
    # the background is most of the screen, the spots most of the range.
    edges = np.union1d(
        np.quantile(level, np.linspace(0, 1, BINS // 2 + 1)),
        np.linspace(level.min(), level.max(), BINS // 2 + 1),
    )
    order = np.argsort(level)
    level, variance = level[order], variance[order]
    first = np.searchsorted(level, edges[:-1], side="left")
    after = np.searchsorted(level, edges[1:], side="right")
    rows = []
    for here in map(slice, first, after):
        count = here.stop - here.start
        if count >= 12:
            value = np.quantile(variance[here], LOW_QUANTILE) * to_mean
            error = np.hypot(0.03, 1.4 * np.sqrt(2 / freedom / count))
            rows.append((level[here].mean(), value, error))
    if not rows:
        rows.append((level.mean(), np.median(variance), 1.0))
    levels, values, errors = np.array(rows).T
    return levels, values, errors


def _line(signal: Array, variance: Array, error: Array) -> tuple[float, float]:
    """Slope and intercept, both >= 0, by a robust fit of the logarithm of the variance."""
    from scipy.optimize import least_squares

    scale = float(np.median(variance))
    reach = max(float(signal.max()), 1e-12)

    def misfit(p: Array) -> Array:
        line = p[0] + p[1] * signal / reach
        return np.asarray(np.log(np.maximum(line, 1e-12) * scale / variance) / error)

    start = [variance[0] / scale, 1.0]
    fit = least_squares(misfit, start, bounds=(0, np.inf), loss="cauchy", f_scale=2.0)
    return float(fit.x[1]) * scale / reach, float(fit.x[0]) * scale


def _tiny(frames: FrameSequence) -> float:
    """Stand-in for the noise of frames without any: a millionth of the brightest level."""
    top = max((float(np.nanmax(np.abs(frames.raw(i)))) for i in _sample(frames)), default=0.0)
    return 1e-6 * top if top > 0 else 1.0
