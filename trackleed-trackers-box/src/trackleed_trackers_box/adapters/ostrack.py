"""OSTrack: each spot is looked for around its last place, by its looks in the first frame.

B. Ye et al., Joint Feature Learning and Relation Modeling for Tracking: A One-Stream Framework,
Proc. ECCV (2022), https://arxiv.org/abs/2203.11991
"""

from __future__ import annotations

import copy
import sys
from collections.abc import Iterable, Iterator
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import torch

from trackleed_kit import coords, place, weights
from trackleed_kit.following import Options, bounded, seeds_for, track

_MEAN, _STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
_CHECKOUT = place.checkout("OSTrack")


def _without_training() -> None:
    """Let upstream's tracker be imported without what only its training and displays need."""
    for name in ("lib.train", "lib.train.data"):
        package = ModuleType(name)
        package.__path__ = [str(_CHECKOUT.joinpath(*name.split(".")))]  # its __init__ is not run
        sys.modules[name] = package
    display = ModuleType("lib.vis.visdom_cus")
    display.Visdom = None
    sys.modules[display.__name__] = display


_without_training()
from lib.config.ostrack.config import cfg, update_config_from_file  # noqa: E402
from lib.models.ostrack import build_ostrack  # noqa: E402
from lib.test.tracker import ostrack as upstream  # noqa: E402
from lib.test.utils.hann import hann2d  # noqa: E402
from lib.utils.misc import NestedTensor  # noqa: E402


class OSTrack:
    """One network, and for each spot a tracker of the checkout that uses it."""

    shape = None
    longest = None

    def __init__(self, params: Any) -> None:
        self.params = params
        path = place.checkpoint(params.config + ".pth.tar", params.checkpoint)
        loaded = weights.load(network(params.config), path, inside=["net"])
        self.first = _Tracker(loaded.to(place.device(params.device)))

    def track(self, frames: Any, seeds: Any, detections: Any) -> Iterator[dict[str, Any]]:
        """Rows of one frame after another."""
        return track(self, frames, seeds_for(frames, seeds, detections), Options.of(self.params))

    def follow(self, pictures: Iterable[Any], queries: Any) -> Iterator[Any]:
        """See `trackleed_kit.following.Model`."""
        trackers: dict[int, _Tracker] = {}
        for t, picture in enumerate(pictures):
            image = np.repeat(255 * picture[:, :, None], 3, axis=2)
            found = np.full((len(queries), 5), np.nan)
            for q, (start, *box) in enumerate(queries):
                if start == t:
                    trackers[q] = self.first.at(image, box)
                    found[q] = (*box, 1.0)
                elif q in trackers:
                    found[q] = trackers[q].step(image)
            found = bounded(found, queries[:, 1:], self.params.max_area)
            for q in trackers:
                trackers[q].settle(found[q, 4] >= self.params.min_confidence)
            yield found


def network(config: str) -> Any:
    """The network of a file of upstream's settings, which hold for the process."""
    update_config_from_file(str(_CHECKOUT / "experiments/ostrack" / (config + ".yaml")))
    return build_ostrack(cfg, training=False)


class _Tracker(upstream.OSTrack):
    """Upstream's, on any device, which tells its confidence and its box before it is clipped."""

    def __init__(self, network: Any) -> None:
        # Upstream's own wants CUDA, and opens the checkpoint whatever is in it.
        test = cfg.TEST
        sizes = SimpleNamespace(
            template_factor=test.TEMPLATE_FACTOR,
            template_size=test.TEMPLATE_SIZE,
            search_factor=test.SEARCH_FACTOR,
            search_size=test.SEARCH_SIZE,
        )
        upstream.BaseTracker.__init__(self, sizes)
        self.cfg, self.network, self.preprocessor = cfg, network, self
        self.device = next(network.parameters()).device
        self.feat_sz = test.SEARCH_SIZE // cfg.MODEL.BACKBONE.STRIDE
        self.output_window = hann2d(torch.tensor([self.feat_sz] * 2)).to(self.device)
        self.debug = self.save_all_boxes = False
        self._hear(network.box_head)

    def at(self, image: Any, box: Any) -> _Tracker:
        """Another one, with the same network, for the spot in a box x, y, width, height."""
        new = copy.copy(self)
        x, y, width, height = map(float, box)
        left, top = coords.to_corner(x) - width / 2, coords.to_corner(y) - height / 2
        new.initialize(image, {"init_bbox": [float(left), float(top), width, height]})
        new.before = new.state
        return new

    def step(self, image: Any) -> Any:
        """x, y, width, height and confidence in the next picture."""
        self.before = self.state
        self.track(image)
        left, top, width, height = self.found
        x, y = coords.from_corner(left + width / 2), coords.from_corner(top + height / 2)
        return float(x), float(y), width, height, self.network.box_head.highest

    def settle(self, believed: bool) -> None:
        """Look around the last place that was believed, not where a lost box has gone."""
        if not believed:
            self.state = self.before

    def process(self, image: Any, outside: Any) -> Any:
        """An image as the network sees it."""
        rgb = torch.from_numpy(image).to(self.device).permute(2, 0, 1)[None] / 255
        mean, std = (torch.tensor(v, device=self.device).view(1, 3, 1, 1) for v in (_MEAN, _STD))
        return NestedTensor((rgb - mean) / std, torch.from_numpy(outside).to(self.device)[None])

    def map_box_back(self, pred_box: Any, resize_factor: float) -> Any:
        # Upstream forgets that the window it cut out begins at a whole pixel.
        x, y, width, height = self.state
        side = round(self.params.search_size / resize_factor)
        left, top = round(x + 0.5 * width - 0.5 * side), round(y + 0.5 * height - 0.5 * side)
        cx, cy, w, h = pred_box
        self.found = [left + cx - 0.5 * w, top + cy - 0.5 * h, w, h]
        return self.found

    @staticmethod
    def _hear(head: Any) -> None:
        """Keep the highest value of the last map that a box was taken from."""
        take = head.cal_bbox

        def heard(score: Any, *rest: Any) -> Any:
            head.highest = float(score.max())
            return take(score, *rest)

        head.cal_bbox = heard
