"""Options of the trackers of this package."""

from __future__ import annotations

from typing import Literal

from trackleed.learned import LearnedParams
from trackleed.params import option


class MaskParams(LearnedParams):
    """Options of trackers that follow masks."""

    max_area: float = option(
        10.0,
        "area of a mask, in areas of the seed, beyond which it is not believed",
        gt=1,
        le=10_000,
    )


class Sam2Params(MaskParams):
    """Options of ``sam2``."""

    size: Literal["tiny", "small", "base_plus", "large"] = option("small", "of the network")
    image_size: int = option(
        1024,
        "side of the square that the network sees, a multiple of 32; it was trained on 1024, and "
        "less is quicker and coarser",
        unit="px",
        ge=128,
        le=2048,
        multiple_of=32,
    )


class CutieParams(MaskParams):
    """Options of ``cutie``."""

    size: Literal["base", "small"] = option("base", "of the network")
    enlarge: float = option(
        1.0,
        "factor by which the network sees frames enlarged: 2 for spots less than 20 px wide",
        ge=0.25,
        le=8,
    )
