"""Options: the same three for all."""

from __future__ import annotations

from trackleed.params import Params, option


class PeerParams(Params):
    """Options of a peer."""

    max_distance: float = option(
        15.0, "how far a spot may go from frame to frame; LapTrack's own default", unit="px", gt=0
    )
    max_gap: int = option(10, "frames that a spot may be missing", unit="frames", ge=0)
    min_length: int = option(3, "detections that make a track", ge=1)
