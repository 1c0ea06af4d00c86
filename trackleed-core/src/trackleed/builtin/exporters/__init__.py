"""Built-in exporters."""

from __future__ import annotations

from collections.abc import Iterator

from trackleed.backend import BackendSpec
from trackleed.builtin.exporters.params import OverlaysParams


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
    yield BackendSpec(
        name="overlays",
        summary="frames with their tracks drawn in, an overview and a contact sheet as PNG files",
        factory=f"{package}.overlays:OverlaysExporter",
        params=OverlaysParams,
        family="pictures",
    )
