"""Where spots are followed from: the seeds that were given, or the detections of one frame."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Dict, Mapping, Optional

import numpy as np

from trackleed_kit import place
from trackleed_kit.errors import BadInput

if TYPE_CHECKING:
    from trackleed_kit.frames import FrameSequence

    Array = np.ndarray[Any, np.dtype[Any]]

_BOX = ("x", "y", "width", "height")
_SIDE = 15.0  # px, of a box that nobody gave
_LOOKED_AT = 128  # frames, spread evenly, of which one is the richest


def seeds_for(
    frames: FrameSequence,
    seeds: Optional[Mapping[str, Array]],
    detections: Optional[Mapping[str, Array]],
) -> Dict[str, Array]:
    """The seeds that were given, or else the detections of the richest frame, brightest first.

    A detection counts if it is found again, within half its box, in the frames before and
    after; the frame with the most of these is the richest, and only these become seeds. Which
    frame it was is noted in the step.

    Parameters
    ----------
    frames : FrameSequence
    seeds, detections : mapping of str to ndarray, optional
        Columns of these tables.

    Returns
    -------
    dict of str to ndarray (n,)
        track_id, frame, x, y, width and height.

    Raises
    ------
    BadInput
        If there is neither, or a seed is not in the series.
    """
    if seeds is not None and len(seeds["frame"]):
        return _given(frames, seeds)
    if detections is None:
        if seeds is None:
            raise BadInput("neither seeds nor detections were given", "trackleed detect")
        return _columns(np.empty(0, int), np.empty(0, int), np.empty((0, 4)))
    boxes = np.stack([np.asarray(detections[name], float) for name in _BOX], axis=1)
    score = np.asarray(detections["score"], float)
    frame = np.where(np.isfinite(boxes[:, :2]).all(axis=1), detections["frame"], -1).astype(int)
    rows = [np.flatnonzero(frame == i) for i in range(len(frames))]
    looked_at = np.unique(np.linspace(0, len(frames) - 1, _LOOKED_AT).round().astype(int))
    lasting = {int(i): _lasting(int(i), rows, boxes) for i in looked_at}
    richest = max(lasting, key=lambda i: len(lasting[i]))
    chosen = lasting[richest]
    chosen = chosen[np.argsort(-score[chosen], kind="stable")]
    n = len(chosen)
    place.note("no seeds were given: the %d spots of frame %d are followed" % (n, richest))
    return _columns(np.arange(1, n + 1), np.full(n, richest), boxes[chosen])


def _lasting(i: int, rows: Any, boxes: Array) -> Array:
    """Those of the detections of frame ``i`` that are found again beside it."""
    kept: Array = rows[i]
    for beside in (i - 1, i + 1):
        if 0 <= beside < len(rows):
            apart = boxes[kept, None, :2] - boxes[None, rows[beside], :2]
            reach = np.nan_to_num(boxes[kept, 2:].mean(axis=1), nan=_SIDE) / 2
            kept = kept[(np.hypot(apart[..., 0], apart[..., 1]) <= reach[:, None]).any(axis=1)]
    return kept


def _given(frames: FrameSequence, seeds: Mapping[str, Array]) -> Dict[str, Array]:
    boxes = np.stack([np.asarray(seeds[name], float) for name in _BOX], axis=1)
    frame, track = np.asarray(seeds["frame"]).astype(int), np.asarray(seeds["track_id"])
    rows, columns = frames.shape
    inside = (np.abs(boxes[:, :2] * 2 - (columns - 1, rows - 1)) <= (columns, rows)).all(axis=1)
    wrong = ~inside | (frame < 0) | (frame >= len(frames))
    if wrong.any():
        i = int(wrong.argmax())
        raise BadInput(
            "seed of track %s at x = %g, y = %g in frame %d is not in the series: "
            "%d frames of %d x %d px"
            % (track[i], boxes[i, 0], boxes[i, 1], frame[i], len(frames), columns, rows)
        )
    return _columns(track, frame, boxes)


def _columns(track: Array, frame: Array, boxes: Array) -> Dict[str, Array]:
    sides = boxes[:, 2:]
    known = np.isfinite(sides) & (sides > 0)
    usual = float(np.median(sides[known])) if known.any() else _SIDE
    boxes = np.concatenate([boxes[:, :2], np.where(known, sides, usual)], axis=1)
    return {"track_id": track, "frame": frame, **{n: boxes[:, k] for k, n in enumerate(_BOX)}}
