"""Readers, refiner and exporters that come with the core, registered like anybody's."""

from __future__ import annotations

from collections.abc import Iterator

from trackleed.backend import BackendSpec
from trackleed.builtin import exporters, readers, refiners
from trackleed.hooks import hookimpl


@hookimpl
def trackleed_readers() -> Iterator[BackendSpec]:
    """Image folders, TIFF stacks and GIFs."""
    yield from readers.specs()


@hookimpl
def trackleed_refiners() -> Iterator[BackendSpec]:
    """The elliptical Gaussian."""
    yield from refiners.specs()


@hookimpl
def trackleed_exporters() -> Iterator[BackendSpec]:
    """CSV files and pictures."""
    yield from exporters.specs()
