"""Logs that a laboratory program writes beside each frame, such as ``NAME_log.txt``.

A label with its unit, and the value in the next line or after a colon or an
equals sign::

    lunedì 14 aprile 2025 - 18:10:56

    Energy (eV)
    187
    Pressure: 7.592E-10 mbar
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

from trackleed.builtin.readers.listing import original_stem
from trackleed.builtin.readers.quantities import STAMP, Record, put, quantity, unit_of
from trackleed.builtin.readers.stamps import stamp
from trackleed.errors import InputError

ENDINGS = ("_log.txt", ".log", ".txt")
"""Of a log, after the name of its frame."""

_ONE_LINE = re.compile(r"(?P<label>[^:=]+?)\s*[:=]\s*(?P<value>\S+)(?:\s+(?P<unit>\S+))?")


def sidecar_records(paths: Sequence[Path], every: bool) -> list[Record]:
    """What the log of each file says; nothing where there is no log.

    The log of ``x (1).tif`` may be called after ``x``, if only one file would take it.

    Raises
    ------
    InputError
        If ``every`` file should have a log and one has none.
    """
    beside = {
        p.name.casefold(): p for folder in {p.parent for p in paths} for p in folder.iterdir()
    }
    stems = Counter(original_stem(path).casefold() for path in set(paths))
    records: dict[Path, Record] = {}
    for path in dict.fromkeys(paths):
        plain = original_stem(path).casefold()
        tried = [path.stem.casefold(), *([plain] if stems[plain] == 1 else [])]
        log = next((beside[s + e] for s in tried for e in ENDINGS if s + e in beside), None)
        if log is None and every:
            raise InputError(
                f"{path} has no log; looked for {', '.join(path.stem + e for e in ENDINGS)}",
                "or set sidecar=auto to do without",
            )
        records[path] = parse_log(read_text(log)) if log else {}
    return [records[path] for path in paths]


def read_text(path: Path) -> str:
    """Text of a file in UTF-8 or, failing that, in Latin-1."""
    raw = path.read_bytes()
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        return raw.decode("latin-1")


def parse_log(text: str) -> Record:
    """Quantities and date of one log. What it does not say with its unit is left out."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    record: Record = {}
    for line, following in pairwise([*lines, ""]):
        when = stamp(line)
        if when:
            record.setdefault(STAMP, when)
            continue
        label = quantity(line)
        one_line = _ONE_LINE.fullmatch(line)
        if label and label.exact:
            put(record, label, following)
        elif one_line:
            label = quantity(one_line["label"]) or unit_of(
                " ".join(one_line["label"].casefold().split()), one_line["unit"]
            )
            if label:
                put(record, label, one_line["value"])
    return record
