"""The motion that all spots of a pattern share.

A motion is an array (4,): x and y, in px, of the pattern's fixed point, the logarithm of
its scale and the angle, in radians from +x towards +y, that it is turned by. A spot's
place in the pattern is where it stands, from the fixed point, at scale 1 and angle 0.
"""

from __future__ import annotations

from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]


def placed(motion: Array, points: Array) -> Array:
    """Places in the pattern (n, 2) of positions (n, 2), by one motion or one for each, (n, 4)."""
    size, angle = np.exp(-motion[..., 2]), motion[..., 3]
    cosine, sine, (x, y) = size * np.cos(angle), size * np.sin(angle), (points - motion[..., :2]).T
    return np.stack([x * cosine + y * sine, y * cosine - x * sine], axis=1)
