from raster import Clips


class LocoTrack(Clips):
    def __init__(
        self,
        initial_resolution=(256, 256),
        feature_extractor_chunk_size=256,
        model_size="base",
    ):
        assert model_size in ("small", "base")
        assert feature_extractor_chunk_size <= 16
        self.initial_resolution = initial_resolution

    def __call__(
        self,
        video,
        query_points,
        feature_grids=None,
        is_training=False,
        query_chunk_size=64,
        get_query_feats=False,
        refinement_resolutions=None,
    ):
        assert feature_grids is None
        return self.forward(video, query_points, query_chunk_size)


def load_model(ckpt_path=None, model_size="base"):
    raise AssertionError("this downloads")
