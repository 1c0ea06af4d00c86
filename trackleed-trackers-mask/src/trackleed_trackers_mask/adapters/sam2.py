"""SAM 2 as a tracker: masks of all spots, carried from picture to picture by its memory.

N. Ravi et al., SAM 2: Segment Anything in Images and Videos, https://arxiv.org/abs/2408.00714
"""

from __future__ import annotations

import contextlib
import sys
from typing import Any, Dict, Iterable, Iterator
from unittest import mock

import numpy as np
import torch
from sam2 import sam2_video_predictor
from sam2.build_sam import build_sam2_video_predictor

from trackleed_kit import place, weights
from trackleed_kit.following import Options, bounded, index_mask, of_masks, seeds_for, track

_FILES = {"tiny": "t", "small": "s", "base_plus": "b+", "large": "l"}
_MEAN, _STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


class Sam2:
    """The video predictor of the ``sam2`` package."""

    longest = None

    def __init__(self, params: Any) -> None:
        self.params = params
        self.shape = (params.image_size, params.image_size)
        self.device = place.device(params.device)
        path = place.checkpoint("sam2.1_hiera_%s.pt" % params.size, params.checkpoint)
        grid = params.image_size // 16
        attention = "++model.memory_attention.layer.%s_attention.feat_sizes=[%d,%d]"
        model = build_sam2_video_predictor(
            "configs/sam2.1/sam2.1_hiera_%s.yaml" % _FILES[params.size],
            device=self.device,
            hydra_overrides_extra=[
                "++model.image_size=%d" % params.image_size,
                attention % ("self", grid, grid),
                attention % ("cross", grid, grid),
                "++model.non_overlap_masks=true",
            ],
        )
        model.fill_hole_area = 0  # it wants a kernel that packages for processors lack
        self.model = weights.load(model, path, inside=["model"])
        # Older frames are not looked at any more.
        self.memory = max(model.num_maskmem, model.max_obj_ptrs_in_encoder)

    def track(self, frames: Any, seeds: Any, detections: Any) -> Iterator[Dict[str, Any]]:
        """Rows of one frame after another."""
        return track(self, frames, seeds_for(frames, seeds, detections), Options.of(self.params))

    def follow(self, pictures: Iterable[Any], queries: Any) -> Iterator[Any]:
        """See `trackleed_kit.following.Model`."""
        now = _Now()
        state: Dict[str, Any] = {}
        for t, picture in enumerate(pictures):
            now.show(picture)
            found = np.full((len(queries), 5), np.nan)
            with self._precision():
                state = state or self._begin(now)
                self._prompt(state, t, queries)
                if state["obj_ids"]:
                    found[state["obj_ids"]] = self._found(state, t)
            self._forget(state, t - self.memory)
            yield bounded(found, queries[:, 1:], self.params.max_area)

    def _begin(self, now: _Now) -> Dict[str, Any]:
        """A new state, which looks at the picture of now and not at a folder of JPEGs."""
        shown = mock.Mock(return_value=(now, *self.shape))
        with mock.patch.object(sam2_video_predictor, "load_video_frames", shown):
            state: Dict[str, Any] = self.model.init_state("")
        return state

    def _prompt(self, state: Dict[str, Any], t: int, queries: Any) -> None:
        new = np.flatnonzero(queries[:, 0] == t)
        mask = index_mask(queries[new, 1:], self.shape)
        for k, query in enumerate(new, 1):
            self.model.add_new_mask(state, t, int(query), mask == k)

    def _found(self, state: Dict[str, Any], t: int) -> Any:
        """Rows of the objects that there are, in upstream's order."""
        ((_, _, logits),) = self.model.propagate_in_video(state, t, max_frame_num_to_track=0)
        found = of_masks(_sigmoid(logits[:, 0]))
        for k, kept in state["output_dict_per_obj"].items():
            out = kept["cond_frame_outputs"].get(t) or kept["non_cond_frame_outputs"][t]
            found[k, 4] = found[k, 4] and _sigmoid(out["object_score_logits"]).item()
        return found

    def _forget(self, state: Dict[str, Any], t: int) -> None:
        for kept in state["output_dict_per_obj"].values():
            kept["non_cond_frame_outputs"].pop(t, None)
        for tracked in state["frames_tracked_per_obj"].values():
            tracked.pop(t, None)

    def _precision(self) -> Any:
        if self.device.startswith("cuda"):
            return torch.autocast("cuda", dtype=torch.bfloat16)
        return contextlib.nullcontext()


class _Now:
    """The pictures of a video for upstream, of which there is only the one of now."""

    def show(self, picture: Any) -> None:
        rgb = [(picture - mean) / std for mean, std in zip(_MEAN, _STD)]
        self.picture = torch.from_numpy(np.stack(rgb).astype(np.float32))

    def __len__(self) -> int:
        return sys.maxsize  # how many are to come is not known

    def __getitem__(self, t: int) -> Any:
        return self.picture


def _sigmoid(logits: Any) -> Any:
    # Upstream says -1024 where there is nothing.
    return 1 / (1 + np.exp(-np.clip(logits.float().cpu().numpy(), -50, 50)))
