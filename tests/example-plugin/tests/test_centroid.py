"""The tracker as users get it: found by trackleed, made with options, run on frames."""

from __future__ import annotations

import numpy as np
import pytest

from trackleed import tables
from trackleed.errors import ParamsError
from trackleed.frames import ArraySource, FrameSequence, NoiseModel
from trackleed.registry import Registry

N = 8
SEEDS = {
    "track_id": np.array([1, 2, 3]),
    "frame": np.array([0, 0, 3]),
    "x": np.array([20.0, 45.0, 58.0]),
    "y": np.array([15.0, 40.0, 12.0]),
    "width": np.full(3, 9.0),
    "height": np.full(3, 9.0),
}


@pytest.fixture
def frames() -> FrameSequence:
    """One spot that moves, one that vanishes for two frames, one seeded late."""
    y, x = np.indices((60, 70))
    rng = np.random.default_rng(1)
    images = []
    for t in range(N):
        image = rng.normal(100.0, 4.0, y.shape)
        places = [(20 + 1.5 * t, 15 + 0.5 * t), (58, 12)] + ([] if t in (4, 5) else [(45, 40)])
        for px, py in places:
            image += 200 * np.exp(-((x - px) ** 2 + (y - py) ** 2) / (2 * 2.0**2))
        images.append(image)
    return FrameSequence(ArraySource(np.array(images)), noise=NoiseModel(gain=0, read_noise=4))


def run(frames: FrameSequence, **options: float):
    tracker = Registry.discover().find("tracker", "centroid").make(**options)
    blocks = list(tracker.track(frames, SEEDS, None))
    assert len(blocks) == len(frames)
    merged = {name: np.concatenate([block[name] for block in blocks]) for name in blocks[0]}
    return tables.build(tables.TRACKS, merged).set_index(["track_id", "frame"])


def test_every_track_has_a_row_in_every_frame(frames: FrameSequence) -> None:
    table = run(frames)
    assert sorted(table.index) == [(track, frame) for track in (1, 2, 3) for frame in range(N)]


def test_a_moving_spot_is_followed(frames: FrameSequence) -> None:
    followed = run(frames).loc[1]
    t = np.arange(N)
    np.testing.assert_allclose(followed["x"], 20 + 1.5 * t, atol=0.2)
    np.testing.assert_allclose(followed["y"], 15 + 0.5 * t, atol=0.2)
    assert list(followed["state"]) == ["seed"] + ["measured"] * (N - 1)


def test_a_spot_that_vanishes_is_lost_and_found_again(frames: FrameSequence) -> None:
    table = run(frames).loc[2]
    assert list(np.flatnonzero(table["state"] == "lost")) == [4, 5]
    assert table.loc[[4, 5], ["x", "y", "score"]].isna().all(axis=None)
    assert table.loc[6, "state"] == "measured"


def test_a_track_is_lost_before_its_seed(frames: FrameSequence) -> None:
    states = list(run(frames).loc[3, "state"])
    assert states == ["lost"] * 3 + ["seed"] + ["measured"] * (N - 4)


def test_a_masked_spot_is_lost(frames: FrameSequence) -> None:
    valid = np.ones(frames.shape, dtype=bool)
    valid[30:, 35:] = False
    masked = FrameSequence(frames.source, valid=valid, noise=frames.noise)
    assert set(run(masked).loc[2, "state"].iloc[1:]) == {"lost"}


def test_a_radius_out_of_range_is_refused(frames: FrameSequence) -> None:
    with pytest.raises(ParamsError, match="radius = 1 is not allowed"):
        run(frames, radius=1)
