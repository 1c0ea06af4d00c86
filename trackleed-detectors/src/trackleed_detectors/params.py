"""Options of the detectors in this package."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from pydantic import Field

from trackleed.params import Params, option

Pixels: TypeAlias = Literal["auto"] | Annotated[float, Field(ge=1, le=2000)]
"""A length, or "auto", which goes with the width of the spots."""


class ClassicParams(Params):
    """Options of `classic`. The defaults serve bright and dim frames of any size and depth."""

    threshold: float = option(
        4.5,
        "how far a spot must rise above its surroundings, on every side",
        unit="local noise",
        ge=1,
        le=1000,
    )
    spot_size: Pixels = option(
        "auto",
        "full width at half maximum of the spots wanted; those half as wide to twice as wide "
        "are found; auto looks for every size",
        unit="px",
    )
    min_distance: Pixels = option(
        "auto",
        "closest that two spots can be; auto takes what the blur can still tell apart",
        unit="px",
    )
    contrast: float = option(
        0.6,
        "least fall on one of any two opposite sides of a spot, as a fraction of its height; "
        "bumps on streaks and bright rings fall less",
        ge=0,
        le=1,
    )
    max_elongation: float = option(
        2.0, "longest spot that is taken, length over breadth; streaks are longer", ge=1, le=100
    )
    normalise: bool = option(
        False, "divide by the background, so that spots are compared as if all were evenly lit"
    )
    background: Pixels = option(
        "auto",
        "standard deviation of the Gaussian blur that is taken for the diffuse background; "
        "auto goes with the width of the spots",
        unit="px",
    )
    roi_sigmas: float = option(
        3.0, "half width of the ROI, in standard deviations of the measured spot", ge=1, le=10
    )
    hot_pixels: bool = option(
        True, "overlook single pixels that stand alone, sharper than the optics can make them"
    )
