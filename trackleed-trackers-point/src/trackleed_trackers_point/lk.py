"""The tracker `lk`: spots carried along by optical flow from frame to frame."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from trackleed.ordering import link_order
from trackleed.tables import State
from trackleed_trackers_point import spots
from trackleed_trackers_point.flow import there_and_back
from trackleed_trackers_point.motion import Motion
from trackleed_trackers_point.passes import Found, follow
from trackleed_trackers_point.pictures import Pictures
from trackleed_trackers_point.seeds import choose

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trackleed.frames import FrameSequence
    from trackleed.tables import Columns
    from trackleed_trackers_point.params import LkParams
    from trackleed_trackers_point.pictures import Picture
    from trackleed_trackers_point.seeds import Seeds

    Array = np.ndarray[Any, np.dtype[Any]]

_WINDOW = 0.7  # of a ROI: wider windows are held by the background, which stands still
_SMALLEST = 9  # px


class LucasKanade:
    """Sparse pyramidal Lucas-Kanade flow, both ways from the seeds.

    Each place is where the flow from the frame before has brought it, so small errors add
    up: it is the plain method that `lk-skip` is to be compared with. A track is ``lost`` for good
    once its way there and back does not end where it began.

    Parameters
    ----------
    params : LkParams
    """

    def __init__(self, params: LkParams) -> None:
        self.params = params

    def track(
        self, frames: FrameSequence, seeds: Columns | None, detections: Columns | None
    ) -> Iterator[Columns]:
        """Yield the rows of one frame after another.

        ``measured`` is a place within 1.5 widths of which the pixels show a spot
        (``min_snr``); ``predicted`` one to which the flow leads without; ``masked`` one on the
        mask; ``saturated`` one with clipped pixels. The score is 1 / (1 + forward-backward error
        in px).

        Raises
        ------
        InputError
            If there are neither seeds nor detections, or they are not in the series.
        """
        energy = frames.index.get("energy_eV")
        order = link_order(energy, len(frames), self.params.order, "lk")
        motion = Motion(detections, energy, order, frames.shape)
        chosen = choose(frames, seeds, detections, self.params.reference, motion)
        pictures = Pictures(frames)
        yield from follow(lambda: _Flow(pictures, chosen, self.params), chosen, order)


class _Flow:
    """All tracks in one direction."""

    def __init__(self, pictures: Pictures, seeds: Seeds, params: LkParams) -> None:
        self.pictures, self.params, self.sigma = pictures, params, seeds.sigma
        self.window = window(params, seeds)
        self.xy: Array = np.full((len(seeds), 2), np.nan)
        self.before: Picture | None = None

    def start(self, frame: int, tracks: Array, xy: Array) -> None:
        self.xy[tracks] = xy

    def step(self, frame: int) -> Found:
        now, found = self.pictures[frame], Found(len(self.xy))
        if self.before is not None:
            xy, error = there_and_back(
                self.before.grey, now.grey, self.xy, self.xy, self.window, self.params.levels
            )
            kept = error <= self.params.max_fb_error
            self.xy = np.where(kept[:, None], xy, np.nan)
            found.set(kept, State.PREDICTED, self.xy[kept], 1 / (1 + error[kept]))
            hidden = spots.shown(now, self.xy, self.sigma) < spots.SHOWN
            found.state[kept & hidden] = State.MASKED.value
            seen = kept & (spots.locate(now, self.xy, self.sigma)[1] >= self.params.min_snr)
            found.state[seen] = State.MEASURED.value
            clipped = spots.any_near(self.pictures.frames.saturated(frame), self.xy, self.radius)
            found.state[seen & clipped] = State.SATURATED.value
        self.before = now
        return found

    @property
    def radius(self) -> float:
        """Distance, px, from a spot within which a clipped pixel is its own."""
        return float(np.median(self.sigma))


def window(params: LkParams, seeds: Seeds) -> int:
    """Side of the window in px, odd."""
    if params.window != "auto":
        return int(params.window) | 1
    return max(round(_WINDOW * seeds.side), _SMALLEST) | 1
