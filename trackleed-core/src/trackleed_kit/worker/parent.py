"""A worker never outlives the process that started it."""

from __future__ import annotations

import os
import select
import signal
import sys
import threading

_LOOK = 1.0  # s


def end_with_host(pipe: int) -> None:
    """End this process group as soon as the host is gone, however it went.

    The host holds the other end of ``pipe`` and never writes to it; the kernel closes it with
    the host. Where the kernel can, it then ends the whole group itself (SIGIO, whose default is to
    terminate), even if Python is stuck in C; a thread looks after the rest. The death signal of
    prctl would not do: it also comes when only the thread ends that started the worker.
    """
    if hasattr(signal, "SIGIO") and sys.platform != "win32":
        import fcntl

        signal.signal(signal.SIGIO, signal.SIG_DFL)
        fcntl.fcntl(pipe, fcntl.F_SETOWN, -os.getpgrp())
        fcntl.fcntl(pipe, fcntl.F_SETFL, fcntl.fcntl(pipe, fcntl.F_GETFL) | os.O_ASYNC)
    threading.Thread(target=_watch, args=(pipe, os.getppid()), daemon=True).start()


def _watch(pipe: int, parent: int) -> None:
    poll = select.poll()
    poll.register(pipe, select.POLLIN)
    # A process that the host forked may hold the pipe open; then the parent's number tells.
    while not poll.poll(1000 * _LOOK) and os.getppid() == parent:
        pass
    os.killpg(os.getpgrp(), signal.SIGKILL)
