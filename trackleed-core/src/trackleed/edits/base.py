"""What an edit is, and the series that it must stay inside of."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from trackleed.errors import InputError
from trackleed.params import Params

if TYPE_CHECKING:
    import pandas as pd

    from trackleed.tables import TableSpec


@dataclass(frozen=True)
class Extent:
    """How many frames a series has, and how large they are.

    Parameters
    ----------
    n_frames : int
    shape : (int, int)
        Height and width of a frame, px.
    """

    n_frames: int
    shape: tuple[int, int]

    def check_frame(self, frame: int) -> None:
        """Raise `InputError` unless the series has that frame."""
        if not 0 <= frame < self.n_frames:
            raise InputError(
                f"there is no frame {frame}; the series has frames 0 to {self.n_frames - 1}"
            )

    def check_place(self, x: float, y: float) -> None:
        """Raise `InputError` unless the point, px, lies inside the frames."""
        height, width = self.shape
        if not (-0.5 <= x < width - 0.5 and -0.5 <= y < height - 0.5):
            raise InputError(
                f"x = {x:g}, y = {y:g} is outside the frames, which are {width}x{height} px: "
                f"x from 0 to {width - 1}, y from 0 to {height - 1}"
            )


class Edit(Params, ABC):
    """One change of a table, with all that it takes to make it again."""

    name: ClassVar[str]
    """How it is called on the command line and in a session."""
    spec: ClassVar[TableSpec]
    """The table that it changes."""

    @abstractmethod
    def words(self) -> str:
        """What it does, for people."""


class TableEdit(Edit):
    """An edit that needs nothing but the table."""

    @abstractmethod
    def apply(self, table: pd.DataFrame, extent: Extent) -> pd.DataFrame:
        """The changed table; the one given stays as it is.

        Raises
        ------
        InputError
            If it cannot be done to this table, with what could be done.
        """


def apply(table: pd.DataFrame, edits: Iterable[TableEdit], extent: Extent) -> pd.DataFrame:
    """A table after some edits, in their order; the table given stays as it is.

    Parameters
    ----------
    table : DataFrame
        A ``tracks`` or ``detections`` table, as the edits need.
    edits : iterable of TableEdit
    extent : Extent
        Of the series that the table belongs to.

    Raises
    ------
    InputError
        If one of them cannot be done.
    """
    for edit in edits:
        table = edit.apply(table, extent)
    return table
