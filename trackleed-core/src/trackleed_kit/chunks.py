"""Frames from the raw chunk files of a store: one file a frame, row after row, little-endian."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, List, Tuple

import numpy as np

from trackleed_kit.errors import Damaged

if TYPE_CHECKING:
    Array = np.ndarray[Any, np.dtype[Any]]


def frame_file(folder: Path, i: int) -> Path:
    """The chunk file of frame ``i``."""
    return folder / ("c.%d.0.0" % i)


def read_chunk(file: Path, shape: Tuple[int, int], dtype: np.dtype[Any], what: str) -> Array:
    """One image (y, x), read-only, from its chunk file.

    Raises
    ------
    Damaged
        If the file is missing, unreadable or of the wrong size.
    """
    size = shape[0] * shape[1] * dtype.itemsize
    try:
        held = file.stat().st_size
        pixels = np.fromfile(str(file), dtype)
    except OSError as error:
        raise Damaged("%s cannot be read: %s: %s" % (what, error.strerror, file)) from error
    if pixels.nbytes != size or held != size:
        raise Damaged("%s has %d bytes, should have %d: %s" % (what, held, size, file))
    pixels.setflags(write=False)
    return pixels.reshape(shape)


class Chunks:
    """The first ``n`` frames of a folder of chunk files, as the source of a `FrameSequence`."""

    def __init__(self, folder: Path, n: int, shape: Tuple[int, int], dtype: np.dtype[Any]) -> None:
        self.folder, self.n, self.shape, self.dtype = folder, n, shape, dtype

    def __len__(self) -> int:
        return self.n

    def read(self, i: int) -> Array:
        """Frame ``i``, read-only array (y, x)."""
        return read_chunk(frame_file(self.folder, i), self.shape, self.dtype, "frame %d" % i)

    def damaged(self) -> List[int]:
        """Frames whose file is missing or of the wrong size."""
        with os.scandir(str(self.folder)) as entries:
            sizes = {entry.name: entry.stat().st_size for entry in entries}
        size = self.shape[0] * self.shape[1] * self.dtype.itemsize
        return [i for i in range(self.n) if sizes.get(frame_file(self.folder, i).name) != size]
