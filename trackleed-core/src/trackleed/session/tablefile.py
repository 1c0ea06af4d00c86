"""Tables on disk: Parquet, written a block of frames at a time and read a span at a time."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from trackleed import tables
from trackleed.errors import SessionDamaged, TableError
from trackleed.files import sync

if TYPE_CHECKING:
    import pandas as pd

    from trackleed.tables import Columns, TableSpec

ROWS_PER_GROUP = 8192
"""Rows that are gathered before they are written: what bounds memory and what can be skipped."""

_TYPES = {"int": pa.int64(), "float": pa.float64(), "bool": pa.bool_(), "str": pa.string()}


class TableWriter:
    """Writes one table to ``path``, which is not there before `close`.

    Parameters
    ----------
    path : Path
        The Parquet file. Until it is whole, it is called ``path`` + ``.part``.
    spec : TableSpec
        What the table must keep to. Blocks may have further columns, all the same.
    """

    def __init__(self, path: Path, spec: TableSpec) -> None:
        self.path, self.spec, self.rows = path, spec, 0
        self._part = part_of(path)
        self._schema: pa.Schema | None = None
        self._gathered: list[pa.Table] = []
        self._frames: set[int] = set()
        self.broken = False
        """Whether writing failed: nothing can be made of what is on disk."""
        self._file: BinaryIO | None = None
        self._writer: pq.ParquetWriter | None = None

    def write(self, block: Columns | pd.DataFrame) -> None:
        """Add the rows of some frames.

        Raises
        ------
        TableError
            If they do not keep to the specification, or a frame was written before.
        OSError
            If they cannot be written.
        """
        table = tables.build(self.spec, block)
        if table.empty:
            return
        self._check_frames(table)
        try:
            self._schema = self._schema or _schema(self.spec, table)
            if list(table.columns) != self._schema.names:
                raise TableError(
                    f"{self.spec.name} table: columns changed from "
                    f"{', '.join(self._schema.names)} to {', '.join(table.columns)}"
                )
            arrays = [_array(table[field.name], field.type) for field in self._schema]
        except pa.ArrowException as error:
            raise TableError(f"{self.spec.name} table: a column mixes kinds: {error}") from None
        self._gathered.append(pa.Table.from_arrays(arrays, schema=self._schema))
        self.rows += len(table)
        if sum(map(len, self._gathered)) >= ROWS_PER_GROUP:
            self._flush()

    def close(self) -> None:
        """Bring the table to its place, safe from a loss of power."""
        self._flush()
        with self._breaking():
            assert self._file is not None
            assert self._writer is not None
            self._writer.close()
            self._file.flush()
            os.fsync(self._file.fileno())
            self._file.close()
            self._part.replace(self.path)
            sync(self.path.parent)

    def discard(self) -> None:
        """Leave nothing behind."""
        if self._writer is not None:
            self._writer.is_open = False  # else it tries again to write, and fails again
        if self._file is not None:
            self._file.close()
        self._part.unlink(missing_ok=True)

    def _check_frames(self, table: pd.DataFrame) -> None:
        # `tables.build` sees one block only: a key can still occur twice in two of them.
        if "frame" in self.spec.key:
            frames = set(table["frame"].unique().tolist())
            twice = frames & self._frames
            if twice:
                raise TableError(f"{self.spec.name} table: frame {min(twice)} is written twice")
            self._frames |= frames

    def _flush(self) -> None:
        with self._breaking():
            writer = self._writer or self._open()
            if self._gathered:
                writer.write_table(pa.concat_tables(self._gathered).combine_chunks())
                self._gathered.clear()

    @contextmanager
    def _breaking(self) -> Iterator[None]:
        try:
            yield
        except BaseException:
            self.broken = True
            raise

    def _open(self) -> pq.ParquetWriter:
        schema = self._schema or _schema(self.spec, tables.empty(self.spec))
        text = [field.name for field in schema if pa.types.is_string(field.type)]
        self._part.parent.mkdir(parents=True, exist_ok=True)
        self._file = self._part.open("wb")
        self._writer = pq.ParquetWriter(
            self._file, schema, compression="zstd", use_dictionary=text, write_page_checksum=True
        )
        return self._writer


def part_of(path: Path) -> Path:
    """What a table is called while it is being written."""
    return path.with_name(f"{path.name}.part")


def read_table(
    path: Path, frames: tuple[int, int] | None = None, columns: Sequence[str] | None = None
) -> pd.DataFrame:
    """A table, or the rows of a half-open range of frames, in the order of the frames.

    Only the parts of the file that can hold those frames are read.

    Raises
    ------
    TableError
        If it has no such column.
    SessionDamaged
        If the file is missing or cannot be read.
    """
    with _opened(path) as file:
        names = file.schema_arrow.names
        wanted = list(names if columns is None else columns)
        missing = [name for name in wanted if name not in names]
        if missing:
            raise TableError(
                f"{path.name} has no column {', '.join(missing)}; it has: {', '.join(names)}"
            )
        read = wanted if "frame" in wanted or "frame" not in names else ["frame", *wanted]
        groups = [g for g in range(file.num_row_groups) if _may_hold(file, g, frames)]
        arrow = file.read_row_groups(groups, columns=read, use_threads=False)
        table: pd.DataFrame = arrow.to_pandas()
    if frames is not None:
        table = table[(table["frame"] >= frames[0]) & (table["frame"] < frames[1])]
    if "frame" in names and not table["frame"].is_monotonic_increasing:
        table = table.sort_values("frame", kind="stable")
    return table[wanted].reset_index(drop=True)


def check_table(path: Path, rows: int) -> None:
    """Raise SessionDamaged unless the file is there and holds that many rows."""
    with _opened(path) as file:
        if file.metadata.num_rows != rows:
            raise SessionDamaged(f"{path} has {file.metadata.num_rows} rows, should have {rows}")


@contextmanager
def _opened(path: Path) -> Iterator[pq.ParquetFile]:
    try:
        with path.open("rb") as stream:
            yield pq.ParquetFile(stream, page_checksum_verification=True)
    except FileNotFoundError:
        raise SessionDamaged(f"table is missing: {path}") from None
    except (OSError, pa.ArrowException) as error:
        raise SessionDamaged(f"table cannot be read: {path}: {error}") from error


def _may_hold(file: pq.ParquetFile, group: int, frames: tuple[int, int] | None) -> bool:
    if frames is None:
        return True
    # Not by file.metadata.schema: that is a reference cycle, and keeps the metadata for long.
    number = file.schema_arrow.names.index("frame")
    found = file.metadata.row_group(group).column(number).statistics
    return found is None or (found.max >= frames[0] and found.min < frames[1])


def _schema(spec: TableSpec, table: pd.DataFrame) -> pa.Schema:
    """The columns of the specification with unit and meaning, then what else the table has."""
    fields = [
        pa.field(c.name, _TYPES[c.dtype], metadata={"unit": c.unit, "meaning": c.meaning})
        for c in spec.columns
    ]
    extra = [name for name in table.columns if name not in spec.names]
    fields += [pa.field(name, _array(table[name], None).type) for name in extra]
    return pa.schema(fields, metadata={"table": spec.name})


def _array(column: pd.Series[Any], kind: pa.DataType | None) -> pa.Array:
    # By way of numpy, a NaN stays NaN; pandas would have it made "no value".
    values: Any = column.to_numpy() if isinstance(column.dtype, np.dtype) else column
    return pa.array(values, type=kind, from_pandas=False)
