"""The tracker `hungarian`: detections linked by distance."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from trackleed.errors import InputError
from trackleed.ordering import link_order
from trackleed.tables import State
from trackleed_trackers_box.linking import link, longest_runs, spacing, usual_step

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from trackleed.frames import FrameSequence
    from trackleed.tables import Columns
    from trackleed_trackers_box.params import HungarianParams

    Array = np.ndarray[Any, np.dtype[Any]]

_BOX = ("x", "y", "width", "height", "score")
_SPACING = 0.4  # of the spacing of spots: at half of it, a neighbour is as near
_STEPS = 4.0  # times the usual way from frame to frame
_SHORTEST = 3  # detections in a row that make a track, unless the series is shorter


class Hungarian:
    """Links detections, and leaves out what does not last.

    Parameters
    ----------
    params : HungarianParams
    """

    def __init__(self, params: HungarianParams) -> None:
        self.params = params

    def track(
        self, frames: FrameSequence, seeds: Columns | None, detections: Columns | None
    ) -> Iterator[Columns]:
        """Yield the rows of one frame after another.

        Every track has a row in every frame: ``seed`` where it is first
        detected, ``measured`` where it is detected again, ``lost`` elsewhere.
        Tracks count from 1 in the order in which they appear as the frames are
        linked, the highest score first.

        Raises
        ------
        InputError
            If there are no detections, or a beam energy that should order the
            frames is not known.
        """
        if detections is None:
            raise InputError("hungarian links detections, and was given none", "trackleed detect")
        n = len(frames)
        order = link_order(frames.index.get("energy_eV"), n, self.params.order, "hungarian")
        boxes = by_frame(detections, order)
        points = [box[:, :2] for box in boxes]
        distance = self.params.max_distance
        if distance == "auto":
            distance = automatic_distance(boxes)
        labels = link(points, distance, self.params.max_gap, self.params.prediction == "velocity")
        yield from rows_of_tracks(boxes, labels, order, self.params.min_length)


def rows_of_tracks(
    boxes: Sequence[Array], labels: Sequence[Array], order: Array, min_length: str | int
) -> Iterator[Columns]:
    """Rows of one frame after another, of the tracks that last.

    Parameters
    ----------
    boxes : sequence of ndarray (n, 5)
        Detections of each place in the order of linking.
    labels : sequence of ndarray (n,)
        Track, from 0, of each of them.
    order : ndarray (n_frames,)
        Frame of each place.
    min_length : int or "auto"
        Detections in a row that make a track.
    """
    shortest = min(_SHORTEST, len(boxes)) if min_length == "auto" else int(min_length)
    # Labels count up in the order of appearance, and boxes of one frame are
    # sorted by score, so numbers only need to close the gaps.
    kept = longest_runs(labels) >= shortest
    number = np.where(kept, np.cumsum(kept), 0)
    numbers = [number[label] for label in labels]
    first = _first_places(numbers, int(kept.sum()))
    for frame, place in enumerate(np.argsort(order)):
        rows = _rows(boxes[place], numbers[place], first == place)
        yield {"frame": np.full(len(first), frame), **rows}


def automatic_distance(boxes: Sequence[Array]) -> float:
    """Distance that a spot may go from frame to frame, px.

    Four times the usual way, or half the side of a ROI where spots hardly
    move; but at most 0.4 of the spacing of spots, so that a spot which is gone
    is not continued by its neighbour. Only the brighter half of the detections
    is asked, because the false ones are dim.
    """
    every = np.concatenate([*boxes, np.zeros((0, len(_BOX)))])
    if not len(every):
        return 1.0
    side, score = every[:, 2:4], every[:, 4]
    typical = np.median(score)
    bright = [box[box[:, 4] >= typical, :2] for box in boxes]
    reach = np.fmax(_STEPS * usual_step(bright), np.median(side) / 2)
    return float(np.fmax(np.fmin(reach, _SPACING * spacing(bright)), 1.0))


def by_frame(detections: Columns, order: Array) -> list[Array]:
    """Boxes (n, 5) of each frame in the order of linking, the highest score first.

    What has no position is no detection; what has no score, because somebody
    placed it by hand, counts as a usual one. The order does not depend on that
    of the table.
    """
    values = np.stack([np.asarray(detections[name], dtype=float) for name in _BOX], axis=1)
    by_hand = np.isnan(values[:, 4])
    values[by_hand, 4] = np.median(values[~by_hand, 4]) if not by_hand.all() else 1.0
    frame = np.asarray(detections["frame"])
    placed = np.isfinite(values[:, :2]).all(axis=1)
    values, frame = values[placed], frame[placed]
    sort = np.lexsort((*values[:, :4].T, -values[:, 4], frame))
    values, frame = values[sort], frame[sort]
    start, stop = np.searchsorted(frame, order), np.searchsorted(frame, order, side="right")
    return [values[a:b] for a, b in zip(start, stop)]  # noqa: B905


def _first_places(numbers: Sequence[Array], n_tracks: int) -> Array:
    """Place in the order of linking at which each track appears."""
    first = np.full(n_tracks, -1)
    for place in range(len(numbers) - 1, -1, -1):
        number = numbers[place]
        first[number[number > 0] - 1] = place
    return first


def _rows(box: Array, number: Array, appears: Array) -> dict[str, Array]:
    """Columns of all tracks (n_tracks,) in one frame."""
    n_tracks = len(appears)
    values = np.full((n_tracks, len(_BOX)), np.nan)
    state = np.full(n_tracks, State.LOST.value, dtype=object)
    tracked = number > 0
    values[number[tracked] - 1] = box[tracked]
    state[number[tracked] - 1] = State.MEASURED.value
    state[appears] = State.SEED.value
    columns = dict(zip(_BOX, values.T))  # noqa: B905
    return {"track_id": np.arange(1, n_tracks + 1), **columns, "state": state}
