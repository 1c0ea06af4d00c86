"""What trackleed is told about the mask trackers; imported whenever backends are listed."""

from __future__ import annotations

from collections.abc import Iterator

from trackleed.backend import BackendSpec
from trackleed.hooks import hookimpl
from trackleed.recipe import Checkpoint, Recipe
from trackleed_trackers_mask.params import CutieParams, Sam2Params

_QUIET = {"TQDM_DISABLE": "1", "HF_HUB_OFFLINE": "1"}
_SAM2 = "https://dl.fbaipublicfiles.com/segment_anything_2/092824/"
_CUTIE = "https://github.com/hkchengrex/Cutie/releases/download/v1.0/"


@hookimpl
def trackleed_trackers() -> Iterator[BackendSpec]:
    """Describe the trackers of this package."""
    yield BackendSpec(
        name="sam2",
        summary="SAM 2.1: a mask for each spot, carried on by a memory of the last frames",
        factory="trackleed_trackers_mask.adapters.sam2:Sam2",
        params=Sam2Params,
        family="mask",
        requires=("torch", "sam2", "hydra"),
        needs=("detections",),
        takes=("seeds",),
        runs_in="worker",
        licence="Apache-2.0",
        citation="N. Ravi et al., SAM 2: Segment Anything in Images and Videos, "
        "https://arxiv.org/abs/2408.00714",
        recipe=Recipe(
            python=">=3.10,<3.14",
            requirements=(
                "torch==2.13.0",
                "pillow==13.0.0 tqdm==4.70.1 hydra-core==1.3.8 iopath==0.1.10",
                # Built where torch is; without its CUDA kernel, and the torchvision it names.
                "--no-deps --no-build-isolation sam2==1.1.0",
            ),
            checkpoints=tuple(
                Checkpoint(
                    f"sam2.1_hiera_{size}.pt",
                    f"{_SAM2}sam2.1_hiera_{size}.pt",
                    licence="Apache-2.0",
                    commercial=True,
                )
                for size in ("small", "tiny", "base_plus", "large")
            ),
            variables=_QUIET,
            commercial=True,
            notes="The files of weights have about 184 MB (small), 156 (tiny), 324 (base_plus) and "
            "898 (large). Slow without a GPU: try size=tiny and image_size=512.",
        ),
    )
    yield BackendSpec(
        name="cutie",
        summary="Cutie: masks of all spots at once, each pixel of one spot or of none",
        factory="trackleed_trackers_mask.adapters.cutie:Cutie",
        params=CutieParams,
        family="mask",
        requires=("torch", "cutie", "hydra", "einops"),
        needs=("detections",),
        takes=("seeds",),
        runs_in="worker",
        licence="MIT",
        citation="H. K. Cheng et al., Putting the Object Back into Video Object Segmentation, "
        "Proc. CVPR (2024), https://arxiv.org/abs/2310.12982",
        recipe=Recipe(
            python=">=3.10,<3.14",
            requirements=(
                "torch==2.13.0",
                "einops==0.8.2 omegaconf==2.3.1 hydra-core==1.3.8",
                "--no-deps rf-cutie==1.0.1",
            ),
            checkpoints=tuple(
                Checkpoint(f"cutie-{size}-mega.pth", f"{_CUTIE}cutie-{size}-mega.pth")
                for size in ("base", "small")
            ),
            variables=_QUIET,
            commercial=True,
            notes="Weights of 140 MB (base) and 115 MB (small); of them upstream names no licence, "
            "and data that they were trained on (MOSE, BURST) have terms of their own.",
        ),
    )
