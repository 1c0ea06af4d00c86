"""How long the host of a worker waits for what."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Clocks:
    """Seconds. Only `dead` and `hello` ever end a worker that nobody wants to end."""

    tick: float = 0.1
    """How often the caller is called back while nothing comes."""
    beat: float = 1.0
    """Between two heartbeats."""
    dead: float = 30.0
    """A worker that answers no heartbeat for so long is dead."""
    hello: float = 120.0
    """A process that has not said hello by then is no worker. Not for those started by hand."""
    stalled: float = 60.0
    """When the user is told that nothing has come; then again after twice as long, and so on."""
    cancel: float = 2.0
    """How long a cancelled run may take to stop before the worker is ended."""
    quit: float = 3.0
    """Between asking a worker to quit and terminating it."""
    terminate: float = 2.0
    """Between terminating it and killing its process group."""


CLOCKS = Clocks()
