import numpy as np
import torch
from light import grey, near


class Head:
    """Maps of cells to a box in parts of the picture; a cell's corner is its number."""

    def cal_bbox(self, score_map_ctr, size_map, offset_map, return_score=False):
        cells = score_map_ctr.shape[-1]
        row, column = np.unravel_index(int(np.argmax(score_map_ctr)), (cells, cells))
        dx, dy = offset_map[0, :, row, column]
        width, height = size_map[0, :, row, column]
        return torch.tensor([[(column + dx) / cells, (row + dy) / cells, width, height]])


class Network(torch.Module):
    def __init__(self, size, factor):
        self.cells, self.part, self.box_head = size // 16, 1 / factor, Head()

    def cuda(self):
        raise AssertionError("Torch not compiled with CUDA enabled")

    def forward(self, template, search, ce_template_mask=None):
        assert self.weight, "no weights were loaded"
        looks, side = grey(template[0]), template.shape[-1]
        x, y, height = near(looks, side / 2, side / 2, 0.35 * side, 0.35 * side)
        off = max(abs(x - side / 2), abs(y - side / 2))
        assert height < 0.15 or off < 0.06 * side, "the spot is not in the middle of its box"
        side = search.shape[-1]
        picture, middle = grey(search[0]), (side - 1) / 2
        # The last place is in the middle; the spot is within a box side of it.
        reach = side * self.part * 0.9
        x, y, _ = near(picture, middle, middle, reach, reach)
        x, y, height = near(picture, x, y, reach / 2, reach / 2)
        at = np.array([x, y]) + 0.5  # from the corner of the picture
        cell = np.clip(at // 16, 0, self.cells - 1).astype(int)
        scores = np.full((1, 1, self.cells, self.cells), 0.01)
        scores[0, 0, cell[1], cell[0]] = 0.95 if height > 0.15 else 0.05
        maps = np.empty((1, 2, self.cells, self.cells))
        offsets = maps + np.nan
        offsets[0, :, cell[1], cell[0]] = at / 16 - cell
        sizes = np.full_like(maps, self.part)
        out = {"score_map": scores, "size_map": sizes, "offset_map": offsets}
        return {name: torch.tensor(values) for name, values in out.items()}


def build_ostrack(cfg, training=True):
    assert not training
    return Network(cfg.TEST.SEARCH_SIZE, cfg.TEST.SEARCH_FACTOR)
