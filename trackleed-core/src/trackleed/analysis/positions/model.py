"""What a joint fit makes of the pixels."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

if TYPE_CHECKING:
    import pandas as pd

Array: TypeAlias = np.ndarray[Any, np.dtype[Any]]


def joint_model(members: pd.DataFrame, x: Array, y: Array) -> Array:
    """Counts that the joint fit of one group in one frame expects.

    Parameters
    ----------
    members : DataFrame
        Rows of ``group_fits`` of one group and frame; those that were not fitted add nothing.
    x, y : ndarray
        Pixels, broadcast together.

    Returns
    -------
    ndarray
        NaN if there was no fit.
    """
    fitted = members[members["n_together"] > 0]
    if len(fitted) == 0:
        return np.full(np.broadcast_shapes(x.shape, y.shape), np.nan)
    first = fitted.iloc[0]
    model = (
        first["offset"] + first["slope_x"] * (x - first["x"]) + first["slope_y"] * (y - first["y"])
    )
    for spot in fitted.to_dict("records"):
        angle = np.deg2rad(np.nan_to_num(spot["theta_deg"]))  # a round spot has none
        dx, dy = x - spot["x"], y - spot["y"]
        along = (dx * np.cos(angle) + dy * np.sin(angle)) / spot["sigma_x"]
        across = (dy * np.cos(angle) - dx * np.sin(angle)) / spot["sigma_y"]
        model = model + spot["amplitude"] * np.exp(-0.5 * (along**2 + across**2))
    return np.asarray(model)
