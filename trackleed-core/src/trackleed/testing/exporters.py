"""Checks of exporters, on a small session in memory."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from trackleed import tables
from trackleed.errors import TrackleedError
from trackleed.tables import FitStatus, State
from trackleed.testing import scenes
from trackleed.testing.checks import NotApplicable, check, require

if TYPE_CHECKING:
    import pandas as pd

    from trackleed.testing.subject import Subject

_WORDS = {"state": State.MEASURED.value, "status": FitStatus.OK.value, "mode": "pairs"}


class SmallSession:
    """What an exporter is shown: three frames and four tracks, one of which is lost at last.

    Parameters
    ----------
    folder : Path
        Its directory.
    names : tuple of str, optional
        The tables that it has.
    """

    def __init__(
        self,
        folder: Path,
        names: tuple[str, ...] = ("tracks", "fits", "centers", "radii", "intensities"),
    ) -> None:
        scene = scenes.moving((0.8, 0.4), n=3)
        self.path = folder
        self.frames = scene.frames()
        numbers = np.arange(3)
        source = np.array([f"{i}.tif" for i in numbers])
        self.index = tables.build(tables.INDEX, scene.index() | {"source": source})
        self._tables = {n: _filled(tables.SPECS[n], scene.places) for n in names}

    def has(self, table: str) -> bool:
        """Whether there is a table of that name."""
        return table in self._tables

    def table(self, table: str) -> pd.DataFrame:
        """A table, whole."""
        return self._tables[table]

    def blocks(self, *names: str) -> Iterator[tuple[pd.DataFrame, ...]]:
        """The named tables side by side, frame by frame."""
        for i in range(len(self.frames)):
            whole = [self._tables[n] for n in names]
            yield tuple(t[t["frame"] == i].reset_index(drop=True) for t in whole)


@check()
def files_inside(subject: Subject) -> None:
    """It yields the files that it writes, all of them in the folder that it was given."""
    with _exports() as (home, folder):
        files = _export(subject, home, folder)
        require(files, "it yields no file")
        absent = [f for f in files if not f.exists()]
        require(not absent, f"it yields {absent[:3]}, which it did not write")
        outside = [p for p in home.rglob("*") if p != folder and folder not in p.parents]
        require(not outside, f"it writes outside its folder: {outside[:3]}")


@check()
def again(subject: Subject) -> None:
    """Exporting twice into one folder gives the same files."""
    with _exports() as (home, folder):
        first, second = (sorted(_export(subject, home, folder)) for _ in range(2))
        require(first == second, "the second time it writes other files")


@check()
def little_known(subject: Subject) -> None:
    """With tracks alone it writes what it can, or says in one line what is missing."""
    with _exports() as (home, folder):
        try:
            _export(subject, home, folder, ("tracks",))
        except TrackleedError as error:
            require("\n" not in error.message, "the message has more than one line")


@contextmanager
def _exports() -> Iterator[tuple[Path, Path]]:
    """A session's folder for a while, and that of its exports inside."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "exports"
        folder.mkdir()
        yield Path(place), folder


def _export(subject: Subject, home: Path, folder: Path, *names: tuple[str, ...]) -> list[Path]:
    if "session" in subject.backend.spec.needs:
        raise NotApplicable("it needs a whole session")
    return [Path(f) for f in subject.make().export(SmallSession(home, *names), folder)]


def _filled(spec: tables.TableSpec, places: Any) -> pd.DataFrame:
    """A table of a spec with plausible numbers; the last track is lost in the last frame."""
    n_frames, n_spots = places.shape[:2]
    whole = "track_id" in spec.names
    frame = np.repeat(np.arange(n_frames), n_spots if whole else 1)
    track = np.tile(np.arange(1, n_spots + 1), n_frames)
    xy = places.reshape(-1, 2) if whole else places.mean(axis=1)
    rows: dict[str, Any] = {}
    for column in spec.columns:
        if column.dtype == "float":
            rows[column.name] = np.full(len(frame), 2.0)
        elif column.dtype == "str":
            rows[column.name] = np.full(len(frame), _WORDS.get(column.name, ""), dtype=object)
        else:
            rows[column.name] = np.zeros(len(frame), bool if column.dtype == "bool" else int)
    rows |= {"frame": frame} | ({"track_id": track} if whole else {})
    rows |= {"x": xy[:, 0], "y": xy[:, 1]} if "x" in rows else {}
    for name in ("width", "height"):
        if name in rows:
            rows[name] = np.full(len(frame), scenes.BOX)
    if whole:
        for column in spec.columns:
            if column.dtype == "float":
                rows[column.name][-1] = np.nan
        for name in {"state", "status"} & set(rows):
            rows[name][-1] = State.LOST.value
    return tables.build(spec, {name: rows[name] for name in spec.names})


CHECKS = (files_inside, again, little_known)
