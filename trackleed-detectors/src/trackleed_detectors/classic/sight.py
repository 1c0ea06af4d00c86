"""What the mask lets be seen of a frame and its reduced copies, and what follows from that alone.

The mask is the same for all frames of a series, so this is worked out once.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import cv2
import numpy as np

from trackleed_detectors.classic import chain, pixels
from trackleed_detectors.classic.chain import Array
from trackleed_detectors.classic.noise import Blocks
from trackleed_detectors.classic.scratch import Scratch


@dataclass(frozen=True)
class Sight:
    """Of one copy; images (y, x) of float32."""

    share: Array  # of each pixel that can be seen, above 0
    seen: Array  # 1 where that is more than half, else 0
    blocks: Blocks
    inner: Array  # uint8, 1 where all neighbours are seen and none is beyond the edge
    level_gain: Array  # makes a mean over what can be seen of the broad blur
    smooth_gain: Array  # the same for the narrow blur

    def less_background(self, image: Array, sigma: float, scratch: Scratch) -> tuple[Array, Array]:
        """The image, 0 where it is not seen, less its broad blur; and that blur."""
        level = chain.broad(image, sigma, scratch("level", image.shape))
        rest = scratch("rest", image.shape)
        pixels.rest(image, level, self.level_gain, self.seen, rest)
        return rest, level

    def smoothed(self, rest: Array, scratch: Scratch) -> Array:
        """The narrow blur of what can be seen."""
        smooth = chain.blur(rest, chain.SMOOTH, scratch("smooth", rest.shape))
        smooth *= self.smooth_gain
        return smooth


@dataclass(frozen=True)
class Sights:
    """Of the frame and of its copies reduced by 2, 4, 8 ..."""

    usable: Array  # bool (y, x), what they were made of
    holes: Array  # rows and columns (2, n) of small holes in that, which are to be bridged
    copies: list[Sight]


def look(usable: Array, sigmas: Iterable[float], smallest: int) -> Sights:
    """What a mask lets be seen.

    Parameters
    ----------
    usable : ndarray of bool (y, x)
    sigmas : iterable of float
        Standard deviations of the broad blur in the frame and in each copy, px of the copy.
    smallest : int
        Shorter side of the most reduced copy, px.
    """
    # Beside a straight edge of the mask the weight is below 1/2.
    weight = chain.blur(usable.astype(np.float32), chain.SMOOTH)
    holes = np.stack(np.nonzero(~usable & (weight > 0.6)))
    share = usable.astype(np.float32)
    share[tuple(holes)] = 1
    copies = []
    for sigma in sigmas:
        copies.append(_sight(share, sigma))
        if min(share.shape) < 2 * smallest:
            break
        share = halve(share)
    return Sights(usable, holes, copies)


def _sight(share: Array, sigma: float) -> Sight:
    seen = (share > 0.5).astype(np.float32)
    neighbours = np.ones((3, 3), np.uint8)
    inner = cv2.erode(seen, neighbours, borderType=cv2.BORDER_CONSTANT, borderValue=0)
    return Sight(
        share=np.maximum(share, 1e-6),
        seen=seen,
        blocks=Blocks(seen),
        inner=inner.astype(np.uint8),
        level_gain=1 / np.maximum(chain.broad(seen, sigma), 1e-3),
        smooth_gain=1 / np.maximum(chain.blur(seen, chain.SMOOTH), 0.5),
    )


def halve(image: Array, out: Array | None = None) -> Array:
    """Half as many pixels each way."""
    size = (image.shape[1] // 2, image.shape[0] // 2)
    return cv2.resize(image, size, dst=out, interpolation=cv2.INTER_AREA)
