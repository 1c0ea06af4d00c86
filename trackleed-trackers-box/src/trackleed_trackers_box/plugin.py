"""What trackleed is told about the box trackers; imported whenever backends are listed."""

from __future__ import annotations

from collections.abc import Iterator

from trackleed.backend import BackendSpec
from trackleed.hooks import hookimpl
from trackleed_trackers_box.networks import specs
from trackleed_trackers_box.params import DirectionalParams, HungarianParams, PatternParams


@hookimpl
def trackleed_trackers() -> Iterator[BackendSpec]:
    """Describe the trackers of this package."""
    yield BackendSpec(
        name="hungarian",
        summary="Detections linked from frame to frame by the least sum of squared distances",
        factory="trackleed_trackers_box.hungarian:Hungarian",
        params=HungarianParams,
        family="linking",
        requires=("scipy",),
        install="pip install scipy",
        needs=("detections",),
        citation="H. W. Kuhn, Nav. Res. Logist. Q. 2, 83 (1955), "
        "https://doi.org/10.1002/nav.3800020109",
    )
    yield BackendSpec(
        name="directional",
        summary="Detections linked along the radii of the pattern",
        factory="trackleed_trackers_box.directional:Directional",
        params=DirectionalParams,
        family="linking",
        requires=("scipy",),
        install="pip install scipy",
        needs=("detections",),
    )
    yield BackendSpec(
        name="pattern",
        summary="Detections linked by the motion that all spots of the pattern share",
        factory="trackleed_trackers_box.pattern:Pattern",
        params=PatternParams,
        family="linking",
        requires=("scipy", "numba"),
        install="pip install scipy numba",
        needs=("detections",),
    )
    yield from specs()
