"""What a worker does: make one backend, and run it as often as it is asked to."""

from __future__ import annotations

import os
import platform
import sys
import traceback
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Dict, Mapping, Optional

import numpy as np

from trackleed_kit import place
from trackleed_kit.frames import FrameSequence
from trackleed_kit.messages import Message, grouped
from trackleed_kit.sharing import rebuild
from trackleed_kit.worker.link import Link, MessageError, say
from trackleed_kit.worker.parent import end_with_host

BROKEN = (Exception, SystemExit)
"""What foreign code may raise without ending the worker."""


def serve(connection: Mapping[str, Any]) -> int:
    """Serve the host until it says "quit"; returns the exit status."""
    if connection.get("watch") is not None:
        end_with_host(int(connection["watch"]))
    link = Link(connection)
    link.send(
        "hello",
        {"pid": os.getpid(), "python": platform.python_version(), "numpy": np.__version__},
    )
    status = 0
    try:
        Worker(link).work()
    except MessageError as error:
        say("%s: %s; this connection is at its end" % (type(error).__name__, error))
        status = 1
    link.close()
    sys.stdout.flush()
    sys.stderr.flush()
    # Not by way of what upstream code registered for the end, which may hang or crash.
    os._exit(status)


class Worker:
    """One backend, and what it was last given or has opened."""

    def __init__(self, link: Link) -> None:
        self.link = link
        self.backend: Any = None
        self.frames: Optional[FrameSequence] = None
        self.valid: Any = None
        self.source: Any = None
        self.asked_to_quit = False

    def work(self) -> None:
        """Answer what the host says."""
        while not self.asked_to_quit:
            message = self.link.receive()
            if message is None or message.kind == "quit":
                return
            try:
                if message.kind == "open":
                    self._open(message)
                elif message.kind == "run":
                    self._run(message)
            except MessageError:
                raise
            except BROKEN as error:
                traceback.print_exc()
                self.link.send("error", _in_words(error))

    def _open(self, message: Message) -> None:
        module, _, attribute = str(message.fields["factory"]).partition(":")
        params = _namespace(message.fields["params"])
        self.backend = getattr(import_module(module), attribute)(params)
        self.link.send("ready", {"notes": place.take_notes()})

    def _run(self, message: Message) -> None:
        if "frames" in message.fields:
            shown = message.fields["frames"]
            self.frames = None if shown is None else rebuild(shown, _within("frames", message))
        METHODS[message.fields["method"]](self, message)

    def _track(self, message: Message) -> None:
        given = {
            name: message.group(name) if name in message.fields["given"] else None
            for name in ("seeds", "detections")
        }
        rows = iter(self.backend.track(self.frames, given["seeds"], given["detections"]))
        cancelled = False
        for part in rows:
            self.link.send("rows", {}, grouped(rows=part))
            cancelled = self._cancelled()
            if cancelled:
                close = getattr(rows, "close", None)
                if close is not None:
                    close()
                break
        self._done(cancelled=cancelled)

    def _detect(self, message: Message) -> None:
        self.valid = message.arrays.get("valid", self.valid)
        found = self.backend.detect(message.arrays["frame"], self.valid)
        self._done(grouped(result=found))

    def _refine(self, message: Message) -> None:
        self._done(grouped(result=self.backend.refine(self.frames, message.group("rois"))))

    def _refine_groups(self, message: Message) -> None:
        self._done(grouped(result=self.backend.refine_groups(self.frames, message.group("rois"))))

    def _open_source(self, message: Message) -> None:
        source = self.source = self.backend.open(Path(message.fields["path"]))
        told = {
            "n": len(source),
            "shape": [int(n) for n in source.shape],
            "dtype": np.dtype(source.dtype).str,
            "skipped": [str(text) for text in source.skipped],
            "notes": [str(text) for text in source.notes],
        }
        self._done(grouped(index=source.index), source=told)

    def _read(self, message: Message) -> None:
        self._done({"frame": self.source.read(int(message.fields["number"]))})

    def _done(self, arrays: Optional[Dict[str, Any]] = None, **fields: Any) -> None:
        notes = [*place.take_notes(), *map(str, getattr(self.backend, "notes", ()))]
        self.link.send("done", dict(fields, notes=notes), arrays)

    def _cancelled(self) -> bool:
        """Whether the host has said "cancel" or "quit" meanwhile."""
        while True:
            message = self.link.receive(0)
            if message is None:
                return self.asked_to_quit
            if message.kind in ("cancel", "quit"):
                self.asked_to_quit = message.kind == "quit"
                return True
            say("%r ignored: a run goes on" % message.kind)


METHODS = {
    "track": Worker._track,
    "detect": Worker._detect,
    "refine": Worker._refine,
    "refine_groups": Worker._refine_groups,
    "open": Worker._open_source,
    "read": Worker._read,
}
"""What a host may have run."""


def _within(group: str, message: Message) -> Dict[str, Any]:
    start = group + "/"
    return {k[len(start) :]: v for k, v in message.arrays.items() if k.startswith(start)}


def _namespace(value: Any) -> Any:
    """Options by attribute, as the host's model has them."""
    if isinstance(value, dict):
        return SimpleNamespace(**{name: _namespace(part) for name, part in value.items()})
    return [_namespace(part) for part in value] if isinstance(value, list) else value


def _in_words(error: BaseException) -> Dict[str, Any]:
    text, hint = getattr(error, "message", None), getattr(error, "hint", None)
    return {
        "type": type(error).__name__,
        "text": text if isinstance(text, str) else str(error),
        "hint": hint if isinstance(hint, str) else None,
    }
