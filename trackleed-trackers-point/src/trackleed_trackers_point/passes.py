"""The way through a series: from the seeds back to the first frame, and on to the last."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from trackleed.tables import State

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Protocol

    from trackleed.tables import Columns
    from trackleed_trackers_point.seeds import Seeds

    Array = np.ndarray[Any, np.dtype[Any]]

    class Follower(Protocol):
        """Carries all tracks from one frame to the next, in one direction."""

        def step(self, frame: int) -> Found:
            """Where the tracks are in the frame that comes next."""
            ...

        def start(self, frame: int, tracks: Array, xy: Array) -> None:
            """Start some tracks, or start them anew, in the frame of the last step."""
            ...


class Found:
    """All tracks in one frame.

    Attributes
    ----------
    xy : ndarray (tracks, 2)
        In px; NaN where lost.
    score : ndarray (tracks,)
    state : ndarray of str (tracks,)
    """

    def __init__(self, n: int) -> None:
        self.xy: Array = np.full((n, 2), np.nan)
        self.score: Array = np.full(n, np.nan)
        self.state: Array = np.full(n, State.LOST.value, dtype=object)

    def set(self, tracks: Array, state: State, xy: Array, score: Array | float = np.nan) -> None:
        """Put some of the tracks (indices, or bool) into one state."""
        self.xy[tracks], self.score[tracks], self.state[tracks] = xy, score, state.value

    def take(self, other: Found, tracks: Array) -> None:
        """Some of the tracks as they are in ``other``."""
        for name in ("xy", "score", "state"):
            getattr(self, name)[tracks] = getattr(other, name)[tracks]


def follow(make: Callable[[], Follower], seeds: Seeds, order: Array) -> Iterator[Columns]:
    """Yield the ``tracks`` rows of each frame as soon as they are known.

    A track goes back from its first seed, and on from each seed up to
    the next. Frames in which some tracks have begun and others have
    not are passed twice.

    Parameters
    ----------
    make : callable
        A new follower, one for each direction.
    seeds : Seeds
    order : ndarray of int (frames,)
        Frame numbers in the order of the way.
    """
    if not len(seeds):
        return
    place = np.argsort(order)[seeds.frame]
    first = np.full(len(seeds), len(order))
    np.minimum.at(first, seeds.track, place)
    before = {}
    back = make()
    for here in range(int(first.max()), -1, -1):
        found = back.step(int(order[here]))
        tracks, box = seeds.of(int(order[here]))
        begins = first[tracks] == here
        back.start(int(order[here]), tracks[begins], box[begins, :2])
        if here < first.min():
            yield _rows(seeds, int(order[here]), found)
        elif here < first.max():
            before[here] = found
    ahead = make()
    for here in range(int(first.min()), len(order)):
        found = ahead.step(int(order[here]))
        tracks, box = seeds.of(int(order[here]))
        ahead.start(int(order[here]), tracks, box[:, :2])
        found.set(tracks, State.SEED, box[:, :2], 1.0)
        if here in before:
            found.take(before.pop(here), first > here)
        yield _rows(seeds, int(order[here]), found)


def _rows(seeds: Seeds, frame: int, found: Found) -> Columns:
    size = np.where(np.isfinite(found.xy), seeds.size(), np.nan)
    return {
        "frame": np.full(len(seeds), frame),
        "track_id": seeds.numbers,
        "x": found.xy[:, 0],
        "y": found.xy[:, 1],
        "width": size[:, 0],
        "height": size[:, 1],
        "score": found.score,
        "state": found.state,
    }
