"""What a backend is: a light description, and one of five small protocols.

A plugin yields `BackendSpec` objects, which say everything about a backend
without importing what it needs. Its ``factory`` is imported at first use and
called with the backend's options; what it returns keeps to one of the protocols.

The engine owns every loop over frames. Detectors, refiners and exporters are
pure; a tracker is a generator of the rows of one frame at a time. All of them
are handed columns as numpy arrays (`trackleed.tables.Columns`) and may return
columns or DataFrames.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeAlias

from trackleed.params import Params
from trackleed.recipe import Recipe

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    from trackleed.frames import FrameSequence
    from trackleed.tables import Columns

    Array: TypeAlias = np.ndarray[Any, np.dtype[Any]]

API = 1
"""Version of the contract in this module. A backend names the one it was written for."""

Kind = Literal["reader", "detector", "tracker", "refiner", "exporter"]
KINDS: tuple[Kind, ...] = ("reader", "detector", "tracker", "refiner", "exporter")


@dataclass(frozen=True)
class BackendSpec:
    """Everything about a backend that can be told without importing it.

    Parameters
    ----------
    name : str
        How users call it: lower case, digits and hyphens.
    summary : str
        One line for listings.
    factory : str
        ``"package.module:Class"``, imported at first use and called with the options.
    params : type of Params
        Its options.
    family : str
        Group in listings, such as ``"classical"`` or ``"mask"``.
    requires : tuple of str
        Top-level modules that it imports besides its own package, and that are installed.
    install : str
        Command that installs what ``requires`` names.
    patterns : tuple of str
        Readers: file-name patterns, case ignored; ``"*/"`` stands for a folder.
    needs : tuple of str
        Trackers: ``"detections"``, ``"seeds"`` or both, which it cannot do without. Exporters:
        ``"session"`` if it writes more than the steps it is shown; it then always writes anew.
    takes : tuple of str
        Trackers: which of these it uses besides, if they are given.
    runs_in : {"host", "worker"}
        Where it runs unless the user says otherwise.
    recipe : Recipe, optional
        How to make an environment for it.
    licence, citation : str
        Of the method or the code behind it, where it is not ours.
    api : int
        Contract version that it was written for.
    """

    name: str
    summary: str
    factory: str
    params: type[Params] = Params
    family: str = ""
    requires: tuple[str, ...] = ()
    install: str = ""
    patterns: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    takes: tuple[str, ...] = ()
    runs_in: Literal["host", "worker"] = "host"
    recipe: Recipe | None = None
    licence: str = "MIT"
    citation: str = ""
    api: int = API


class FrameSource(Protocol):
    """An opened series: frames by number, and what is known about each."""

    shape: tuple[int, int]
    dtype: np.dtype[Any]
    index: pd.DataFrame
    """The ``index`` table, one row a frame."""
    skipped: Sequence[str]
    """Files left out, each with the reason."""
    notes: Sequence[str]
    """What else the user should know, such as where the energies came from."""

    def __len__(self) -> int: ...

    def read(self, i: int) -> Array:
        """Frame ``i`` as the camera wrote it, array (y, x)."""
        ...


class Reader(Protocol):
    """Opens a series of images."""

    def open(self, path: Path) -> FrameSource:
        """Open a file, a folder or a glob; metadata is complete, pixels are read later."""
        ...


class Detector(Protocol):
    """Finds the spots of one frame. Pure."""

    def detect(self, frame: Array, valid: Array) -> Columns:
        """Columns of ``detections`` but ``frame``, for one frame (y, x) and its mask (y, x)."""
        ...


class Tracker(Protocol):
    """Follows spots through a series."""

    def track(
        self, frames: FrameSequence, seeds: Columns | None, detections: Columns | None
    ) -> Iterator[Columns]:
        """Yield the ``tracks`` rows of one frame after another.

        Every track has a row in every frame; a spot that is not there is
        ``lost`` with NaN. Frames may come in any order, each once. What the user should know of
        the tracker's choices goes into an attribute ``notes``, a sequence of lines, if it likes.
        """
        ...


class Refiner(Protocol):
    """Measures every tracked spot in one frame after another. Pure."""

    def refine(self, frames: FrameSequence, rois: Columns) -> Columns:
        """``fits`` rows, one for each row of ``rois`` (columns of ``tracks``) in its order."""
        ...


class GroupRefiner(Refiner, Protocol):
    """A refiner that can also fit the spots of a group together. Pure."""

    def refine_groups(self, frames: FrameSequence, rois: Columns) -> Columns:
        """``group_fits`` rows, one for each row of ``rois`` in its order.

        ``rois`` has the columns of ``tracks``, and ``group`` and ``role``. The rows of one group in
        one frame are fitted together, on one background.
        """
        ...


class View(Protocol):
    """What an exporter is shown of a session."""

    frames: FrameSequence

    @property
    def path(self) -> Path:
        """Directory of the session."""
        ...

    @property
    def index(self) -> pd.DataFrame:
        """The ``index`` table."""
        ...

    def has(self, table: str) -> bool:
        """Whether there is a table of that name (``tracks``, ``fits``, ``centers`` ...)."""
        ...

    def table(self, table: str) -> pd.DataFrame:
        """The newest table of that name, whole."""
        ...

    def blocks(self, *tables: str) -> Iterator[tuple[pd.DataFrame, ...]]:
        """The named tables side by side, a block of frames at a time.

        For tables with a row per frame and track, which can be long.
        """
        ...


class Exporter(Protocol):
    """Writes files for other programs and for people."""

    def export(self, view: View, folder: Path) -> Iterator[Path]:
        """Write into ``folder``, yielding each file as it is done."""
        ...
