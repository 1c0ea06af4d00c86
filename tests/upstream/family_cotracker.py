"""CoTracker3, of the checkout `co-tracker`."""

from __future__ import annotations

import os
from pathlib import Path

from common import alike, clip, followed, of, queries

TRACKERS = {
    "cotracker3": {"rows": 64, "columns": 96},
    "cotracker3-online": {"rows": 64, "columns": 96},
}
_SHAPE = (64, 96)
_ASKED = queries((0, 30.3, 41.6), (3, 70.0, 12.5))


def weights(folder):
    import torch

    from trackleed_kit import place

    place.checkout("co-tracker")
    from cotracker.models.build_cotracker import build_cotracker

    offline = build_cotracker(offline=True, window_len=60).state_dict()
    torch.save(offline, str(folder / "scaled_offline.pth"))
    online = build_cotracker(offline=False, window_len=16).state_dict()
    torch.save({"model": online}, str(folder / "scaled_online.pth"))


def _file(name):
    return str(Path(os.environ["TRACKLEED_CHECKPOINTS"]) / name)


def _in_upstreams_words(pictures):
    import torch

    video = torch.tensor(pictures)[None, :, None].expand(-1, -1, 3, -1, -1) * 255
    return video, torch.tensor(_ASKED[None, :, :3], dtype=torch.float32)  # (t, x, y)


@of("cotracker3")
def check_offline(make):
    """the same places as from upstream's own predictor, (t, x, y), a pixel's centre at 0"""
    adapter = make("cotracker3")
    from cotracker.predictor import CoTrackerPredictor

    pictures = clip(10, _SHAPE)  # more than are encoded at once
    xy, _ = followed(adapter, pictures, _ASKED)
    video, txy = _in_upstreams_words(pictures)
    predictor = CoTrackerPredictor(_file("scaled_offline.pth"), offline=True, window_len=60)
    predictor.interp_shape = _SHAPE
    places, _ = predictor(video, queries=txy)
    for q, start in enumerate(_ASKED[:, 0].astype(int)):
        xy[start, q] = _ASKED[q, 1:3]  # as the predictor does, and our engine
    alike(xy, places[0], 2e-2, "places")


@of("cotracker3-online")
def check_online(make):
    """for any length the same as from upstream's own predictor, with its support grid"""
    adapter = make("cotracker3-online")
    from cotracker.predictor import CoTrackerOnlinePredictor

    for n in (5, 8, 9, 16, 21, 24):
        pictures = clip(n, _SHAPE)
        xy, sure = followed(adapter, pictures, _ASKED)
        video, txy = _in_upstreams_words(pictures)
        predictor = CoTrackerOnlinePredictor(_file("scaled_online.pth"), window_len=16)
        predictor.interp_shape = _SHAPE
        predictor(video[:, :1], is_first_step=True, queries=txy, add_support_grid=True)
        for i in range(0, n - 8, 8) if n > 8 else (0,):
            found = predictor(video[:, i : i + 16], add_support_grid=True)
        alike(xy, found[0][0], 2e-2, "places of %d pictures" % n)
        assert ((sure > 0.6) == found[1][0].numpy()).all()


@of("cotracker3")
def check_sampling(make):
    """ramps sampled by upstream say that (x, y) = (10, 3) is the middle of pixel (3, 10)"""
    import torch

    make("cotracker3")
    from cotracker.models.core.model_utils import sample_features5d

    y, x = torch.meshgrid(torch.arange(8.0), torch.arange(16.0), indexing="ij")
    ramps = torch.stack([y, x])[None, None]  # (b, t, c, y, x)
    found = sample_features5d(ramps, torch.tensor([[[[0.0, 10.0, 3.0]]]]))
    alike(found.ravel(), (3.0, 10.0), 1e-5, "samples")
