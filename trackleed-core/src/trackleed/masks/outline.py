"""The line between valid and masked pixels, for drawing on overlays."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import ndimage

Bool = np.ndarray[Any, np.dtype[np.bool_]]


def boundary(valid: Bool) -> Bool:
    """Masked pixels that touch a valid one, bool (y, x).

    The line lies on the masked side, so it never covers a pixel that counts;
    a single hot pixel shows as a dot. The edge of the frame is no boundary.
    """
    touched: Bool = ndimage.binary_dilation(valid, structure=np.ones((3, 3), bool)) & ~valid
    return touched
