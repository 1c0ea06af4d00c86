"""Distance of every spot from the pattern's centre."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from trackleed.analysis.spots import PLACED, check_aspect
from trackleed.tables import RADII, build

if TYPE_CHECKING:
    import pandas as pd


def radii(fits: pd.DataFrame, centers: pd.DataFrame, pixel_aspect: float = 1.0) -> pd.DataFrame:
    """Distance of every spot from the centre of its frame.

    Parameters
    ----------
    fits, centers : DataFrame
        The tables of these names. Not modified.
    pixel_aspect : float
        Width of a pixel over its height, by which x is stretched: radii are then in heights.

    Returns
    -------
    DataFrame
        The ``radii`` table, a row for each row of ``fits``; NaN where the fit is neither "ok"
        nor "saturated", or the frame has no centre. The error holds those of the fit and of the
        centre along the line between them, as if independent: for a spot that the centre itself
        rests on it is somewhat too large (by 1.2 with three pairs). A centre given by hand counts
        as exact: the radius is then the distance from that point.

    Raises
    ------
    InputError
        If the aspect is not positive.
    """
    check_aspect(pixel_aspect)
    at = centers.set_index("frame").reindex(fits["frame"])
    exact = (at["mode"] == "fixed").to_numpy()
    placed = fits["status"].isin(PLACED).to_numpy()
    d, variance = [], []
    for axis, size in (("x", pixel_aspect), ("y", 1.0)):
        apart = fits[axis].to_numpy() - at[axis].to_numpy()
        d.append(np.where(placed, size * apart, np.nan))
        center_err = np.where(exact, 0.0, at[f"{axis}_err"].to_numpy())
        variance.append(size**2 * (fits[f"{axis}_err"].to_numpy() ** 2 + center_err**2))
    radius = np.hypot(*d)
    off = radius > 0
    share = [np.divide(part**2, radius**2, where=off, out=np.full_like(part, 0.5)) for part in d]
    error = np.sqrt(share[0] * variance[0] + share[1] * variance[1])
    return build(
        RADII,
        {
            "frame": fits["frame"].to_numpy(),
            "track_id": fits["track_id"].to_numpy(),
            "radius": radius,
            "radius_err": np.where(np.isfinite(radius), error, np.nan),
        },
    )
