"""Pieces of spots that are put together, and pieces that are not."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("scipy")

from trackleed.frames import FrameSequence
from trackleed_trackers_box.params import PatternParams
from trackleed_trackers_box.pattern import Pattern

N = 60


class Dark:
    """Frames without any light."""

    shape, dtype = (512, 512), np.dtype("u2")

    def __len__(self):
        return N

    def read(self, i):
        return np.zeros(self.shape, self.dtype)


def pieces(after, gap=(28, 36)):
    """Tracks of a pattern that stands, and of what passes it.

    It goes 0.6 px a frame along x, is not seen in ``gap``, and goes on from ``after`` (x, y) px
    beside its way.
    """
    rng = np.random.default_rng(1)
    still = np.array([(x, y) for x in range(60, 480, 70) for y in range(60, 480, 70)], float)
    frames = np.arange(N)
    way = np.stack([95 + 0.6 * frames, np.full(N, 95.0)], axis=1)
    way[gap[1] :] += after
    seen = (frames < gap[0]) | (frames >= gap[1])
    at = np.concatenate([np.tile(still, (N, 1)), way[seen]])
    frame = np.append(np.repeat(frames, len(still)), frames[seen])
    at = at + rng.normal(0, 0.2, at.shape)
    side = np.full(len(at), 19.0)
    table = {"frame": frame, "x": at[:, 0], "y": at[:, 1], "width": side, "height": side}
    tracker = Pattern(PatternParams())
    values, states = tracker.link(FrameSequence(Dark()), {**table, "score": np.full(len(at), 40.0)})
    return len(still), values, states


def test_what_passes_and_is_hidden_for_a_while_is_one_track():
    still, values, states = pieces((0.0, 0.0))
    assert values.shape[1] == still + 1
    moving = np.flatnonzero(np.isin(states, ["seed", "measured"]).sum(axis=0) < N)
    [track] = moving
    assert np.nanmax(np.abs(values[28:36, track, 0] - (95 + 0.6 * np.arange(28, 36)))) < 2.0
    assert (states[:, track] == "seed").sum() == 1


@pytest.mark.parametrize("after", [(0.0, 9.0), (12.0, 0.0)])
def test_what_goes_on_elsewhere_is_another_track(after):
    still, values, _ = pieces(after)
    assert values.shape[1] == still + 2
