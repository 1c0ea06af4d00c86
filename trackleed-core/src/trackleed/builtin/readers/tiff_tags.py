"""What TIFF tags and ImageJ's header say of each image."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

_SECONDS = {"s": 1.0, "sec": 1.0, "ms": 1e-3, "min": 60.0, "h": 3600.0, "hr": 3600.0}


def page_tags(file: Any, pages: Sequence[Any]) -> list[dict[str, Any]]:
    """``datetime``, ``exposure_s``, ``time_s``, ``description``, and the ``label`` of a slice."""
    tags = [_of_page(page) for page in pages]
    if file.is_imagej and len(file.series) == 1:
        for mine, more in zip(tags, _of_imagej(file, len(pages)), strict=True):
            mine.update(more)
    return tags


def _of_page(page: Any) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if not hasattr(page, "tags"):  # a page like the one before it: tifffile keeps no tags
        return found
    taken = page.tags.valueof("DateTime")
    if taken:
        found["datetime"] = str(taken)
    exif = page.tags.valueof("ExifTag")
    exposure = page.tags.valueof("ExposureTime") or (
        exif.get("ExposureTime") if isinstance(exif, dict) else None
    )
    if isinstance(exposure, tuple) and len(exposure) == 2 and exposure[1]:
        found["exposure_s"] = exposure[0] / exposure[1]
    elif isinstance(exposure, float):
        found["exposure_s"] = exposure
    text = str(page.description)
    if text and not page.is_shaped and not page.is_imagej and not text.startswith(("{", "<")):
        found["description"] = text
    return found


def _of_imagej(file: Any, count: int) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = [{} for _ in range(count)]
    header = file.imagej_metadata or {}
    labels = header.get("Labels") or []
    if isinstance(labels, str):
        labels = [labels]
    for tags, label in zip(found, labels, strict=False):
        tags["label"] = str(label).splitlines()[0] if label else ""
    series = file.series[0]
    interval = float(header.get("finterval", 0) or 0)
    unit = _SECONDS.get(str(header.get("tunit", "s")).strip())
    outer = "".join(a for a in series.axes if a not in "YXS")
    axis = next((a for a in "TI" if a in outer), None)
    if interval > 0 and unit and axis:
        shape = series.shape[: len(outer)]
        for i, tags in enumerate(found):
            tags["time_s"] = float(np.unravel_index(i, shape)[outer.index(axis)]) * interval * unit
    return found
