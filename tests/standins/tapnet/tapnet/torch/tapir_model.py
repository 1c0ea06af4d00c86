from typing import Any, NamedTuple

import numpy as np
import torch
from points import begin, grey, logits, step
from raster import Clips, asked


class FeatureGrids(NamedTuple):
    lowres: Any
    hires: Any
    resolutions: Any


class QueryFeatures(NamedTuple):
    lowres: Any
    hires: Any
    resolutions: Any


class TAPIR(Clips):
    num_pips_iter = 4

    def __init__(
        self,
        pyramid_level=1,
        softmax_temperature=20.0,
        initial_resolution=(256, 256),
        extra_convs=True,
        use_casual_conv=False,
    ):
        assert softmax_temperature == 20.0
        kinds = [(0, False, False), (1, True, False), (1, True, True)]
        assert (pyramid_level, extra_convs, use_casual_conv) in kinds
        self.initial_resolution, self.causal = initial_resolution, use_casual_conv
        self.fresh = set()  # points that have not been followed yet

    def __call__(
        self,
        video,
        query_points,
        is_training=False,
        query_chunk_size=64,
        get_query_feats=False,
        refinement_resolutions=None,
    ):
        assert not self.causal
        return self.forward(video, query_points, query_chunk_size)

    def get_feature_grids(self, video, is_training, refinement_resolutions=None):
        assert self.weight
        assert self.causal
        pictures = grey(video, 4, -1, 1)[None]
        return FeatureGrids((pictures, pictures), (pictures, pictures), (video.shape[2:4],) * 2)

    def get_query_features(self, video, is_training, query_points, feature_grids=None):
        t, x, y = asked(query_points, video[0])
        pictures = feature_grids.lowres[0][0]
        places = [begin(pictures[k], at) for k, *at in zip(t, x, y, strict=True)]
        looks = torch.tensor(np.stack(places)[None])
        self.fresh = {*self.fresh, *map(tuple, np.asarray(looks)[0])}
        return QueryFeatures((looks, looks), (looks, looks), feature_grids.resolutions)

    def construct_initial_causal_state(self, num_points, num_resolutions=1):
        nothing = {"block_0_causal_1": torch.tensor(np.zeros((1, num_points, 2)))}
        return [nothing] * num_resolutions * 4

    def estimate_trajectories(
        self,
        video_size,
        is_training,
        feature_grids,
        query_features,
        query_points_in_video,
        query_chunk_size=None,
        causal_context=None,
        get_causal_context=False,
    ):
        pictures = feature_grids.lowres[0][0]
        assert len(pictures) == 1
        assert pictures[0].shape == tuple(video_size)
        assert query_points_in_video is None
        assert query_chunk_size > 0
        assert get_causal_context
        assert len(causal_context) == 4
        before = np.asarray(causal_context[0]["block_0_causal_1"])[0]
        looks = np.asarray(query_features.lowres[0])[0]
        assert before.shape == looks.shape
        assert np.array_equal(looks, query_features.hires[1][0])
        begun = ~before.any(axis=1)
        for each in map(tuple, looks[begun]):
            self.fresh.remove(each)  # KeyError: what it remembered was not handed on
        at = np.where(begun[:, None], looks, before)
        found = [step(pictures[0], each) for each in at]
        places = np.stack([place for place, _ in found])
        hidden = logits(~np.array([there for _, there in found]))
        rough = torch.tensor(places[None, :, None] + 9)
        return {
            "tracks": [rough] * 4 + [torch.tensor(places[None, :, None] + 0.5)],
            "occlusion": [-torch.tensor(hidden[None, :, None])] * 4
            + [torch.tensor(hidden[None, :, None])],
            "expected_dist": [torch.tensor(np.full((1, len(at), 1), -3.0))] * 5,
            "causal_context": [{"block_0_causal_1": torch.tensor(places[None])}] * 4,
        }
