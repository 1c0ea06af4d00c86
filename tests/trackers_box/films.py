"""Detections whose tracks are known: rows by hand, and patterns that move as one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from trackleed.frames import FrameSequence
from trackleed.params import make
from trackleed.tables import TRACKS, build
from trackleed_trackers_box.params import PatternParams
from trackleed_trackers_box.pattern import Pattern

CENTRE = np.array([285.0, 231.0])  # neither the middle of the frame nor of the detections


class Unread:
    """Frames of which no pixel is asked for."""

    shape, dtype = (512, 512), np.dtype("u2")

    def __init__(self, n):
        self.n = n

    def __len__(self):
        return self.n

    def read(self, i):
        raise AssertionError("a linker of detections reads no frame")


class Dark(Unread):
    """Frames without any light."""

    def read(self, i):
        return np.zeros(self.shape, self.dtype)


def sequence(source, energy=None, valid=None):
    index = {} if energy is None else {"energy_eV": np.asarray(energy, dtype=float)}
    return FrameSequence(source, index=index, valid=valid)


def detections(rows, side=17.0):
    """From (frame, x, y) or (frame, x, y, score)."""
    table = np.array([(*row, 50.0)[:4] for row in rows], dtype=float).reshape(-1, 4)
    frame, x, y, score = table.T
    sides = np.full(len(table), side)
    box = {"x": x, "y": y, "width": sides, "height": sides, "score": score}
    return {"frame": frame.astype(int), **box}


def tracked(tracker, frames, table):
    """The tracks table of detections, and positions (frame, track, 2)."""
    parts = list(tracker.track(frames, None, table))
    assert [set(part["frame"].tolist()) for part in parts] == [
        {i} if len(part["frame"]) else set() for i, part in enumerate(parts)
    ]
    whole = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    checked = build(TRACKS, whole)
    n_tracks = checked["track_id"].max() if len(checked) else 0
    assert len(checked) == len(frames) * n_tracks
    return checked, checked[["x", "y"]].to_numpy().reshape(len(frames), n_tracks, 2)


def by_pattern(n, table, energy=None, valid=None, **options):
    """What `pattern` makes of detections where no pixel shows anything."""
    tracker = Pattern(make(PatternParams, options, "pattern"))
    return tracked(tracker, sequence(Dark(n), energy, valid), table)


@dataclass
class Film:
    """Spots (frame, spot, 2) and which of them are detected."""

    xy: np.ndarray
    there: np.ndarray
    brightness: np.ndarray

    def __len__(self):
        return len(self.xy)

    def detections(self, noise=0.2, extra=(), seed=0):
        """Columns of what is detected, with rows (frame, x, y) of ``extra`` among it."""
        inside = ((self.xy > 5) & (self.xy < 506)).all(axis=2)
        frame, spot = np.nonzero(self.there & inside)
        rng = np.random.default_rng(seed)
        xy = self.xy[frame, spot] + rng.normal(0, noise, (len(frame), 2))
        false = np.array(extra, dtype=float).reshape(-1, 3)
        rows = np.column_stack([frame, xy, self.brightness[spot]])
        rows = np.concatenate([rows, np.column_stack([false, np.full(len(false), 12.0)])])
        return detections(rows, side=19.0)


def lattice(spacing=62.0, reach=3):
    """Places (spots, 2) of a slightly turned hexagonal lattice, without the middle."""
    a, b = spacing * np.array([1.0, 0.12]), spacing * np.array([0.4, 0.93])
    hk = [(h, k) for h in range(-reach, reach + 1) for k in range(-reach, reach + 1)]
    return np.array([h * a + k * b for h, k in hk if (h, k) != (0, 0) and abs(h + k) <= reach])


def film(n, shift=0.0, scale=1.0, turn=0.0, places=None):
    """A pattern that moves as one: shift (n, 2) px, scale (n,), turn (n,) rad."""
    places = lattice() if places is None else places
    shift = np.broadcast_to(shift, (n, 2))
    scale, turn = np.broadcast_to(scale, n), np.broadcast_to(turn, n)
    cosine, sine = scale * np.cos(turn), scale * np.sin(turn)
    matrix = np.stack([np.stack([cosine, sine], 1), np.stack([-sine, cosine], 1)], 1)
    xy = places @ matrix + CENTRE + shift[:, None]
    brightness = np.linspace(150, 20, len(places))
    return Film(xy, np.ones(xy.shape[:2], bool), brightness)


def spot_of(xy, scene, reach=3.0):
    """Number of the spot that each track follows: always one, or an error."""
    followed = []
    for path in xy.transpose(1, 0, 2):
        seen = np.flatnonzero(np.isfinite(path[:, 0]))
        apart = np.linalg.norm(scene.xy[seen] - path[seen, None], axis=2)
        nearest = np.unique(apart.argmin(axis=1))
        assert len(nearest) == 1, f"a track changes between spots {nearest}"
        assert apart.min(axis=1).max() < reach
        followed.append(int(nearest[0]))
    assert len(set(followed)) == len(followed), "a spot has two tracks"
    return followed


def inside(scene):
    """Spots that are in the picture in all frames."""
    return np.flatnonzero(((scene.xy > 5) & (scene.xy < 506)).all(axis=(0, 2)))
