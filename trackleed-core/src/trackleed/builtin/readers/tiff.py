"""TIFF files of any number of pages, and ImageJ stacks, through tifffile.

Uncompressed pixels are read straight from their place in the file, which is
several times faster than a decoder and can be checked against the length of
the file without reading.
"""

from __future__ import annotations

import logging
import math
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import tifffile
from PIL import Image, UnidentifiedImageError

from trackleed.builtin.readers import pillow
from trackleed.builtin.readers.pages import Array, Page, Pages
from trackleed.builtin.readers.tiff_tags import page_tags
from trackleed.errors import InputError

_LOG = logging.getLogger("tifffile")
_INVERTED = tifffile.PHOTOMETRIC.MINISWHITE
_PALETTE = tifffile.PHOTOMETRIC.PALETTE


def list_pages(path: Path) -> Pages:
    """Images of one file from its headers.

    Stacks with several axes (time, slice, channel) give their images in the
    order of the file. Images that the file is too short for are left out, and
    ``problem`` says so.

    Raises
    ------
    InputError
        If an image is not made of real numbers, grey or in colours.
    """
    # As OME, a file would be read together with others that it names.
    with _complaints() as problems, tifffile.TiffFile(path, is_ome=False) as file:
        series = [each for each in file.series if not each.keyframe.is_reduced]  # no thumbnails
        found = [image for each in series for image in _images(path, file, each)]
        tags = page_tags(file, [image.page for image in found])
        notes = _notes(path, series)
    size = path.stat().st_size
    whole = [i for i, image in enumerate(found) if image.end <= size]
    if len(whole) < len(found):
        problems.insert(0, f"cut short: holds {len(whole)} of {len(found)} images")
    pages = [
        Page(
            path, i, len(found), found[i].shape, _dtype(path, found[i].page.keyframe),
            found[i].colours, found[i].load, tags[i],
        )
        for i in whole
    ]  # fmt: skip
    return Pages(pages, "".join(problems[:1]), notes)


class _Image(NamedTuple):
    """Where one image of a file lies."""

    page: Any  # the tifffile page with its tags
    shape: tuple[int, int]
    colours: bool
    load: Callable[[], Array]
    end: int  # of its bytes in the file


def _images(path: Path, file: Any, series: Any) -> Iterator[_Image]:
    axes, shape = str(series.axes), tuple(map(int, series.shape))
    inner = next((a for a in ("YXS", "SYX", "YX") if axes.endswith(a)), None)
    count = math.prod(shape[: -len(inner)]) if inner else 0
    if inner is None or (series.dataoffset is None and len(series.pages) != count):
        raise InputError(f"{path}: axes {axes} of {shape} are not a series of images")
    size = shape[-len(inner) :]
    key = series.keyframe
    yx = (size[inner.index("Y")], size[inner.index("X")])
    inverted = key.photometric == _INVERTED and key.dtype.kind in "bu"
    white = (1 << int(key.bitspersample)) - 1 if inverted else None
    on_disk = np.dtype(file.byteorder + key.dtype.char)
    layout = _Layout(path, on_disk, size, inner == "SYX", white)
    closed = _Closed(file)
    for i in range(count):
        page = series.pages[i] if i < len(series.pages) else key
        if series.dataoffset is not None:
            place = int(series.dataoffset) + i * layout.nbytes
        elif key.is_memmappable and page.is_contiguous:
            place = int(page.dataoffsets[0])
        else:
            end = max(map(sum, zip(page.dataoffsets, page.databytecounts, strict=True)), default=0)
            yield _Image(page, yx, "S" in inner, partial(_decode, layout, closed, page), end)
            continue
        yield _Image(page, yx, "S" in inner, Raw(layout, place), place + layout.nbytes)


class _Layout(NamedTuple):
    """How the pixels of an image lie in the file."""

    path: Path
    dtype: np.dtype[Any]
    size: tuple[int, ...]
    planar: bool  # one colour after the other
    white: int | None  # counts that white is stored below, where black is not 0

    @property
    def nbytes(self) -> int:
        return math.prod(self.size) * self.dtype.itemsize

    def arrange(self, pixels: Array) -> Array:
        if self.planar:
            pixels = np.moveaxis(pixels, 0, -1)
        if pixels.dtype.kind == "b":
            pixels = pixels.astype(np.uint8)
        return pixels if self.white is None else self.white - pixels


@dataclass(frozen=True)
class Raw:
    """Uncompressed pixels in one piece of a file; loads them when it is called."""

    layout: _Layout
    place: int  # byte at which they begin

    def __call__(self) -> Array:
        """Pixels as they are arranged in the file's image."""
        layout = self.layout
        pixels = np.fromfile(layout.path, layout.dtype, math.prod(layout.size), offset=self.place)
        return layout.arrange(pixels.reshape(layout.size))

    @property
    def nbytes(self) -> int:
        """How many bytes they are."""
        return self.layout.nbytes

    def at(self, path: Path) -> Raw:
        """The pixels at the same place of another file."""
        return Raw(self.layout._replace(path=path), self.place)


class _Closed:
    """A parsed file that is opened again for each read, so that no handle stays open."""

    def __init__(self, file: Any) -> None:
        self._handle = file.filehandle
        self._lock = threading.Lock()

    def asarray(self, page: Any) -> Array:
        with self._lock:
            self._handle.open()
            try:
                return np.asarray(page.asarray())
            finally:
                self._handle.close()


def _decode(layout: _Layout, closed: _Closed, page: Any) -> Array:
    try:
        return layout.arrange(closed.asarray(page).reshape(layout.size))
    except (ValueError, NotImplementedError) as error:
        # LZW, JPEG and 12 bits need imagecodecs, a large package; Pillow has them too.
        if page.keyframe.photometric in (_INVERTED, _PALETTE):
            raise  # Pillow would turn these into something else
        try:
            with Image.open(layout.path) as image:
                image.seek(int(page.index))
                pixels = pillow.to_array(image)
        except UnidentifiedImageError:
            pixels = np.empty(0, bool)
        if pixels.dtype.itemsize != layout.dtype.itemsize or pixels.dtype.kind != layout.dtype.kind:
            raise InputError(f"{layout.path}: {error}", "save it without compression") from error
        return pixels


def _dtype(path: Path, key: Any) -> np.dtype[Any]:
    if key.dtype is None or key.dtype.kind not in "buif":
        raise InputError(f"{path}: pixels of type {key.dtype} are no counts")
    return np.dtype(np.uint8) if key.dtype.kind == "b" else np.dtype(key.dtype)


def _notes(path: Path, series: list[Any]) -> tuple[str, ...]:
    notes = []
    for each in series:
        outer = {a: n for a, n in zip(each.axes, each.shape, strict=True) if a not in "YXS"}
        if len(outer) > 1:
            axes = ", ".join(f"{axis} {n}" for axis, n in outer.items())
            notes.append(f"{path.name}: axes {axes}; the frames are in the order of the file")
        if each.keyframe.photometric == _PALETTE:
            notes.append(
                f"{path.name}: has a colour table; the stored values are used, not colours"
            )
    return tuple(notes)


class _Collect(logging.Handler):
    """Keeps what is logged as an error."""

    def __init__(self) -> None:
        super().__init__()
        self.messages: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        text = record.getMessage()
        # A tag that cannot be read is not a missing image.
        if record.levelno >= logging.ERROR and "TiffTag" not in text:
            self.messages.append(f"damaged or cut short: {text}")


@contextmanager
def _complaints() -> Iterator[list[str]]:
    """Collect what tifffile logs as errors: it goes on with a damaged file as far as it can."""
    handler, propagate = _Collect(), _LOG.propagate
    _LOG.addHandler(handler)
    _LOG.propagate = False
    try:
        yield handler.messages
    finally:
        _LOG.removeHandler(handler)
        _LOG.propagate = propagate
