"""TAPIR and BootsTAPIR, of the checkout `tapnet`."""

from __future__ import annotations

import numpy as np
from common import alike, clip, followed, of, queries

TRACKERS = {
    "tapir": {"side": 64},
    "bootstapir": {"side": 64},
    "bootstapir-online": {"side": 64},
}
_SIDE = 64
_ASKED = queries((0, 20.3, 31.6), (2, 40.0, 12.5))


def weights(folder):
    import torch

    from trackleed_kit import place

    place.checkout("tapnet")
    from tapnet.torch.tapir_model import TAPIR

    kinds = {
        "tapir_checkpoint_panning.pt": {"pyramid_level": 0, "extra_convs": False},
        "bootstapir_checkpoint_v2.pt": {"pyramid_level": 1},
        "causal_bootstapir_checkpoint.pt": {"pyramid_level": 1, "use_casual_conv": True},
    }
    for file, kind in kinds.items():
        torch.save(TAPIR(**kind).state_dict(), str(folder / file))


def _ours_in_upstreams_words():
    import torch

    pictures = clip(5, (_SIDE, _SIDE))
    video = torch.tensor(pictures)[None, ..., None].expand(-1, -1, -1, -1, 3) * 2 - 1
    tyx = torch.tensor(_ASKED[None, :, [0, 2, 1]], dtype=torch.float32)
    tyx[..., 1:] += 0.5  # "raster coordinates": the centre of the first pixel is 0.5
    return pictures, video, tyx


def _called_as_in_its_notebook(adapter):
    import torch

    pictures, video, tyx = _ours_in_upstreams_words()
    xy, sure = followed(adapter, pictures, _ASKED)
    with torch.no_grad():
        found = adapter.network(video, tyx)
    alike(xy.transpose(1, 0, 2) + 0.5, found["tracks"][0], 1e-3, "places")
    visible = (1 - found["occlusion"][0].sigmoid()) * (1 - found["expected_dist"][0].sigmoid())
    alike(sure.T, visible, 1e-4, "confidence")


@of("tapir")
def check_tapir(make):
    """the same places and confidence as called by hand, (t, y, x), corner at 0"""
    _called_as_in_its_notebook(make("tapir"))


@of("bootstapir")
def check_bootstapir(make):
    """the same places and confidence as called by hand, (t, y, x), corner at 0"""
    _called_as_in_its_notebook(make("bootstapir"))


@of("bootstapir")
def check_larger_pictures(make):
    """pictures larger than those of the first guess are taken"""
    adapter = make("bootstapir", side=320)
    asked = queries((0, 100.0, 200.0))
    xy, _ = followed(adapter, clip(2, (320, 320)), asked)
    assert adapter.network.initial_resolution == (256, 256)
    assert np.isfinite(xy).all()


@of("bootstapir")
def check_sampling(make):
    """ramps sampled by upstream say that (y, x) = (3.5, 10.5) is the middle of pixel (3, 10)"""
    import torch
    from tapnet.torch import utils

    make("bootstapir")
    y, x = torch.meshgrid(torch.arange(16.0), torch.arange(16.0), indexing="ij")
    ramps = torch.stack([y, x], -1)[None, None]
    at = torch.tensor([3.5, 10.5])
    plane = utils.map_coordinates_2d(ramps, at.reshape(1, 1, 1, 1, 2))
    alike(plane.ravel(), (3.0, 10.0), 1e-5, "2d samples")
    volume = utils.map_coordinates_3d(ramps, torch.tensor([[[0.0, 3.5, 10.5]]]))
    alike(volume.ravel(), (3.0, 10.0), 1e-5, "3d samples")


@of("bootstapir-online")
def check_online(make):
    """points that begin later give what upstream's own way gives that looks ahead for them"""
    import torch

    adapter = make("bootstapir-online")
    pictures, video, tyx = _ours_in_upstreams_words()
    xy, sure = followed(adapter, pictures, _ASKED)
    assert np.isnan(xy[:2, 1]).all()
    net = adapter.network
    with torch.no_grad():
        features = net.get_query_features(video, False, tyx, net.get_feature_grids(video, False))
        for q, first in enumerate(_ASKED[:, 0].astype(int)):
            mine = features._replace(
                lowres=[f[:, q : q + 1] for f in features.lowres],
                hires=[f[:, q : q + 1] for f in features.hires],
            )
            state = net.construct_initial_causal_state(1, len(features.resolutions) - 1)
            for t in range(first, len(pictures)):
                grids = net.get_feature_grids(video[:, t : t + 1], False)
                size = (_SIDE, _SIDE)
                found = net.estimate_trajectories(size, False, grids, mine, None, 64, state, True)
                state = found["causal_context"]
                alike(xy[t, q] + 0.5, found["tracks"][-1].ravel(), 1e-3, "places")
                visible = 1 - found["occlusion"][-1].sigmoid()
                visible = visible * (1 - found["expected_dist"][-1].sigmoid())
                alike(sure[t, q], visible.ravel(), 1e-4, "confidence")
