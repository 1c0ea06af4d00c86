"""Built-in exporters."""

from __future__ import annotations

from collections.abc import Iterator

from trackleed.backend import BackendSpec
from trackleed.builtin.exporters.params import (
    IvParams,
    OverlaysParams,
    PlotsParams,
    SessionZipParams,
    YoloParams,
)


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
    yield BackendSpec(
        name="plots",
        summary="radius, intensity, widths and positions as curves, and an overview of the run",
        factory=f"{package}.plots:PlotsExporter",
        params=PlotsParams,
        family="pictures",
        requires=("matplotlib",),
        install="pip install 'trackleed-core[plots]'",
    )
    yield BackendSpec(
        name="iv",
        summary="I(E), I(T), I(t) of every spot or group, and an I(V) file for ViPErLEED, as CSV",
        factory=f"{package}.iv:IvExporter",
        params=IvParams,
        family="tables",
    )
    yield BackendSpec(
        name="yolo",
        summary="8-bit images and label files to train a YOLO detector with",
        factory=f"{package}.yolo:YoloExporter",
        params=YoloParams,
        family="training data",
    )
    yield BackendSpec(
        name="session-zip",
        summary="the whole session in one zip file, to move or to keep",
        factory=f"{package}.session_zip:SessionZipExporter",
        params=SessionZipParams,
        needs=("session",),
        family="archive",
    )
