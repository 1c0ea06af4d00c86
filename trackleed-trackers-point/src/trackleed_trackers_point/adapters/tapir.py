"""TAPIR and BootsTAPIR: each point is matched in every picture, and its way then refined.

C. Doersch et al., TAPIR: Tracking Any Point with Per-frame Initialization and Temporal
Refinement, Proc. ICCV (2023), https://arxiv.org/abs/2306.08637; C. Doersch et al., BootsTAP:
Bootstrapped Training for Tracking-Any-Point, https://arxiv.org/abs/2402.00847

Pictures are square: upstream's sampling divides both axes by the height.
"""

from __future__ import annotations

from typing import Any, Iterable, Iterator, Optional, Tuple

import numpy as np
import torch

from trackleed_kit import coords, place
from trackleed_trackers_point.adapters.shared import Points, computing, numbers, rows, sigmoid

_TRAINED = 256
"""Side of the pictures at which the first guess is made; larger ones refine it."""


def video(points: Points, pictures: Any) -> Any:
    """Pictures (t, y, x) in [0, 1] as upstream wants them: (1, t, y, x, 3) in [-1, 1]."""
    return points.tensor(np.repeat(2 * pictures[None, ..., None] - 1, 3, axis=-1))


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
        with computing():
            found = self.network(
                video(self, np.stack(list(pictures))),
                points_of(self, queries),
                query_chunk_size=self.params.at_once,
            )
        places = coords.from_corner(numbers(found["tracks"][0]))
        sure = confidence(found["occlusion"][0], found["expected_dist"][0])
        yield from rows(places.transpose(1, 0, 2), sure.T, queries)


class Tapir(Clips):
    """TAPIR with the weights of its panning data set."""

    def __init__(self, params: Any) -> None:
        super().__init__(params)
        network = _network(params, pyramid_level=0, extra_convs=False)
        self.network = self.loaded(network, "tapir_checkpoint_panning.pt")


class BootsTapir(Clips):
    """TAPIR as it was trained on with videos from the wild."""

    def __init__(self, params: Any) -> None:
        super().__init__(params)
        network = _network(params, pyramid_level=1)
        self.network = self.loaded(network, "bootstapir_checkpoint_v2.pt")


class BootsTapirOnline(Points):
    """The causal network: picture after picture, in memory that does not grow."""

    def __init__(self, params: Any) -> None:
        super().__init__(params)
        self.shape = (params.side, params.side)
        network = _network(params, pyramid_level=1, use_casual_conv=True)
        self.network = self.loaded(network, "causal_bootstapir_checkpoint.pt")

    def follow(self, pictures: Iterable[Any], queries: Any) -> Iterator[Any]:
        """See `trackleed_kit.following.Model`."""
        known: Any = np.empty(0, int)  # queries that have begun, in the order of the network's
        state: Optional[Tuple[Any, Any]] = None
        for t, picture in enumerate(pictures):
            found = np.full((len(queries), 5), np.nan)
            new = np.flatnonzero(queries[:, 0] == t)
            known = np.append(known, new)
            if len(known):
                with computing():
                    state, places, sure = self._step(picture, queries[new], state)
                (found[known],) = rows(places[None], sure[None], queries[known])
            yield found

    def _step(self, picture: Any, new: Any, state: Any) -> Tuple[Any, Any, Any]:
        """What is remembered, places (n, 2) and confidence (n,) after one more picture."""
        net, shown = self.network, video(self, picture[None])
        grids = net.get_feature_grids(shown, False)
        if len(new):
            state = self._begun(state, shown, grids, new)
        looks, memory = state
        found = net.estimate_trajectories(
            self.shape, False, grids, looks, None, self.params.at_once, memory, True
        )
        # Of each resolution the last refinement counts, and of these the mean, as in clips.
        last = slice(net.num_pips_iter, None, net.num_pips_iter)
        place, hidden, off = (
            sum(found[name][last]) / len(found[name][last])
            for name in ("tracks", "occlusion", "expected_dist")
        )
        places = coords.from_corner(numbers(place[0, :, 0]))
        sure = confidence(hidden[0, :, 0], off[0, :, 0])
        return (looks, found["causal_context"]), places, sure

    def _begun(self, state: Any, shown: Any, grids: Any, new: Any) -> Any:
        """The state with more points, which begin in the picture that is shown."""
        points = points_of(self, new)
        points[..., 0] = 0  # of a clip of one picture
        looks = self.network.get_query_features(shown, False, points, grids)
        fresh = self.network.construct_initial_causal_state(len(new), len(looks.resolutions) - 1)
        memory = [{k: v.to(self.device) for k, v in part.items()} for part in fresh]
        if state is None:
            return looks, memory
        before, remembered = state
        looks = before._replace(
            lowres=_joined(before.lowres, looks.lowres), hires=_joined(before.hires, looks.hires)
        )
        return looks, [
            {k: torch.cat([a[k], b[k]], 1) for k in a} for a, b in zip(remembered, memory)
        ]


def _joined(before: Any, new: Any) -> Tuple[Any, ...]:
    return tuple(torch.cat([a, b], 1) for a, b in zip(before, new))


def _network(params: Any, **kind: Any) -> Any:
    place.checkout("tapnet")
    from tapnet.torch.tapir_model import TAPIR

    first = min(params.side, _TRAINED)
    return TAPIR(softmax_temperature=params.temperature, initial_resolution=(first, first), **kind)
