"""Built-in exporters."""

from __future__ import annotations

from collections.abc import Iterator

from trackleed.backend import BackendSpec


def specs() -> Iterator[BackendSpec]:
    """Describe the built-in exporters."""
    yield from ()
