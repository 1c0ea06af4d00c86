"""LocoTrack, of the checkout `locotrack`."""

from __future__ import annotations

import numpy as np
from common import alike, clip, followed, of, queries

TRACKERS = {"locotrack": {"side": 64}}


def weights(folder):
    import torch

    from trackleed_kit import place

    place.checkout("locotrack", "locotrack_pytorch")
    from models.locotrack_model import LocoTrack

    for size in ("small", "base"):
        network = LocoTrack(model_size=size).state_dict()
        held = {"state_dict": {"model." + name: value for name, value in network.items()}}
        torch.save(held, str(folder / ("locotrack_%s.ckpt" % size)))


@of("locotrack")
def check_inference(make):
    """the same places as from upstream's own inference, (t, y, x), corner at 0, both sizes"""
    import torch

    for size in ("small", "base"):
        adapter = make("locotrack", size=size)
        pictures, asked = clip(5, (64, 64)), queries((0, 20.3, 31.6), (2, 40.0, 12.5))
        xy, sure = followed(adapter, pictures, asked)
        tyx = torch.tensor(asked[None, :, [0, 2, 1]], dtype=torch.float32)
        tyx[..., 1:] += 0.5
        video = np.repeat(2 * pictures[None, ..., None] - 1, 3, axis=-1)
        with torch.no_grad():
            found = adapter.network.inference(video, tyx, resolution=(64, 64))
        alike(xy.transpose(1, 0, 2) + 0.5, found["tracks"][0], 1e-3, "places")
        assert ((sure.T > 0.5) == ~found["occlusion"][0].numpy()).all()


@of("locotrack")
def check_sampling(make):
    """ramps sampled by upstream say that (y, x) = (3.5, 10.5) is the middle of pixel (3, 10)"""
    import torch

    make("locotrack")
    from models import utils

    y, x = torch.meshgrid(torch.arange(8.0), torch.arange(16.0), indexing="ij")
    ramps = torch.stack([y, x], -1)[None, None]
    at = torch.tensor([3.5, 10.5])
    plane = utils.map_coordinates_2d(ramps, at.reshape(1, 1, 1, 1, 2))
    alike(plane.ravel(), (3.0, 10.0), 1e-5, "2d samples")
