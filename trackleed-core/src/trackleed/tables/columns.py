"""What a table is made of: columns with a name, kind, unit and meaning, and the words in them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class State(StrEnum):
    """What a track is in one frame."""

    SEED = "seed"  # the position that somebody, or a detector, started it from
    MEASURED = "measured"  # found in this frame
    PREDICTED = "predicted"  # not seen, but its place is known from the motion
    MASKED = "masked"  # its place lies where the mask hides the screen
    SATURATED = "saturated"  # seen, but its pixels are clipped
    LOST = "lost"  # not there: no position
    EDITED = "edited"  # placed by hand


SEEN = (State.SEED, State.MEASURED, State.SATURATED, State.EDITED)
"""The states of a spot that is there to be seen."""


class FitStatus(StrEnum):
    """Whether a fit can be used, and if not, why."""

    OK = "ok"
    LOST = "lost"  # the track has no position in this frame: nothing was fitted
    NEAR_EDGE = "near_edge"  # too little of the ROI lies inside the frame
    MASKED = "masked"  # the mask hides the spot, or too much of the ROI
    SATURATED = "saturated"  # clipped pixels under the spot
    TOO_DIM = "too_dim"  # no spot above the noise
    NO_CONVERGENCE = "no_convergence"  # the fit did not settle
    LEFT_ROI = "left_roi"  # the fit settled on something outside the ROI, or wider than it
    NEIGHBOUR = "neighbour"  # another spot stands in the ROI and disturbs the fit


class Role(StrEnum):
    """What a spot is in a group that is fitted together."""

    REFERENCE = "reference"  # what the others are measured from
    SATELLITE = "satellite"  # measured relative to the reference
    COMPANY = "company"  # no member, but its light reaches into the ROIs: fitted along


class PositionStatus(StrEnum):
    """Whether a relative position can be used, and if not, why."""

    OK = "ok"
    NO_REFERENCE = "no_reference"  # the reference has no position to measure from
    LOST = "lost"  # the satellite's track has no position in this frame
    NEAR_EDGE = "near_edge"  # too little of the satellite's ROI lies inside the frame
    MASKED = "masked"  # the mask hides the satellite
    TOO_DIM = "too_dim"  # no satellite above the noise: there is an upper limit
    NO_CONVERGENCE = "no_convergence"  # the joint fit did not settle
    WALKED = "walked"  # the fit left its seed, or went over to a neighbour
    MERGED = "merged"  # too near to another spot to be told apart
    JUMPED = "jumped"  # away from where the other frames put it
    SATURATED = "saturated"  # clipped pixels under one of the two: fitted to the others


@dataclass(frozen=True)
class Column:
    """One column: its name, kind of value, unit and meaning."""

    name: str
    dtype: str  # "int", "float", "bool" or "str"
    unit: str
    meaning: str


@dataclass(frozen=True)
class TableSpec:
    """The columns that a table must have, and those that make a row unique."""

    name: str
    key: tuple[str, ...]
    columns: tuple[Column, ...]

    @property
    def names(self) -> list[str]:
        """Column names in order."""
        return [column.name for column in self.columns]


FRAME = Column("frame", "int", "", "number of the frame, from 0")
TRACK = Column("track_id", "int", "", "number of the track, from 1")


def number(name: str, unit: str, meaning: str) -> Column:
    """Column of floats."""
    return Column(name, "float", unit, meaning)


def with_error(name: str, unit: str, meaning: str) -> tuple[Column, Column]:
    """Column of floats, and the column of its standard errors."""
    return number(name, unit, meaning), number(f"{name}_err", unit, f"standard error of {name}")
