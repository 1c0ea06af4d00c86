"""Fits from which outliers are taken out one by one."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import numpy as np

from trackleed.analysis.spots import Array

Fitted = TypeVar("Fitted")


def without_outliers(
    fit: Callable[[Array], tuple[Fitted, Array] | None], keep: Array, least: int, reject: float
) -> Fitted | None:
    """Fit again without the worst spot, until none is an outlier.

    Parameters
    ----------
    fit : callable
        Of the spots to fit to, bool (n,): what was fitted, and the square of each spot's residual
        over its standard deviation, (n,); None if they cannot be fitted.
    keep : ndarray of bool (n,)
        Spots to begin with. Not modified.
    least : int
        Fewest spots to fit to.
    reject : float
        Residuals of more standard deviations than this are outliers.

    Returns
    -------
    what was fitted, or None
        None if too few spots are left, or the fit fails.
    """
    while keep.sum() >= least:
        found = fit(keep)
        if found is None:
            return None
        fitted, pull2 = found
        pull2 = np.where(keep, pull2, 0)
        if pull2.max() < reject**2:
            return fitted
        keep = keep & (np.arange(len(keep)) != np.argmax(pull2))
    return None
