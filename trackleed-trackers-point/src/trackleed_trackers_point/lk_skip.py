"""The tracker `lk-skip`: flow from an anchor frame, checked, and centred on the spot."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from trackleed.ordering import link_order
from trackleed.tables import State
from trackleed_trackers_point import spots
from trackleed_trackers_point.flow import between_tiles, inside, tiles
from trackleed_trackers_point.lk import window
from trackleed_trackers_point.motion import Motion
from trackleed_trackers_point.passes import Found, follow
from trackleed_trackers_point.pictures import Pictures
from trackleed_trackers_point.seeds import choose

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trackleed.frames import FrameSequence
    from trackleed.tables import Columns
    from trackleed_trackers_point.params import LkSkipParams
    from trackleed_trackers_point.pictures import Picture
    from trackleed_trackers_point.seeds import Seeds

    Array = np.ndarray[Any, np.dtype[Any]]

_TEMPLATE = 2.5  # sigmas, half the side of a template
_BLUR = 0.5  # sigmas, by which templates are blurred: noise would hide that dim spots are alike
_CLEAR = 2.0  # times min_snr, from which a spot can be an anchor
_CLEARER = 2.0  # times the anchor's SNR, from which it is the better anchor
_SPACING = 0.4  # of the spacing of spots: at half of it, a neighbour is as near
_SAME = 1.0  # sigmas, between two tracks that are on one spot


class SkipAnchor:
    """Lucas-Kanade flow from an anchor frame, in one step over all frames between.

    In each frame a spot is looked for, in turn, where the flow from its anchor leads, at the
    detection nearest to where it is predicted, and at that place itself. It is taken if

    1. it is within ``search`` of its prediction,
    2. the flow, where it led there, comes back to the anchor (``max_fb_error``),
    3. it is significant over the noise around it (``min_snr``),
    4. it looks like the spot at the anchor (``min_ncc``, on the counts, a little blurred).

    Its position is the centre of its own light, not where flow has led. So errors do not add up.

    A spot becomes its own new anchor where it is clear (twice ``min_snr``) and either has begun
    to look different (correlation below ``anchor_ncc``) or is twice as clear as at its anchor.

    Predictions come from the common motion of all detections: contraction with the beam energy,
    if the series shows it, and shift; from the spot's own velocity where these do not tell.

    Parameters
    ----------
    params : LkSkipParams
    """

    def __init__(self, params: LkSkipParams) -> None:
        self.params = params

    def track(
        self, frames: FrameSequence, seeds: Columns | None, detections: Columns | None
    ) -> Iterator[Columns]:
        """Yield the rows of one frame after another.

        ``measured`` and ``saturated`` are spots that passed all checks, ``predicted`` and
        ``masked`` are predictions. The score is the correlation with the spot at the anchor.

        Raises
        ------
        InputError
            If there are neither seeds nor detections, or they are not in the series.
        """
        energy = frames.index.get("energy_eV")
        order = link_order(energy, len(frames), self.params.order, "lk-skip")
        motion = Motion(detections, energy, order, frames.shape)
        chosen = choose(frames, seeds, detections, self.params.reference, motion)
        pictures = Pictures(frames)
        yield from follow(lambda: _Skip(pictures, motion, chosen, self.params), chosen, order)


class _Skip:
    """All tracks in one direction."""

    def __init__(
        self, pictures: Pictures, motion: Motion, seeds: Seeds, params: LkSkipParams
    ) -> None:
        self.pictures, self.motion, self.params, self.sigma = pictures, motion, params, seeds.sigma
        self.window = window(params, seeds)
        self.usual = float(np.median(seeds.sigma))
        self.half = max(int(np.ceil(_TEMPLATE * self.usual)), 2)
        self.search = _search(params, seeds, motion)
        n = len(seeds)
        self.begun: Array = np.zeros(n, bool)
        self.anchor_xy: Array = np.full((n, 2), np.nan)
        self.anchor_snr: Array = np.full(n, np.nan)
        side = 2 * self.half + 1
        self.template: Array = np.zeros((n, side, side), np.float32)
        self.tile = int(self.window * 2**params.levels / 2 + self.search) + 1
        self.anchor_tile: Array = np.zeros((n, 2 * self.tile + 1, 2 * self.tile + 1), np.uint8)
        self.anchor_corner: Array = np.zeros((n, 2), int)
        self.xy: Array = np.full((n, 2), np.nan)  # measured or predicted
        self.velocity: Array = np.zeros((n, 2))
        self.unseen: Array = np.zeros(n, int)
        self.told = -1  # frame up to which the common motion is known
        self.told_xy: Array = np.full((n, 2), np.nan)
        self.now: Picture | None = None
        self.soft: Array = np.zeros(pictures.frames.shape, np.float32)

    def step(self, frame: int) -> Found:
        """Look for every track that has begun."""
        before, self.now = self.now, self.pictures[frame]
        self.soft = self.now.blurred(_BLUR * self.usual)
        found = Found(len(self.xy))
        if before is None or not self.begun.any():
            self._remember(frame, True)
            return found
        place, told = self._predict(frame)
        xy, snr, ncc = self._look(place)
        _separate(xy, place, _SAME * self.usual)
        seen = np.asarray(np.isfinite(xy).all(axis=1))
        moved = np.where(seen[:, None], xy, place) - self.xy
        steady = seen & (self.unseen == 0)
        self.velocity[steady] = 0.5 * (self.velocity + moved)[steady]
        self.unseen = np.where(seen, 0, self.unseen + 1)
        self.xy = self.xy + moved
        self._remember(frame, told)
        self._anchor(seen, snr, ncc)
        return self._states(found, seen, ncc, told)

    def start(self, frame: int, tracks: Array, xy: Array) -> None:
        """Anchor some tracks at the spots nearest to their seeds."""
        if not len(tracks) or self.now is None:
            return
        centre, snr = spots.locate(self.now, xy, self.sigma[tracks])
        clear = snr >= self.params.min_snr
        # Of two seeds on one spot the second has nothing to follow.
        _separate(centre, xy, _SAME * self.usual)
        twice = clear & np.isnan(centre[:, 0])
        self.xy[tracks] = np.where((clear & ~twice)[:, None], centre, xy)
        self.velocity[tracks], self.unseen[tracks] = 0.0, 0
        self._remember(frame, True)
        self._keep(tracks[~twice], np.where(clear, snr, 0.0)[~twice])

    def _predict(self, frame: int) -> tuple[Array, bool]:
        """Where each track should be, and whether the common motion says so."""
        common = self.motion.between(self.told, frame)
        if common is None:
            known = self.unseen <= self.params.max_gap
            return self.xy + self.velocity * known[:, None], False
        scale, shift = common
        return scale * self.told_xy + shift, True

    def _remember(self, frame: int, told: bool) -> None:
        if told:
            self.told, self.told_xy = frame, self.xy.copy()

    def _look(self, place: Array) -> tuple[Array, Array, Array]:
        """Position, SNR and correlation of each track that is found; NaN of the others."""
        assert self.now is not None
        n = len(place)
        xy, snr, ncc = np.full((n, 2), np.nan), np.full(n, np.nan), np.full(n, np.nan)
        starts = (
            lambda: self._flow(place),
            lambda: _nearest(self.motion.points[self.now.number], place, self.search),
            lambda: np.where((self.unseen <= self.params.max_gap)[:, None], place, np.nan),
        )
        for start in starts:
            left = np.flatnonzero(np.isnan(snr) & self.begun & np.isfinite(place).all(axis=1))
            if not len(left):
                break
            centre, clear = spots.locate(self.now, start()[left], self.sigma[left])
            alike = spots.correlation(
                self.template[left], spots.templates(self.soft, centre, self.half)
            )
            good = (
                (clear >= self.params.min_snr)
                & (alike >= self.params.min_ncc)
                & (np.hypot(*(centre - place[left]).T) <= self.search)
            )
            here = left[good]
            xy[here], snr[here], ncc[here] = centre[good], clear[good], alike[good]
        return xy, snr, ncc

    def _flow(self, place: Array) -> Array:
        """Where the flow from each track's anchor leads, if it leads back."""
        assert self.now is not None
        around, corner = tiles(self.now.grey, place, self.tile)
        there, error = between_tiles(
            self.anchor_tile,
            around,
            self.anchor_xy - self.anchor_corner,
            place - corner,
            self.window,
            self.params.levels,
        )
        kept = error <= self.params.max_fb_error
        return np.where(kept[:, None], there + corner, np.nan)

    def _anchor(self, seen: Array, snr: Array, ncc: Array) -> None:
        """Move the anchor of tracks that look different by now, or clearer."""
        clear = seen & (snr >= _CLEAR * self.params.min_snr)
        better = (ncc < self.params.anchor_ncc) | (snr >= _CLEARER * self.anchor_snr)
        tracks = np.flatnonzero(clear & better)
        self._keep(tracks, snr[tracks])

    def _keep(self, tracks: Array, snr: Array) -> None:
        assert self.now is not None
        if len(tracks):
            self.begun[tracks], self.anchor_snr[tracks] = True, snr
            self.anchor_xy[tracks] = self.xy[tracks]
            self.template[tracks] = spots.templates(self.soft, self.xy[tracks], self.half)
            self.anchor_tile[tracks], self.anchor_corner[tracks] = tiles(
                self.now.grey, self.xy[tracks], self.tile
            )

    def _states(self, found: Found, seen: Array, ncc: Array, told: bool) -> Found:
        assert self.now is not None
        frames, shape = self.pictures.frames, self.pictures.frames.shape
        found.set(seen, State.MEASURED, self.xy[seen], ncc[seen])
        clipped = spots.any_near(frames.saturated(self.now.number), self.xy, self.usual)
        found.state[seen & clipped] = State.SATURATED.value
        # Without the common motion nobody knows where an unseen spot is.
        there = ~seen & self.begun & inside(self.xy, shape) & told
        hidden = there & (spots.shown(self.now, self.xy, self.sigma) < spots.SHOWN)
        found.set(hidden, State.MASKED, self.xy[hidden])
        waiting = there & ~hidden & (self.unseen <= self.params.max_gap)
        found.set(waiting, State.PREDICTED, self.xy[waiting])
        return found


def _search(params: LkSkipParams, seeds: Seeds, motion: Motion) -> float:
    """Farthest from its predicted place that a spot may be found, px."""
    if params.search != "auto":
        return float(params.search)
    return max(min(seeds.side / 2, _SPACING * motion.spacing), 2.0)


def _nearest(points: Array, place: Array, reach: float) -> Array:
    """Of the points (k, 2), the one nearest to each place (n, 2); NaN beyond reach."""
    if not len(points):
        return np.full(place.shape, np.nan)
    apart = np.hypot(*(place[:, None] - points).transpose(2, 0, 1))
    nearest = np.nan_to_num(apart, nan=np.inf).argmin(axis=1)
    near = apart[np.arange(len(place)), nearest] <= reach
    return np.where(near[:, None], points[nearest], np.nan)


def _separate(xy: Array, place: Array, distance: float) -> None:
    """Of tracks on one spot leave it to the one that was predicted nearest; NaN for others."""
    off = np.nan_to_num(np.hypot(*(xy - place).T), nan=np.inf)
    for track in np.argsort(off, kind="stable")[: np.isfinite(off).sum()]:
        if np.isfinite(xy[track, 0]):
            same = np.hypot(*(xy - xy[track]).T) <= distance
            same[track] = False
            xy[same] = np.nan
