"""OSTrack, of the checkout `OSTrack`."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from unittest import mock

import numpy as np
from common import alike, clip, of, queries

_CONFIGS = ("vitb_256_mae_ce_32x4_ep300", "vitb_384_mae_32x4_ep300")
TRACKERS = {"ostrack": {"config": _CONFIGS[0]}}
_SHAPE = (120, 170)


def weights(folder):
    import torch

    from trackleed_trackers_box.adapters import ostrack as ours

    # Upstream's training leaves objects of its own beside the network.
    training = ModuleType("lib.train.admin.settings")
    exec("class Settings: pass\ndef run(path): open(path, 'w').close()\n", vars(training))
    training.Settings.__module__ = training.run.__module__ = training.__name__
    sys.modules[training.__name__] = training
    settings = training.Settings()
    settings.stats = {"Loss/total": training.Settings()}
    held = {"epoch": 300, "settings": settings}
    for config in _CONFIGS:
        network = ours.network(config).state_dict()
        torch.save({"net": network, **held}, str(folder / (config + ".pth.tar")))

    class Runs:
        def __reduce__(self):
            return training.run, (str(folder / "it-ran"),)

    torch.save({"net": {"weight": torch.ones(1)}, "other": Runs()}, str(folder / "runs.pth"))


@of("ostrack")
def check_file(make):
    """objects beside the weights are left empty, and nothing of theirs runs"""
    from trackleed_kit import weights as opened

    folder = Path(os.environ["TRACKLEED_CHECKPOINTS"])
    assert list(opened.read(folder / "runs.pth", ["net"])) == ["weight"]
    assert "lib.train.admin.settings" not in sys.modules
    assert not (folder / "it-ran").exists()


@of("ostrack")
def check_places(make):
    """with a network that sees light, upstream's windows and maps give its place, to 0.05 px"""
    import torch

    def forward(template, search, ce_template_mask=None):
        # Centre of mass of the light, as a cell, and where in the cell it is.
        picture = np.clip(search[0, 0].numpy().astype(float) * 0.229 + 0.485 - 0.1, 0, None)
        rows, columns = np.indices(picture.shape)
        at = np.array([(picture * v).sum() / picture.sum() + 0.5 for v in (columns, rows)]) / 16
        cells, (column, row) = len(picture) // 16, at.astype(int)
        scores, offsets = np.full((1, 1, cells, cells), 0.01), np.zeros((1, 2, cells, cells))
        scores[0, 0, row, column] = 0.9
        offsets[0, :, row, column] = at - (column, row)
        sizes = np.full_like(offsets, 1 / adapter.first.params.search_factor)
        maps = {"score_map": scores, "offset_map": offsets, "size_map": sizes}
        return {name: torch.from_numpy(values.astype(np.float32)) for name, values in maps.items()}

    for config in _CONFIGS:
        adapter = make("ostrack", config=config)
        adapter.first.network.forward = forward
        y, x = np.indices(_SHAPE)
        places = [(62.3 + 0.37 * t, 70.6 - 0.29 * t) for t in range(12)]
        pictures = [
            np.exp(-((x - a) ** 2 + (y - b) ** 2) / 18).astype(np.float32) for a, b in places
        ]
        asked = queries((0, *places[0]))
        asked[:, 3:] = 16
        found = np.array(list(adapter.follow(pictures, asked)))[:, 0]
        alike(found[:, :2], places, 0.05, "places")
        assert (found[1:, 4] > 0.5).all()


@of("ostrack")
def check_own_tracker(make):
    """the same box as from upstream's own class, but for half a pixel"""
    import torch

    from trackleed_trackers_box.adapters import ostrack as ours

    adapter = make("ostrack")
    folder = Path(os.environ["TRACKLEED_CHECKPOINTS"])
    # Upstream's own way does not open its files any more, with torch 2.6 and later.
    torch.save({"net": adapter.first.network.state_dict()}, str(folder / "plain.pth"))
    test = ours.cfg.TEST
    params = SimpleNamespace(
        cfg=ours.cfg,
        checkpoint=str(folder / "plain.pth"),
        debug=0,
        save_all_boxes=False,
        **{key.lower(): value for key, value in test.items() if key != "EPOCH"},
    )
    pictures = np.round(clip(2, _SHAPE) * 255) / 255
    box = [60.0, 40.0, 24.0, 20.0]
    stays = lambda self, *a, **k: self  # noqa: E731
    with (
        mock.patch.object(torch.Tensor, "cuda", stays),
        mock.patch.object(torch.nn.Module, "cuda", stays),
    ):
        theirs = ours.upstream.OSTrack(params, "any")
        images = [np.repeat(np.round(p * 255).astype(np.uint8)[..., None], 3, 2) for p in pictures]
        theirs.initialize(images[0], {"init_bbox": box})
        left, top, width, height = theirs.track(images[1])["target_bbox"]
    asked = np.array([(0, 60 + 12 - 0.5, 40 + 10 - 0.5, 24.0, 20.0)])
    x, y, w, h, _ = list(adapter.follow(pictures.astype(np.float32), asked))[1][0]
    # Of its half pixel, and what it loses in 8 bits.
    alike((w, h), (width, height), 0.5, "sizes")
    alike((x, y), (left + width / 2 - 0.5, top + height / 2 - 0.5), 0.6, "places")


@of("ostrack")
def check_lost(make):
    """a box that is not believed is no place to look around next"""
    adapter = make("ostrack", max_area=1.01, min_confidence=0.0)
    adapter.params.min_confidence = 2.0  # nothing is
    pictures, asked = clip(4, _SHAPE), queries((0, 60.3, 41.6))
    rows = [each.copy() for each in adapter.follow([pictures[0], *[pictures[1]] * 3], asked)]
    alike(rows[1], rows[2], 1e-5, "rows")
    alike(rows[1], rows[3], 1e-5, "rows")
