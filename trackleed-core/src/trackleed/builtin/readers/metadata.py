"""Where the ``index`` of a series comes from, and which source is believed.

Highest first; what one does not say is taken from the next:

1. the user's regular expression (``pattern``)
2. the index CSV
3. logs beside the frames
4. file names
5. TIFF tags, ImageJ header and slice labels, EXIF

Where two sources differ the higher one is kept and a note says so. Times are
not mixed: ``time_s`` comes whole from the highest source that has it. Dates
become seconds since the first frame, if every frame has one.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from trackleed.builtin.readers.filenames import parse_name, parse_names
from trackleed.builtin.readers.index_csv import IndexTable, file_key, looks_like_index, parse_index
from trackleed.builtin.readers.listing import original_stem
from trackleed.builtin.readers.merging import Metadata, Source, merge
from trackleed.builtin.readers.pages import Page
from trackleed.builtin.readers.params import SeriesParams
from trackleed.builtin.readers.quantities import STAMP, TEXT, Record, number, put, quantity
from trackleed.builtin.readers.sidecar import sidecar_records
from trackleed.builtin.readers.stamps import stamp
from trackleed.errors import InputError


def gather(pages: Sequence[Page], numbers: Sequence[int], params: SeriesParams) -> Metadata:
    """Metadata of frames from every source that the options allow.

    Parameters
    ----------
    pages : sequence of Page
        The frames.
    numbers : sequence of int
        Number of each before frames were sampled, as an index CSV counts them.
    params : SeriesParams

    Raises
    ------
    InputError
        If something that the user named cannot be used.
    """
    paths = [page.path for page in pages]
    sources: list[Source] = []
    notes: list[str] = []
    if params.pattern:
        sources.append(Source("pattern", from_pattern(params.pattern, paths)))
    table = _index_table(params.index_csv, paths, notes)
    if table:
        records = _from_index(table, pages, numbers, params.index_csv == "auto", notes)
        sources.append(Source(table.path.name, records))
    if params.sidecar != "off":
        sources.append(Source("logs", sidecar_records(paths, params.sidecar == "on")))
    if params.names:
        sources.append(Source("file names", _from_names(pages)))
    if params.tags:
        sources.append(Source("tags", [from_tags(page) for page in pages]))
    columns, more = merge(sources)
    return Metadata(columns, notes + more)


def from_pattern(pattern: str, paths: Sequence[Path]) -> list[Record]:
    """What the user's regular expression finds in each file name without its ending.

    Raises
    ------
    InputError
        If it matches no name, or finds something that is no number.
    """
    expression = re.compile(pattern)
    records: list[Record] = []
    for path in paths:
        record: Record = {}
        found = expression.search(path.stem)
        for group, text in (found.groupdict() if found else {}).items():
            meaning = quantity(group)
            if text is None or group in TEXT or meaning is None:
                record.update({group: text} if text else {})
                continue
            try:
                record[meaning.column] = meaning.convert(number(text))
            except ValueError as error:
                raise InputError(f"pattern {pattern!r}, {group} in {path.name}: {error}") from None
        records.append(record)
    if not any(records):
        raise InputError(f"pattern {pattern!r} matches no file name, such as {paths[0].stem!r}")
    return records


def from_tags(page: Page) -> Record:
    """What the file itself says of one image."""
    tags = page.tags
    label = str(tags.get("label", ""))
    record = parse_name(original_stem(Path(label))) if label else {}
    record.pop("file_number", None)
    for found in _ASSIGNED.finditer(f"{label}\n{tags.get('description', '')}"):
        meaning = quantity(f"{found['name']} ({found['unit']})")
        if meaning:
            put(record, meaning, found["value"])
    record.update({key: tags[key] for key in ("exposure_s", "time_s") if key in tags})
    when = stamp(str(tags.get("datetime", "")))
    return {**record, STAMP: when} if when else record


_ASSIGNED = re.compile(
    r"(?P<name>[A-Za-z][A-Za-z0-9 ]*?)\s*[=:]\s*(?P<value>[-+−]?\d[\d.,]*(?:[eE][-+]?\d+)?)"
    r"[ \t]*(?P<unit>[A-Za-zµμ°]+)"
)


def _from_names(pages: Sequence[Page]) -> list[Record]:
    records = parse_names([original_stem(page.path) for page in pages])
    for page, record in zip(pages, records, strict=True):
        if page.pages > 1:
            record.pop("file_number", None)
    return records


def _index_table(option: str, paths: Sequence[Path], notes: list[str]) -> IndexTable | None:
    folders = {path.parent for path in paths}
    if option == "none" or (option == "auto" and len(folders) > 1):
        return None
    folder = folders.pop()
    if option != "auto":
        chosen = next((p for p in (Path(option), folder / option) if p.is_file()), None)
        if chosen is None:
            raise InputError(f"index_csv = {option!r}: there is no such file")
        return parse_index(chosen)
    frames = {file_key(path.name) for path in paths}
    found = [p for p in sorted(folder.iterdir()) if p.suffix.lower() == ".csv"]
    tables = [parse_index(p) for p in found if looks_like_index(p)]
    tables = [table for table in tables if not frames.isdisjoint(table.rows)]
    if len(tables) > 1:
        names = " and ".join(table.path.name for table in tables)
        notes.append(f"{names} list the frames: none is used; choose one with index_csv")
    return tables[0] if len(tables) == 1 else None


def _from_index(
    table: IndexTable, pages: Sequence[Page], numbers: Sequence[int], lenient: bool,
    notes: list[str],
) -> list[Record]:  # fmt: skip
    if table.by_frame:
        records = [table.rows.get(str(number), {}) for number in numbers]
        known: set[str] = set(table.rows)
    else:
        records = [
            next((table.rows[name] for name in _names(page) if name in table.rows), {})
            for page in pages
        ]
        known = {name for page in pages for name in _names(page)}
        known |= {
            file_key(p.name) for f in {page.path.parent for page in pages} for p in f.iterdir()
        }
    if not any(records):
        raise InputError(
            f"{table.path} has no row for any frame, such as {pages[0].name}; "
            f"its first row is for {next(iter(table.rows))}"
        )
    missing = [name for name in table.rows if name not in known]
    if missing:
        some = ", ".join(missing[:3]) + (" ..." if len(missing) > 3 else "")
        problem = (
            f"{table.path.name} has {len(missing)} row(s) for files that are not there: {some}"
        )
        if not lenient:
            raise InputError(problem)
        notes.append(problem)
    return records


def _names(page: Page) -> tuple[str, ...]:
    """What a row for this frame may be called, the most exact first."""
    plain = original_stem(page.path)
    names = (page.name, page.path.name, page.path.stem, plain + page.path.suffix, plain)
    return tuple(map(file_key, names))
