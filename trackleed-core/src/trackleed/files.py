"""Files that survive being killed: atomic writing, and what ends with its process.

The latter are locks, and folders that can be told from those that a killed process left.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from glob import escape
from pathlib import Path

from trackleed.errors import SessionBusy, SessionError

if sys.platform == "win32":
    import msvcrt

    def _take(file: int) -> None:
        os.lseek(file, _LOCKED_BYTE, os.SEEK_SET)
        msvcrt.locking(file, msvcrt.LK_NBLCK, 1)

    def _leave(file: int) -> None:
        os.lseek(file, _LOCKED_BYTE, os.SEEK_SET)
        msvcrt.locking(file, msvcrt.LK_UNLCK, 1)

else:
    import fcntl

    def _take(file: int) -> None:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)

    def _leave(file: int) -> None:
        # Said, not left to closing: a forked child may hold a copy of the file.
        fcntl.flock(file, fcntl.LOCK_UN)


_LOCKED_BYTE = 1 << 30  # far behind the owner's name, which must stay readable
_PAUSE = 0.005
_OWNER = ".owner"


def replace(path: Path, data: bytes, *, aside: Path | None = None, durable: bool = True) -> None:
    """Write a file so that at any moment it is there as it was, or whole as it will be.

    Parameters
    ----------
    path : Path
        The file, new or to be replaced.
    data : bytes
        Its content.
    aside : Path, optional
        Where it is written before it is renamed; on the same file system.
    durable : bool
        Wait until it would also survive a loss of power.

    Raises
    ------
    OSError
        If it cannot be written; ``path`` is then as it was.
    """
    aside = aside or path.with_name(f"{path.name}.part")
    try:
        with aside.open("wb") as file:
            file.write(data)
            if durable:
                file.flush()
                os.fsync(file.fileno())
        aside.replace(path)
    except BaseException:
        aside.unlink(missing_ok=True)
        raise
    if durable:
        sync(path.parent)


def sync(path: Path) -> None:
    """Wait until a file, or the names in a folder, would survive a loss of power."""
    if sys.platform == "win32" and path.is_dir():
        return  # Windows cannot, and need not, flush a folder
    file = os.open(path, os.O_RDONLY)
    try:
        os.fsync(file)
    finally:
        os.close(file)


@contextmanager
def locked(path: Path, what: str, wait: float = 5.0) -> Iterator[None]:
    """Hold the lock file ``path`` while writing; it ends with the process, however that ends.

    Raises
    ------
    SessionBusy
        If another process holds it for longer than ``wait`` seconds.
    SessionError
        If it cannot be made.
    """
    try:
        file = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
    except OSError as error:
        raise SessionError(f"cannot write to {what}: {error.strerror}: {path}") from error
    try:
        _wait_for(file, what, time.monotonic() + wait)
        try:
            os.lseek(file, 0, os.SEEK_SET)
            os.write(file, f"{os.getpid():<20d}".encode())
            yield
        finally:
            _leave(file)
    finally:
        os.close(file)


def _wait_for(file: int, what: str, until: float) -> None:
    while True:
        try:
            return _take(file)
        except OSError as error:
            if not isinstance(error, (BlockingIOError, PermissionError)):
                raise SessionError(f"{what} lies where files cannot be locked: {error}") from error
        if time.monotonic() >= until:
            owner = os.pread(file, 20, 0) if hasattr(os, "pread") else b"?"
            raise SessionBusy(
                f"{what} is being written to by process {owner.decode(errors='replace').strip()}",
                "wait until it is done, or end it",
            )
        time.sleep(_PAUSE)


def process_start(pid: int) -> int | None:
    """When a living process was started, in clock ticks since boot; None if not known.

    Tells a process from a later one that was given the same number.
    """
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return None
    state, *fields = stat.rpartition(")")[2].split()
    return None if state in "ZX" else int(fields[18])


def process_alive(pid: int, start: int | None) -> bool:
    """Whether the process ``pid`` that began at ``start`` (see `process_start`) still runs."""
    if start is not None and Path("/proc/self/stat").exists():
        return process_start(pid) == start
    if sys.platform == "win32":
        return True  # not known without ending it
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


class OwnFolder:
    """A folder that only one process uses, and that only its user may look into.

    As long as that process lives it holds a lock inside. So an abandoned folder can be told from
    another container or computer that shares the disk too, where process numbers say
    nothing. In a ``with`` block it gives its path, and is removed at the end.

    Parameters
    ----------
    parent : Path
        Where to make it.
    prefix : str
        Beginning of its name. Abandoned folders of this beginning are removed.

    Raises
    ------
    OSError
        If it cannot be made.
    """

    def __init__(self, parent: Path, prefix: str) -> None:
        for folder in parent.glob(f"{escape(prefix)}*"):
            _remove_abandoned(folder)
        self.path = Path(tempfile.mkdtemp(prefix=prefix, dir=parent))
        self._lock: int | None = os.open(self.path / _OWNER, os.O_RDWR | os.O_CREAT, 0o600)
        with suppress(SessionError):  # where nothing can be locked, nothing counts as abandoned
            _wait_for(self._lock, str(self.path), time.monotonic() + 1)
            os.write(self._lock, f"{os.getpid()}".encode())

    def __enter__(self) -> Path:
        return self.path

    def __exit__(self, *_: object) -> None:
        self.remove()

    def remove(self) -> None:
        """Delete it with all that is in it."""
        self.keep()
        shutil.rmtree(self.path, ignore_errors=True)

    def keep(self) -> None:
        """Leave it for people to look at; it is never taken for abandoned."""
        if self._lock is not None:
            (self.path / _OWNER).unlink(missing_ok=True)
            os.close(self._lock)
            self._lock = None


def _remove_abandoned(folder: Path) -> None:
    """Delete an `OwnFolder` whose process is gone; anything else is left alone."""
    try:
        file = os.open(folder / _OWNER, os.O_RDWR | getattr(os, "O_NOFOLLOW", 0))
    except OSError:
        return
    try:
        _take(file)
        begun = os.fstat(file).st_size > 0  # else its process has not come to lock it yet
    except OSError:
        return  # its process lives
    finally:
        os.close(file)
    if begun:
        shutil.rmtree(folder, ignore_errors=True)
