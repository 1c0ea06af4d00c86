"""Options of the built-in exporters."""

from __future__ import annotations

from typing import Literal

from trackleed.params import Params, option


class OverlaysParams(Params):
    """How the frames are drawn."""

    max_frames: int = option(
        60, "frames drawn at most, evenly spread, the first and the last among them", ge=2
    )
    size: int = option(
        1200,
        "length that the longer side of a small frame is enlarged to, about",
        unit="px",
        ge=200,
        le=4000,
    )
    contrast: Literal["frame", "series"] = option(
        "frame", "a grey scale for each frame by itself, or one for the whole series"
    )
    black: float = option(1.0, "share of the pixels that is black", unit="%", ge=0, lt=50)
    white: float = option(0.2, "share of the pixels that is white", unit="%", ge=0, lt=50)
    gamma: float = option(
        0.5, "exponent of the grey scale; below 1 brings out what is dim", gt=0, le=3
    )
