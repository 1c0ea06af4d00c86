"""Exporter ``session-zip``: the whole session in one file, to move or to keep."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile

from trackleed.builtin.exporters._tables import written_aside
from trackleed.builtin.exporters.params import SessionZipParams

if TYPE_CHECKING:
    from trackleed.backend import View

RECORD = "session.json"
FRAMES = "store.zarr/frames/c.*"
LEFT_OUT = ("*.part", "*.lock", "*.zip", ".*")
"""What is being written, and archives, which would pack one another."""

UNDER_WAY = ".trackleed"
"""Folder whose folders hold exports that are not complete."""

TEXTS = (".json", ".csv", ".txt", ".log", ".yaml")
"""Kinds of files that packing makes smaller; frames and tables are stored as they are."""


class SessionZipExporter:
    """Packs the session's directory; unpacked, it is a session again."""

    def __init__(self, params: SessionZipParams) -> None:
        self.params = params

    def export(self, view: View, folder: Path) -> Iterator[Path]:
        """Write ``NAME.trackleed.zip``, read and written piece by piece."""
        session = view.path
        path = folder / f"{session.name}.zip"
        with written_aside(path) as aside, ZipFile(aside, "w", strict_timestamps=False) as archive:
            archive.writestr(f"{session.name}/{RECORD}", _record(session), ZIP_DEFLATED)
            for file in self._files(session):
                name = f"{session.name}/{file.relative_to(session).as_posix()}"
                archive.write(file, name, ZIP_DEFLATED if file.suffix in TEXTS else ZIP_STORED)
        yield path

    def _files(self, session: Path) -> Iterator[Path]:
        for file in sorted(session.rglob("*")):
            inside = file.relative_to(session)
            left_out = inside == Path(RECORD) or any(file.match(p) for p in LEFT_OUT)
            if left_out or UNDER_WAY in inside.parts[:-2] or not file.is_file():
                continue
            if self.params.frames or not inside.match(FRAMES):
                yield file


def _record(session: Path) -> str:
    """The session's record, without what is running now, such as the packing itself."""
    record = json.loads((session / RECORD).read_bytes())
    steps = record["steps"]
    record["steps"] = [
        s for s in steps if not (isinstance(s, dict) and s.get("status") == "running")
    ]
    return json.dumps(record, indent=1)
