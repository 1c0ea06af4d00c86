"""What trackleed is told about the detectors: light, and imported whenever backends are listed."""

from __future__ import annotations

from collections.abc import Iterator

from trackleed.backend import BackendSpec
from trackleed.hooks import hookimpl
from trackleed_detectors.params import ClassicParams


@hookimpl
def trackleed_detectors() -> Iterator[BackendSpec]:
    """Describe the detectors of this package."""
    yield BackendSpec(
        name="classic",
        summary="Local maxima that rise over the local noise on every side",
        factory="trackleed_detectors.classic:Classic",
        params=ClassicParams,
        family="classical",
        requires=("cv2",),
        install="pip install opencv-python-headless",
    )
