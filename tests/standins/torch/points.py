"""What the stand-ins of point trackers share: ways of points, followed by the light."""

import numpy as np
from light import near

REACH = 9.0  # px
SEEN = 0.15


def step(picture, at):
    """The place in the next picture, and whether there is light."""
    left, top = (max(int(v - 2 * REACH), 0) for v in at)
    part = picture[top : top + int(4 * REACH), left : left + int(4 * REACH)]
    x, y, height = at[0] - left, at[1] - top, 0.0
    for _ in range(3):
        x, y, height = near(part, x, y, REACH, REACH)
    there = height > SEEN
    return (np.array([x + left, y + top]) if there else np.array(at)), there


def begin(picture, at):
    """The place of a query, which is to be where the light is: half a pixel off is another."""
    light, there = step(picture, at)
    off = np.hypot(*(light - at))
    assert not there or off < 0.35, f"a query is {off:.2f} px off the light"
    return np.array(at)


def way(pictures, start, at):
    """Places (t, 2), and whether each is seen (t,), to both sides of the start."""
    places, seen = np.empty((len(pictures), 2)), np.zeros(len(pictures), bool)
    for order in (range(start, len(pictures)), range(start, -1, -1)):
        now = begin(pictures[start], at)
        for t in order:
            now, seen[t] = step(pictures[t], now) if t != start else (now, True)
            places[t] = now
    return places, seen


def grey(video, channel, low, high):
    """Pictures (t, y, x) in [0, 1] of a video whose channels are alike, and in its range."""
    video = np.asarray(video)
    assert video.dtype == np.float32
    assert video.shape[0] == 1
    assert video.shape[channel] == 3
    channels = np.moveaxis(video[0], channel - 1, 0)
    assert (channels == channels[0]).all(), "the channels differ"
    assert low <= channels.min() <= channels.max() <= high, "not in its range"
    assert channels.max() - channels.min() > 0.8 * (high - low), "its range is not used"
    return (channels[0] - low) / (high - low)


def logits(wanted):
    """Large where something is so, small where it is not."""
    return np.where(wanted, 5.0, -5.0).astype(np.float32)
