import numpy as np
import torch
from light import ellipse, grey, logits, near


def load_video_frames(video_path, **how):
    raise FileNotFoundError(f"a folder of JPEGs {video_path!r}")


class SAM2VideoPredictor(torch.Module):
    num_maskmem = 7
    max_obj_ptrs_in_encoder = 16
    fill_hole_area = 8

    def __init__(self, size):
        self.image_size = size

    def init_state(self, video_path, offload_video_to_cpu=False):
        assert self.weight, "no weights were loaded"
        images, height, width = load_video_frames(
            video_path=video_path,
            image_size=self.image_size,
            offload_video_to_cpu=offload_video_to_cpu,
        )
        assert images[0].shape == (3, self.image_size, self.image_size)
        return {
            "images": images,
            "num_frames": len(images),
            "size": (height, width),
            "obj_ids": [],
            "spots": [],
            "output_dict_per_obj": {},
            "frames_tracked_per_obj": {},
        }

    def add_new_mask(self, inference_state, frame_idx, obj_id, mask):
        state = inference_state
        assert obj_id not in state["obj_ids"], "the state is of another pass"
        assert mask.shape == state["size"]
        assert mask.dtype == bool
        k = len(state["obj_ids"])
        state["obj_ids"].append(obj_id)
        spot = ellipse(mask)
        state["spots"].append(spot)
        out = {"at": spot[:2], "object_score_logits": torch.tensor([[10.0]])}
        state["output_dict_per_obj"][k] = {
            "cond_frame_outputs": {frame_idx: out},
            "non_cond_frame_outputs": {},
        }
        state["frames_tracked_per_obj"][k] = {}

    def propagate_in_video(
        self, inference_state, start_frame_idx=None, max_frame_num_to_track=None, reverse=False
    ):
        state = inference_state
        assert state["obj_ids"], "no input points or masks"
        assert not self.fill_hole_area
        assert not reverse
        last = min(start_frame_idx + max_frame_num_to_track, state["num_frames"] - 1)
        for t in range(start_frame_idx, last + 1):
            picture = grey(state["images"][t])
            masks = [self._step(state, k, t, picture) for k in range(len(state["obj_ids"]))]
            yield t, state["obj_ids"], torch.tensor(np.array(masks))[:, None]

    def _step(self, state, k, t, picture):
        kept = state["output_dict_per_obj"][k]
        later, first = kept["non_cond_frame_outputs"], kept["cond_frame_outputs"]
        rx, ry = state["spots"][k][2:]
        if t not in first:
            # As long as upstream looks back, and no longer.
            assert len(later) <= self.max_obj_ptrs_in_encoder + 1, "old frames are kept"
            wanted = range(max(t - self.max_obj_ptrs_in_encoder + 1, min(first) + 1), t)
            assert all(i in later for i in wanted), "a frame was forgotten too early"
            before = later.get(t - 1) or first[t - 1]
            *at, height = near(picture, *before["at"], 1.7 * rx, 1.7 * ry)
            there = height > 0.15
            score = 10.0 if there else -10.0
            at = at if there else before["at"]
            later[t] = {"at": at, "object_score_logits": torch.tensor([[score]])}
        state["frames_tracked_per_obj"][k][t] = {"reverse": False}
        out = first.get(t) or later[t]
        if out["object_score_logits"][0, 0] < 0:
            return np.full(picture.shape, -1024.0)
        return logits(picture.shape, *out["at"], rx, ry)
