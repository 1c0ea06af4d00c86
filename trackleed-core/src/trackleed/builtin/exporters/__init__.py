"""Built-in exporters."""

from __future__ import annotations

from collections.abc import Iterator

from trackleed.backend import BackendSpec


def specs() -> Iterator[BackendSpec]:
    """Describe the built-in exporters."""
    package = "trackleed.builtin.exporters"
    yield BackendSpec(
        name="csv",
        summary="everything about every spot, centres, mean radii and a legend as CSV files",
        factory=f"{package}.csv_files:CsvExporter",
        family="tables",
    )
    yield BackendSpec(
        name="parquet",
        summary="everything about every spot as one Parquet file",
        factory=f"{package}.parquet_file:ParquetExporter",
        family="tables",
    )
