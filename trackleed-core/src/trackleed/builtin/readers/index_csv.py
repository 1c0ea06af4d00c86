"""A CSV file with one row a frame: its file name, and quantities named with their units.

    # comment lines begin with # % ! or *
    file; energy (eV); T [°C]; I0 (uA)
    frame_001.tif; 20,5; -107; 1,2

The column of file names is the one called file, filename, name or image, else
the first. Instead of file names there may be a column ``frame``, counted from
0. Columns whose quantity or unit is not known are kept under their own names.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PureWindowsPath

from trackleed.builtin.readers.listing import KINDS
from trackleed.builtin.readers.quantities import (
    STAMP,
    TEXT,
    Quantity,
    Record,
    number,
    quantity,
)
from trackleed.builtin.readers.sidecar import read_text
from trackleed.builtin.readers.stamps import stamp
from trackleed.errors import InputError

_FILE = ("file", "filename", "file name", "name", "image", "image name")
_STAMP = ("timestamp", "datetime", "date time", "date", "time")
_NUMBERING = ("frame", "index", "source", "number", "")


@dataclass(frozen=True)
class IndexTable:
    """The rows of an index CSV."""

    path: Path
    by_frame: bool  # whether keys are numbers of frames, not names of files
    rows: dict[str, Record]  # key in lower case: what is known


def parse_index(path: Path) -> IndexTable:
    """Read an index CSV, separated by semicolons, tabs or commas.

    Raises
    ------
    InputError
        If it names no frames, or a line has not the columns of the header, or a
        value is no number. The message says which line.
    """
    lines = _rows(path)
    if len(lines) < 2:
        raise InputError(f"{path} has no rows; it needs a header and a row for each frame")
    (_, header), (_, first), *_ = lines
    key = _key_column(header, first)
    if key is None:
        raise InputError(
            f"{path} has no column of file names; it has {', '.join(header)}",
            "call the column 'file'",
        )
    for line, row in lines[1:]:
        if len(row) != len(header):
            raise InputError(
                f"{path} line {line} has {len(row)} values, the header has {len(header)}",
                "with decimal commas, separate the columns by semicolons",
            )
    by_frame = _plain(header[key]) == "frame"
    rows: dict[str, Record] = {}
    columns = _columns(path, header, key, [row for _, row in lines[1:]])
    for line, row in lines[1:]:
        if by_frame and not row[key].isdecimal():
            raise InputError(f"{path} line {line}: frame {row[key]!r} is not a whole number")
        name = str(int(row[key])) if by_frame else file_key(row[key])
        if name in rows:
            raise InputError(f"{path} line {line}: {row[key]} has a row already")
        rows[name] = _record(path, line, row, columns)
    return IndexTable(path, by_frame, rows)


def looks_like_index(path: Path) -> bool:
    """Whether a CSV file seems to list image files, from its first two rows."""
    lines = _rows(path, 2)
    key = _key_column(lines[0][1], lines[1][1]) if len(lines) == 2 else None
    return key is not None and key < len(lines[1][1]) and _plain(lines[0][1][key]) != "frame"


def file_key(name: str) -> str:
    """A file name as it is compared: no folder, no case."""
    return PureWindowsPath(name.strip()).name.casefold()


def _rows(path: Path, most: int | None = None) -> list[tuple[int, list[str]]]:
    lines = [
        (i, line)
        for i, line in enumerate(read_text(path).splitlines(), start=1)
        if line.strip() and line.lstrip()[0] not in "#%!*"
    ][:most]
    if not lines:
        return []
    delimiter = next((d for d in ";\t," if d in lines[0][1]), ",")
    parsed = csv.reader((line for _, line in lines), delimiter=delimiter, skipinitialspace=True)
    return [
        (i, [value.strip() for value in row]) for (i, _), row in zip(lines, parsed, strict=False)
    ]


def _key_column(header: Sequence[str], first: Sequence[str]) -> int | None:
    names = [_plain(name) for name in header]
    for name in _FILE:
        if name in names:
            return names.index(name)
    if first and PureWindowsPath(first[0]).suffix.casefold() in KINDS:
        return 0
    return names.index("frame") if "frame" in names else None


def _columns(
    path: Path, header: Sequence[str], key: int, rows: Sequence[Sequence[str]]
) -> list[tuple[int, str, Quantity | str]]:
    """Place, name in messages and meaning of each column; the meaning is a name if unknown."""
    known = {i: quantity(name) for i, name in enumerate(header) if i != key}
    taken: set[str] = set()
    columns: list[tuple[int, str, Quantity | str]] = []
    # A column that is called by its quantity alone comes before "energy_eV_set".
    for i, found in sorted(known.items(), key=lambda item: not (item[1] and item[1].exact)):
        plain = _plain(header[i])
        if found and found.exact and found.column in taken:
            raise InputError(f"{path} has two columns for {found.column}; {header[i]!r} is one")
        if found and found.column not in taken:
            taken.add(found.column)
            columns.append((i, header[i], found))
        elif plain in _STAMP and any(stamp(row[i]) for row in rows):
            columns.append((i, header[i], STAMP))
        elif plain not in _NUMBERING:
            name = plain if plain in TEXT else re.sub(r"\W+", "_", header[i]).strip("_")
            numeric = plain not in TEXT and all(_is_number(row[i]) for row in rows)
            columns.append((i, header[i], Quantity(name, 1, 0, True) if numeric else name))
    return columns


def _record(
    path: Path, line: int, row: Sequence[str], columns: Sequence[tuple[int, str, Quantity | str]]
) -> Record:
    record: Record = {}
    for i, header, meaning in columns:
        text = row[i]
        if meaning == STAMP:
            when = stamp(text)
            if when:
                record[STAMP] = when
        elif isinstance(meaning, str):
            if text:
                record[meaning] = text
        else:
            try:
                value = meaning.convert(number(text))
            except ValueError as error:
                raise InputError(f"{path} line {line}, column {header!r}: {error}") from None
            if value == value:
                record[meaning.column] = value
    return record


def _is_number(text: str) -> bool:
    try:
        number(text)
    except ValueError:
        return False
    return True


def _plain(name: str) -> str:
    return " ".join(re.split(r"[_\s]+", name.strip())).casefold()
