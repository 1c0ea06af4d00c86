"""What trackleed is told about the backends of this package."""

from trackleed.backend import BackendSpec
from trackleed.hooks import hookimpl
from trackleed.params import Params, option


class FaultyParams(Params):
    """Which fault, and where."""

    fault: str = option("nothing", "what goes wrong")
    at: int = option(-1, "frame at which it does")
    pause: float = option(0.0, "for each frame", unit="s")
    load: float = option(0.0, "time to load", unit="s")
    seconds: float = option(0.0, "how long the fault lasts", unit="s")
    checkpoint: str = option("", "file of weights")


@hookimpl
def trackleed_readers():
    yield BackendSpec("raw", "for tests", "trackleed_faulty.backends:Reader", FaultyParams)


@hookimpl
def trackleed_trackers():
    yield BackendSpec(
        "still", "for tests", "trackleed_faulty.backends:Tracker", FaultyParams, needs=("seeds",)
    )


@hookimpl
def trackleed_detectors():
    yield BackendSpec("brightest", "for tests", "trackleed_faulty.backends:Detector", FaultyParams)


@hookimpl
def trackleed_refiners():
    yield BackendSpec("light", "for tests", "trackleed_faulty.backends:Refiner", FaultyParams)
