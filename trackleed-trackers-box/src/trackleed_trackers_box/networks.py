"""The learned trackers of this package: their options, where each comes from, on what terms."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from trackleed.backend import BackendSpec
from trackleed.learned import LearnedParams
from trackleed.params import option
from trackleed.recipe import Checkpoint, Recipe, Upstream

_OSTRACK = "https://drive.google.com/drive/folders/1PS4inLS8bWNCecpYZ0W2fE5-A04DvTcd"
_CONFIGS = (
    "vitb_256_mae_ce_32x4_ep300",
    "vitb_256_mae_32x4_ep300",
    "vitb_256_mae_ce_32x4_got10k_ep100",
    "vitb_384_mae_ce_32x4_ep300",
    "vitb_384_mae_32x4_ep300",
    "vitb_384_mae_ce_32x4_got10k_ep100",
)


class OSTrackParams(LearnedParams):
    """Options of ``ostrack``."""

    config: Literal[_CONFIGS] = option(  # type: ignore[valid-type]
        _CONFIGS[0],
        "settings in upstream's experiments/ostrack, and name of the weights (.pth.tar); those "
        "with 256 search four box sides around the last place, those with 384 five",
    )
    max_area: float = option(
        4.0, "area of a box, in areas of the seed, beyond which it is not believed", gt=1, le=10_000
    )


def specs() -> Iterator[BackendSpec]:
    """Describe them."""
    yield BackendSpec(
        name="ostrack",
        summary="OSTrack: each spot is looked for around its last place, by its looks at the start",
        factory="trackleed_trackers_box.adapters.ostrack:OSTrack",
        params=OSTrackParams,
        family="box",
        requires=("torch", "torchvision", "timm", "cv2", "yaml", "easydict"),
        needs=("detections",),
        takes=("seeds",),
        runs_in="worker",
        licence="MIT",
        citation="B. Ye et al., Joint Feature Learning and Relation Modeling for Tracking: "
        "A One-Stream Framework, Proc. ECCV (2022), https://arxiv.org/abs/2203.11991",
        recipe=Recipe(
            python=">=3.10,<3.14",
            requirements=(
                "torch==2.13.0 torchvision==0.28.0",
                "timm==1.0.31 opencv-python-headless==5.0.0.93 pyyaml==6.0.3 easydict==1.14",
            ),
            upstreams=(
                Upstream(
                    "OSTrack",
                    "https://github.com/botaoye/OSTrack",
                    "33b5e12586216b7fd0e95d255bd01ba44cbec759",
                    modules=("lib",),
                ),
            ),
            checkpoints=tuple(Checkpoint(f"{config}.pth.tar", _OSTRACK) for config in _CONFIGS),
            variables={"HF_HUB_OFFLINE": "1"},
            commercial=True,
            notes="Weights (about 370 MB) are in upstream's folder, in one called like the config: "
            "fetch OSTrack_ep0300.pth.tar from there by hand and call it CONFIG.pth.tar. Upstream "
            "names no licence of them, and data that they were trained on have their own terms.",
        ),
    )
