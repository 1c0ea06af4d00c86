"""trackleed: spot tracking and analysis for low-energy electron diffraction.

::

    import trackleed as tl

    run = tl.import_frames("frames/", "a.trackleed")
    detections = run.detect("classic")
    tracks = run.track("pattern", detections=detections)
    fits = run.refine("gaussian", tracks=tracks)
    run.table(fits)
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from trackleed.pipeline import Run, import_frames, open_run

__version__ = "0.1.0"

__all__ = ["Run", "__version__", "import_frames", "open_run"]

_HOME = {
    "Run": "trackleed.pipeline",
    "import_frames": "trackleed.pipeline",
    "open_run": "trackleed.pipeline",
}


def __getattr__(name: str) -> Any:
    # Loaded when asked for: a plugin that imports trackleed.backend, or a listing
    # of backends, has no use for pandas and zarr.
    if name not in _HOME:
        raise AttributeError(f"module 'trackleed' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_HOME[name]), name)


def __dir__() -> list[str]:
    return __all__
