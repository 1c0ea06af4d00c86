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
    """Of one copy; images (y, x)."""

    seen: Array  # uint8, 1 where more than half of a pixel can be seen, else 0
    weight: Array  # float32, makes a mean over what can be seen of a sum; 0 where it is not seen
    blocks: Blocks
    inner: Array  # uint8, 1 where all neighbours are seen and none is beyond the edge
    clear: Array  # the same for all within `chain.QUADRANT`
    level_gain: Array  # float32 (y / 4, x / 4), the same for the broad blur
    brim: Array  # pixels, counted along the rows, over which the narrow blur reaches the mask
    brim_gain: Array  # float32, the same for the narrow blur at these

    def less_background(
        self, image: Array, reduced: Array, sigma: float, scratch: Scratch
    ) -> Array:
        """Take the broad blur from an image, 0 where it is not seen, in place; (y / 4, x / 4)."""
        level = chain.broad(reduced, sigma) * self.level_gain
        wide = scratch("wide", (len(level), image.shape[1]))
        pixels.subtract(image, chain.widened(level, wide), self.seen)
        return level

    def smoothed(self, rest: Array, scratch: Scratch) -> Array:
        """The narrow blur of what can be seen."""
        smooth = chain.blur(rest, chain.SMOOTH, scratch("smooth", rest.shape))
        pixels.multiply(smooth.reshape(-1), self.brim, self.brim_gain)
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
        half = chain.halve(share, Scratch())
        copies.append(_sight(share, chain.halve(half, Scratch()), sigma))
        if min(share.shape) < 2 * smallest:
            break
        share = half
    return Sights(usable, holes, copies)


def _sight(share: Array, reduced: Array, sigma: float) -> Sight:
    seen = (share > 0.5).astype(np.uint8)
    near = chain.blur(seen.astype(np.float32), chain.SMOOTH)
    brim = np.flatnonzero((near > 0) & (near < 0.999999))
    return Sight(
        seen=seen,
        weight=seen / np.maximum(share, np.float32(0.5)),
        blocks=Blocks(seen),
        inner=_within(seen, 1),
        clear=_within(seen, chain.QUADRANT),
        level_gain=1 / np.maximum(chain.broad(reduced, sigma), 1e-3),
        brim=brim,
        brim_gain=1 / np.maximum(near.reshape(-1)[brim], 0.5),
    )


def _within(seen: Array, reach: int) -> Array:
    """1 where the square that reaches so far is seen, and is not beyond the edge."""
    square = np.ones((2 * reach + 1, 2 * reach + 1), np.uint8)
    return cv2.erode(seen, square, borderType=cv2.BORDER_CONSTANT, borderValue=0)
