"""Options that trackers with learned models share; `trackleed_kit.following` acts on them."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from trackleed.params import Params, option


class LearnedParams(Params):
    """Options of a tracker that runs somebody's network.

    A tracker adds those of its own, such as the side of the pictures that its network sees.
    """

    checkpoint: str = option(
        "",
        "file of weights: a path, or a name in the environment's folder of checkpoints; empty "
        "takes the one that upstream recommends",
    )
    device: str = option(
        "auto", "auto, cpu, mps, cuda or cuda:1; auto leaves it to the environment, then the best"
    )
    zoom: Literal[0] | Annotated[float, Field(ge=1.5, le=20)] = option(
        0,
        "side of a square window around each spot, which the network sees instead of the whole "
        "frame, in sides of the spot's box (about 8 widths at half maximum: 3 is a good start); "
        "0 for whole frames. Every spot then costs a run of its own",
    )
    backward: bool = option(True, "follow spots to the frames before their seed too")
    min_confidence: float = option(
        0.5, "of the network, from which a place is looked at", ge=0, le=1
    )
    min_height: float = option(
        4.0,
        "mean light of a spot over its surroundings from which it is there",
        unit="standard errors",
        ge=0,
        le=1000,
    )
    place: Literal["model", "peak", "gaussian"] = option(
        "model",
        "where on the raw frame a spot is: where the network says, the brightest pixel near by, "
        "or the centre of the light under a Gaussian window",
    )
    gamma: float = option(
        0.5, "exponent of the grey scale that the network sees: 0.5 lifts weak spots", gt=0, le=2
    )
