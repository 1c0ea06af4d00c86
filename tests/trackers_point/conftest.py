from __future__ import annotations

import numpy as np
import pytest

from trackleed.frames import ArraySource, FrameSequence, NoiseModel
from trackleed.registry import Registry
from trackleed.tables import TRACKS, build

SHAPE = (150, 210)  # not square, so that swapped axes show
SIGMA, SIDE, NOISE = 2.5, 17.0, 8.0
START = np.array([(45 + 40 * i, 35 + 40 * j) for j in range(3) for i in range(4)], float)


class Series:
    """Spots on noise: their places (frames, spots, 2), the frames, and detections of them."""

    def __init__(
        self,
        places,
        heights=600.0,
        *,
        dtype=np.uint16,
        noise=NOISE,
        energy=None,
        valid=None,
        saturation=None,
        seed=0,
        shape=SHAPE,
    ):
        self.xy = np.asarray(places, float)
        n, spots = self.xy.shape[:2]
        self.heights = np.broadcast_to(heights, (n, spots))
        rng = np.random.default_rng(seed)
        y, x = np.mgrid[: shape[0], : shape[1]]
        stack = np.empty((n, *shape))
        for i in range(n):
            stack[i] = 900 + 0.4 * x - 0.3 * y
            for (px, py), height in zip(self.xy[i], self.heights[i], strict=True):
                stack[i] += height * np.exp(-((x - px) ** 2 + (y - py) ** 2) / (2 * SIGMA**2))
        stack += rng.normal(0, noise, stack.shape)
        if np.dtype(dtype) == np.uint8:
            stack /= 8
        if np.issubdtype(dtype, np.integer):
            top = np.iinfo(dtype).max if saturation is None else saturation
            stack = np.clip(np.rint(stack), 0, top)
        self.stack = stack.astype(dtype)
        self.frames = FrameSequence(
            ArraySource(self.stack),
            index={} if energy is None else {"energy_eV": np.asarray(energy, float)},
            valid=valid,
            noise=NoiseModel(gain=0, read_noise=noise),
            saturation=saturation,
        )
        self.valid = self.frames.valid
        frame, spot = np.nonzero(self.heights > 6 * noise)
        at = self.xy[frame, spot]
        self.detections = {
            "frame": frame,
            "x": at[:, 0] + rng.normal(0, 0.1, len(at)),
            "y": at[:, 1] + rng.normal(0, 0.1, len(at)),
            "width": np.full(len(at), SIDE),
            "height": np.full(len(at), SIDE),
            "score": self.heights[frame, spot] / noise,
        }

    def seeds(self, frame=0, spots=None, off=(0.0, 0.0)):
        chosen = np.arange(self.xy.shape[1]) if spots is None else np.asarray(spots)
        at = self.xy[frame, chosen] + off
        side = np.full(len(chosen), SIDE)
        return {
            "track_id": chosen + 1,
            "frame": np.full(len(chosen), frame),
            "x": at[:, 0],
            "y": at[:, 1],
            "width": side,
            "height": side,
        }

    def track(self, name, seeds=None, **options):
        """The checked table, and x, y as an array (frames, tracks, 2)."""
        tracker = Registry.discover().find("tracker", name).make(**options)
        parts = list(tracker.track(self.frames, seeds, self.detections))
        assert sorted(int(part["frame"][0]) for part in parts) == list(range(len(self.frames)))
        whole = {key: np.concatenate([part[key] for part in parts]) for key in parts[0]}
        table = build(TRACKS, whole).sort_values(["frame", "track_id"], ignore_index=True)
        assert len(table) == len(self.frames) * table["track_id"].nunique()
        lost = table["state"] == "lost"
        assert table.loc[lost, ["x", "y", "width", "height", "score"]].isna().all(axis=None)
        assert table.loc[~lost, ["x", "y", "width", "height"]].notna().all(axis=None)
        xy = table[["x", "y"]].to_numpy().reshape(len(self.frames), -1, 2)
        return table, xy

    def error(self, xy, seeds=None):
        """Distance (frames, spots) from the truth; tracks are in the order of the spots."""
        return np.hypot(*(xy - self.xy).transpose(2, 0, 1))


def drifting(n=20, step=(0.7, -0.4), start=START):
    return start + np.arange(n)[:, None, None] * np.array(step)


@pytest.fixture(scope="session")
def series():
    """The class: ``series(places, heights)``."""
    return Series


@pytest.fixture(scope="session")
def drift():
    """Places of twelve spots that drift: ``drift(frames, step)``."""
    return drifting
