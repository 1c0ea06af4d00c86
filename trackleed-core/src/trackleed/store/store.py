"""The frames of one session."""

from __future__ import annotations

import math
import shutil
import time
from collections.abc import Generator, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from trackleed.errors import InputError, SessionBusy, SessionDamaged, SessionExists
from trackleed.files import replace, sync
from trackleed.frames import Correction, FrameSequence, NoiseModel
from trackleed.store import layout
from trackleed.store.layout import IMAGES, SETTINGS, Array
from trackleed_kit.chunks import frame_file

if TYPE_CHECKING:
    from trackleed.tables import Columns

COUNT_EVERY = 0.05
"""Seconds for which frames are gathered before they are written and counted."""

_GATHERED = 32_000_000  # bytes
_FLUSHERS = 4  # file systems take several files in one go


class Store:
    """The frames of one session. Make one with `create` or `open`."""

    def __init__(self, path: Path) -> None:
        self.path = path
        shape, self.dtype = layout.read_array(path / "frames")
        self.n_frames, self.shape = shape[0], (shape[1], shape[2])
        self._appended: int | None = None
        self._state()

    @classmethod
    def create(cls, path: Path, n_frames: int, shape: tuple[int, int], dtype: Any) -> Store:
        """Make an empty store for ``n_frames`` frames of ``shape`` (y, x).

        Raises
        ------
        SessionExists
            If there is something at ``path``.
        InputError
            If the size is empty, or the dtype is not integer, float or bool.
        SessionError
            If it cannot be written.
        """
        path, dtype = Path(path), np.dtype(dtype).newbyteorder("<")
        if n_frames < 1 or min(shape) < 1 or dtype.kind not in "uifb":
            raise InputError(
                f"cannot keep {n_frames} frames of {shape[1]}x{shape[0]} px as {dtype}: "
                "frames are not empty, and whole numbers, floats or bools"
            )
        new = path.with_name(f"{path.name}.new")
        with layout.writing(path):
            if path.exists():
                raise SessionExists(f"{path} is there already")
            shutil.rmtree(new, ignore_errors=True)
            layout.make_array(new / "frames", (n_frames, *shape), dtype)
            layout.write_state(new, {"n_valid": 0, "settings": {}, "images": []})
            new.rename(path)
        return cls(path)

    @classmethod
    def open(cls, path: Path) -> Store:
        """Open a store.

        Raises
        ------
        SessionDamaged
            If it cannot be read, with what is wrong.
        """
        return cls(Path(path))

    @property
    def n_valid(self) -> int:
        """How many frames have been written, from the first on."""
        return int(self._state()["n_valid"])

    @property
    def settings(self) -> Mapping[str, Any]:
        """What is known about all frames: each of `SETTINGS`, None where unknown."""
        return {**dict.fromkeys(SETTINGS), **self._state()["settings"]}

    def append(self, frame: Array) -> None:
        """Write the next frame, array (y, x); it counts as valid only once it is down.

        Raises
        ------
        InputError
            If it has another shape or dtype, or all frames are there already.
        SessionBusy
            If another process writes frames to this store.
        SessionError
            If it cannot be written.
        """
        self._write([self._checked(frame)])

    def extend(self, frames: Iterable[Array]) -> Generator[int, None, None]:
        """Write further frames as `append` does, several at a time; yields how many are valid.

        They are counted twenty times a second or every 32 MB: who is killed in between writes
        the last few again. Threads have the disk take them meanwhile, and go on when all are
        written, so that `sync` has little left to wait for.
        """
        flushers = ThreadPoolExecutor(_FLUSHERS, thread_name_prefix="trackleed-flush")
        try:
            for several in self._gathered(frames):
                written = self._write(several)
                for part in (written[k::_FLUSHERS] for k in range(_FLUSHERS)):
                    flushers.submit(self._sync_frames, part)
                yield self._appended or 0
        except BaseException:
            flushers.shutdown(wait=False, cancel_futures=True)
            raise
        flushers.shutdown(wait=False)

    def _gathered(self, frames: Iterable[Array]) -> Iterator[list[Array]]:
        several: list[Array] = []
        until = time.monotonic() + COUNT_EVERY
        for frame in frames:
            several.append(self._checked(frame))
            if time.monotonic() >= until or len(several) * several[0].nbytes > _GATHERED:
                yield several
                several = []
                until = time.monotonic() + COUNT_EVERY
        if several:
            yield several

    def _checked(self, frame: Array) -> Array:
        """A frame as its bytes are stored."""
        frame = np.asarray(frame)
        if frame.shape != self.shape or frame.dtype.newbyteorder("<") != self.dtype:
            raise InputError(
                f"frame is {frame.shape} {frame.dtype}, {self.path} holds {self.shape} {self.dtype}"
            )
        return np.ascontiguousarray(frame, self.dtype)

    def _write(self, frames: list[Array]) -> range:
        """Write the next frames and count them; returns their numbers."""
        with self._changing() as state:
            first = state["n_valid"]
            if self._appended not in (None, first):
                raise SessionBusy(f"another process is writing frames to {self.path}")
            if first + len(frames) > self.n_frames:
                raise InputError(f"{self.path} holds all of its {self.n_frames} frames already")
            for i, frame in enumerate(frames, first):
                frame_file(self.path / "frames", i).write_bytes(frame.data)
            state["n_valid"] = first + len(frames)
        self._appended = first + len(frames)
        return range(first, first + len(frames))

    def put_image(self, name: str, image: Array) -> None:
        """Write one of `IMAGES`, array (y, x), in place of an earlier one.

        Raises
        ------
        InputError
            If the name is unknown or the shape is not that of the frames.
        SessionError
            If it cannot be written.
        """
        if name not in IMAGES:
            raise InputError(f"a store has no image {name!r}; it may have: {', '.join(IMAGES)}")
        image = np.ascontiguousarray(image, IMAGES[name])
        if image.shape != self.shape:
            raise InputError(f"{name} image is {image.shape}, the frames are {self.shape}")
        folder = self.path / name
        with self._changing() as state:
            if name not in state["images"]:  # what a killed writer began does not count
                shutil.rmtree(folder, ignore_errors=True)
                layout.make_array(folder, self.shape, image.dtype)
                state["images"].append(name)
            replace(folder / "c.0.0", image.tobytes(), aside=layout.aside(self.path))

    def image(self, name: str) -> Array | None:
        """One of `IMAGES`, read-only array (y, x), or None if there is none.

        Raises
        ------
        SessionDamaged
            If it was written but cannot be read.
        """
        if name not in self._state()["images"]:
            return None
        return layout.read_chunk(
            self.path / name / "c.0.0", self.shape, IMAGES[name], f"{name} image"
        )

    def set(self, **settings: Any) -> None:
        """Change some of `SETTINGS`.

        Raises
        ------
        InputError
            If a name is unknown, or a value is neither a finite number, text nor None.
        """
        for name, value in settings.items():
            if name not in SETTINGS:
                raise InputError(f"a store has no setting {name!r}; it has: {', '.join(SETTINGS)}")
            if not (value is None or isinstance(value, str) or math.isfinite(value)):
                raise InputError(f"{name} = {value} is not a finite number")
        plain = {k: v if v is None or isinstance(v, str) else float(v) for k, v in settings.items()}
        with self._changing() as state:
            state["settings"].update(plain)

    def frames(self, index: Columns | None = None) -> FrameSequence:
        """The valid frames, with mask, noise model and corrections; read when they are asked for.

        Parameters
        ----------
        index : mapping of str to ndarray (n,), optional
            Columns of the ``index`` table.
        """
        known = {name: value for name, value in self.settings.items() if value is not None}
        images = {name: self.image(name) for name in ("dark", "flat", "background")}
        correction = None
        if any(image is not None for image in images.values()):
            correction = Correction(**images, mode=known.get("background_mode", "subtract"))
        noise = {name: known[name] for name in ("gain", "read_noise", "black") if name in known}
        return FrameSequence(
            self._chunks(),
            index=index,
            valid=self.image("valid"),
            noise=NoiseModel(**noise),
            saturation=known.get("saturation"),
            correction=correction,
        )

    def check(self) -> list[str]:
        """What is missing or damaged, without reading the pixels; empty if nothing is."""
        bad = self._chunks().damaged()
        problems = []
        if bad:
            others = f" and {len(bad) - 1} more" if len(bad) > 1 else ""
            problems.append(f"{self.path.name}: frame {bad[0]}{others} missing or cut short")
        for name in self._state()["images"]:
            try:
                self.image(name)
            except SessionDamaged as error:
                problems.append(str(error))
        return problems

    def sync(self) -> None:
        """Wait until all valid frames would survive a loss of power."""
        self._sync_frames(range(self.n_valid))
        for path in (self.path / "frames", self.path / layout.META, self.path):
            sync(path)

    def _sync_frames(self, numbers: range) -> None:
        for i in numbers:
            sync(frame_file(self.path / "frames", i))

    def _chunks(self) -> layout.Chunks:
        return layout.Chunks(self.path / "frames", self.n_valid, self.shape, self.dtype)

    def _state(self) -> dict[str, Any]:
        return layout.read_state(self.path, self.n_frames)

    @contextmanager
    def _changing(self) -> Iterator[dict[str, Any]]:
        """The state of the store, written back at the end."""
        with layout.writing(self.path):
            state = self._state()
            yield state
            layout.write_state(self.path, state)


def open_frames(path: Path, index: Columns | None = None) -> FrameSequence:
    """The valid frames of the store at ``path``; quick, for processes that only read.

    Raises
    ------
    SessionDamaged
        If the store, or later a frame, cannot be read.
    """
    return Store.open(path).frames(index)
