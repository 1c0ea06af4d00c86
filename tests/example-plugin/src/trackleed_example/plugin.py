"""What trackleed is told about the tracker.

trackleed imports this module whenever it lists the backends: nothing heavy in here.
"""

from __future__ import annotations

from collections.abc import Iterator

from trackleed.backend import BackendSpec
from trackleed.hooks import hookimpl
from trackleed_example.params import CentroidParams


@hookimpl
def trackleed_trackers() -> Iterator[BackendSpec]:
    """Describe the tracker; its module is imported when it is first used."""
    yield BackendSpec(
        name="centroid",
        summary="Centre of mass of the light round the spot's last place",
        factory="trackleed_example.centroid:Centroid",
        params=CentroidParams,
        family="example",
        requires=("numpy",),
        install="pip install numpy",
        needs=("seeds",),
    )
