"""The process of a worker: how it is started, how it is ended, and how it ended."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress

from trackleed.worker.clocks import Clocks
from trackleed.worker.log import Log

_MEANING = {
    "SIGKILL": "killed, often by the system for want of memory",
    "SIGSEGV": "segmentation fault",
    "SIGBUS": "bus error",
    "SIGABRT": "aborted",
    "SIGILL": "illegal instruction",
    "SIGFPE": "arithmetic error",
    "SIGTERM": "terminated",
    "SIGXCPU": "CPU time limit",
}


class Process:
    """A started worker, in a process group of its own.

    Its stdin is empty, what it prints goes to the log, and a pipe that closes with this process
    tells it when to end.

    Raises
    ------
    OSError
        If it cannot be started.
    """

    def __init__(self, command: Sequence[str], environ: Mapping[str, str], log: Log) -> None:
        printed, prints = os.pipe()
        watched, self._held = os.pipe()
        windows = sys.platform == "win32"  # which hands down no such pipe: the worker looks itself
        try:
            self._popen = subprocess.Popen(
                [*command] if windows else [*command, str(watched)],
                stdin=subprocess.DEVNULL,
                stdout=prints,
                stderr=prints,
                env=dict(environ),
                start_new_session=True,
                pass_fds=() if windows else (watched,),
            )
        except BaseException:
            os.close(printed)
            os.close(self._held)
            raise
        finally:
            os.close(prints)
            os.close(watched)
        self._over = False
        log.pump(printed)

    @property
    def pid(self) -> int:
        """Its number, also that of its group."""
        return self._popen.pid

    def ended(self) -> bool:
        """Whether it has ended. It is not reaped, so that its number stays its own."""
        if self._popen.returncode is not None:
            return True
        if not hasattr(os, "waitid"):  # some systems cannot look without reaping
            return self._popen.poll() is not None
        try:
            flags = os.WEXITED | os.WNOHANG | os.WNOWAIT
            return os.waitid(os.P_PID, self.pid, flags) is not None
        except ChildProcessError:  # somebody else in this process waited for all children
            return True

    def end(self, clocks: Clocks, *, asked: bool) -> None:
        """Wait for it to end, terminate it, kill its group: one after the other.

        Parameters
        ----------
        clocks : Clocks
        asked : bool
            It was asked to quit, and may have the time for it.
        """
        if self._over:
            return
        self._over = True
        if not self._ends_within(clocks.quit if asked else 0.0):
            self._popen.terminate()
            self._ends_within(clocks.terminate)
        # Its children too, whether it has ended or not.
        if sys.platform == "win32":
            self._popen.kill()
        else:
            with suppress(ProcessLookupError):
                os.killpg(self.pid, signal.SIGKILL)
        self._popen.wait()
        os.close(self._held)

    def fate(self) -> str:
        """How it ended, in words."""
        code = self._popen.returncode
        if code is None:
            return "runs"
        if code >= 0:
            return f"ended with exit code {code}"
        try:
            name = signal.Signals(-code).name
        except ValueError:
            name = "unnamed"
        meaning = f": {_MEANING[name]}" if name in _MEANING else ""
        return f"was ended by signal {-code} ({name}{meaning})"

    def _ends_within(self, seconds: float) -> bool:
        until = time.monotonic() + seconds
        while not self.ended():
            if time.monotonic() >= until:
                return False
            time.sleep(0.01)
        return True
