"""Edits by hand: what may be done to detections and tracks, as pure functions of their tables.

::

    table = apply(tracks, [Merge(tracks=[3, 7]), Split(track=5, at=40)], extent)

Each edit is a small model of options, so that it can be recorded, shown and done again on
another table. `parse` makes one from its name. `Retrack` needs a tracker to run in between,
which is the business of `trackleed.pipeline`.
"""

from trackleed.edits.base import Edit, Extent, TableEdit, apply
from trackleed.edits.detections import AddDetection, DeleteDetection, MoveDetection
from trackleed.edits.parsing import EDITS, parse
from trackleed.edits.retracking import Retrack
from trackleed.edits.tracks import Add, Delete, Merge, Move, Renumber, Split, Swap

__all__ = [
    "EDITS",
    "Add",
    "AddDetection",
    "Delete",
    "DeleteDetection",
    "Edit",
    "Extent",
    "Merge",
    "Move",
    "MoveDetection",
    "Renumber",
    "Retrack",
    "Split",
    "Swap",
    "TableEdit",
    "apply",
    "parse",
]
