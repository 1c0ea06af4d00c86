"""Intensities per second of exposure and per ampere of beam current, as far as these are known."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import pandas as pd

DIVISORS = {"exposure_s": "s", "beam_current_A": "A"}
"""Columns of the index that the counts of a frame are proportional to, and their units."""


def normalise(
    intensities: pd.DataFrame, index: pd.DataFrame, *, of: str = "intensity"
) -> pd.DataFrame:
    """Divide intensities by exposure time and beam current where these are known.

    Parameters
    ----------
    intensities : DataFrame
        frame, track_id, and the column ``of`` with its standard error ``of_err`` (counts). Not
        modified.
    index : DataFrame
        The ``index`` table.
    of : str
        What is divided: ``"intensity"``, or ``"volume"`` of the fits.

    Returns
    -------
    DataFrame
        frame, track_id, ``of_norm`` and ``of_norm_err`` in counts/s, counts/A or counts/(s A),
        and ``by``, the columns of the index divided by, joined with " and ". A row for each
        row of ``intensities``. Where nothing can be divided by, ``by`` is empty and the
        numbers are NaN. The error is that of the intensity alone: no error of exposure or
        current is known.

    Notes
    -----
    A quantity counts as known if it is above 0 in every frame of the index. One that is
    known in some frames only is not used in any: the curve would jump where it sets in.
    """
    value, error = intensities[of].to_numpy(), intensities[f"{of}_err"].to_numpy()
    rows = index.set_index("frame").reindex(intensities["frame"])
    used = divisors(index)
    divisor = np.full(len(value), 1.0 if used else np.nan)
    for name in used:
        divisor = divisor * rows[name].to_numpy()
    result = intensities[["frame", "track_id"]].copy()
    result[f"{of}_norm"], result[f"{of}_norm_err"] = value / divisor, error / divisor
    return result.assign(by=" and ".join(used))


def divisors(index: pd.DataFrame) -> list[str]:
    """The columns of an ``index`` table that intensities can be divided by."""
    return [name for name in DIVISORS if len(index) and (index[name] > 0).all()]


def unit(by: str) -> str:
    """Unit of intensities divided by the columns that ``normalise`` names in ``by``."""
    units = [symbol for name, symbol in DIVISORS.items() if name in by.split(" and ")]
    if not units:
        return "counts"
    return f"counts/{units[0]}" if len(units) == 1 else f"counts/({' '.join(units)})"
