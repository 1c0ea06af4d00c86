"""Where the light is: what the stand-ins know of tracking."""

import numpy as np


def near(picture, x, y, rx, ry):
    """Centre of the light in an ellipse, and how far its peak stands over its edge."""
    top, left = max(int(y - ry), 0), max(int(x - rx), 0)
    part = picture[top : max(int(y + ry) + 2, 0), left : max(int(x + rx) + 2, 0)]
    rows, columns = np.indices(part.shape)
    inside = ((columns + left - x) / rx) ** 2 + ((rows + top - y) / ry) ** 2 < 1
    if not inside.any():
        return x, y, 0.0
    low = np.percentile(part[inside], 25)
    light = np.where(inside, np.maximum(part - low, 0), 0.0) ** 2
    if light.sum() == 0:
        return x, y, 0.0
    middle = [(light * v).sum() / light.sum() for v in (columns, rows)]
    return middle[0] + left, middle[1] + top, float(part[inside].max() - low)


def logits(shape, x, y, rx, ry):
    """Of a smooth ellipse: 0 on its edge."""
    rows, columns = np.ogrid[: shape[0], : shape[1]]
    return 6 * (1 - ((columns - x) / rx) ** 2 - ((rows - y) / ry) ** 2)


def ellipse(mask):
    """Centre and half-axes of a mask."""
    rows, columns = np.nonzero(mask)
    half = [max(2 * np.sqrt(v.var() + 1 / 12), 1.0) for v in (columns, rows)]
    return (columns.mean(), rows.mean(), *half)


def grey(rgb, mean=(0.485, 0.456, 0.406), std=(0.229, 0.224, 0.225)):
    """One channel of a normalised picture (3, y, x), of which all channels are alike."""
    channels = [np.asarray(rgb[k]) * std[k] + mean[k] for k in range(3)]
    assert np.allclose(channels[0], channels, atol=1e-4), "the channels differ"
    assert np.abs(channels[0] - 0.5).max() < 0.5 + 1e-4, "not between 0 and 1"
    return channels[0]
