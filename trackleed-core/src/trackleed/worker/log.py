"""What a worker prints: kept in a file of bounded size, and its last lines in memory."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from threading import Lock, Thread
from typing import BinaryIO

CAP = 4_000_000
"""Bytes of one log file. A full one is renamed to ``NAME.1`` and a new one begun: two at most."""

_TAIL = 64_000  # bytes in memory
_BLOCK = 1 << 18
_CRASHED = "Current thread 0x"  # faulthandler's words, before the innermost call


class Log:
    """Empties the pipe that a worker prints to into a file.

    The pipe is emptied whatever happens to the file, so that a worker that prints gigabytes,
    or a full disk, disturbs nobody.

    Parameters
    ----------
    path : Path
        The file; added to if it is there.
    cap : int
        Its greatest size in bytes; `CAP` by default.
    """

    def __init__(self, path: Path, cap: int | None = None) -> None:
        self.path, self.cap = path, cap or CAP
        self.trouble = ""
        """Why the file is not whole, if it is not."""
        self._tail = b""
        self._lock = Lock()
        self._file: BinaryIO | None = None
        self._size = 0
        self._pump: Thread | None = None
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._open()
        except OSError as error:
            self._give_up(error)

    def pump(self, pipe: int) -> None:
        """Begin to empty ``pipe``, in a thread, until nobody can write to it any more."""
        self._pump = Thread(target=self._empty, args=(pipe,), daemon=True)
        self._pump.start()

    def say(self, text: str) -> None:
        """Add a line of the host's own."""
        self._write(f"trackleed: {text}\n".encode())

    def lines(self, n: int) -> list[str]:
        """The last ``n`` lines that are not blank; of a crash of Python, those that tell where."""
        with self._lock:
            text = self._tail.decode(errors="replace")
        found = [line.rstrip()[:200] for line in text.splitlines() if line.strip()]
        crash = [i for i, line in enumerate(found) if line.startswith(_CRASHED)]
        return found[crash[-1] :][:n] if crash else found[-n:]

    def close(self, wait: float = 2.0) -> None:
        """Wait for what was printed last, and close the file."""
        if self._pump is not None:
            self._pump.join(wait)
        with self._lock:
            if self._file is not None:
                self._file.close()
                self._file = None

    def _empty(self, pipe: int) -> None:
        try:
            while block := os.read(pipe, _BLOCK):
                self._write(block)
        finally:
            os.close(pipe)

    def _write(self, block: bytes) -> None:
        with self._lock:
            self._tail = (self._tail + block)[-_TAIL:]
            if self._file is None:
                return
            try:
                if self._size + len(block) > self.cap:
                    self._file.close()
                    self.path.replace(self.path.with_name(f"{self.path.name}.1"))
                    self._open()
                self._file.write(block)
                self._size += len(block)
            except OSError as error:
                self._give_up(error)

    def _open(self) -> None:
        self._file = self.path.open("ab", buffering=0)
        self._size = self._file.tell()

    def _give_up(self, error: OSError) -> None:
        self.trouble = f"the log could not be written: {error.strerror or error}"
        if self._file is not None:
            with suppress(OSError):
                self._file.close()
        self._file = None
