"""Arrays that serve for one frame after another.

Large arrays come from the system as empty pages and go back there, and to be handed them anew for
each frame takes as long as a good part of the work on it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]


class Scratch:
    """Arrays by name and shape, which keep what was last written to them."""

    def __init__(self) -> None:
        self._arrays: dict[tuple[str, tuple[int, ...]], Array] = {}

    def __call__(self, name: str, shape: tuple[int, ...], dtype: Any = np.float32) -> Array:
        """The array of that name and shape; always asked for with the same type."""
        key = name, shape
        if key not in self._arrays:
            self._arrays[key] = np.empty(shape, dtype)
        return self._arrays[key]


class Pool:
    """One `Scratch` for each thread that is at work."""

    def __init__(self) -> None:
        self._idle: list[tuple[tuple[int, ...], Scratch]] = []

    @contextmanager
    def lend(self, shape: tuple[int, ...]) -> Iterator[Scratch]:
        """A scratch for a frame of that shape; one that served other shapes is dropped."""
        kept, scratch = self._idle.pop() if self._idle else (shape, Scratch())
        if kept != shape:
            scratch = Scratch()
        yield scratch
        self._idle.append((shape, scratch))
