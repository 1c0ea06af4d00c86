import numpy as np
import torch


def hann2d(sz, centered=True):
    n = int(sz[0])
    wave = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(1, n + 1) / (n + 1))
    return torch.tensor(np.outer(wave, wave)[None, None])
