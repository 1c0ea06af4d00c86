"""Causal BootsTAPIR: picture after picture, each point by its looks where it began.

C. Doersch et al., BootsTAP: Bootstrapped Training for Tracking-Any-Point,
https://arxiv.org/abs/2402.00847
"""

from __future__ import annotations

from typing import Any, Iterable, Iterator, Optional, Tuple

import numpy as np
import torch

from trackleed_kit import coords
from trackleed_trackers_point.adapters.shared import Points, computing, numbers, rows
from trackleed_trackers_point.adapters.tapir import confidence, made, points_of, video


class BootsTapirOnline(Points):
    """The causal network: picture after picture, in memory that does not grow."""

    def __init__(self, params: Any) -> None:
        super().__init__(params)
        self.shape = (params.side, params.side)
        network = made(params, pyramid_level=1, use_casual_conv=True)
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
