"""What whoever watches is told while numba compiles: bars stand still then, for many seconds."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic
from typing import TYPE_CHECKING, Any

from trackleed.progress import say

if TYPE_CHECKING:
    from trackleed.progress import Progress
    from trackleed.session import StepWriter

PATIENCE = 1.0
"""Seconds of compiling that need no word."""


@contextmanager
def compiling_is_told(writer: StepWriter, progress: Progress) -> Iterator[None]:
    """Say it when a step waits for numba, and note in the step how long that took.

    Numba compiles in this process what a backend calls for the first time, unless an earlier run
    on this machine left it in numba's cache. It is said after a second, from a thread of its own.
    """
    if "numba" not in sys.modules:  # the backend is made: it would be loaded
        yield
        return
    from numba.core import event

    event.Listener.register(_Watch)  # not derived from it, as numba is not loaded at import
    watch = _Watch(progress)
    with event.install_listener("numba:compile", watch):
        try:
            yield
        finally:
            watch.stop()
            if watch.seconds > PATIENCE:
                writer.note(
                    f"{watch.seconds:.0f} s went into compiling code for this machine, once"
                )


class _Watch:
    """Listens to numba; adds up the time in which it compiles, in whichever threads."""

    def __init__(self, progress: Progress) -> None:
        self.seconds = 0.0
        self._progress = progress
        self._depth = 0
        self._since = 0.0
        self._lock = threading.Lock()
        self._timer: threading.Timer | None = None

    def notify(self, event: Any) -> None:
        """Called by numba where compiling begins and ends, of one function inside another too."""
        with self._lock:
            self._depth += 1 if event.is_start else -1
            if event.is_start and self._depth == 1:
                self._since = monotonic()
                if self._timer is None:
                    self._timer = threading.Timer(PATIENCE, self._tell)
                    self._timer.daemon = True
                    self._timer.start()
            elif self._depth == 0:
                self.seconds += monotonic() - self._since

    def stop(self) -> None:
        """Say nothing any more."""
        if self._timer is not None:
            self._timer.cancel()

    def _tell(self) -> None:
        with self._lock:
            if self._depth == 0:  # it is done; of what is compiled next it may be said again
                self._timer = None
                return
        say(self._progress, "compiling code for this machine, once; it may take a minute ...")
