"""The tracker `pattern`: all spots of a LEED pattern move as one.

Each frame is a shift, a turn and a scale of the pattern; the scale follows the beam energy where
that is known (`scaling`). Spots of facets contract about fixed points of their own (`fixed`). Frame
by frame the motion is found and detections are linked to spots (`following`). Then the whole series
tells which spot each detection is of where groups cross (`groups`), which spots are spots
(`verdict`), which pieces are of one (`stitching`), and where they are while they are not detected
(`filling`).
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from trackleed.errors import InputError
from trackleed.ordering import link_order
from trackleed.tables import State
from trackleed_trackers_box import fixed, scaling, verdict
from trackleed_trackers_box.compiled.boxes import arranged, brighter, listed, middle, nearest
from trackleed_trackers_box.compiled.model import Film, Rules
from trackleed_trackers_box.filling import filled
from trackleed_trackers_box.following import Series
from trackleed_trackers_box.groups import followed
from trackleed_trackers_box.light import SIGNIFICANT, seen_light
from trackleed_trackers_box.linking import within
from trackleed_trackers_box.sharing import shared
from trackleed_trackers_box.stitching import stitched

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trackleed.frames import FrameSequence
    from trackleed.tables import Columns
    from trackleed_trackers_box.params import PatternParams

    Array = np.ndarray[Any, np.dtype[Any]]

_LEAST = 3  # detections that make a track, unless the series is shorter
_SHIFT = 0.25  # of the spacing of spots, from frame to frame
_SHIFTS = (4.0, 40.0)  # px, limits to that
_SAMPLE = 50  # frames, about, that tell the spacing
_TELLING = 20_000  # detections, about, that tell how bright and wide they usually are
_WIDE = 2.0  # times the usual ROI, of a spot whose light is told from shade
_BREATHING = {"energy": 0.004, "constant": 0.003, "free": 0.02}  # of the scale, a frame
_TURN = 0.003  # rad, a frame
_WRONG = 0.1  # part of a step of the scale that energies tell


class Pattern:
    """Links detections by the motion that all spots share.

    Parameters
    ----------
    params : PatternParams

    Attributes
    ----------
    notes : list of str
        What was made of the index, once `track` or `link` has begun.
    """

    def __init__(self, params: PatternParams) -> None:
        self.params = params
        self.notes: list[str] = []

    def track(
        self, frames: FrameSequence, seeds: Columns | None, detections: Columns | None
    ) -> Iterator[Columns]:
        """Yield the rows of one frame after another.

        Every track has a row in every frame. ``seed`` is its first detection in the order
        of linking, ``measured`` another one. For up to ``max_gap`` frames from a detection
        (more where another spot is seen beside it) its place is known from the motion of the
        pattern: ``masked`` if that lies on the mask, ``measured`` if the pixels show a spot
        there (Student's t of its height is 4 or more, see `trackleed_trackers_box.light`),
        else ``predicted``. What is measured where
        pixels are clipped is ``saturated``. Elsewhere a track is ``lost``. Tracks count from
        1, from the one that is detected most.

        Raises
        ------
        InputError
            If there are no detections, or energies that are asked for are not known.
        """
        if detections is None:
            raise InputError("pattern links detections, and was given none", "trackleed detect")
        values, states = self.link(frames, detections)
        for frame in range(len(frames)):
            yield _rows(frames, frame, values[frame], states[frame])

    def link(self, frames: FrameSequence, detections: Columns) -> tuple[Array, Array]:
        """Boxes (n_frames, n_tracks, 5) and states (n_frames, n_tracks), before pixels are asked.

        Raises
        ------
        InputError
            If energies that are asked for are not known.
        """
        energy = frames.index.get("energy_eV")
        order = link_order(energy, len(frames), self.params.order, "pattern")
        series = self._series(_boxes(detections, order), energy, order, frames.valid)
        series, course = followed(series)
        if len(series.film.fixed) > 1:
            self.notes.append(_facets(series.centre + series.film.fixed[1:]))
        found = verdict.tracks(
            verdict.sightings(series, course), series, course, self._least(len(order))
        )
        found = stitched(found, series, course)
        values, states = filled(found, series, course, self.params.max_gap)
        if (np.diff(order) == 1).all():
            return values, states
        place = np.argsort(order)
        return values[place], states[place]

    def _series(
        self, given: tuple[Array, Array, Array], energy: Array | None, order: Array, valid: Array
    ) -> Series:
        """What is linked, and how its scale is expected to go."""
        boxes, places, start = given
        score, some = boxes[:, 4].copy(), slice(None, None, 1 + len(boxes) // _TELLING)
        usual = _middle(score[some]) if len(score) else 0.0
        bright, at = brighter(boxes, start, usual)
        points = [bright[first:last] for first, last in pairwise(at)]
        scale, about, mode = scaling.expected(
            self.params.scale, points, energy, order, valid.shape, "pattern"
        )
        self.notes = _notes(order, mode, about)
        centre = middle(places) if len(boxes) else np.zeros(2)
        film = Film(
            points=places,
            weights=score / (score + usual),
            start=start,
            scale=scale,
            valid=np.asarray(valid, dtype=bool),
            area=float(np.count_nonzero(valid)),
            fixed=_fixed(boxes, start, scale, about, valid.shape),
        )
        apart = nearest(bright, at, 1 + len(order) // _SAMPLE)
        shift = _SHIFT * (float(np.median(apart)) if len(apart) else np.nan)
        rules = Rules(
            shift=float(np.clip(np.nan_to_num(shift, nan=_SHIFTS[1]), *_SHIFTS)),
            scale=_BREATHING[mode],
            angle=_TURN,
            step=_WRONG,
            side=_middle(boxes[some, 2:4].ravel()) if len(boxes) else 1.0,
        )
        return Series(boxes, film, centre if about is None else about, rules)

    def _least(self, n_frames: int) -> int:
        """Detections that make a track."""
        wanted = self.params.min_length
        return min(_LEAST, n_frames) if wanted == "auto" else int(wanted)


def _boxes(detections: Columns, order: Array) -> tuple[Array, Array, Array]:
    """Boxes (n, 5) and places (n, 2) of all frames in the order of linking, by x in a frame.

    The third is where each frame begins.

    Only what has a position is a detection.
    """
    names = ("x", "y", "width", "height", "score")
    columns = tuple(_given(detections[name], np.float64) for name in names)
    place = np.empty(len(order), np.int64)
    place[order] = np.arange(len(order))
    frame = _given(detections["frame"], np.int64)
    rows, start = listed(frame, place, *columns[:2])
    boxes, points = np.empty((len(rows), len(names))), np.empty((len(rows), 2))
    shared(arranged, start, columns, rows, start, boxes, points)
    return boxes, points, start


def _given(column: Array, kind: type[Any]) -> Array:
    """A column of one type of array, read-only as some are: others would be compiled for anew."""
    view = np.ascontiguousarray(column, dtype=kind).view()
    view.flags.writeable = False
    return view


def _middle(values: Array) -> float:
    """Median of what has no NaN, for which NumPy looks first."""
    half = len(values) // 2
    parted = np.partition(values, half)
    if len(values) % 2:
        return float(parted[half])
    return float((parted[:half].max() + parted[half]) / 2)


def _fixed(
    boxes: Array, start: Array, scale: Array, about: Array | None, shape: tuple[int, int]
) -> Array:
    """Fixed points (groups, 2) of all groups of spots, px from that of the pattern."""
    if about is None:
        return np.zeros((1, 2))
    points = [boxes[first:last, :2] for first, last in pairwise(start)]
    others = fixed.others(points, scaling.frame_pairs(scale), scale, shape, about)
    return np.concatenate([np.zeros((1, 2)), others - about])


def _notes(order: Array, mode: str, fixed: Array | None) -> list[str]:
    """What was made of the index, for people."""
    by_energy = bool((np.diff(order) != 1).any())
    sort = "linked in the order of the energies" if by_energy else "linked in the order of frames"
    if mode == "energy" and fixed is not None:
        about = f"about ({fixed[0]:.0f}, {fixed[1]:.0f}) px"
        return [f"{sort}; the scale follows the energies {about}"]
    said = {
        "energy": "the scale follows the energies",
        "constant": "the scale does not change",
        "free": "the scale is free, since no energies tell it",
    }
    return [f"{sort}; {said[mode]}"]


def _facets(points: Array) -> str:
    """That there are spots of facets, for people."""
    about = ", ".join(f"({x:.0f}, {y:.0f})" for x, y in points)
    return f"spots of facets go towards {about} px"


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
