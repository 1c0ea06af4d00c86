import re

from sam2.sam2_video_predictor import SAM2VideoPredictor


def build_sam2_video_predictor(
    config_file,
    ckpt_path=None,
    device="cuda",
    mode="eval",
    hydra_overrides_extra=(),
    apply_postprocessing=True,
    vos_optimized=False,
):
    assert re.fullmatch(r"configs/sam2.1/sam2.1_hiera_(t|s|b\+|l).yaml", config_file)
    assert device == "cpu"
    assert ckpt_path is None
    given = dict(each.lstrip("+").split("=", 1) for each in hydra_overrides_extra)
    size = int(given["model.image_size"])
    grid = f"[{size // 16},{size // 16}]"
    for kind in ("self", "cross"):
        assert given[f"model.memory_attention.layer.{kind}_attention.feat_sizes"] == grid
    return SAM2VideoPredictor(size)
