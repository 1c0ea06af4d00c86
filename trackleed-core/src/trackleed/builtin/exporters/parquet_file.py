"""Exporter ``parquet``: everything about every spot as one typed file."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq

from trackleed.builtin.exporters._tables import full_rows, require, table_schema, written_aside
from trackleed.params import Params

if TYPE_CHECKING:
    from trackleed.backend import View


class ParquetExporter:
    """Writes the columns of ``full_analysis_per_spot.csv``, a row group for a block of frames."""

    def __init__(self, params: Params) -> None:
        self.params = params

    def export(self, view: View, folder: Path) -> Iterator[Path]:
        """Write ``full_analysis_per_spot.parquet``.

        Raises
        ------
        InputError
            If there are no tracks or no fits.
        """
        require(view, "tracks", "fits")
        path = folder / "full_analysis_per_spot.parquet"
        with written_aside(path) as aside:
            writer = None
            try:
                for block in full_rows(view):
                    writer = writer or pq.ParquetWriter(aside, table_schema(block))
                    rows = pa.Table.from_pandas(block, schema=writer.schema, preserve_index=False)
                    writer.write_table(rows)
            finally:
                if writer is not None:
                    writer.close()
        yield path
