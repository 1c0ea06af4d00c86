"""Backends that run in a worker, with the methods of those that run here."""

from __future__ import annotations

import weakref
from collections.abc import Iterator, Mapping
from pathlib import Path
from threading import RLock
from typing import TYPE_CHECKING, Any

import numpy as np

from trackleed import tables
from trackleed.worker.clocks import CLOCKS, Clocks
from trackleed.worker.hosting import Host, Order, Pulse
from trackleed_kit.messages import Message, grouped
from trackleed_kit.sharing import describe

if TYPE_CHECKING:
    from types import TracebackType

    from trackleed.backend import Array, Kind
    from trackleed.frames import FrameSequence
    from trackleed.tables import Columns


class Remote:
    """A backend in a worker, which is started when it is first used.

    Use it in a ``with`` block, or `close` it: that ends the worker.

    Parameters
    ----------
    order : Order
        What is hosted, and where.
    clocks : Clocks, optional

    Attributes
    ----------
    log : Path or None
        Log file of the worker, to be set before it is used.
    pulse : callable
        Called several times a second while the worker is waited for, with news for the user
        or an empty text; may raise to cancel.
    """

    def __init__(self, order: Order, clocks: Clocks | None = None) -> None:
        self.order = order
        self.clocks = clocks or CLOCKS
        self.log: Path | None = None
        self._pulse: Pulse = _silent
        self._host: Host | None = None
        self._frames: FrameSequence | None = None
        self._lock = RLock()

    def __enter__(self) -> Remote:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    @property
    def pulse(self) -> Pulse:
        """What is called while the worker is waited for."""
        return self._pulse

    @pulse.setter
    def pulse(self, pulse: Pulse) -> None:
        self._pulse = pulse
        if self._host is not None:
            self._host.pulse = pulse

    @property
    def pid(self) -> int | None:
        """Number of the worker's process; None if none runs here."""
        return None if self._host is None else self._host.pid

    @property
    def notes(self) -> list[str]:
        """What the backend has for the user, such as the checksum of its checkpoint."""
        return [] if self._host is None else self._host.notes

    def close(self) -> None:
        """End the worker."""
        with self._lock:
            if self._host is not None:
                self._host.close()
            self._frames = None

    def _ready(self) -> Host:
        """The worker, with the backend loaded."""
        if self._host is None or self._host.closed:
            self._frames = None
            self._host = Host(self.order, self.log, self.clocks, self._pulse)
            weakref.finalize(self, self._host.close)
        return self._host

    def _run(
        self, method: str, frames: FrameSequence | None, arrays: dict[str, Any], **fields: Any
    ) -> Host:
        """Ask for a run; the frames are described only when they are other ones than last time."""
        host = self._ready()
        if frames is not None and frames is not self._frames:
            fields["frames"], shown = describe(frames, host.folder)
            arrays = {**arrays, **grouped(frames=shown)}
            self._frames = frames
        host.send("run", {"method": method, **fields}, arrays)
        return host

    def _call(
        self, method: str, frames: FrameSequence | None, arrays: dict[str, Any], **fields: Any
    ) -> Message:
        """Have a method run that ends with one answer."""
        with self._lock:
            host = self._run(method, frames, arrays, **fields)
            host.where = ""
            try:
                return host.receive("done", f"to {method}")
            finally:
                host.cancel()


class RemoteTracker(Remote):
    """A tracker in a worker."""

    def track(
        self, frames: FrameSequence, seeds: Columns | None, detections: Columns | None
    ) -> Iterator[Columns]:
        """Yield the rows of one frame after another, as they come."""
        given: dict[str, Mapping[str, Any] | None] = {"seeds": seeds, "detections": detections}
        known = [name for name, columns in given.items() if columns is not None]
        host = self._run("track", frames, grouped(**given), given=known)
        host.where, n = "before its first rows", 0
        try:
            while True:
                message = host.receive("rows", "done", "to track")
                if message.kind == "done":
                    return
                rows, n = message.group("rows"), n + 1
                host.where = _after(rows, n, len(frames))
                yield rows
        finally:
            host.cancel()


class RemoteDetector(Remote):
    """A detector in a worker."""

    _valid: tuple[Host, Array] | None = None

    def detect(self, frame: Array, valid: Array) -> Columns:
        """Columns of ``detections`` but ``frame``, for one frame (y, x) and its mask (y, x)."""
        with self._lock:
            host, arrays = self._ready(), {"frame": frame}
            known = self._valid
            if known is None or known[0] is not host or known[1] is not valid:
                arrays["valid"] = valid  # mostly the same mask in all frames
            found = self._call("detect", None, arrays)
            self._valid = (host, valid)
            return found.group("result")


class RemoteRefiner(Remote):
    """A refiner in a worker."""

    def refine(self, frames: FrameSequence, rois: Columns) -> Columns:
        """``fits`` rows, one for each row of ``rois``."""
        return self._call("refine", frames, grouped(rois=rois)).group("result")

    def refine_groups(self, frames: FrameSequence, rois: Columns) -> Columns:
        """``group_fits`` rows, one for each row of ``rois``."""
        return self._call("refine_groups", frames, grouped(rois=rois)).group("result")


class RemoteReader(Remote):
    """A reader in a worker."""

    def open(self, path: Path) -> RemoteSource:
        """Open a file, a folder or a glob."""
        return RemoteSource(self, self._call("open", None, {}, path=str(path.absolute())))

    def read(self, i: int) -> Array:
        """Frame ``i`` of what was opened last."""
        frame: Array = self._call("read", None, {}, number=i).arrays["frame"]
        return frame


class RemoteSource:
    """A series that a reader in a worker has opened; see `trackleed.backend.FrameSource`."""

    def __init__(self, reader: RemoteReader, opened: Message) -> None:
        told = opened.fields["source"]
        self._reader, self._n = reader, int(told["n"])
        self.shape = (int(told["shape"][0]), int(told["shape"][1]))
        self.dtype = np.dtype(told["dtype"])
        self.index = tables.build(tables.INDEX, opened.group("index"))
        self.skipped: list[str] = told["skipped"]
        self.notes: list[str] = told["notes"]

    def __len__(self) -> int:
        return self._n

    def read(self, i: int) -> Array:
        """Frame ``i`` as the camera wrote it."""
        return self._reader.read(i)


REMOTES: dict[Kind, type[Remote]] = {
    "reader": RemoteReader,
    "tracker": RemoteTracker,
    "detector": RemoteDetector,
    "refiner": RemoteRefiner,
}
"""The kinds of backends that a worker can host."""


def _after(rows: Mapping[str, Any], n: int, n_frames: int) -> str:
    numbers = np.unique(rows.get("frame", ()))
    frame = f"frame {int(numbers[-1])}, " if len(numbers) else ""
    return f"after {frame}{n} of {n_frames} frames"


def _silent(news: str) -> None:
    """A pulse that nobody feels."""
