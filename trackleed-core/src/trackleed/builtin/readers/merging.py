"""Metadata of several sources, of which the first is believed most, into one column each."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

import numpy as np

from trackleed.builtin.readers.pages import Array
from trackleed.builtin.readers.quantities import STAMP, Record
from trackleed.tables import INDEX

_SAME = 1e-3
"""Relative difference up to which two sources agree: one may have fewer digits."""


class Source(NamedTuple):
    """What one kind of metadata says of each frame."""

    name: str
    records: list[Record]


class Metadata(NamedTuple):
    """Columns for ``index``, and lines for the user about where they came from."""

    columns: dict[str, Array]
    notes: list[str]


def merge(sources: Sequence[Source]) -> Metadata:
    """One column for each quantity that any source has; every source has a record a frame."""
    notes: list[str] = []
    columns: dict[str, Array] = {}
    for source in sources:
        records = _with_times(source, notes)
        filled: list[str] = []
        for column in dict.fromkeys(key for record in records for key in record):
            values = _array(column, records)
            before = columns.get(column, np.full_like(values, _blank(values)))
            known = _known(before)
            differ = np.flatnonzero(known & _known(values) & ~_same(before, values))
            if differ.size:
                notes.append(_clash(column, before, values, differ, source.name))
            if column == "time_s" and known.any():
                continue  # times from two clocks do not mix
            columns[column] = np.where(known, before, values)
            gained = int((_known(values) & ~known).sum())
            if gained:
                all_of_them = gained == len(records)
                part = "" if all_of_them else f" ({gained} of {len(records)} frames)"
                filled.append(column + part)
        if filled:
            notes.append(f"from {source.name}: {', '.join(filled)}")
    unknown = [n for n in INDEX.names if n not in columns and n not in ("frame", "source")]
    if unknown:
        notes.append(f"unknown: {', '.join(unknown)}")
    return Metadata(columns, notes)


def _with_times(source: Source, notes: list[str]) -> list[Record]:
    """The records with dates turned into ``time_s``, and without times that tell nothing."""
    stamps = [record.get(STAMP) for record in source.records]
    records = [{k: v for k, v in record.items() if k != STAMP} for record in source.records]
    dated = [when for when in stamps if isinstance(when, datetime)]
    timed = [record["time_s"] for record in records if "time_s" in record]
    if dated and not timed:
        if len(dated) < len(records):
            notes.append(
                f"{source.name}: {len(dated)} of {len(records)} frames have a date; not used"
            )
        else:
            timed = [(when - dated[0]).total_seconds() for when in dated]
            for record, seconds in zip(records, timed, strict=True):
                record["time_s"] = seconds
    if len(records) > 1 and len(timed) == len(records) and len(set(timed)) == 1:
        notes.append(f"{source.name}: the time is the same in all frames; not used")
        for record in records:
            del record["time_s"]
    return records


def _array(column: str, records: Sequence[Record]) -> Array:
    values = [record.get(column) for record in records]
    if any(isinstance(value, str) for value in values):
        return np.array(["" if value is None else str(value) for value in values], dtype=object)
    return np.array([math.nan if value is None else value for value in values], dtype=np.float64)


def _blank(values: Array) -> str | float:
    return "" if values.dtype == object else math.nan


def _known(values: Array) -> Array:
    return np.asarray(values != "") if values.dtype == object else np.isfinite(values)


def _same(a: Array, b: Array) -> Array:
    if a.dtype == object or b.dtype == object:
        return np.asarray(a == b)
    return np.isclose(a, b, rtol=_SAME, atol=0)


def _clash(column: str, kept: Array, other: Array, where: Array, source: str) -> str:
    i = int(where[0])
    return (
        f"{column}: {source} differ in {len(where)} frame(s), first in frame {i} "
        f"({other[i]} against {kept[i]}, which is kept)"
    )
