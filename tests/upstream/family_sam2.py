"""SAM 2, of the package `sam2`."""

from __future__ import annotations

from unittest import mock

import numpy as np
from common import alike, clip, of, queries

_SIDE = 256
TRACKERS = {"sam2": {"size": "tiny", "image_size": _SIDE}}
_ASKED = queries((0, 60.3, 101.6), (0, 170.0, 62.5))


def weights(folder):
    import torch
    from sam2.build_sam import build_sam2_video_predictor

    model = build_sam2_video_predictor("configs/sam2.1/sam2.1_hiera_t.yaml", device="cpu")
    torch.save({"model": model.state_dict()}, str(folder / "sam2.1_hiera_tiny.pt"))


@of("sam2")
def check_prompts(make):
    """the masks of prompts come back where the prompts are, also of those that come later"""
    asked = queries((0, 60.3, 101.6), (2, 170.0, 62.5), (2, 200.2, 180.7))
    asked[:, 3:] = (60, 40)  # masks have a pixel for four of the picture
    found = list(make("sam2").follow(clip(3, (_SIDE, _SIDE)), asked))
    assert np.isnan(found[1][1:]).all()
    alike(found[0][0, :2], asked[0, 1:3], 0.3, "places")
    alike(found[2][1:, :2], asked[1:, 1:3], 0.3, "places")
    alike(found[2][1:, 2:4] / asked[1:, 3:], 1, 0.2, "parts of sizes")


@of("sam2")
def check_whole(make):
    """picture by picture, forgetting old ones, the same as when all are there and all is kept"""
    from sam2 import sam2_video_predictor

    from trackleed_trackers_mask.adapters import sam2 as ours

    adapter, pictures = make("sam2", max_area=1e9), clip(20, (_SIDE, _SIDE))
    rows = list(adapter.follow(iter(pictures), _ASKED))
    loaded = []
    for picture in pictures:
        now = ours._Now()
        now.show(picture)
        loaded.append(now.picture)
    given = mock.Mock(return_value=(loaded, _SIDE, _SIDE))
    with mock.patch.object(sam2_video_predictor, "load_video_frames", given):
        state = adapter.model.init_state("a folder")
    mask = ours.index_mask(_ASKED[:, 1:], (_SIDE, _SIDE))
    for k in range(len(_ASKED)):
        adapter.model.add_new_mask(state, 0, k, mask == k + 1)
    for t, _, logits in adapter.model.propagate_in_video(state):
        soft = ours.of_masks(ours._sigmoid(logits[:, 0]))
        alike(rows[t][:, :4], soft[:, :4], 1e-3, "boxes in frame %d" % t)


@of("sam2")
def check_memory(make):
    """no more is kept after 40 frames than after 20"""
    adapter = make("sam2", image_size=128)
    begin, states, kept = adapter._begin, [], []
    adapter._begin = lambda now: states.append(begin(now)) or states[-1]
    for _ in adapter.follow(clip(40, (128, 128)), _ASKED / 2):
        held = states[0]["output_dict_per_obj"][0]["non_cond_frame_outputs"]
        kept.append((len(held), len(states[0]["frames_tracked_per_obj"][0])))
    assert len(states) == 1
    assert kept[20] == kept[-1], kept
