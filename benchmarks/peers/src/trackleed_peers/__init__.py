"""Linkers of other projects as trackers, so that ``trackleed bench`` compares them with ours."""

from __future__ import annotations

from collections.abc import Iterator

from trackleed.backend import BackendSpec
from trackleed.hooks import hookimpl
from trackleed_peers.params import PeerParams

_PEERS = (
    (
        "trackpy",
        "trackpy.link",
        "TrackPy",
        "trackpy",
        "D. Allan et al., https://doi.org/10.5281/zenodo.3492186; J. C. Crocker and D. G. Grier, "
        "J. Colloid Interface Sci. 179, 298 (1996)",
        "BSD-3-Clause",
    ),
    (
        "trackpy-velocity",
        "trackpy.link with NearestVelocityPredict",
        "TrackPyVelocity",
        "trackpy",
        "D. Allan et al., https://doi.org/10.5281/zenodo.3492186",
        "BSD-3-Clause",
    ),
    (
        "norfair",
        "norfair.Tracker: a Kalman filter for each spot",
        "Norfair",
        "norfair",
        "J. Alori et al., https://doi.org/10.5281/zenodo.5146253",
        "BSD-3-Clause",
    ),
    (
        "laptrack",
        "laptrack.LapTrack: linear assignment, then gaps closed by another one",
        "LapTrack",
        "laptrack",
        "Y. T. Fukai and K. Kawaguchi, Bioinformatics 39, btac799 (2023); K. Jaqaman et al., "
        "Nat. Methods 5, 695 (2008)",
        "BSD-3-Clause",
    ),
)


@hookimpl
def trackleed_trackers() -> Iterator[BackendSpec]:
    """Describe the trackers of this package."""
    for name, summary, attribute, package, citation, licence in _PEERS:
        yield BackendSpec(
            name=name,
            summary=summary,
            factory=f"trackleed_peers.linkers:{attribute}",
            params=PeerParams,
            family="peer",
            requires=(package,),
            install=f"pip install {package}",
            needs=("detections",),
            citation=citation,
            licence=licence,
        )
