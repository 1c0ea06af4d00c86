"""Options of the trackers in this package."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from trackleed.params import Params, option

_ORDER = (
    "order in which frames are linked; auto takes the beam energy where it is known for "
    "every frame and goes up and down"
)
_SCALE = (
    "how the pattern's size goes: with 1/sqrt(E), not at all as in a LEEM, or unknown; auto "
    "tells the first two apart where energies are known, and is free where they are not"
)


class LinkingParams(Params):
    """Options that trackers share which link the detections of one frame to the next."""

    max_gap: int = option(
        10, "frames that a spot may be missing and still be the same track", unit="frames", ge=0
    )
    min_length: Literal["auto"] | Annotated[int, Field(ge=1)] = option(
        "auto",
        "detections in a row that make a track; auto is 3, or all frames of a shorter series",
        unit="frames",
    )
    order: Literal["auto", "frame", "energy"] = option("auto", _ORDER)


class HungarianParams(LinkingParams):
    """Options of `hungarian`."""

    max_distance: Literal["auto"] | Annotated[float, Field(gt=0, le=10_000)] = option(
        "auto",
        "how far a spot may be from where it is expected; auto takes four times the usual way "
        "from frame to frame or half a ROI, whichever is more, but never over 0.4 of the "
        "usual spacing of spots",
        unit="px",
    )
    prediction: Literal["none", "velocity"] = option(
        "none", "where a spot is expected: where it was last, or farther the way it went"
    )


class DirectionalParams(LinkingParams):
    """Options of `directional`."""

    scale: Literal["auto", "energy", "constant", "free"] = option("auto", _SCALE)
    center_x: Literal["auto"] | float = option(
        "auto",
        "x of the pattern's centre; auto takes the point about which the pattern contracts, or "
        "the middle of the screen",
        unit="px",
    )
    center_y: Literal["auto"] | float = option("auto", "y of the pattern's centre", unit="px")
    max_distance: Literal["auto"] | Annotated[float, Field(gt=0, le=10_000)] = option(
        "auto",
        "how far along the radius a spot may be from where it is expected; auto goes with what "
        "was usual of late, up to 0.4 of the usual spacing of spots",
        unit="px",
    )
    lateral: float = option(2.0, "how many times a way across the radius counts", gt=0, le=100)


class PatternParams(Params):
    """Options of `pattern`."""

    scale: Literal["auto", "energy", "constant", "free"] = option("auto", _SCALE)
    max_gap: int = option(
        10,
        "frames from a detection for which a spot that is not seen has a predicted place; those "
        "in which another spot is seen beside it do not count",
        unit="frames",
        ge=0,
    )
    min_length: Literal["auto"] | Annotated[int, Field(ge=1)] = option(
        "auto",
        "detections that make a track; auto is 3, or all frames of a shorter series",
        unit="frames",
    )
    order: Literal["auto", "frame", "energy"] = option("auto", _ORDER)
