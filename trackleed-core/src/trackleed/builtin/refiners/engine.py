"""The fit engine: arrays of ROIs in, parameters and numbers with errors out."""

from __future__ import annotations

from typing import Literal, TypeAlias

import numpy as np

from trackleed.builtin.refiners.compiled.bends import second
from trackleed.builtin.refiners.compiled.moments import work
from trackleed.builtin.refiners.compiled.physical import NUMBERS
from trackleed.builtin.refiners.compiled.single import Results, single
from trackleed.builtin.refiners.compiled.solve import scratch
from trackleed.builtin.refiners.model import PARAMETERS, Array

Shape: TypeAlias = Literal["rotated", "upright", "circular"]
Background: TypeAlias = Literal["plane", "constant"]
Estimator: TypeAlias = Literal["least_squares", "poisson"]

MAX_STEPS = 60
WIDTH = 6  # widths of a spot in the side of an ROI, where a fit starts


def free_parameters(shape: Shape = "rotated", background: Background = "plane") -> Array:
    """Which free parameter each of the nine is, array (9,); -1 is held at 0.

    An upright spot has no term u v, a circular one equal terms u^2 and v^2.
    """
    spot = {"rotated": [3, 4, 5], "upright": [3, -1, 4], "circular": [3, -1, 3]}[shape]
    first = max(spot) + 1
    below = [first, first + 1, first + 2] if background == "plane" else [first, -1, -1]
    return np.array([0, 1, 2, *spot, *below])


def fit(
    counts: Array,
    usable: Array,
    variance: Array,
    shift: Array,
    shape: Shape = "rotated",
    background: Background = "plane",
    scale_errors: bool = True,
    estimator: Estimator = "least_squares",
    second_order: bool = True,
) -> Results:
    """Fit one spot in each of n ROIs, on this thread; the interpreter lock is given up meanwhile.

    Parameters
    ----------
    counts : ndarray (n, side, side)
    usable : ndarray (n, side, side) of bool
        The pixels that count.
    variance : ndarray (n or 1, 3, side or 1, side or 1)
        Noise: where the model gives m, a pixel's variance is
        ``max(variance[0] * m + variance[1], variance[2])``.
    shift : ndarray (n, 2)
        Where to start, from the ROI's centre to the right and down, px.
    scale_errors : bool
        Whether errors are multiplied by the root of chi-squared per degree of freedom where
        that is above 1.
    estimator : {"least_squares", "poisson"}
        See the notes.
    second_order : bool
        Whether numbers and errors take the curvature of the model into account, see
        `compiled.second`. Without, they are those of any least-squares fit.

    Returns
    -------
    Results
        ``numbers`` are those of `compiled.physical.NUMBERS`, NaN where the fit did not converge.

    Notes
    -----
    Least squares takes the weights from the fitted model: it ends where the sum over pixels of
    ``(y - m) / variance(m) * dm/dk`` is 0. With a variance that is a straight line in m that
    is also where the likelihood of Poisson counts is highest [1]_, the read noise counted as
    photons [2]_: both estimators give the same parameters and the same errors. They
    differ in what ``chi2`` is, Pearson's sum of weighted squares or the deviance, and so where
    errors are scaled by it. The deviance needs a gain above 0.

    References
    ----------
    .. [1] Wedderburn, Biometrika 61, 439 (1974).
    .. [2] Snyder, Hammoud and White, J. Opt. Soc. Am. A 10, 1014 (1993).
    """
    n, side = counts.shape[:2]
    out = Results(
        k=np.zeros((n, PARAMETERS)),
        covariance=np.zeros((n, PARAMETERS, PARAMETERS)),
        numbers=np.full((n, len(NUMBERS)), np.nan),
        chi2=np.zeros(n),
        squares=np.zeros(n),
        spread=np.zeros(n),
        pixels=np.zeros(n, np.int64),
        clear=np.zeros(n),
        outcome=np.zeros(n, np.int64),
    )
    single(
        np.ascontiguousarray(counts, np.float64),
        np.ascontiguousarray(usable, bool),
        np.ascontiguousarray(variance, np.float64),
        np.ascontiguousarray(shift, np.float64),
        side / WIDTH,
        free_parameters(shape, background),
        background == "plane",
        scale_errors,
        estimator == "poisson",
        second_order,
        MAX_STEPS,
        work(side, alike=variance.shape[-1] == 1),
        scratch(PARAMETERS),
        second(),
        out,
    )
    return out
