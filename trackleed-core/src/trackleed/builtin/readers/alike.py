"""TIFF files that are written alike: the header of one tells that of the next."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

from trackleed.builtin.readers import tiff
from trackleed.builtin.readers.pages import Page, Pages

_MOST = 1 << 16  # bytes of a file beside its pixels that are compared


class Alike:
    """Lists the images of one TIFF file after another.

    The frames of a series are mostly written by one program in one way, and to parse a header
    takes longer than to read the pixels. So a file of one uncompressed image that has the same
    bytes as the one before, but for its pixels, is not parsed.
    """

    def __init__(self) -> None:
        self._model: _Model | None = None

    def list_pages(self, path: Path) -> Pages:
        """Images of a file; the same, and the same errors, as of `tiff.list_pages`."""
        if self._model is not None and self._model.fits(path):
            return self._model.of(path)
        pages = tiff.list_pages(path)
        self._model = _model(path, pages)
        return pages


@dataclass(frozen=True)
class _Model:
    """A file, and its only image."""

    page: Page
    pixels: tiff.Raw
    beside: _Beside

    def fits(self, path: Path) -> bool:
        """Whether a file is the same but for its pixels."""
        if path.suffix != self.page.path.suffix:
            return False
        return _beside(path, self.pixels) == self.beside

    def of(self, path: Path) -> Pages:
        """The image of a file that fits."""
        return Pages([replace(self.page, path=path, load=self.pixels.at(path))])


class _Beside(NamedTuple):
    """What a file holds beside its pixels."""

    size: int  # of the whole file
    head: bytes
    tail: bytes


def _model(path: Path, pages: Pages) -> _Model | None:
    """What later files are compared with; None if they must be parsed."""
    if len(pages.pages) != 1 or pages.problem or pages.notes:
        return None
    [page] = pages.pages
    pixels = page.load
    if page.pages != 1 or not isinstance(pixels, tiff.Raw):
        return None
    if path.stat().st_size - pixels.nbytes > _MOST:
        return None
    return _Model(page, pixels, _beside(path, pixels))


def _beside(path: Path, pixels: tiff.Raw) -> _Beside:
    with path.open("rb", buffering=0) as file:
        size = os.fstat(file.fileno()).st_size
        head = file.read(pixels.place)
        file.seek(pixels.place + pixels.nbytes)
        return _Beside(size, head, file.read(_MOST))
