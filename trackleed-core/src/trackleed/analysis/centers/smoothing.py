"""One centre for the whole series, or centres that move smoothly."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.stats import chi2 as chi2_of

from trackleed.analysis.spots import REJECT, Array
from trackleed.errors import InputError
from trackleed.tables import CENTERS, build

if TYPE_CHECKING:
    import pandas as pd

MEDIAN = "median"
INTERPOLATED = "interpolated"
AXES = ("x", "y")
BY_CHANCE = 1e-3
"""Probability below which a scatter smaller than the errors is not chance."""

ROUNDS = 4
BISQUARE = 6.0
"""Typical (median) residuals beyond which a frame has no weight: LOWESS's."""


def median_center(centers: pd.DataFrame) -> pd.DataFrame:
    """One centre for all frames: the weighted median of those that are known.

    With weights 1/sigma the variance of the weighted median is ``(pi/2) / sum(sigma**-2)``
    [1]_. Errors that are smaller than the scatter of the frames are enlarged to it. Where
    the frames scatter less than their errors tell, beyond chance, the rest of the error is common
    to all frames (a distorted pattern) and does not become smaller with their number.

    Parameters
    ----------
    centers : DataFrame
        The ``centers`` table. Not modified.

    Returns
    -------
    DataFrame
        The table with this centre in every frame, also in those that had none, and mode
        "median"; ``n_spots`` and ``rms`` are still the frame's. As it was if no centre is
        known. Frames without an error count as the typical one; if none has, the error
        comes from the scatter, and is NaN for a single frame.

    References
    ----------
    .. [1] Koenker, Quantile Regression (Cambridge 2005), chapter 3.
    """
    known = np.isfinite(centers["x"].to_numpy() + centers["y"].to_numpy())
    if not known.any():
        return build(CENTERS, centers)
    columns = {}
    for axis in AXES:
        value = centers[axis].to_numpy()[known]
        variance, stated = _variance(centers[f"{axis}_err"].to_numpy()[known])
        center = _weighted_median(value, variance**-0.5)
        pull = (value - center) / np.sqrt(variance)
        kept = np.abs(pull) <= REJECT * max(1.4826 * float(np.median(np.abs(pull))), 1e-9)
        dof = int(kept.sum()) - 1
        own, common = _shares(float((pull[kept] ** 2).sum()), dof, stated)
        total = own * np.pi / 2 / float((1 / variance[kept]).sum())
        if known.sum() == 1:
            total = own * variance[0]
        columns[axis] = center
        columns[f"{axis}_err"] = np.sqrt(total + common * float(np.median(variance)))
    return build(CENTERS, centers.assign(**columns, mode=MEDIAN))


def smooth_centers(centers: pd.DataFrame, window: int, *, fill: bool = False) -> pd.DataFrame:
    """Centres that move smoothly from frame to frame.

    A straight line is fitted to the centres of the ``window`` frames round each, with weights
    that fall with the distance in frames, and with less weight for frames that lie away (LOWESS
    [1]_), here also with the weights of the errors.

    Parameters
    ----------
    centers : DataFrame
        The ``centers`` table. Not modified.
    window : int
        Frames, odd and at least 3.
    fill : bool
        Give a centre, with mode "interpolated", to frames that have none but have others
        on both sides in the window. Else they stay NaN.

    Returns
    -------
    DataFrame
        The ``centers`` table. The errors are those of the frames, propagated; enlarged where
        the centres scatter more about the smooth ones. Where they scatter less, beyond chance, the
        rest is common to all frames and stays. A filled frame's error also holds the jitter that
        its neighbours cannot tell, and is no less than that of a typical frame before.

    Raises
    ------
    InputError
        If ``window`` is even or less than 3.

    References
    ----------
    .. [1] Cleveland, J. Am. Stat. Assoc. 74, 829 (1979).
    """
    if window < 3 or window % 2 == 0:
        raise InputError(f"window {window} is not an odd number of frames, 3 or more")
    columns = {name: centers[name].to_numpy().copy() for name in CENTERS.names}
    if not np.isfinite(columns["x"]).any():
        return build(CENTERS, centers)
    row = columns["frame"] - columns["frame"].min()
    blank = np.isnan(columns["x"] + columns["y"])
    filled = np.zeros_like(blank)
    for axis in AXES:
        value, error = np.full((2, row.max() + 1), np.nan)
        value[row] = np.where(blank, np.nan, columns[axis])
        error[row] = columns[f"{axis}_err"]
        smooth, smooth_err, inside = _lowess(value, error, window)
        filled = blank & inside[row] & fill
        taken = ~blank | filled
        columns[axis] = np.where(taken, smooth[row], np.nan)
        columns[f"{axis}_err"] = np.where(taken, smooth_err[row], np.nan)
    columns["mode"] = np.where(filled, INTERPOLATED, columns["mode"])
    return build(CENTERS, columns)


def _lowess(value: Array, error: Array, window: int) -> tuple[Array, Array, Array]:
    """Smooth values and errors of all frames, and which have known frames on both sides."""
    known = np.isfinite(value)
    variance = np.full(len(value), np.nan)
    variance[known], stated = _variance(error[known])
    at = np.arange(window) - window // 2
    kernel = (1 - (np.abs(at) / (window // 2 + 1)) ** 3) ** 3
    near = _windows(np.where(known, value, 0.0), window)
    trust = known.astype(float)
    for _ in range(ROUNDS):
        weight = kernel * _windows(trust / np.where(known, variance, 1.0), window)
        hat = _line_at_middle(weight, at)
        smooth = (hat * near).sum(axis=1)
        pull = np.where(known, (value - smooth) / np.sqrt(variance), np.nan)
        reach = BISQUARE * max(float(np.nanmedian(np.abs(pull))), 1e-9)
        trust = np.where(known, np.clip(1 - (pull / reach) ** 2, 0, None) ** 2, 0)
    own_share = np.where(known, hat[:, window // 2], 0)
    kept = trust > 0
    dof = float((1 - 2 * own_share + (hat**2).sum(axis=1))[kept].sum())
    own, common = _shares(float((pull[kept] ** 2).sum()), dof, stated)
    total = own * (hat**2 * _windows(np.where(known, variance, 0), window)).sum(axis=1)
    typical = float(np.median(variance[known]))
    jitter = np.where(known, 0.0, max(own - 1, 0) if stated else own)
    total += (common + jitter) * typical
    total = np.where(known, total, np.maximum(total, typical))
    here = _windows(known, window)
    before, after = here[:, : window // 2], here[:, window // 2 + 1 :]
    inside: Array = np.any(before, axis=1) & np.any(after, axis=1)
    return smooth, np.sqrt(total), inside


def _line_at_middle(weight: Array, at: Array) -> Array:
    """What each frame of a window adds to the fitted line at its middle, (frame, window)."""
    s0, s1, s2 = ((weight * at**k).sum(axis=1, keepdims=True) for k in range(3))
    det = s0 * s2 - s1**2
    line = det > 1e-9 * s0 * s2
    mean = np.divide(weight, s0, where=s0 > 0, out=np.zeros_like(weight))
    hat: Array = np.where(line, weight * (s2 - s1 * at) / np.where(line, det, 1.0), mean)
    return hat


def _windows(values: Array, window: int) -> Array:
    """The frames round each, (frame, window); 0 beyond the ends."""
    return np.lib.stride_tricks.sliding_window_view(np.pad(values, window // 2), window)


def _variance(error: Array) -> tuple[Array, bool]:
    """Variances, the typical one where it is not known, and whether any is known."""
    usable = np.isfinite(error) & (error > 0)
    typical = float(np.median(error[usable])) if usable.any() else 1.0
    return np.where(usable, error, typical) ** 2, bool(usable.any())


def _shares(chi2: float, dof: float, stated: bool) -> tuple[float, float]:
    """Shares of the stated variance that frames have on their own, and in common."""
    if dof < 0.5:
        return (1.0 if stated else float("nan")), 0.0
    own = chi2 / dof
    if not stated or own > 1:
        return own, 0.0
    return (own, 1 - own) if chi2_of.cdf(chi2, dof) < BY_CHANCE else (1.0, 0.0)


def _weighted_median(values: Array, weights: Array) -> float:
    """Value that halves the weights; the middle of two where they are halved between them."""
    order = np.argsort(values)
    below = np.cumsum(weights[order]) / weights.sum()
    low = int(np.searchsorted(below, 0.5 - 1e-12))
    high = int(np.searchsorted(below, 0.5 + 1e-12))
    return float(values[order][[low, min(high, len(values) - 1)]].mean())
