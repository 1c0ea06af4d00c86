"""Options of the learned trackers in this package."""

from __future__ import annotations

from typing import Literal

from trackleed.learned import LearnedParams
from trackleed.params import option


class SquareParams(LearnedParams):
    """Options of networks that see square pictures."""

    side: int = option(
        256,
        "side of the square pictures that the network sees. It was trained at 256; larger ones "
        "refine the places, smaller ones are only quicker",
        unit="px",
        ge=64,
        le=1024,
        multiple_of=8,
    )
    at_once: int = option(
        32, "spots that are followed at once: fewer take less memory", unit="spots", ge=1, le=4096
    )


class OnlineTapirParams(SquareParams):
    """Options of `bootstapir-online`."""

    temperature: float = option(
        20.0,
        "factor of the map of the first match: upstream's torch code has 20, its JAX settings of "
        "BootsTAPIR have 10",
        gt=0,
        le=1000,
    )


class TapirParams(OnlineTapirParams):
    """Options of `tapir` and `bootstapir`."""

    clip: int = option(
        96,
        "frames that the network sees at once; longer series are cut into such clips, and spots "
        "handed on from each to the next. Memory grows with it",
        unit="frames",
        ge=2,
        le=5000,
    )


class LocoTrackParams(SquareParams):
    """Options of `locotrack`."""

    size: Literal["small", "base"] = option("small", "size of the network")
    clip: int = option(
        96, "as of tapir: frames that the network sees at once", unit="frames", ge=2, le=5000
    )


class OnlineCoTrackerParams(LearnedParams):
    """Options of `cotracker3-online`."""

    rows: int = option(
        384,
        "height of the pictures that the network sees; it was trained at 384 x 512",
        unit="px",
        ge=64,
        le=1536,
        multiple_of=32,
    )
    columns: int = option(512, "their width", unit="px", ge=64, le=2048, multiple_of=32)
    min_confidence: float = option(
        0.6,
        "of the network, from which a place is looked at; 0.6 is upstream's of the online tracker",
        ge=0,
        le=1,
    )


class CoTrackerParams(OnlineCoTrackerParams):
    """Options of `cotracker3`."""

    clip: int = option(
        60,
        "frames that the network sees at once: 60 in its training. Longer series are cut into "
        "such clips, and spots handed on from each to the next",
        unit="frames",
        ge=2,
        le=1000,
    )
