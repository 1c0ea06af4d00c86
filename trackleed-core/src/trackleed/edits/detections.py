"""The edits of detections. These have no numbers: one is meant by its frame and place."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from trackleed.edits.base import Extent, TableEdit
from trackleed.edits.rows import BOX, put, roi
from trackleed.errors import InputError
from trackleed.params import option
from trackleed.tables import DETECTIONS, TableSpec

if TYPE_CHECKING:
    import pandas as pd

    Array = np.ndarray[Any, np.dtype[Any]]


class DetectionEdit(TableEdit):
    """An edit of the ``detections`` table, at one place of one frame."""

    spec: ClassVar[TableSpec] = DETECTIONS

    frame: int = option(..., "frame", ge=0)
    x: float = option(..., "place, to the right", unit="px")
    y: float = option(..., "place, down", unit="px")

    def _where(self) -> str:
        return f"in frame {self.frame} at x = {self.x:g}, y = {self.y:g}"

    def _nearest(self, table: pd.DataFrame, extent: Extent) -> Array:
        """The detection whose ROI holds the place, the nearest if several do."""
        extent.check_frame(self.frame)
        frame = table["frame"].to_numpy()
        x, y, width, height = table[BOX].to_numpy(float).T
        here = frame == self.frame
        away = np.where(here, np.hypot(x - self.x, y - self.y), np.inf)
        across, down = np.abs(x - self.x), np.abs(y - self.y)
        inside = here & (across <= width / 2) & (down <= height / 2)
        if not inside.any():
            nearest = away.argmin() if here.any() else None
            there = "" if nearest is None else f"x = {x[nearest]:.1f}, y = {y[nearest]:.1f}"
            raise InputError(
                f"there is no detection {self._where()}"
                + (f"; the nearest is at {there}" if there else "")
            )
        chosen: Array = np.arange(len(table)) == np.where(inside, away, np.inf).argmin()
        return chosen


class AddDetection(DetectionEdit):
    """A spot that the detector overlooked."""

    name: ClassVar[str] = "add-detection"
    size: float | None = option(
        None, "side of the ROI; the median of the others when not given", unit="px", gt=0
    )

    def words(self) -> str:
        """Where it is."""
        return f"a detection added {self._where()}"

    def apply(self, table: pd.DataFrame, extent: Extent) -> pd.DataFrame:
        """The new detection comes last in its frame; its score is unknown."""
        import pandas as pd

        extent.check_frame(self.frame)
        extent.check_place(self.x, self.y)
        width, height = roi(table) if self.size is None else (self.size, self.size)
        row = {"frame": self.frame, "x": self.x, "y": self.y, "width": width, "height": height}
        new = pd.DataFrame([{**row, "score": np.nan}])
        joined = pd.concat([table, new]) if len(table) else new
        return joined.sort_values("frame", kind="stable", ignore_index=True)


class DeleteDetection(DetectionEdit):
    """What the detector took for a spot is none."""

    name: ClassVar[str] = "delete-detection"

    def words(self) -> str:
        """Where it was."""
        return f"the detection {self._where()} deleted"

    def apply(self, table: pd.DataFrame, extent: Extent) -> pd.DataFrame:
        """The detection whose ROI holds the place goes."""
        return table[~self._nearest(table, extent)].reset_index(drop=True)


class MoveDetection(DetectionEdit):
    """A detection is not quite where the spot is."""

    name: ClassVar[str] = "move-detection"
    to_x: float = option(..., "new place, to the right", unit="px")
    to_y: float = option(..., "new place, down", unit="px")

    def words(self) -> str:
        """From where to where."""
        return f"the detection {self._where()} moved to x = {self.to_x:g}, y = {self.to_y:g}"

    def apply(self, table: pd.DataFrame, extent: Extent) -> pd.DataFrame:
        """The detection whose ROI holds the place is moved; its score is kept."""
        extent.check_place(self.to_x, self.to_y)
        return put(table, self._nearest(table, extent), {"x": self.to_x, "y": self.to_y})
