import math

import numpy as np


def cut_out(image, box, factor, size):
    """A square about a box, whole pixels wide, resized with edges on edges."""
    assert image.ndim == 3
    assert image.shape[2] == 3
    assert 1 < image.max() <= 255
    x, y, width, height = box
    side = math.ceil(math.sqrt(width * height) * factor)
    left, top = round(x + width / 2 - side / 2), round(y + height / 2 - side / 2)
    at = (np.arange(size) + 0.5) * side / size - 0.5
    grey = image[..., 0]
    assert (image == grey[..., None]).all()
    patch = _along(_along(grey, at + top, 0), at + left, 1).astype(np.float32)
    return np.stack([patch] * 3, axis=-1), size / side, np.zeros((size, size), bool)


def _along(image, at, axis):
    """Linear interpolation of an axis; black outside."""
    low = np.floor(at).astype(int)
    parts = []
    for near, weight in ((low, 1 - (at - low)), (low + 1, at - low)):
        weight = np.where((near >= 0) & (near < image.shape[axis]), weight, 0.0)
        taken = np.take(image, near, axis, mode="clip")
        parts.append(taken * (weight[:, None] if axis == 0 else weight))
    return parts[0] + parts[1]
