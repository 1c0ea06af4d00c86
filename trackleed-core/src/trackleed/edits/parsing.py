"""Edits by name, as the command line, sessions and files of edits have them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from trackleed.edits.base import Edit
from trackleed.edits.detections import AddDetection, DeleteDetection, MoveDetection
from trackleed.edits.retracking import Retrack
from trackleed.edits.tracks import Add, Delete, Merge, Move, Renumber, Split, Swap
from trackleed.errors import InputError
from trackleed.params import make

EDITS: dict[str, type[Edit]] = {
    edit.name: edit
    for edit in (
        Merge,
        Split,
        Delete,
        Move,
        Add,
        Swap,
        Renumber,
        Retrack,
        AddDetection,
        DeleteDetection,
        MoveDetection,
    )
}
"""Every edit there is."""


def parse(name: str, options: Mapping[str, Any]) -> Edit:
    """The edit of that name.

    Raises
    ------
    InputError
        If there is no such edit.
    ParamsError
        If one of its options is wrong.
    """
    if name not in EDITS:
        raise InputError(f"there is no edit {name!r}; there are: {', '.join(EDITS)}")
    return make(EDITS[name], options, name, f"see: trackleed edit RUN {name} --help")
