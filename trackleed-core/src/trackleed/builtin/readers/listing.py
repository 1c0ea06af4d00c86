"""From the path that a user gave to the image files of a series, in order."""

from __future__ import annotations

import filecmp
import glob
import re
from collections import Counter
from pathlib import Path
from typing import NamedTuple

from trackleed.errors import InputError

KINDS = {
    ".tif": "TIFF", ".tiff": "TIFF", ".png": "PNG", ".bmp": "BMP", ".jpg": "JPEG", ".jpeg": "JPEG",
}  # fmt: skip
"""Endings, in lower case, that are read from a folder."""

_COPY = re.compile(r"\s*\((\d+)\)$")
_WITH_UNIT = r"\d+[.,]\d+(?=\s?(?:k?eV|ML|K|C|s|min|h)(?![A-Za-z]))"
_SPLIT = re.compile(rf"({_WITH_UNIT}|\d+)", re.IGNORECASE)


class Listing(NamedTuple):
    """Image files in their order, and those that were left out."""

    files: list[Path]
    skipped: list[str]  # each with the reason
    notes: list[str]


def original_stem(path: Path) -> str:
    """File name without its ending and without the `` (1)`` that browsers add to a copy."""
    return _COPY.sub("", path.stem)


def natural_key(path: Path) -> tuple[object, ...]:
    """Sort key: numbers by value, case ignored, a copy `` (1)`` after its original.

    A decimal number is one number only where a unit follows it (``9.5eV``):
    else ``scan1.9`` and ``scan1.10`` would change places.
    """
    copy = _COPY.search(path.stem)
    name = original_stem(path).casefold()
    return (*map(str.casefold, path.parts[:-1]), _numbers_apart(name), int(copy[1]) if copy else 0,
            path.name)  # fmt: skip


def list_files(path: Path) -> Listing:
    """Image files of a folder, of a glob, or the one file itself.

    Raises
    ------
    InputError
        If there is nothing, or if images of several kinds are mixed.
    """
    if path.is_file():
        return Listing([path], [], [])
    found = list(path.iterdir()) if path.is_dir() else _expand(path)
    files = [p for p in found if p.is_file() and not p.name.startswith(".")]
    images = sorted((p for p in files if p.suffix.lower() in KINDS), key=natural_key)
    if not images:
        raise _nothing(path, files)
    kinds = Counter(KINDS[p.suffix.lower()] for p in images)
    if len(kinds) > 1:
        counts = ", ".join(f"{n} {kind}" for kind, n in kinds.most_common())
        most = Counter(p.suffix for p in images).most_common(1)[0][0]
        folder = path if path.is_dir() else path.parent
        raise InputError(
            f"{path} mixes images of several kinds: {counts}",
            f"choose, for example: {folder}/*{most}",
        )
    return _without_copies(images)


def _expand(pattern: Path) -> list[Path]:
    return [Path(p) for p in glob.glob(str(pattern))]  # noqa: PTH207  Path.glob wants a root


def _numbers_apart(name: str) -> tuple[tuple[str, float], ...]:
    parts = [*_SPLIT.split(name), ""]  # text, number, text, number ... text, ""
    return tuple(
        (text, float(value.replace(",", ".")) if value else -1.0)
        for text, value in zip(parts[::2], parts[1::2], strict=True)
    )


def _without_copies(images: list[Path]) -> Listing:
    """Leave out ``x (1).tif`` where it is the same as ``x.tif``.

    Without an ``x.tif`` the number is a counter, as file managers write it.
    """
    listing = Listing([], [], [])
    names = {path.with_name(path.name.casefold()): path for path in images}
    for path in images:
        plain = path.with_name((original_stem(path) + path.suffix).casefold())
        original = names.get(plain, path)
        if original is not path and filecmp.cmp(original, path, shallow=False):
            listing.skipped.append(f"{path.name}: the same bytes as {original.name}")
            continue
        if original is not path:
            listing.notes.append(f"{path.name} and {original.name} differ: both are frames")
        listing.files.append(path)
    return listing


def _nothing(path: Path, files: list[Path]) -> InputError:
    wanted = ", ".join(KINDS)
    if not path.is_dir():
        what = f"{len(files)} file(s), none an image" if files else "no file"
        return InputError(f"{path} matches {what}", f"images end in {wanted}")
    below = sorted({p.parent for p in path.glob("*/*") if p.suffix.lower() in KINDS})
    if below:
        return InputError(
            f"no image in {path}, but in folders inside it: {', '.join(p.name for p in below[:5])}",
            f"open one of them, for example: {below[0]}",
        )
    other = Counter(p.suffix.lower() or p.name for p in files)
    counts = ", ".join(f"{n} {ending}" for ending, n in other.most_common(5)) or "it is empty"
    return InputError(f"no image in {path}: {counts}", f"images end in {wanted}")
