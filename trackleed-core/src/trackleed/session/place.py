"""Where a session lies: making its directory, and replacing one."""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path

from trackleed.errors import InputError, SessionBusy, SessionError, SessionExists
from trackleed.session.record import FILE, Document, read_document

LOCK = "session.lock"
STORE = "store.zarr"
_PARTS = re.compile(rf"{FILE}(\.part)?|{LOCK}|{STORE}(\.\w+)?|tables|logs|exports|\..*")


def make_place(path: Path, overwrite: bool) -> None:
    """Make the directory of an empty session, whole or not at all; see `Session.create`."""
    replaces = _check_free(path, overwrite)
    new = path.with_name(f".{path.name}.{os.getpid()}.new")
    old = path.with_name(f".{path.name}.{os.getpid()}.old")
    try:
        new.mkdir(parents=True)
        Document.new().write(new)
        if replaces:
            path.rename(old)
        elif path.exists():
            path.rmdir()
        new.rename(path)
        if replaces:
            shutil.rmtree(old)
    except OSError as error:
        shutil.rmtree(new, ignore_errors=True)
        raise SessionError(f"cannot make {path}: {error.strerror or error}") from error


def _check_free(path: Path, overwrite: bool) -> bool:
    """Whether a session is to be replaced by one at ``path``; raises if that may not be."""
    if not path.exists() or (path.is_dir() and not any(path.iterdir())):
        return False
    try:
        steps, _ = read_document(path).read_steps()
    except SessionError as error:
        raise SessionExists(f"{path} is there already, and is not replaced: {error}") from None
    except InputError:
        raise SessionExists(f"{path} is there already, and is a file") from None
    if not overwrite:
        raise SessionExists(f"session {path} is there already", "replace it with --overwrite")
    foreign = [entry.name for entry in path.iterdir() if not _PARTS.fullmatch(entry.name)]
    if foreign:
        raise SessionExists(
            f"session {path} is not replaced, as it also holds {', '.join(sorted(foreign))}"
        )
    for step in steps:
        if step.status == "running":
            raise SessionBusy(
                f"{step.id} of {path} is running in process {step.pid} on {step.host}"
            )
    return True
