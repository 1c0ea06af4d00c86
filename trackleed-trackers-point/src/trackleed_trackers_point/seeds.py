"""What is followed, from where, and in which order of the frames."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from trackleed.errors import InputError
from trackleed_trackers_point.flow import inside

if TYPE_CHECKING:
    from trackleed.frames import FrameSequence
    from trackleed.tables import Columns
    from trackleed_trackers_point.motion import Motion

    Array = np.ndarray[Any, np.dtype[Any]]

BOX = ("x", "y", "width", "height")
_SIDE = 15.0  # px, of a ROI that nobody gave
_PER_SIDE = 6.0  # sigmas in the side of a ROI
_WIDTHS = (1.0, 12.0)  # px, sigmas that the windows are made for
_LOOKED_AT = 128  # frames, spread evenly, of which one is the richest
_WIDEST = 2.0  # times the usual sigma


class Seeds:
    """Start positions, of one or more frames a track.

    Parameters
    ----------
    numbers : ndarray of int (tracks,)
        ``track_id`` of each track, ascending.
    track, frame : ndarray of int (n,)
        Place in ``numbers``, and frame, of each start position.
    box : ndarray (n, 4)
        x, y, width, height in px.
    """

    def __init__(self, numbers: Array, track: Array, frame: Array, box: Array) -> None:
        self.numbers, self.track, self.frame, self.box = numbers, track, frame, box
        side = np.where(box[:, 2:] > 0, box[:, 2:], np.nan)
        mean = np.sqrt(side.prod(axis=1))
        usual = np.median(mean[np.isfinite(mean)]) if np.isfinite(mean).any() else _SIDE
        self.side = float(usual)
        sigma = (np.where(np.isfinite(mean), mean, usual) - 1) / _PER_SIDE
        widest = np.clip(_WIDEST * (usual - 1) / _PER_SIDE, *_WIDTHS)
        self.sigma: Array = np.full(len(numbers), np.nan)
        self.sigma[track[::-1]] = np.clip(sigma, _WIDTHS[0], widest)[::-1]

    def __len__(self) -> int:
        return len(self.numbers)

    def of(self, frame: int) -> tuple[Array, Array]:
        """Tracks (k,) that start in a frame, and their boxes (k, 4)."""
        here = self.frame == frame
        return self.track[here], self.box[here]

    def size(self) -> Array:
        """Width and height (tracks, 2) of the ROI of each track: that of its first seed."""
        size = np.full((len(self), 2), np.nan)
        size[self.track[::-1]] = self.box[::-1, 2:]
        return size


def choose(
    frames: FrameSequence,
    seeds: Columns | None,
    detections: Columns | None,
    reference: int | str,
    motion: Motion,
) -> Seeds:
    """The seeds that were given, or else the detections of one frame, brightest first.

    A detection that is not found again in the frames around is left out; the richest
    frame is the one with the most of the others.

    Raises
    ------
    InputError
        If there is neither, or the reference frame or a seed is not in the series.
    """
    if seeds is not None and len(seeds["frame"]):
        return _given(frames, seeds)
    if detections is None:
        raise InputError("neither seeds nor detections were given", "trackleed detect")
    if reference == "richest":
        places = np.unique(np.linspace(0, len(frames) - 1, _LOOKED_AT).round().astype(int))
        place = max(places.tolist(), key=lambda p: motion.lasting(p).sum())
    elif int(reference) < len(frames):
        place = int(np.argsort(motion.order)[int(reference)])
    else:
        raise InputError(
            f"reference = {reference} is not allowed; the series has frames 0 to {len(frames) - 1}"
        )
    frame = motion.order[place]
    rows = motion.rows[frame][motion.lasting(place)]
    box = np.stack([np.asarray(detections[name], dtype=float)[rows] for name in BOX], axis=1)
    track = np.arange(len(rows))
    return Seeds(track + 1, track, np.full(len(rows), frame), box)


def _given(frames: FrameSequence, seeds: Columns) -> Seeds:
    frame = np.asarray(seeds["frame"]).astype(int)
    box = np.stack([np.asarray(seeds[name], dtype=float) for name in BOX], axis=1)
    wrong = (frame < 0) | (frame >= len(frames)) | ~inside(box[:, :2], frames.shape)
    if wrong.any():
        i = int(wrong.argmax())
        raise InputError(
            f"seed of track {seeds['track_id'][i]} at x = {box[i, 0]:g}, y = {box[i, 1]:g} in "
            f"frame {frame[i]} is not in the series: {len(frames)} frames of "
            f"{frames.shape[1]} x {frames.shape[0]} px"
        )
    numbers, track = np.unique(np.asarray(seeds["track_id"]), return_inverse=True)
    first = np.lexsort((track, frame))
    return Seeds(numbers, track[first], frame[first], box[first])
