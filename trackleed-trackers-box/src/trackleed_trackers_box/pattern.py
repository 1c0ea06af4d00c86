"""The tracker `pattern`: all spots of a LEED pattern move as one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from trackleed.errors import InputError
from trackleed.tables import State
from trackleed_trackers_box import scaling, verdict
from trackleed_trackers_box.following import Series, follow
from trackleed_trackers_box.hungarian import by_frame, link_order
from trackleed_trackers_box.light import SIGNIFICANT, seen_light
from trackleed_trackers_box.linking import spacing, within
from trackleed_trackers_box.motion import Spread

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from trackleed.frames import FrameSequence
    from trackleed.tables import Columns
    from trackleed_trackers_box.params import PatternParams

    Array = np.ndarray[Any, np.dtype[Any]]

_LEAST = 3  # detections that make a track, unless the series is shorter
_SHIFT = 0.25  # of the spacing of spots, from frame to frame
_SHIFTS = (4.0, 40.0)  # px, limits to that
_WIDE = 2.0  # times the usual ROI, of a spot whose light is told from shade
_BREATHING = {"energy": 0.004, "constant": 0.003, "free": 0.02}  # of the scale, a frame


class Pattern:
    """Links detections by the motion that all spots share.

    Parameters
    ----------
    params : PatternParams
    """

    def __init__(self, params: PatternParams) -> None:
        self.params = params

    def track(
        self, frames: FrameSequence, seeds: Columns | None, detections: Columns | None
    ) -> Iterator[Columns]:
        """Yield the rows of one frame after another.

        Every track has a row in every frame. ``seed`` is its first detection in the order
        of linking, ``measured`` another one. For up to ``max_gap`` frames from a detection
        its place is known from the motion of the pattern: ``masked`` if that lies on the
        mask, ``measured`` if the pixels show a spot there (Student's t of its height is 4 or
        more, see `trackleed_trackers_box.light`), else ``predicted``. What is measured where
        pixels are clipped is ``saturated``. Elsewhere a track is ``lost``. Tracks count from
        1, from the one that is detected most.

        Raises
        ------
        InputError
            If there are no detections, or energies that are asked for are not known.
        """
        if detections is None:
            raise InputError("pattern links detections, and was given none", "trackleed detect")
        energy = frames.index.get("energy_eV")
        order = link_order(energy, len(frames), self.params.order, "pattern")
        series = self._series(by_frame(detections, order), energy, order, frames.valid)
        course = follow(series)
        found = verdict.sightings(series, course)
        least = self._least(len(order))
        groups = verdict.tracks(verdict.joined(found, series, course), found, series, course, least)
        groups.sort(key=len, reverse=True)
        values, states = self._filled(groups, found, series, course)
        for frame, place in enumerate(np.argsort(order)):
            yield _rows(frames, frame, values[place], states[place])

    def _series(
        self, boxes: Sequence[Array], energy: Array | None, order: Array, valid: Array
    ) -> Series:
        """What is linked, and how its scale is expected to go."""
        every = np.concatenate([*boxes, np.zeros((0, 5))])
        usual = float(np.median(every[:, 4])) if len(every) else 0.0
        bright = [box[box[:, 4] >= usual, :2] for box in boxes]
        centre = every[:, :2].mean(axis=0) if len(every) else np.zeros(2)
        scale, fixed, mode = scaling.expected(
            self.params.scale, bright, energy, order, valid.shape, "pattern"
        )
        centre = centre if fixed is None else fixed
        shift = np.clip(np.nan_to_num(_SHIFT * spacing(bright), nan=_SHIFTS[1]), *_SHIFTS)
        spread = Spread(float(shift), float(shift), _BREATHING[mode])
        side = float(np.median(every[:, 2:4])) if len(every) else 1.0
        return Series(boxes, valid, float(valid.sum()), scale, centre, spread, side)

    def _least(self, n_frames: int) -> int:
        """Detections that make a track."""
        wanted = self.params.min_length
        return min(_LEAST, n_frames) if wanted == "auto" else int(wanted)

    def _filled(
        self, groups: Sequence[Array], found: verdict.Sightings, series: Series, course: Any
    ) -> tuple[Array, Array]:
        """Box values (n_frames, n_tracks, 5) and states (n_frames, n_tracks)."""
        shape = (len(series.boxes), len(groups))
        values = np.full((*shape, 5), np.nan)
        states = np.full(shape, State.LOST.value, dtype=object)
        motions, known = verdict.bridged(series, course)
        for number, group in enumerate(groups):
            seen, rows = found.frame[group], found.row[group]
            boxes = np.array([series.boxes[f][r] for f, r in zip(seen, rows)])  # noqa: B905
            values[seen, number] = boxes
            states[seen, number] = State.MEASURED.value
            states[seen[0], number] = State.SEED.value
            gone, where = verdict.unseen(group, found, motions, known, self.params.max_gap)
            inside = _inside(where, series.valid.shape)
            gone, where = gone[inside], where[inside]
            values[gone, number, :2] = where
            values[gone, number, 2:4] = np.median(boxes[:, 2:4], axis=0)
            hidden = ~within(where, series.valid)
            states[gone, number] = np.where(hidden, State.MASKED.value, State.PREDICTED.value)
        return values, states


def _inside(points: Array, shape: tuple[int, int]) -> Array:
    """Whether points (n, 2) lie in the frame."""
    last = np.array([shape[1], shape[0]]) - 1
    return np.asarray(((points >= 0) & (points <= last)).all(axis=1))


def _rows(frames: FrameSequence, frame: int, values: Array, states: Array) -> dict[str, Array]:
    """Columns of all tracks (n_tracks,) in one frame, whose pixels have the last word."""
    _look(frames, frame, values, states)
    n_tracks = len(values)
    names = ("x", "y", "width", "height", "score")
    columns = dict(zip(names, values.T))  # noqa: B905
    seen = np.flatnonzero(states == State.MEASURED.value)
    if frames.saturation is not None and len(seen):
        clipped = ~within(values[seen, :2], ~frames.saturated(frame))
        states[seen[clipped]] = State.SATURATED.value
    number = {"frame": np.full(n_tracks, frame), "track_id": np.arange(1, n_tracks + 1)}
    return {**number, **columns, "state": states}


def _look(frames: FrameSequence, frame: int, values: Array, states: Array) -> None:
    """Call measured what is predicted, and there; what is very wide may be shade."""
    width = values[:, 2]
    usual = np.nanmedian(width) if np.isfinite(width).any() else 0.0
    waiting = np.flatnonzero((states == State.PREDICTED.value) & (width <= _WIDE * usual))
    if not len(waiting):
        return
    pixels = np.asarray(frames[frame])
    free = frames.valid
    if frames.saturation is not None:
        free = free & ~frames.saturated(frame)
    places = values[np.isfinite(values[:, 0]), :2]
    t, height = seen_light(pixels, free, values[waiting, :2], values[waiting, 2], places)
    there = waiting[t >= SIGNIFICANT]
    states[there] = State.MEASURED.value
    values[there, 4] = height[t >= SIGNIFICANT]
