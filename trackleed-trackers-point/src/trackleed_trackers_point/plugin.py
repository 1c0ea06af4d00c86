"""What trackleed is told about the point trackers; imported whenever backends are listed."""

from __future__ import annotations

from collections.abc import Iterator

from trackleed.backend import BackendSpec
from trackleed.hooks import hookimpl
from trackleed_trackers_point import networks
from trackleed_trackers_point.params import LkParams, LkSkipParams

_INSTALL = "pip install opencv-python-headless"
_FLOW = (
    "B. D. Lucas and T. Kanade, Proc. IJCAI, 674 (1981); "
    "J.-Y. Bouguet, Pyramidal implementation of the Lucas-Kanade feature tracker, Intel (2000)"
)


@hookimpl
def trackleed_trackers() -> Iterator[BackendSpec]:
    """Describe the trackers of this package."""
    yield BackendSpec(
        name="lk",
        summary="Spots of one frame carried along by Lucas-Kanade flow from frame to frame",
        factory="trackleed_trackers_point.lk:LucasKanade",
        params=LkParams,
        family="flow",
        requires=("cv2",),
        install=_INSTALL,
        needs=("detections",),
        takes=("seeds",),
        citation=_FLOW,
    )
    yield BackendSpec(
        name="lk-skip",
        summary="Flow from an anchor frame, checked by template and centred on the spot: no drift",
        factory="trackleed_trackers_point.lk_skip:SkipAnchor",
        params=LkSkipParams,
        family="flow",
        requires=("cv2",),
        install=_INSTALL,
        needs=("detections",),
        takes=("seeds",),
        citation=_FLOW + "; Z. Kalal, K. Mikolajczyk and J. Matas, Proc. ICPR, 2756 (2010), "
        "https://doi.org/10.1109/ICPR.2010.675",
    )
    yield from networks.specs()
