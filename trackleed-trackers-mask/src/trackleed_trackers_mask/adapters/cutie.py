"""Cutie as a tracker: masks of all spots at once, each pixel of one spot or of none.

H. K. Cheng et al., Putting the Object Back into Video Object Segmentation, Proc. CVPR (2024),
https://arxiv.org/abs/2310.12982
"""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any, Dict, Iterable, Iterator, List
from unittest import mock

import cutie
import numpy as np
import torch
from cutie.inference.inference_core import InferenceCore
from cutie.inference.utils.args_utils import get_dataset_cfg
from cutie.model.cutie import CUTIE
from cutie.model.utils import resnet
from hydra import compose, initialize_config_dir

from trackleed_kit import place, weights
from trackleed_kit.following import Options, bounded, index_mask, of_masks, seeds_for, track

_LEAST = 128 * 128
"""Pixels of the smallest picture."""


class Cutie:
    """The inference core of the ``cutie`` package."""

    shape = None
    longest = None

    def __init__(self, params: Any) -> None:
        self.params = params
        self.device = place.device(params.device)
        path = place.checkpoint("cutie-%s-mega.pth" % params.size, params.checkpoint)
        self.cfg = settings(params.size)
        with nothing_downloaded():
            model = CUTIE(self.cfg)
        self.model = weights.load(model, path).to(self.device)

    def track(self, frames: Any, seeds: Any, detections: Any) -> Iterator[Dict[str, Any]]:
        """Rows of one frame after another."""
        # Upstream fails where there is little to choose from.
        enlarge = max(self.params.enlarge, float(np.sqrt(_LEAST / np.prod(frames.shape))))
        larger = tuple(round(n * enlarge) for n in frames.shape)
        self.shape = None if self.params.zoom else larger
        return track(self, frames, seeds_for(frames, seeds, detections), Options.of(self.params))

    def follow(self, pictures: Iterable[Any], queries: Any) -> Iterator[Any]:
        """See `trackleed_kit.following.Model`."""
        core = InferenceCore(self.model, cfg=self.cfg)
        known: List[int] = []  # queries in the order of upstream's channels
        for t, picture in enumerate(pictures):
            image = torch.from_numpy(np.stack([picture] * 3)).to(self.device)
            new = np.flatnonzero(queries[:, 0] == t)
            known += new.tolist()
            found = np.full((len(queries), 5), np.nan)
            if known:
                found[known] = of_masks(self._step(core, image, new, queries))
            yield bounded(found, queries[:, 1:], self.params.max_area)

    def _step(self, core: Any, image: Any, new: Any, queries: Any) -> Any:
        """Probability of each object (n, y, x)."""
        with torch.inference_mode():
            if not len(new):
                return core.step(image)[1:].cpu().numpy()
            # Objects are numbered from 1. Those that come later are taken from an index mask
            # alone: of one mask an object, upstream then takes the next one.
            mask = np.append(0, new + 1)[index_mask(queries[new, 1:], image.shape[1:])]
            objects = [int(q) + 1 for q in new]
            there = torch.from_numpy(mask).to(self.device)
            return core.step(image, there, objects)[1:].cpu().numpy()


def settings(size: str) -> Any:
    """Upstream's settings for any video, with which its memory is bounded."""
    folder = Path(next(iter(cutie.__path__))) / "config"
    with initialize_config_dir(version_base="1.3.2", config_dir=str(folder)):
        cfg = compose("eval_config", ["dataset=generic", "model=%s" % size])
    get_dataset_cfg(cfg)
    return cfg


@contextlib.contextmanager
def nothing_downloaded() -> Iterator[None]:
    """While a network is made: its backbone without the weights that it would fetch."""

    def plain(build: Any) -> Any:
        return lambda pretrained=True, **more: build(pretrained=False, **more)

    with contextlib.ExitStack() as stack:
        for name in ("resnet18", "resnet50"):
            build = plain(getattr(resnet, name))
            stack.enter_context(mock.patch.object(resnet, name, build))
        yield
