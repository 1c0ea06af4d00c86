"""LocoTrack: points are matched with their surroundings, in every picture of a clip.

S. Cho et al., Local All-Pair Correspondence for Point Tracking, Proc. ECCV (2024),
https://arxiv.org/abs/2407.15420
"""

from __future__ import annotations

from typing import Any

from trackleed_kit import place
from trackleed_trackers_point.adapters.tapir import Clips, first_seen

_ENCODED = 10
"""Pictures that its encoder sees at once; upstream's 256 take much memory."""


class LocoTrack(Clips):
    """Called as TAPIR is; upstream's own way in, ``inference``, keeps the confidence back."""

    def __init__(self, params: Any) -> None:
        super().__init__(params)
        place.checkout("locotrack", "locotrack_pytorch")
        from models import locotrack_model as upstream

        network = upstream.LocoTrack(
            model_size=params.size,
            initial_resolution=first_seen(params),
            feature_extractor_chunk_size=_ENCODED,
        )
        file = "locotrack_%s.ckpt" % params.size
        self.network = self.loaded(network, file, inside=["state_dict"], prefix="model.")
