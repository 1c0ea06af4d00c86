"""PNG, BMP, JPEG and GIF, through Pillow."""

from __future__ import annotations

import threading
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from PIL import ExifTags, Image

from trackleed.builtin.readers.pages import Array, Page, Pages
from trackleed.errors import InputError

_GREY = {"L": "u1", "I;16": "u2", "I;16B": "u2", "I;16L": "u2"}


def list_pages(path: Path) -> Pages:
    """Images of one file from its header.

    Raises
    ------
    InputError
        If it is no image, or holds more bits than Pillow would hand over.
    """
    with Image.open(path) as image:
        _refuse_deep_colours(path, image)
        pages = int(getattr(image, "n_frames", 1))
        image.seek(0)
        shape = (image.height, image.width)
        grey = _GREY.get(image.mode)
        if image.mode == "I":  # 16-bit PNG in Pillow before 11
            grey = "u2" if image.format == "PNG" else "i4"
        elif image.mode in ("1", "LA"):
            grey = "u1"
        tags = _exif(image)
    if pages > 1:
        animation = _Animation(path)
        loads = [partial(animation.load, i) for i in range(pages)]
    else:
        loads = [partial(_load, path)]
    dtype, colours = np.dtype(grey or "u1"), grey is None or pages > 1
    return Pages(
        [Page(path, i, pages, shape, dtype, colours, load, tags) for i, load in enumerate(loads)],
        _cut_short(path),
    )


def to_array(image: Image.Image) -> Array:
    """Pixels of an image: (y, x) if grey, else (y, x, 3)."""
    if image.mode in ("1", "LA"):
        image = image.convert("L")
    elif image.mode not in _GREY and image.mode not in ("I", "F"):
        image = image.convert("RGB")
    return np.asarray(image)


class _Animation:
    """The images of one GIF; each builds on the one before, so the file stays open."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._image: Image.Image | None = None

    def load(self, i: int) -> Array:
        with self._lock:
            if self._image is None:
                self._image = Image.open(self._path)
            self._image.seek(i)
            return to_array(self._image)

    def __del__(self) -> None:
        if self._image is not None:
            self._image.close()


def _load(path: Path) -> Array:
    with Image.open(path) as image:
        return to_array(image)


def _cut_short(path: Path) -> str:
    """Pillow takes a GIF that was cut short for a shorter one; its last byte tells."""
    if path.suffix.lower() != ".gif" or path.read_bytes().rstrip(b"\0").endswith(b";"):
        return ""
    return "the file is cut short"


def _refuse_deep_colours(path: Path, image: Image.Image) -> None:
    tile = getattr(image, "tile", None)
    raw = tile[0][3] if tile else ""
    raw = raw[0] if isinstance(raw, tuple) else raw
    if image.format == "PNG" and image.mode in ("RGB", "RGBA", "LA") and ";16" in str(raw):
        raise InputError(
            f"{path}: colour PNG with 16 bits a channel, of which only 8 could be read",
            "save it as 16-bit grey PNG or as TIFF",
        )


def _exif(image: Image.Image) -> dict[str, Any]:
    if image.format == "PNG" and "exif" not in image.info:
        return {}  # Pillow would decode all pixels to look for it behind them
    exif = image.getexif()
    photo = exif.get_ifd(ExifTags.IFD.Exif)
    taken = photo.get(ExifTags.Base.DateTimeOriginal) or exif.get(ExifTags.Base.DateTime)
    tags: dict[str, Any] = {}
    if taken:
        tags["datetime"] = str(taken)
    exposure = photo.get(ExifTags.Base.ExposureTime)
    if exposure:
        tags["exposure_s"] = float(exposure)
    return tags
