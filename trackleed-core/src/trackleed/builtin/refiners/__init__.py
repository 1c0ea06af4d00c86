"""Built-in refiners."""

from __future__ import annotations

from collections.abc import Iterator

from trackleed.backend import BackendSpec


def specs() -> Iterator[BackendSpec]:
    """Describe the built-in refiners."""
    yield from ()
