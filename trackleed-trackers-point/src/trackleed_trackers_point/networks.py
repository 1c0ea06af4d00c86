"""The learned trackers of this package: where each comes from, and on what terms."""

from __future__ import annotations

from collections.abc import Iterator

from trackleed.backend import BackendSpec
from trackleed.params import Params
from trackleed.recipe import Checkpoint, Recipe, Upstream
from trackleed_trackers_point.learned_params import (
    CoTrackerParams,
    LocoTrackParams,
    OnlineCoTrackerParams,
    OnlineTapirParams,
    TapirParams,
)

_TORCH = ("numpy==2.4.6", "torch==2.13.0")
_PYTHON = ">=3.11"

_TAPNET = Upstream(
    "tapnet",
    "https://github.com/google-deepmind/tapnet",
    "c2cbab81cc06092b5f05bfe2da7bfec54e2079c9",
    modules=("tapnet",),
)
_TAPNET_WEIGHTS = "https://storage.googleapis.com/dm-tapnet"
_TAPIR = "C. Doersch et al., TAPIR, Proc. ICCV (2023), https://arxiv.org/abs/2306.08637"
_BOOTSTAP = _TAPIR + "; C. Doersch et al., BootsTAP (2024), https://arxiv.org/abs/2402.00847"

_COTRACKER = Upstream(
    "co-tracker",
    "https://github.com/facebookresearch/co-tracker",
    "82e02e8029753ad4ef13cf06be7f4fc5facdda4d",
    modules=("cotracker",),
)
_COTRACKER_WEIGHTS = "https://huggingface.co/facebook/cotracker3/resolve/main"

_LOCOTRACK = Upstream(
    "locotrack",
    "https://github.com/cvlab-kaist/locotrack",
    "3385a233a270160b253a69050c6a3934527f7775",
    modules=("models",),
    folder="locotrack_pytorch",
)
_LOCOTRACK_WEIGHTS = (
    "https://huggingface.co/datasets/hamacojr/LocoTrack-pytorch-weights/resolve/main"
)


def specs() -> Iterator[BackendSpec]:
    """Describe them."""
    yield _tapir(
        "tapir",
        "TAPIR: each spot is matched in every frame of a clip, and its way refined",
        "tapir:Tapir",
        TapirParams,
        "tapir_checkpoint_panning.pt",
        _TAPIR,
    )
    yield _tapir(
        "bootstapir",
        "BootsTAPIR: TAPIR as it was trained on with videos from the wild",
        "tapir:BootsTapir",
        TapirParams,
        "bootstap/bootstapir_checkpoint_v2.pt",
        _BOOTSTAP,
    )
    yield _tapir(
        "bootstapir-online",
        "Causal BootsTAPIR: frame after frame, in memory that does not grow",
        "tapir_online:BootsTapirOnline",
        OnlineTapirParams,
        "bootstap/causal_bootstapir_checkpoint.pt",
        _BOOTSTAP,
    )
    yield _cotracker(
        "cotracker3",
        "CoTracker3: spots are followed together, over clips of frames",
        "CoTracker3",
        CoTrackerParams,
        "offline",
    )
    yield _cotracker(
        "cotracker3-online",
        "CoTracker3 online: spots are followed together, in windows of 16 frames",
        "CoTracker3Online",
        OnlineCoTrackerParams,
        "online",
    )
    yield BackendSpec(
        name="locotrack",
        summary="LocoTrack: spots are matched with their surroundings; small and quick",
        factory="trackleed_trackers_point.adapters.locotrack:LocoTrack",
        params=LocoTrackParams,
        family="point",
        requires=("torch", "einops"),
        needs=("detections",),
        takes=("seeds",),
        runs_in="worker",
        recipe=Recipe(
            python=_PYTHON,
            requirements=(*_TORCH, "einops==0.8.2"),
            upstreams=(_LOCOTRACK,),
            checkpoints=tuple(
                Checkpoint(f"locotrack_{size}.ckpt", f"{_LOCOTRACK_WEIGHTS}/locotrack_{size}.ckpt")
                for size in ("small", "base")
            ),
            commercial=True,
            notes="Upstream does not state a licence of the weights.",
        ),
        licence="Apache-2.0",
        citation="S. Cho et al., LocoTrack, Proc. ECCV (2024), https://arxiv.org/abs/2407.15420",
    )


def _tapir(
    name: str, summary: str, factory: str, params: type[Params], file: str, citation: str
) -> BackendSpec:
    return BackendSpec(
        name=name,
        summary=summary,
        factory=f"trackleed_trackers_point.adapters.{factory}",
        params=params,
        family="point",
        requires=("torch", "einshape", "tree"),
        needs=("detections",),
        takes=("seeds",),
        runs_in="worker",
        recipe=Recipe(
            python=_PYTHON,
            requirements=(*_TORCH, "einshape==1.0", "dm-tree==0.1.10"),
            upstreams=(_TAPNET,),
            checkpoints=(
                Checkpoint(
                    file.rpartition("/")[2],
                    f"{_TAPNET_WEIGHTS}/{file}",
                    licence="Apache-2.0",
                    commercial=True,
                ),
            ),
            commercial=True,
        ),
        licence="Apache-2.0",
        citation=citation,
    )


def _cotracker(
    name: str, summary: str, factory: str, params: type[Params], kind: str
) -> BackendSpec:
    files = [f"{trained}_{kind}.pth" for trained in ("scaled", "baseline")]
    return BackendSpec(
        name=name,
        summary=summary,
        factory=f"trackleed_trackers_point.adapters.cotracker:{factory}",
        params=params,
        family="point",
        requires=("torch",),
        needs=("detections",),
        takes=("seeds",),
        runs_in="worker",
        recipe=Recipe(
            python=_PYTHON,
            requirements=_TORCH,
            upstreams=(_COTRACKER,),
            checkpoints=tuple(
                Checkpoint(
                    file, f"{_COTRACKER_WEIGHTS}/{file}", licence="CC-BY-NC-4.0", commercial=False
                )
                for file in files
            ),
            commercial=False,
        ),
        licence="CC-BY-NC-4.0",
        citation="N. Karaev et al., CoTracker3 (2024), https://arxiv.org/abs/2410.11831",
    )
