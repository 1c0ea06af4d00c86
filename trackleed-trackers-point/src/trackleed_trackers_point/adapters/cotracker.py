"""CoTracker3: points are followed together, and a grid of others with them for support.

N. Karaev et al., CoTracker3: Simpler and Better Point Tracking by Pseudo-Labelling Real Videos,
https://arxiv.org/abs/2410.11831

Its networks are called, not its predictors: those keep the confidence back, and encode up to 200
pictures at once. An integer is a pixel centre there too.
"""

from __future__ import annotations

from typing import Any, Iterable, Iterator, List

import numpy as np

from trackleed_kit import place
from trackleed_trackers_point.adapters.shared import Points, computing, numbers, rows

_REFINED = 6
"""Refinements, as in upstream's predictors."""
_SUPPORT = 6
"""Points along a side of the grid for support, likewise."""
_ENCODED = 8
"""Pictures that the encoder sees at once."""


class _CoTracker(Points):
    """What both networks are given."""

    network: Any = None

    def __init__(self, params: Any) -> None:
        super().__init__(params)
        self.shape = (params.rows, params.columns)
        place.checkout("co-tracker")

    def _video(self, pictures: Any) -> Any:
        """Pictures (t, y, x) in [0, 1] as (1, t, 3, y, x) in [0, 255]."""
        return self.tensor(np.repeat(255 * np.stack(pictures)[None, :, None], 3, axis=2))

    def _queries(self, queries: Any) -> Any:
        """Queries as (1, n + 36, t x y), with the grid, which starts in the first picture."""
        from cotracker.models.core.model_utils import get_points_on_a_grid

        grid = np.insert(numbers(get_points_on_a_grid(_SUPPORT, self.shape)[0]), 0, 0, axis=1)
        return self.tensor(np.concatenate([queries[:, :3], grid])[None])

    def _run(self, pictures: Any, points: Any, n: int, **more: Any) -> Any:
        """Places (t, n, 2) and confidence (t, n) of the queries, without the grid.

        The online network tells of all pictures since the first.
        """
        with computing():
            found = self.network(
                self._video(pictures), points, iters=_REFINED, fmaps_chunk_size=_ENCODED, **more
            )
        places, visible, sure = (numbers(part[0, :, :n]) for part in found[:3])
        return places, visible * sure


class CoTracker3(_CoTracker):
    """The offline network, which sees whole clips."""

    def __init__(self, params: Any) -> None:
        super().__init__(params)
        self.longest = params.clip
        network = _network(offline=True, window_len=60)
        self.network = self.loaded(network, "scaled_offline.pth", inside=["model"])

    def follow(self, pictures: Iterable[Any], queries: Any) -> Iterator[Any]:
        """See `trackleed_kit.following.Model`."""
        found = self._run(list(pictures), self._queries(queries), len(queries))
        yield from rows(*found, queries)


class CoTracker3Online(_CoTracker):
    """The online network: windows of 16 pictures, each of which revises half of the one before."""

    def __init__(self, params: Any) -> None:
        super().__init__(params)
        network = _network(offline=False, window_len=16)
        self.network = self.loaded(network, "scaled_online.pth", inside=["model"])

    def follow(self, pictures: Iterable[Any], queries: Any) -> Iterator[Any]:
        """See `trackleed_kit.following.Model`."""
        self.network.init_video_online_processing()
        points, length = self._queries(queries), self.network.window_len
        window: List[Any] = []
        found: Any = None
        told = seen = 0
        for seen, picture in enumerate(pictures, 1):
            window.append(picture)
            if len(window) == length:
                found = self._run(window, points, len(queries), is_online=True)
                final = seen - length // 2
                yield from rows(*(part[told:final] for part in found), queries)
                told, window = final, window[length // 2 :]
        if found is None or len(window) > length // 2:
            # It wants whole windows; what is repeated here is not told.
            window += [window[-1]] * (length - len(window))
            found = self._run(window, points, len(queries), is_online=True)
        yield from rows(*(part[told:seen] for part in found), queries)


def _network(**kind: Any) -> Any:
    from cotracker.models.build_cotracker import build_cotracker

    return build_cotracker(checkpoint=None, **kind)
