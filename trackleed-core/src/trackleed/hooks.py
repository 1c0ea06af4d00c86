"""The five hooks by which a package registers backends.

A package names one light module under the entry-point group ``trackleed``; that
module implements any of these hooks, each yielding `BackendSpec` objects::

    from trackleed.backend import BackendSpec
    from trackleed.hooks import hookimpl

    @hookimpl
    def trackleed_trackers():
        yield BackendSpec(name="mine", summary="...", factory="my_package.mine:Mine")
"""

from __future__ import annotations

from collections.abc import Iterable

import pluggy

from trackleed.backend import BackendSpec

GROUP = "trackleed"
hookspec = pluggy.HookspecMarker(GROUP)
hookimpl = pluggy.HookimplMarker(GROUP)


@hookspec
def trackleed_readers() -> Iterable[BackendSpec]:  # type: ignore[empty-body]
    """Backends that open image series."""


@hookspec
def trackleed_detectors() -> Iterable[BackendSpec]:  # type: ignore[empty-body]
    """Backends that find the spots of one frame."""


@hookspec
def trackleed_trackers() -> Iterable[BackendSpec]:  # type: ignore[empty-body]
    """Backends that follow spots through a series."""


@hookspec
def trackleed_refiners() -> Iterable[BackendSpec]:  # type: ignore[empty-body]
    """Backends that measure every tracked spot."""


@hookspec
def trackleed_exporters() -> Iterable[BackendSpec]:  # type: ignore[empty-body]
    """Backends that write files."""
