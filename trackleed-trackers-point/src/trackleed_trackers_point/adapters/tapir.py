"""TAPIR and BootsTAPIR: each point is matched in every picture, and its way then refined.

C. Doersch et al., TAPIR: Tracking Any Point with Per-frame Initialization and Temporal
Refinement, Proc. ICCV (2023), https://arxiv.org/abs/2306.08637; C. Doersch et al., BootsTAP:
Bootstrapped Training for Tracking-Any-Point, https://arxiv.org/abs/2402.00847

Pictures are square: upstream's sampling divides both axes by the height.
"""

from __future__ import annotations

from typing import Any, Iterable, Iterator, Tuple

import numpy as np

from trackleed_kit import coords, place
from trackleed_trackers_point.adapters.shared import Points, computing, numbers, rows, sigmoid

_TRAINED = 256
"""Side of pictures, px; larger ones refine the first guess."""


def video(tracker: Points, pictures: Any) -> Any:
    """Pictures (t, y, x) in [0, 1] as upstream wants them: (1, t, y, x, 3) in [-1, 1]."""
    return tracker.tensor(np.repeat(2 * pictures[None, ..., None] - 1, 3, axis=-1))


def points_of(tracker: Points, queries: Any) -> Any:
    """Queries as upstream wants them: (1, n, t y x), counted from the corner of the picture."""
    corner = coords.to_corner(queries[:, [2, 1]])
    return tracker.tensor(np.column_stack([queries[:, 0], corner])[None])


def confidence(occlusion: Any, expected_dist: Any) -> Any:
    """Probability that a point is visible, times that its place is right, from two logits."""
    return sigmoid(-numbers(occlusion)) * sigmoid(-numbers(expected_dist))


class Clips(Points):
    """A network that sees whole clips, and is called as TAPIR is."""

    network: Any = None

    def __init__(self, params: Any) -> None:
        super().__init__(params)
        self.shape = (params.side, params.side)
        self.longest = params.clip

    def follow(self, pictures: Iterable[Any], queries: Any) -> Iterator[Any]:
        """See `trackleed_kit.following.Model`."""
        shown, points = video(self, np.stack(list(pictures))), points_of(self, queries)
        with computing():
            found = self.network(shown, points, query_chunk_size=self.params.at_once)
        places = coords.from_corner(numbers(found["tracks"][0]))
        sure = confidence(found["occlusion"][0], found["expected_dist"][0])
        yield from rows(places.transpose(1, 0, 2), sure.T, queries)


class Tapir(Clips):
    """TAPIR with the weights of its panning data set."""

    def __init__(self, params: Any) -> None:
        super().__init__(params)
        network = made(params, pyramid_level=0, extra_convs=False)
        self.network = self.loaded(network, "tapir_checkpoint_panning.pt")


class BootsTapir(Clips):
    """TAPIR as it was trained on with videos from the wild."""

    def __init__(self, params: Any) -> None:
        super().__init__(params)
        network = made(params, pyramid_level=1)
        self.network = self.loaded(network, "bootstapir_checkpoint_v2.pt")


def made(params: Any, **kind: Any) -> Any:
    """Upstream's network, with the options of a user."""
    place.checkout("tapnet")
    from tapnet.torch.tapir_model import TAPIR

    return TAPIR(
        softmax_temperature=params.temperature, initial_resolution=first_seen(params), **kind
    )


def first_seen(params: Any) -> Tuple[int, int]:
    """Rows and columns of the pictures on which the first guess is made."""
    side = min(params.side, _TRAINED)
    return side, side
