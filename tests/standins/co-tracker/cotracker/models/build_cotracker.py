import numpy as np
import torch
from cotracker.models.core.model_utils import get_points_on_a_grid
from points import begin, grey, step, way

PROVISIONAL, FINAL = 0.8, 0.95
"""Confidence of pictures that a later window tells of again, and of others."""


class _Network(torch.Module):
    def __init__(self, window_len):
        self.window_len = window_len

    def check(self, video, queries, iters, fmaps_chunk_size):
        assert self.weight
        assert iters == 6
        assert fmaps_chunk_size <= 16
        pictures, asked = grey(video, 2, 0, 255), np.asarray(queries)[0]
        grid = np.asarray(get_points_on_a_grid(6, pictures.shape[1:]))[0]
        assert len(asked) > 36, "no grid for support"
        assert np.allclose(asked[-36:, 1:], grid), "no grid for support"
        assert (asked[-36:, 0] == 0).all()
        return pictures, asked[:-36]

    def told(self, places, visible, sure):
        """As upstream returns it, with something for the points of the grid."""
        wide = [(0, 0), (0, 36)]
        places = np.pad(places, [*wide, (0, 0)], constant_values=-1)
        parts = places, *(np.pad(part, wide) for part in (visible, sure))
        return (*(torch.tensor(part[None]) for part in parts), None)


class Offline(_Network):
    def __call__(
        self,
        video,
        queries,
        iters=4,
        is_train=False,
        add_space_attn=True,
        fmaps_chunk_size=200,
    ):
        pictures, asked = self.check(video, queries, iters, fmaps_chunk_size)
        ways = [way(pictures, int(t), (x, y)) for t, x, y in asked]
        places, seen = (np.stack(part, 1) for part in zip(*ways, strict=True))
        visible = np.where(seen, 0.95, 0.05)
        return self.told(places, visible, np.full(visible.shape, FINAL))


class Online(_Network):
    start = None

    def init_video_online_processing(self):
        self.start, self.places, self.seen, self.sure = 0, [], [], []

    def __call__(
        self,
        video,
        queries,
        iters=4,
        is_train=False,
        add_space_attn=True,
        fmaps_chunk_size=200,
        is_online=False,
    ):
        assert is_online
        assert self.start is not None
        pictures, asked = self.check(video, queries, iters, fmaps_chunk_size)
        if fmaps_chunk_size < len(pictures) < self.window_len:
            raise RuntimeError("shape is invalid for input")
        half, new = self.window_len // 2, len(self.places)
        assert len(pictures) <= self.window_len
        for t in range(new, self.start + len(pictures)):
            before = self.places[-1] if t else asked[:, 1:]
            later = asked[:, 0] > t
            found = [step(pictures[t - self.start], at) for at in before]
            for each in asked[asked[:, 0] == t, 1:]:
                begin(pictures[t - self.start], each)
            begun = np.where((asked[:, 0] == t)[:, None], asked[:, 1:], [at for at, _ in found])
            self.places.append(np.where(later[:, None], asked[:, 1:], begun))
            self.seen.append(np.array([there for _, there in found]) & ~later)
        self.sure = [FINAL] * (self.start + half)
        self.sure += [PROVISIONAL] * (len(self.places) - len(self.sure))
        self.start += half
        visible = np.where(self.seen, 0.95, 0.05)
        sure = np.broadcast_to(np.array(self.sure)[: len(visible), None], visible.shape)
        return self.told(np.stack(self.places), visible, sure)


def build_cotracker(checkpoint=None, offline=True, window_len=16, v2=False):
    assert checkpoint is None
    assert not v2
    assert window_len == (60 if offline else 16)
    return (Offline if offline else Online)(window_len)
