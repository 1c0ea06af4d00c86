"""One worker from its start to its end: the process, the connection and the clocks."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import shlex
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from trackleed.errors import OF_ADAPTERS, EnvironmentUnusable, TrackleedError, WorkerError
from trackleed.files import OwnFolder
from trackleed.worker.clocks import Clocks
from trackleed.worker.environments import Environment
from trackleed.worker.environments.commands import environ
from trackleed.worker.link import Link
from trackleed.worker.log import Log
from trackleed.worker.process import Process
from trackleed_kit import place
from trackleed_kit.messages import Message, MessageError, WrongVersion
from trackleed_kit.worker import start

Pulse = Callable[[str], None]
"""Called often while a worker is waited for, with news for the user or ""; may raise to cancel."""

_LINES = 6  # of the log, in a message
_LONGEST = 2000  # characters of what a backend raises


@dataclass(frozen=True)
class Order:
    """What a worker is to host, and where."""

    label: str
    """How messages name it, such as ``"tracker 'cutie@vos'"``."""
    factory: str
    params: Mapping[str, Any]
    environment: Environment
    paths: tuple[Path, ...] = ()
    """Folders that are put on ``sys.path``."""


class Host:
    """Starts a worker and talks to it until one of them has had enough.

    Every way out of here leaves no process behind.

    Parameters
    ----------
    order : Order
    log : Path, optional
        Log file; in a temporary folder by default, which is kept if the worker fails.
    clocks : Clocks
    pulse : callable
        See `Pulse`.

    Raises
    ------
    EnvironmentUnusable
        If the interpreter is not there or cannot be run.
    WorkerError, BackendNotReady, InputError
        If it does not start, or the backend cannot be made there.
    """

    def __init__(self, order: Order, log: Path | None, clocks: Clocks, pulse: Pulse) -> None:
        self.order, self.clocks, self.pulse = order, clocks, pulse
        self.notes: list[str] = []
        """What the backend has for the user, such as the checksum of its checkpoint."""
        self.where = "while it started"
        """How far it has come, for messages."""
        self._place = _private_folder()
        self.folder = self._place.path
        self._own_log = log is None
        self.log = Log(log or self.folder / "worker.log")
        self._process: Process | None = None
        self._greeted = self._failed = self.running = self.closed = False
        self._connection: Path | None = None
        environment = order.environment
        try:
            self._link = Link(self.folder, environment.address, self.log.say)
            self._start(environment)
            self.receive("hello", "to start")
            self._greeted = True
            self.where = "while it was loaded"
            self._link.send("open", {"factory": order.factory, "params": dict(order.params)})
            self._keep(self.receive("ready", "to load"))
        except BaseException:
            self.close()
            raise

    @property
    def pid(self) -> int | None:
        """Number of its process; None if it has none on this machine."""
        return None if self._process is None else self._process.pid

    def send(
        self, kind: str, fields: Mapping[str, Any], arrays: Mapping[str, Any] | None = None
    ) -> None:
        """Send one message."""
        self._link.send(kind, fields, arrays)
        self.running = kind == "run"

    def receive(self, *kinds_and_doing: str) -> Message:
        """The next message; the last argument says what the worker is at, the others its kind.

        Raises
        ------
        WorkerError
            If the backend raised, or if the worker ended or died.
        """
        *kinds, doing = kinds_and_doing
        began, told = time.monotonic(), self.clocks.stalled
        while True:
            message = self._heard(self.clocks.tick)
            if message is None and self._ended():
                message = self._heard(self.clocks.tick)  # what it said last
                if message is None:
                    raise self._lost(self._fate())
            if message is None:
                waited = time.monotonic() - began
                self._check_clocks(waited)
                stalled = waited >= told
                told *= 2 if stalled else 1
                self.pulse(self._stalled(doing, waited) if stalled else "")
            elif message.kind == "error":
                self.running = False
                raise self._raised(message)
            elif message.kind in kinds:
                if message.kind == "done":
                    self.running = False
                    self._keep(message)
                return message
            else:
                self.log.say(f"message {message.kind!r} ignored: it is not its turn")

    def cancel(self) -> None:
        """Have a run stopped, if one goes on; the worker is ended if it does not stop."""
        if self.closed or not self.running:
            return
        self.running = False
        self._link.send("cancel", {})
        until = time.monotonic() + self.clocks.cancel
        while time.monotonic() < until and not self._ended():
            with contextlib.suppress(MessageError):
                message = self._link.receive(self.clocks.tick)
                if message is not None and message.kind in ("done", "error"):
                    return
        self.close(ask=False)

    def close(self, *, ask: bool = True) -> None:
        """End the worker, whatever it does; without asking if it does not listen any more."""
        if self.closed:
            return
        self.closed = True
        link = getattr(self, "_link", None)
        asked = self._greeted and ask  # one that has not said hello would not hear
        if link is not None and asked:
            link.send("quit", {})
        if self._process is not None:
            self._process.end(self.clocks, asked=asked)
        if link is not None:
            link.close()
        self.log.close()
        if self._connection is not None:
            self._connection.unlink(missing_ok=True)
        if self._failed and self._own_log:
            self._place.keep()
        else:
            self._place.remove()

    def _start(self, environment: Environment) -> None:
        by_hand = environment.address is not None
        # On the shared file system, where the other machine finds it.
        folder = self.log.path.parent if by_hand else self.folder
        self._connection = folder / f"{self.log.path.stem}.connection.json"
        packages = _packages(self.order.factory)
        paths = [str(path) for path in self.order.paths]
        try:
            self._link.write_connection(self._connection, packages, paths)
        except OSError as error:
            raise EnvironmentUnusable(
                f"cannot write {self._connection}: {error.strerror or error}"
            ) from error
        python = environment.python if by_hand else environment.interpreter
        command = [str(python or "python"), "-u", "-X", "faulthandler", str(_entry())]
        command.append(str(self._connection.absolute()))
        if by_hand:
            self.pulse(
                f"{self.order.label}: start its worker on the other machine, with\n"
                f"    {shlex.join(command)}"
            )
            return
        try:
            self._process = Process(command, _environ(environment), self.log)
        except OSError as error:
            raise EnvironmentUnusable(
                f"{self.order.label}: {environment.python} cannot be started: {error.strerror}"
            ) from error

    def _heard(self, wait: float) -> Message | None:
        try:
            return self._link.receive(wait)
        except WrongVersion as error:
            why = f"it speaks version {error} of the protocol"
            raise self._lost("could not be understood", why) from None
        except MessageError as error:
            why = f"{type(error).__name__}: {error}"
            raise self._lost("said something that cannot be believed", why) from None

    def _ended(self) -> bool:
        return self._process is not None and self._process.ended()

    def _check_clocks(self, waited: float) -> None:
        if self._process is not None and not self._greeted and waited > self.clocks.hello:
            raise self._lost(f"did not report within {waited:.0f} s and was ended")
        if not self._greeted:
            return
        silence = self._link.silence(self.clocks.beat)
        if silence > self.clocks.dead:
            raise self._lost(f"gave no sign of life for {silence:.0f} s and was ended")

    def _stalled(self, doing: str, waited: float) -> str:
        return (
            f"{self.order.label} takes long {doing}: {waited:.0f} s so far; it is alive, "
            f"and may go on; log: {self._where_log()}"
        )

    def _fate(self) -> str:
        assert self._process is not None
        self._process.end(self.clocks, asked=False)
        return self._process.fate()

    def _lost(self, what: str, why: str = "") -> WorkerError:
        """End what is left of the worker, and say what happened."""
        self._failed = True
        self.close(ask=False)
        lines = self.log.lines(_LINES)
        return WorkerError.of(
            f"{self.order.label} {what}", self.where, why, self._where_log(), lines
        )

    def _raised(self, message: Message) -> TrackleedError:
        """What the backend raised. The worker itself is well."""
        self._failed = True
        kind, text = str(message.fields["type"]), str(message.fields["text"])[:_LONGEST]
        if kind in OF_ADAPTERS:
            return OF_ADAPTERS[kind](f"{self.order.label}: {text}", message.fields["hint"])
        why = f"{kind}: {text}" if text else kind
        if kind == "ModuleNotFoundError":
            why += f" (see: trackleed envs check {self.order.environment.name})"
        return WorkerError.of(f"{self.order.label} failed", self.where, why, self._where_log())

    def _where_log(self) -> str:
        if self.order.environment.address is not None:
            return "where it was started"
        return f"{self.log.path} ({self.log.trouble})" if self.log.trouble else str(self.log.path)

    def _keep(self, message: Message) -> None:
        new = (str(note) for note in message.fields["notes"])
        self.notes += [note for note in dict.fromkeys(new) if note not in self.notes]


def _private_folder() -> OwnFolder:
    """Where the sockets are; takes those away that killed processes have left."""
    try:
        return OwnFolder(Path(tempfile.gettempdir()), "trackleed-")
    except OSError as error:
        raise EnvironmentUnusable(
            f"no temporary folder can be made: {error.strerror or error}", "set TMPDIR"
        ) from error


def _entry() -> Path:
    return Path(start.__file__).absolute()


def _packages(factory: str) -> dict[str, str]:
    """The folder, or the file, of the top-level package that the factory is in."""
    name = factory.partition(":")[0].partition(".")[0]
    found = importlib.util.find_spec(name)
    if found is None or not (found.submodule_search_locations or found.origin):
        return {}
    folders = found.submodule_search_locations
    return {name: os.path.abspath(folders[0] if folders else str(found.origin))}  # noqa: PTH100


def _environ(environment: Environment) -> dict[str, str]:
    told = place.variables(environment.device, environment.checkpoints, environment.checkouts)
    return {**environ(), "PYTHONIOENCODING": "utf-8:replace", **told, **environment.variables}
