"""What a series is measured against: energy, temperature, coverage, time, or just frames."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import pandas as pd

LEAST_CHANGE = 0.01
"""Change, as a share of the largest value, below which a quantity counts as held constant."""


@dataclass(frozen=True)
class Axis:
    """One column of the index that varies, for file names and for people."""

    column: str
    name: str
    label: str


AXES = (
    Axis("energy_eV", "energy", "Beam energy (eV)"),
    Axis("temperature_K", "temperature", "Temperature (K)"),
    Axis("coverage_ML", "coverage", "Coverage (ML)"),
    Axis("time_s", "time", "Time (s)"),
)
FRAME = Axis("frame", "frame", "Frame")


def varying(index: pd.DataFrame) -> list[Axis]:
    """The quantities that are known and vary in a series, the likeliest subject first."""
    return [axis for axis in AXES if _varies(index[axis.column].to_numpy())]


def _varies(values: np.ndarray) -> bool:
    known = values[np.isfinite(values)]
    if len(known) < 2:
        return False
    return bool(np.ptp(known) > LEAST_CHANGE * np.abs(known).max())
