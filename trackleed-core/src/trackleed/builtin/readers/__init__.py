"""Built-in readers: folders of images, TIFF stacks and GIFs."""

from __future__ import annotations

from collections.abc import Iterator

from trackleed.backend import BackendSpec
from trackleed.builtin.readers.params import SeriesParams

_FACTORY = "trackleed.builtin.readers.series:SeriesReader"


def specs() -> Iterator[BackendSpec]:
    """Describe the built-in readers."""
    yield BackendSpec(
        name="images",
        summary="Folder or glob of TIFF, PNG, BMP or JPEG images, or one image",
        factory=_FACTORY,
        params=SeriesParams,
        family="images",
        patterns=("*/", "*.png", "*.bmp", "*.jpg", "*.jpeg"),
    )
    yield BackendSpec(
        name="tiff",
        summary="TIFF file: one page, many pages, or an ImageJ stack",
        factory=_FACTORY,
        params=SeriesParams,
        family="images",
        patterns=("*.tif", "*.tiff"),
    )
    yield BackendSpec(
        name="gif",
        summary="Animated GIF",
        factory=_FACTORY,
        params=SeriesParams,
        family="images",
        patterns=("*.gif",),
    )
