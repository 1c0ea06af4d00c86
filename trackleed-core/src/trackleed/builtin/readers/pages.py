"""One image of a file, as it will become a frame: its header, its tags, and how to load it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from trackleed.errors import InputError

Array: TypeAlias = np.ndarray[Any, np.dtype[Any]]

CHANNELS = ("red", "green", "blue")


@dataclass(frozen=True)
class Page:
    """One image: header read, pixels not yet."""

    path: Path
    number: int  # from 0, of the images in this file
    pages: int  # how many images there are in this file
    shape: tuple[int, int]
    dtype: np.dtype[Any]
    colours: bool
    load: Callable[[], Array]
    """Pixels, array (y, x) or (y, x, samples)."""
    tags: Mapping[str, Any] = field(default_factory=dict)
    """What the file says: ``datetime``, ``exposure_s``, ``time_s``, ``label``, ``description``."""

    @property
    def name(self) -> str:
        """File name, with the number of the image where the file has several."""
        return self.path.name if self.pages == 1 else f"{self.path.name}[{self.number}]"


@dataclass(frozen=True)
class Pages:
    """The images of one file, and why there may be fewer than there should be."""

    pages: list[Page]
    problem: str = ""
    notes: tuple[str, ...] = ()


def read(page: Page, channel: int) -> Array:
    """Frame of a page, array (y, x) in native byte order.

    Of colours, one channel: summing them would mix saturated with unsaturated
    counts. Of a grey image stored in colours, any channel is the image.

    Raises
    ------
    InputError
        If the pixels cannot be read, naming the file.
    """
    frame = _load(page)
    if frame.ndim == 3:
        frame = frame[..., channel if frame.shape[-1] >= 3 else 0]
    if frame.shape != page.shape:
        raise InputError(f"{page.path}: holds {frame.shape} pixels, its header says {page.shape}")
    return np.ascontiguousarray(frame, dtype=page.dtype)


def brightest_channel(pages: Sequence[Page]) -> tuple[int, bool]:
    """Channel with the most light, and whether any of these pages has true colours."""
    totals = np.zeros(3)
    true_colours = False
    for page in pages:
        image = _load(page)
        if image.ndim == 3 and image.shape[-1] >= 3:
            totals += image[..., :3].sum(axis=(0, 1), dtype=np.float64)
            true_colours |= bool((image[..., :1] != image[..., 1:3]).any())
    return int(totals.argmax()), true_colours


def _load(page: Page) -> Array:
    # Decoders raise nearly anything on a damaged file, zlib.error and
    # struct.error among it: whatever it is, it is this file that is bad.
    try:
        return page.load()
    except InputError:
        raise
    except Exception as error:
        raise InputError(f"{page.path}: {page.name} is damaged or cut short: {error}") from error
