"""Counts to grey levels that show dim and bright spots alike, for any depth of pixels."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from trackleed.builtin.exporters.params import GreyParams

Array: TypeAlias = np.ndarray[Any, np.dtype[Any]]


@dataclass(frozen=True)
class Grey:
    """A grey scale: the counts that are black and white, and the exponent between."""

    black: float
    white: float
    gamma: float

    def __call__(self, frame: Array) -> Array:
        """The frame as uint8 (y, x); pixels that are not known are black."""
        share = (frame.astype(np.float32) - self.black) / (self.white - self.black)
        share = np.nan_to_num(np.clip(share, 0, 1)) ** self.gamma
        levels: Array = np.rint(255 * share).astype(np.uint8)
        return levels

    def __str__(self) -> str:
        digits = ".0f" if self.white - self.black >= 10 else ".3g"
        return f"grey {self.black:{digits}} to {self.white:{digits}}, gamma {self.gamma:g}"


def grey_for(frames: Iterable[Array], valid: Array, params: GreyParams) -> Grey:
    """The grey scale of one frame, or one for all of several."""
    ends = []
    for frame in frames:
        counts = frame[valid]
        counts = counts[np.isfinite(counts)]
        if len(counts) == 0:
            counts = np.zeros(1)
        ends.append(np.percentile(counts, [params.black, 100 - params.white]))
    black, white = np.min(ends, axis=0)[0], np.max(ends, axis=0)[1]
    return Grey(float(black), float(max(white, black + 1e-6 * max(abs(black), 1))), params.gamma)
