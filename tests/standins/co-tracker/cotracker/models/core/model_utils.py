import numpy as np
import torch


def get_points_on_a_grid(size, extent, center=None, device="cpu"):
    margin = extent[1] / 64
    x, y = (np.linspace(margin, side - margin, size) for side in (extent[1], extent[0]))
    grid = np.stack(np.meshgrid(x, y), -1)
    return torch.tensor(grid.reshape(1, -1, 2))
