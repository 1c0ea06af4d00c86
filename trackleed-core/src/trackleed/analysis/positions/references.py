"""Which tracks are references: what brightness and surroundings tell."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from trackleed.analysis.spots import PLACED

if TYPE_CHECKING:
    import pandas as pd

Array: TypeAlias = np.ndarray[Any, np.dtype[Any]]

ROUNDS = 10
"""Of taking the medians of frames and tracks off: more change nothing."""

WORTH = float(np.log(30))
"""Logarithm of the brightness that a perfect balance is worth."""

BALANCED = 0.7
"""Balance from which a spot in the surroundings of a reference is one, too."""


def brightness(fits: pd.DataFrame, ids: Array) -> Array:
    """How bright each track is, as the logarithm of its height, array (track,).

    Heights are a frame's times a track's: both are found as medians in turn [1]_. So
    a track is not the brighter for being seen only in frames in which all are bright, as
    the intensities of beams change with the energy. Clipped spots count with what
    is left of them; a track without any fit is -inf.

    References
    ----------
    .. [1] Tukey, Exploratory Data Analysis (1977), median polish.
    """
    counted = fits[fits["status"].isin(PLACED) & (fits["amplitude"] > 0)]
    heights = counted.pivot_table(index="frame", columns="track_id", values="amplitude")
    left = np.log(heights.reindex(columns=ids).to_numpy(float))
    found = np.where(np.isfinite(left).any(axis=0), 0.0, -np.inf)
    known = np.isfinite(found)
    if not known.any():
        return found
    left = left[:, known]
    for _ in range(ROUNDS):
        left -= np.nanmedian(left, axis=1, keepdims=True)
        tracks = np.nanmedian(left, axis=0)
        left -= tracks
        found[known] += tracks
    return found


def balance(away: Array, near: Array, bright: Array) -> Array:
    """How evenly the light near each track lies about it, from 0 to 1, array (track,).

    1 less the way to the centre of that light over the mean distance of it. A satellite
    has its reference and most others on one side; only beams have their satellites all round.
    0 where there are less than two others.

    Parameters
    ----------
    away : ndarray (track, track, 2)
        From the one to the other, px; NaN where they are never seen together.
    near : ndarray (track, track) of bool
    bright : ndarray (track,)
        From `brightness`.
    """
    light, found = np.exp(bright), np.zeros(len(near))
    for i, row in enumerate(near & (light > 0)):
        around, weight = away[i, row], light[row]
        if len(around) > 1:
            off = np.hypot(*(weight @ around)) / (weight @ np.hypot(*around.T))
            found[i] = 1 - off
    return found
