"""The built-in reader: image files of all kinds as one series."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from trackleed import tables
from trackleed.builtin.readers import pillow
from trackleed.builtin.readers.alike import Alike
from trackleed.builtin.readers.listing import KINDS, list_files
from trackleed.builtin.readers.metadata import gather
from trackleed.builtin.readers.pages import (
    CHANNELS,
    Array,
    Page,
    Pages,
    brightest_channel,
    read,
)
from trackleed.builtin.readers.params import SeriesParams
from trackleed.errors import InputError

_SKIP = "mend it, or leave such files out with --skip-bad, which lists them"


class Series:
    """The frames of an opened series; a `trackleed.backend.FrameSource`."""

    def __init__(
        self, pages: Sequence[Page], channel: int, columns: dict[str, Array],
        skipped: Sequence[str], notes: Sequence[str],
    ) -> None:  # fmt: skip
        self._pages = list(pages)
        self._channel = channel
        self.shape = pages[0].shape
        self.dtype = pages[0].dtype
        unknown = np.full(len(pages), np.nan)
        index = dict.fromkeys(tables.INDEX.names, unknown) | columns
        index["frame"], index["source"] = np.arange(len(pages)), _source_names(pages)
        self.index = tables.build(tables.INDEX, index)
        self.skipped = list(skipped)
        self.notes = list(notes)

    def __len__(self) -> int:
        return len(self._pages)

    def read(self, i: int) -> Array:
        """Frame ``i`` as it was stored, array (y, x).

        Raises
        ------
        InputError
            If the file is damaged, naming it.
        """
        try:
            return read(self._pages[i], self._channel)
        except InputError as error:
            raise InputError(error.message, error.hint or _SKIP) from error


class SeriesReader:
    """Opens a folder, a glob, or one file with one or many images.

    All headers are read when a series is opened, so that files of different
    size, empty files, and TIFF and GIF files that are cut short stop it at
    once. Other damage shows when the pixels are read. With ``skip_bad`` all
    pixels are read once at the start, so that frames keep their numbers.
    """

    def __init__(self, params: SeriesParams) -> None:
        self._params = params

    def open(self, path: Path) -> Series:
        """Open ``path``; metadata is complete, pixels are read later.

        Raises
        ------
        InputError
            If a file cannot be used, naming the file, or if there is none.
        """
        listing = list_files(Path(path))
        bad = _Bad(self._params.skip_bad)
        notes = list(listing.notes)
        found: list[Page] = []
        alike = Alike()
        for file in listing.files:
            pages = _probe(file, alike, bad)
            found += pages.pages
            notes += pages.notes
        numbers = list(range(len(found)))[self._slice()]
        kept = [i for i in numbers if _readable(found[i], bad)]
        kept = _alike(found, kept, bad)
        if not kept:
            reason = bad.skipped[0] if bad.skipped else f"it has {len(found)}"
            raise InputError(f"{path}: none of the frames asked for can be used: {reason}")
        pages_kept = [found[i] for i in kept]
        channel = _channel(pages_kept, self._params.channel, notes)
        metadata = gather(pages_kept, kept, self._params)
        return Series(
            pages_kept,
            channel,
            metadata.columns,
            listing.skipped + bad.skipped,
            notes + metadata.notes,
        )

    def _slice(self) -> slice:
        last = self._params.last
        return slice(self._params.first, None if last is None else last + 1, self._params.every)


class _Bad:
    """Stops at what cannot be used, or lists it."""

    def __init__(self, skip: bool) -> None:
        self.skip = skip
        self.skipped: list[str] = []

    def add(self, reason: str, hint: str | None = None) -> None:
        if not self.skip:
            raise InputError(reason, hint or _SKIP)
        self.skipped.append(reason)


def _probe(file: Path, alike: Alike, bad: _Bad) -> Pages:
    """Images of one file, by its ending; none, and reported, if it is no such file."""
    kind = KINDS.get(file.suffix.lower())
    try:
        if file.stat().st_size == 0:
            raise InputError(f"{file}: the file is empty")
        pages = alike.list_pages(file) if kind == "TIFF" else pillow.list_pages(file)
    except InputError as error:
        bad.add(error.message, error.hint)
        return Pages([])
    except Exception as error:  # decoders raise nearly anything
        what = f"{file}: no {kind or 'image'} that can be read, or damaged"
        bad.add(f"{what} ({type(error).__name__})")
        return Pages([])
    if pages.problem:
        bad.add(f"{file}: {pages.problem}")
    return pages


def _readable(page: Page, bad: _Bad) -> bool:
    """Whether a frame can be read; tried only where bad frames are skipped."""
    if bad.skip:
        try:
            read(page, 0)
        except InputError as error:
            bad.add(error.message)
            return False
    return True


def _alike(pages: Sequence[Page], numbers: Sequence[int], bad: _Bad) -> list[int]:
    """Those frames that have the size and type of most of them."""
    kinds = Counter((pages[i].shape, pages[i].dtype) for i in numbers)
    if len(kinds) < 2:
        return list(numbers)
    (shape, dtype), count = kinds.most_common(1)[0]
    kept = []
    for i in numbers:
        page = pages[i]
        if (page.shape, page.dtype) == (shape, dtype):
            kept.append(i)
        else:
            bad.add(
                f"{page.path.parent / page.name} is {_describe(page.shape, page.dtype)}, "
                f"{count} of {len(numbers)} frames are {_describe(shape, dtype)}"
            )
    return kept


def _describe(shape: tuple[int, int], dtype: np.dtype[Any]) -> str:
    return f"{shape[1]} x {shape[0]} px {dtype}"


def _channel(pages: Sequence[Page], wanted: str, notes: list[str]) -> int:
    """Number of the colour channel that is used, and a note if there are true colours."""
    coloured = [page for page in pages if page.colours]
    if not coloured:
        return 0
    some = {0, len(coloured) // 2, len(coloured) - 1}
    brightest, true_colours = brightest_channel([coloured[i] for i in sorted(some)])
    channel = brightest if wanted == "auto" else CHANNELS.index(wanted)
    if true_colours:
        notes.append(f"true colours: the {CHANNELS[channel]} channel is used; channel= chooses")
    return channel


def _source_names(pages: Sequence[Page]) -> Array:
    folder = Path(os.path.commonpath([page.path.parent for page in pages]))
    return np.array(
        [(page.path.parent.relative_to(folder) / page.name).as_posix() for page in pages],
        dtype=object,
    )
