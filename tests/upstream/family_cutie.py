"""Cutie, of the package `rf-cutie`."""

from __future__ import annotations

from unittest import mock

import numpy as np
from common import alike, clip, of, queries

TRACKERS = {"cutie": {"size": "small"}}
_SHAPE = (70, 110)  # no multiple of what the network divides by


def weights(folder):
    import torch

    from trackleed_trackers_mask.adapters import cutie as ours

    for size in ("base", "small"):
        with ours.nothing_downloaded():
            network = ours.CUTIE(ours.settings(size))
        torch.save(network.state_dict(), str(folder / ("cutie-%s-mega.pth" % size)))


@of("cutie")
def check_prompts(make):
    """the masks of prompts come back where the prompts are, also of those that come later"""
    asked = queries((0, 30.3, 41.6), (2, 70.0, 22.5), (2, 91.4, 51.2))
    asked[:, 3:] = (30, 20)
    for size in ("small", "base"):
        found = list(make("cutie", size=size).follow(clip(3, _SHAPE), asked))
        assert np.isnan(found[1][1:]).all()
        alike(found[0][0, :2], asked[0, 1:3], 0.3, "places")
        alike(found[2][1:, :2], asked[1:, 1:3], 0.3, "places")
        assert (found[2][1:, 4] > 0.5).all()


@of("cutie")
def check_own_loop(make):
    """the same as from upstream's loop of its scripting demonstration"""
    import torch

    from trackleed_trackers_mask.adapters import cutie as ours

    adapter, pictures = make("cutie", max_area=1e9), clip(6, _SHAPE)
    asked = queries((0, 30.3, 41.6), (0, 70.0, 22.5))
    rows = list(adapter.follow(iter(pictures), asked))
    core = ours.InferenceCore(adapter.model, cfg=adapter.cfg)
    mask = torch.from_numpy(ours.index_mask(asked[:, 1:], _SHAPE))
    with torch.no_grad():
        for t, picture in enumerate(pictures):
            image = torch.tensor(picture).expand(3, -1, -1)
            soft = core.step(image, mask, objects=[1, 2]) if t == 0 else core.step(image)
            expected = np.nan_to_num(ours.of_masks(soft[1:].numpy()))
            alike(np.nan_to_num(rows[t]), expected, 1e-3, "rows")


@of("cutie")
def check_memory(make):
    """its memory stops growing at the bound of its settings"""
    from trackleed_trackers_mask.adapters import cutie as ours

    cores, sizes = [], []

    def made(*given, **named):
        cores.append(core(*given, **named))
        return cores[-1]

    core = ours.InferenceCore
    with mock.patch.object(ours, "InferenceCore", made):
        adapter = make("cutie")
        adapter.cfg.long_term.max_num_tokens = 400  # a bound that is soon reached
        adapter.cfg.long_term.buffer_tokens = 100
        for _ in adapter.follow(clip(180, (128, 128)), queries((0, 30.3, 41.6))):
            memory = cores[0].memory
            sizes.append(memory.work_mem.size(0) + memory.long_mem.size(0))
    assert len(cores) == 1
    assert max(sizes[:130]) >= max(sizes[130:]), sizes[::5]
