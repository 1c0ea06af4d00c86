"""What an export left in a folder, so that the next one takes away just that.

A folder that was exported to has a small ``.trackleed/``. For each session and exporter a record
in it tells the files of the newest export, each with a digest of its content. New files
are written aside, in full, before any of them replaces an older one.
"""

from __future__ import annotations

import hashlib
import json
from contextlib import suppress
from pathlib import Path

from trackleed.errors import InputError
from trackleed.files import OwnFolder, locked, replace

PLACE = ".trackleed"


class Exported:
    """The files of one exporter and session in a folder.

    Parameters
    ----------
    folder : Path
        Where exports go.
    name : str
        Tells session and exporter.
    """

    def __init__(self, folder: Path, name: str) -> None:
        self.folder, self.name = folder, name
        self._place = folder / PLACE
        self._record = self._place / f"{name}.json"

    def stage(self) -> OwnFolder:
        """A folder for the new files, until `take` brings them to their places.

        Raises
        ------
        InputError
            If there is no writing to the folder.
        """
        try:
            self._place.mkdir(parents=True, exist_ok=True)
            return OwnFolder(self._place, f"{self.name}-")
        except OSError as error:
            raise InputError(
                f"cannot write to {self.folder}: {error.strerror or error}",
                "choose another folder with --to",
            ) from error

    def take(self, stage: Path, files: list[str], export: str) -> list[str]:
        """Bring new files to their places, and remove those of the export before.

        Only files that it wrote, that are not among the new ones, and that nobody changed since are
        removed. A process that is killed here leaves a record of the old files and the new.

        Returns
        -------
        list of str
            Older files that were changed by somebody else, and therefore stay.
        """
        with locked(self._place / "exports.lock", str(self.folder)):
            new = {name: [_digest(stage / name)] for name in files}
            old = self._read()[1]
            self._write("", {name: old.get(name, []) + new.get(name, []) for name in old | new})
            for name in files:
                (self.folder / name).parent.mkdir(parents=True, exist_ok=True)
                (stage / name).replace(self.folder / name)
            over = {name: digests for name, digests in old.items() if name not in new}
            kept = [name for name, digests in over.items() if not self._remove(name, digests)]
            self._write(export, new)
        return kept

    def holds(self, export: str) -> bool:
        """Whether all files of this export are there, as it left them."""
        of, files = self._read()
        return of == export and all(_digest(self.folder / n) in files[n] for n in files)

    def _remove(self, name: str, digests: list[str]) -> bool:
        """Delete a file, and folders that are empty then; False if somebody has changed it."""
        path = self.folder / name
        if not path.exists():
            return True
        if _digest(path) not in digests:
            return False
        path.unlink()
        with suppress(OSError):  # the first that is not empty
            for folder in list(path.relative_to(self.folder).parents)[:-1]:
                (self.folder / folder).rmdir()
        return True

    def _read(self) -> tuple[str, dict[str, list[str]]]:
        """The export that the files are of, and the files; nothing if there is no record."""
        try:
            record = json.loads(self._record.read_bytes())
            return str(record["export"]), dict(record["files"])
        except (OSError, ValueError, KeyError, TypeError):
            return "", {}

    def _write(self, export: str, files: dict[str, list[str]]) -> None:
        record = {"export": export, "files": files}
        text = json.dumps(record, indent=1)
        replace(self._record, text.encode("utf-8", "backslashreplace"), durable=False)


def _digest(path: Path) -> str:
    """Tells a file's content from any other; empty if it cannot be read."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha1").hexdigest()
    except OSError:
        return ""
