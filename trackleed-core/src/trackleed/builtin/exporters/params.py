"""Options of the built-in exporters."""

from __future__ import annotations

import json
from typing import Any, Literal

from pydantic import field_validator

from trackleed.params import Params, option


class GreyParams(Params):
    """From counts to grey levels."""

    black: float = option(1.0, "share of the pixels that is black", unit="%", ge=0, lt=50)
    white: float = option(0.2, "share of the pixels that is white", unit="%", ge=0, lt=50)
    gamma: float = option(
        0.5, "exponent of the grey scale; below 1 brings out what is dim", gt=0, le=3
    )


class OverlaysParams(GreyParams):
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


class GroupParams(Params):
    """Which tracks are averaged."""

    groups: tuple[tuple[int, ...], ...] = option(
        (), "tracks whose intensities are averaged, such as [[1, 2, 3], [4, 5]]"
    )

    @field_validator("groups", mode="before")
    @classmethod
    def _parsed(cls, value: Any) -> Any:
        """Lists written as text, as a command line gives them."""
        try:
            return json.loads(value) if isinstance(value, str) else value
        except ValueError:
            raise ValueError("should be lists of track numbers, as in [[1, 2], [3]]") from None

    @field_validator("groups")
    @classmethod
    def _no_empty_group(cls, value: tuple[tuple[int, ...], ...]) -> Any:
        if not all(value):
            raise ValueError("a group needs one track at least")
        return value


class PlotsParams(GroupParams):
    """How the plots are drawn, and which mean intensities."""

    format: Literal["png", "pdf", "svg"] = option("png", "kind of file")
    dpi: int = option(150, "resolution of PNG files", unit="px/inch", ge=50, le=600)


class IvParams(GroupParams):
    """Which tracks become curves: if no groups are given, each beam that is indexed, else each."""


class YoloParams(GreyParams):
    """Which spots the labels mark, and how frames become 8-bit images."""

    labels: Literal["auto", "tracks", "detections"] = option(
        "auto", "table that the boxes are taken from; auto: tracks if there are any"
    )
    validation: float = option(
        0.2, "share of the frames, evenly spread, that is kept for validation", ge=0, le=0.5
    )


class SessionZipParams(Params):
    """What is packed."""

    frames: bool = option(True, "also pack the frames; without them only the tables can be read")
