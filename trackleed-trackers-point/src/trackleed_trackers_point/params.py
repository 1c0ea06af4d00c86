"""Options of the trackers in this package."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from pydantic import Field

from trackleed.params import Params, option

Pixels: TypeAlias = Literal["auto"] | Annotated[float, Field(ge=1, le=2000)]
"""A length, or "auto", which goes with the size of the ROIs."""


class LkParams(Params):
    """Options of `lk`."""

    reference: Literal["richest"] | Annotated[int, Field(ge=0)] = option(
        "richest",
        "frame whose detections are followed, both ways, unless seeds are given; richest takes "
        "the one with the most detections",
    )
    order: Literal["auto", "frame", "energy"] = option(
        "auto",
        "order in which frames follow each other; auto takes the beam energy where it is known "
        "for every frame and goes up and down",
    )
    window: Literal["auto"] | Annotated[int, Field(ge=5, le=201)] = option(
        "auto", "side of the window in which flow is measured; auto is 0.7 of a ROI", unit="px"
    )
    levels: int = option(
        3,
        "halvings of the frame in the pyramid: each doubles the step that can be followed",
        ge=0,
        le=6,
    )
    max_fb_error: float = option(
        1.0, "farthest from the start that the way there and back may end", unit="px", gt=0, le=100
    )
    min_snr: float = option(
        4.0,
        "height of a spot over the noise of its surroundings, both under a Gaussian window, from "
        "which it counts as measured",
        unit="noise",
        ge=1,
        le=1000,
    )


class LkSkipParams(LkParams):
    """Options of `lk-skip`."""

    levels: int = option(
        1, "halvings in the pyramid of the surroundings of a predicted place", ge=0, le=4
    )
    search: Pixels = option(
        "auto",
        "farthest from its predicted place that a spot may be found; auto is half a ROI, but at "
        "most 0.4 of the usual spacing of spots",
        unit="px",
    )
    min_ncc: float = option(
        0.6, "least correlation with the spot as it was at the anchor", ge=0, lt=1
    )
    anchor_ncc: float = option(
        0.9,
        "correlation with the anchor below which a clear spot becomes its new anchor",
        ge=0,
        le=1,
    )
    max_gap: int = option(
        10,
        "frames that a spot which is not seen is predicted, if the others tell where; then it is "
        "lost, until it is detected again near by",
        unit="frames",
        ge=0,
    )
