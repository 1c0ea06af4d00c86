"""Noise model of a camera, from the series itself."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable
from functools import partial
from typing import Any, TypeAlias

import numpy as np

from trackleed.frames import FrameSequence, NoiseModel
from trackleed.noise.scatter import Samples, fine, freedom, gather, rough, sample

Array: TypeAlias = np.ndarray[Any, np.dtype[Any]]

FRAMES = 16  # frames looked at, spread evenly over the series
PIXELS = 3_000_000  # in all of them; large frames are looked at in fewer, at least in four
LOW = 0.25  # quantile of the blocks' scatter at one level: what structure adds is always upwards
BINS = 60  # levels at which squares are averaged: hardly any change of noise within one
WHITE = 0.5, 1.5  # what the noise of less fine detail may be, over that of the finest
STRAIGHT = 1.2  # factor between the noise and the line, at half of the levels, that is no matter


@dataclasses.dataclass(frozen=True)
class NoiseEstimate:
    """A noise model and how far it is to be trusted.

    Attributes
    ----------
    model : NoiseModel
        For raw counts, whatever correction the series has.
    gain_err : float
        Standard error of the gain; NaN where no gain could be found, and 0 stands in the model.
    misfit : float
        Factor by which half of the levels have more or less variance than the line, at least; 1
        where there is no line. Photon noise stays below 1.05.
    colour : float
        Variance per pixel of all detail finer than a spot over that of the finest: 1 for
        noise that is independent from pixel to pixel, NaN if it could not be compared.
    reason : str
        Why the gain is not known; empty where it is.
    """

    model: NoiseModel
    gain_err: float
    misfit: float = 1.0
    colour: float = math.nan
    reason: str = ""

    @property
    def white(self) -> bool:
        """Whether nothing speaks against pixels whose noise is independent."""
        return _white(self.colour)

    @property
    def notes(self) -> list[str]:
        """The estimate in words, for people."""
        model = self.model
        said = f"noise: {model.read_noise:.3g} counts at level {model.black:.4g}, "
        if self.reason:
            return [said + "the same at all levels: " + self.reason]
        gain = model.gain if model.gain > 0.01 * self.gain_err else 0.0  # not 1e-19 ± 0.002
        said += f"{gain:.3g} ± {self.gain_err:.2g} counts of variance per count above it"
        told = [said]
        if self.misfit > STRAIGHT:
            told.append(
                f"half of the levels are off that line by a factor of {self.misfit:.2g} or more: "
                "this is not photon noise alone, and no gain of the camera"
            )
        if not self.white:
            kind = (
                "sharpened" if self.colour < 1 else "smoothed, averaged over pixels or from video"
            )
            told.append(
                f"the noise of neighbouring pixels is not independent (frames that are {kind}?): "
                "stated errors of fits are rough"
            )
        return told


def estimate_noise(frames: FrameSequence) -> NoiseModel:
    """Gain, read noise and black level from the raw frames; the model of `measure_noise`."""
    return measure_noise(frames).model


def measure_noise(frames: FrameSequence) -> NoiseEstimate:
    """Estimate gain, read noise and black level from the raw frames of a series.

    The photon-transfer method [1]_ without its pairs of flat fields: in small windows of the
    raw frames the noise is set against the level, and a straight line through that is the model.
    What is noise is told from structure by scale, as in [2]_ and [3]_: each window is projected on
    the few directions in which spots as narrow as a sigma of 1 px, anywhere in the window,
    have least light. Spots of 1.2 px add a hundredth to the noise where they are 7,000 times as
    high as the gain, spots of 1.8 px never. One frame is enough.

    In frames that a camera or a program has smoothed or sharpened, the finest detail says nothing
    about a pixel's variance. This shows where all that a polynomial leaves in blocks of 5 x 5 px
    has another variance, even at the levels with least structure. There these blocks are
    used, of which a low quantile is taken; sharp bright spots then pass for noise in part.

    The black level is the lowest level that many pixels have; the level without light and the
    read noise cannot be told apart by this method, and need not be.
    Where the line cannot be drawn (a single level, nothing but clipped or masked
    pixels) the model is a constant: ``gain`` is 0; without any usable window the variance is 1.
    It is never taken for less than that of rounding to whole counts, 1/12.

    Parameters
    ----------
    frames : FrameSequence
        Masked and saturated pixels are left out. Not modified.

    References
    ----------
    .. [1] Janesick, *Photon Transfer* (SPIE Press, 2007).
    .. [2] Foi et al., IEEE Trans. Image Process. 17, 1737 (2008).
    .. [3] Pyatykh, Hesser and Zheng, IEEE Trans. Image Process. 22, 687 (2013).
    """
    floor = _floor(frames)
    size = max(math.prod(frames.source.shape), 1)
    most = max(4, min(FRAMES, PIXELS // size))
    sparse = min(4, 1 + min(most, len(frames)) * size // 1_000_000)  # few frames tell all they can
    finest = gather(frames, partial(fine, sparse=sparse), most)
    found, colour = _model(finest, _core, floor), math.nan
    if len(finest[0]):
        colour = _colour(found.model, gather(frames, rough, 2), floor)
    if len(finest[0]) == 0 or not _white(colour):
        found = _model(gather(frames, rough, most), _low, floor)
    return dataclasses.replace(found, colour=colour)


def _core(squares: Array) -> float:
    """Mean square of Gaussian noise, from those within three standard deviations."""
    near = squares[squares <= 9 * np.median(squares) / 0.4549]  # median of chi-squared
    return float(near.mean() / 0.9733)  # variance of a Gaussian cut off at three


def _low(variances: Array) -> float:
    """A low quantile of the blocks' variances, scaled to the mean of Gaussian noise."""
    from scipy.stats import chi2

    return float(np.quantile(variances, LOW) * freedom() / chi2.ppf(LOW, freedom()))


def _model(samples: Samples, average: Callable[[Array], float], floor: float) -> NoiseEstimate:
    """The line through the averages at each level, or a constant."""
    level = samples[0]
    if len(level) == 0:
        reason = "no part of the frames is free of masked and clipped pixels"
        return NoiseEstimate(NoiseModel(0.0, max(floor, 1.0) ** 0.5), math.nan, reason=reason)
    levels, variances, errors = _by_level(*samples, average)
    variances = np.maximum(variances, floor)
    black = float(levels.min())
    if len(levels) < 3 or np.all(variances == floor):
        read = float(np.median(variances)) ** 0.5
        return NoiseEstimate(NoiseModel(0.0, read, black), math.nan, reason="too few levels")
    gain, dark, gain_err, misfit = _line(levels - black, variances, errors)
    return NoiseEstimate(NoiseModel(gain, max(dark, floor) ** 0.5, black), gain_err, misfit)


def _by_level(
    level: Array, square: Array, average: Callable[[Array], float]
) -> tuple[Array, Array, Array]:
    """Levels, the average at each and its relative error, bins with many samples."""
    # Half of the bins hold equal shares of the samples, half equal steps of photon noise: the
    # background is most of the screen, the spots most of the range.
    shares = np.linspace(0, 1, BINS // 2 + 1)
    steps = level.min() + shares**2 * (level.max() - level.min())
    edges = np.union1d(np.quantile(level, shares), steps)
    order = np.argsort(level)
    level, square = level[order], square[order]
    first = np.searchsorted(level, edges[:-1], side="left")
    after = np.searchsorted(level, edges[1:], side="right")
    rows = []
    for here in map(slice, first, after):
        count = here.stop - here.start
        if count >= 12:
            error = np.hypot(0.03, np.sqrt(8 / count))  # of overlapping windows
            rows.append((level[here].mean(), average(square[here]), error))
    if not rows:
        rows.append((level.mean(), average(square), 1.0))
    levels, values, errors = np.array(rows).T
    return levels, values, errors


def _line(signal: Array, variance: Array, error: Array) -> tuple[float, float, float, float]:
    """Slope and intercept by a robust fit of the log variance; error of the slope, misfit.

    The slope is not negative, the intercept half the first variance or more: structure at high
    levels bends the line, and dark pixels must not come out free of noise.
    """
    from scipy.optimize import least_squares

    scale = float(np.median(variance))
    reach = max(float(signal.max()), 1e-12)

    def misfit(p: Array) -> Array:
        line = p[0] + p[1] * signal / reach
        return np.asarray(np.log(np.maximum(line, 1e-12) * scale / variance) / error)

    start = [variance[0] / scale, 1.0]
    fit = least_squares(
        misfit, start, bounds=([start[0] / 2, 0], np.inf), loss="cauchy", f_scale=2.0
    )
    off = np.abs(misfit(fit.x))
    spread = max(1.0, (float(np.median(off)) / 0.6745) ** 2)  # that of a Gaussian's median
    slopes = np.asarray(fit.jac)
    slope_err = float(np.sqrt(spread * np.linalg.pinv(slopes.T @ slopes)[1, 1]))
    unit = scale / reach
    factor = math.exp(float(np.median(off * error)))
    return float(fit.x[1]) * unit, float(fit.x[0]) * scale, slope_err * unit, factor


def _colour(model: NoiseModel, rough: Samples, floor: float) -> float:
    """Variance in blocks over that of a model, at the levels where structure adds least."""
    if len(rough[0]) == 0:
        return math.nan
    levels, variances, _ = _by_level(*rough, _low)
    expected = model.variance(levels)
    told = expected > 4 * floor  # rounding is no Gaussian noise
    ratio = variances[told] / expected[told]
    return float(np.quantile(ratio, LOW)) if len(ratio) else math.nan


def _white(colour: float) -> bool:
    return math.isnan(colour) or WHITE[0] < colour < WHITE[1]


def _floor(frames: FrameSequence) -> float:
    """Variance of rounding to whole counts, or to a millionth of the brightest float."""
    if np.issubdtype(frames.source.dtype, np.integer):
        return 1 / 12
    raw = (frames.raw(i) for i in sample(frames, 4))
    top = max((float(np.abs(r).max(where=np.isfinite(r), initial=0.0)) for r in raw), default=0.0)
    return (1e-6 * top) ** 2 if top > 0 else 1.0
