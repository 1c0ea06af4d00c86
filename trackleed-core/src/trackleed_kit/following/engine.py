"""The loop that all adapters share: sections, windows, both directions, rows."""

from __future__ import annotations

from typing import (
    TYPE_CHECKING,
    Any,
    Dict,
    Iterable,
    Iterator,
    List,
    Mapping,
    NamedTuple,
    Optional,
    Protocol,
    Sequence,
    Tuple,
)

import numpy as np

from trackleed_kit import states
from trackleed_kit.following.pictures import Grey, Window
from trackleed_kit.following.points import settled
from trackleed_kit.following.verdict import states_of

if TYPE_CHECKING:
    from trackleed_kit.frames import FrameSequence

    Array = np.ndarray[Any, np.dtype[Any]]

_ZOOMED = 16
"""Frames after which a zoomed window is centred anew."""


class Model(Protocol):
    """An upstream tracker.

    Attributes
    ----------
    shape : tuple of int, optional
        Rows and columns of the pictures that it wants; None for those of the frames.
    longest : int, optional
        Pictures that it takes at once, if it needs a whole clip; None if one after another.
    """

    shape: Optional[Tuple[int, int]]
    longest: Optional[int]

    def follow(self, pictures: Iterable[Array], queries: Array) -> Iterator[Array]:
        """Say, picture after picture, where each query is.

        Parameters
        ----------
        pictures : iterable of ndarray (y, x)
            Grey, float32 in [0, 1], in the order in which time is to pass.
        queries : ndarray (n, 5)
            Number of the picture in which it starts, x, y, width, height in px of the picture;
            an integer is a pixel centre.

        Yields
        ------
        ndarray (n, 5)
            x, y, width, height and confidence in [0, 1]; whatever before its start.
        """
        ...


class Options(NamedTuple):
    """How series are given to a model; the options of trackers are called the same.

    Parameters
    ----------
    zoom : float
        Side of the square window around each spot, in sides of its box; 0 for whole frames.
    backward : bool
        Whether spots are followed to frames before their seed.
    min_confidence : float
        Of the model, from which a place is looked at.
    min_height : float
        Standard errors over the surroundings from which a spot is there.
    place : {"model", "peak", "gaussian"}
        Where on the raw frame a spot is, near where the model says.
    gamma : float
        Of the grey scale.
    """

    zoom: float = 0.0
    backward: bool = True
    min_confidence: float = 0.5
    min_height: float = 4.0
    place: str = "model"
    gamma: float = 0.5

    @classmethod
    def of(cls, params: Any) -> Options:
        """From the options of a tracker, which may have more of them."""
        return cls(*(getattr(params, name) for name in cls._fields))


def track(
    model: Model, frames: FrameSequence, seeds: Mapping[str, Array], options: Options
) -> Iterator[Dict[str, Array]]:
    """Rows of ``tracks``, one frame after another, from an upstream tracker.

    Every seed starts a query. Where a track has several, each holds from its frame on, and the
    first one back to the start of the series.
    """
    if not len(seeds["track_id"]):
        return
    series = _Series(model, frames, seeds, options)
    yield from series.rows()


class _Series:
    """All queries of a series."""

    def __init__(
        self, model: Model, frames: FrameSequence, seeds: Mapping[str, Array], options: Options
    ) -> None:
        self.model, self.frames, self.options = model, frames, options
        order = np.lexsort((seeds["frame"], seeds["track_id"]))
        self.track = np.asarray(seeds["track_id"])[order]
        self.start = np.asarray(seeds["frame"])[order].astype(int)
        names = ("x", "y", "width", "height")
        self.boxes = np.stack([np.asarray(seeds[n], float)[order] for n in names], axis=1)
        self.tracks = np.unique(self.track)
        first = np.searchsorted(self.track, self.tracks)
        self.is_first = np.isin(np.arange(len(self.track)), first)
        self.grey = Grey(frames, gamma=options.gamma)

    def rows(self) -> Iterator[Dict[str, Array]]:
        n, first, last = len(self.frames), int(self.start.min()), int(self.start.max())
        early: Dict[int, Array] = {}
        if self.options.backward and last > 0:
            early = dict(self._follow(range(last, -1, -1)))
        for i in range(first):
            yield self._of_frame(i, early.get(i), None)
        for i, found in self._follow(range(first, n)):
            yield self._of_frame(i, early.get(i), found)

    def _of_frame(self, i: int, early: Optional[Array], found: Optional[Array]) -> Dict[str, Array]:
        """Rows of frame ``i`` from what was found backwards and forwards."""
        best = np.full((len(self.tracks), 5), np.nan)
        seeded = np.zeros(len(self.tracks), bool)
        for q in range(len(self.track)):  # of a track's queries in order, so that the last holds
            row = int(np.searchsorted(self.tracks, self.track[q]))
            if self.start[q] == i:
                best[row], seeded[row] = (*self.boxes[q], 1.0), True
            elif self.start[q] < i and found is not None:
                best[row] = found[q]
            elif self.start[q] > i and self.is_first[q] and early is not None:
                best[row] = early[q]
        sure = best[:, 4] >= self.options.min_confidence
        boxes = best[:, :4]
        if self.options.place != "model":
            moved = settled(self.frames[i], self.frames.valid, boxes, self.options.place)
            boxes = np.where((sure & ~seeded)[:, None], moved, boxes)
        state = states_of(self.frames, i, boxes, sure & ~seeded, self.options.min_height)
        state[seeded] = states.SEED
        boxes = np.where((state == states.LOST)[:, None], np.nan, boxes)
        return {
            "frame": np.full(len(self.tracks), i),
            "track_id": self.tracks,
            "x": boxes[:, 0],
            "y": boxes[:, 1],
            "width": boxes[:, 2],
            "height": boxes[:, 3],
            "score": best[:, 4],
            "state": state,
        }

    def _follow(self, order: Sequence[int]) -> Iterator[Tuple[int, Array]]:
        """Frame number, and x y width height confidence of every query in it (n, 5).

        A long series is cut into sections; the last frame of one is the first of the next, where
        each query starts anew from where it was last seen.
        """
        time = {frame: t for t, frame in enumerate(order)}
        start = np.array([time.get(int(f), len(order)) for f in self.start])
        at = self.boxes.copy()
        length = self.model.longest or len(order)
        length = max(min(length, _ZOOMED) if self.options.zoom else length, 2)
        begin = 0
        while begin < len(order):
            end = min(begin + length, len(order))
            for t, found in self._section(order, begin, end, start, at):
                # Shared with the section before, which has told of it.
                if t > begin or begin == 0:
                    yield order[t], found
                seen = (start <= t) & (found[:, 4] >= self.options.min_confidence)
                seen &= np.isfinite(found[:, :4]).all(axis=1)
                at[seen, :2] = found[seen, :2]
            if end == len(order):
                return
            begin = end - 1

    def _section(
        self, order: Sequence[int], begin: int, end: int, start: Array, at: Array
    ) -> Iterator[Tuple[int, Array]]:
        known = np.flatnonzero(start < end)
        if not self.options.zoom:
            window = Window.whole(self.frames.shape, self.model.shape)
            parts = self._window(window, order[begin:end], known, start - begin, at)
            for t, part in enumerate(parts, begin):
                found = np.full((len(start), 5), np.nan)
                found[known] = part
                yield t, found
            return
        whole = np.full((end - begin, len(start), 5), np.nan)
        shape = self.model.shape or (256, 256)
        for q in known:
            side = self.options.zoom * float(self.boxes[q, 2:].mean())
            window = Window.around(at[q, 0], at[q, 1], side, shape)
            one = np.array([q])
            parts = self._window(window, order[begin:end], one, start - begin, at)
            whole[:, q] = np.concatenate(list(parts))
        for t in range(begin, end):
            yield t, whole[t - begin]

    def _window(
        self, window: Window, order: Sequence[int], which: Array, start: Array, at: Array
    ) -> Iterator[Array]:
        if not len(which):
            yield from (np.empty((0, 5)) for _ in order)
            return
        boxes = window.to_picture(at[which])
        queries = np.column_stack([np.maximum(start[which], 0), boxes])
        pictures = (window.cut(self.grey(self.frames[i])) for i in order)
        n: List[int] = []
        for part in self.model.follow(pictures, queries):
            n.append(0)
            yield np.column_stack([window.to_frame(part[:, :4]), part[:, 4]])
        if len(n) != len(order):
            raise ValueError("the model told of %d pictures of %d" % (len(n), len(order)))
