"""Pictures as upstream models want them: one grey scale for a series, resized windows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Optional, Tuple

import numpy as np

if TYPE_CHECKING:
    from trackleed_kit.frames import FrameSequence

    Array = np.ndarray[Any, np.dtype[Any]]

_LOOKED_AT = 16
"""Frames from which the grey scale is taken."""


class Grey:
    """Counts to [0, 1], by one scale for the whole series, so that a spot that dims, dims.

    Parameters
    ----------
    frames : FrameSequence
    dark, bright : float
        Percentiles of the pixels inside the mask that become 0 and 1.
    gamma : float
        Exponent. 0.5 makes photon noise alike at all levels (F. J. Anscombe, Biometrika 35,
        246, 1948) and lifts weak spots.
    """

    def __init__(
        self,
        frames: FrameSequence,
        dark: float = 1.0,
        bright: float = 99.9,
        gamma: float = 0.5,
    ) -> None:
        chosen = np.unique(np.linspace(0, len(frames) - 1, _LOOKED_AT).astype(int))
        levels = []
        for i in chosen:
            pixels = np.asarray(frames[int(i)], np.float32)[frames.valid]
            pixels = pixels[np.isfinite(pixels)]
            if len(pixels):
                levels.append(np.percentile(pixels, [dark, bright]))
        low, high = np.transpose(levels) if levels else ([0.0], [1.0])
        self.low = float(np.min(low))
        self.range = max(float(np.max(high)) - self.low, 1e-6)
        self.gamma = gamma
        self.valid = frames.valid

    def __call__(self, frame: Array) -> Array:
        """A frame as float32 (y, x) in [0, 1]; 0 where it is masked or unknown."""
        level = (np.asarray(frame, np.float32) - self.low) / self.range
        level[~(self.valid & np.isfinite(level))] = 0.0
        grey: Array = np.clip(level, 0.0, 1.0) ** np.float32(self.gamma)
        return grey


class Window:
    """A rectangle of the frame, resized to a model's picture.

    Edges map onto edges, so places map exactly there and back; shrinking averages.

    Parameters
    ----------
    left, top : float
        Corner in px: -0.5 is the edge of the first pixel.
    size : tuple of float
        Width and height in px of the frame.
    shape : tuple of int
        Rows and columns of the picture.
    """

    def __init__(
        self, left: float, top: float, size: Tuple[float, float], shape: Tuple[int, int]
    ) -> None:
        self.corner = np.array([left, top])
        self.shape = shape
        self.scale = np.array([shape[1] / size[0], shape[0] / size[1]])  # picture px a frame px
        self._weights: Optional[Tuple[Array, Array]] = None
        self._of: Tuple[int, ...] = ()

    @classmethod
    def whole(cls, frame: Tuple[int, int], shape: Optional[Tuple[int, int]]) -> Window:
        """The whole frame (y, x), resized to ``shape``, or as it is."""
        return cls(-0.5, -0.5, (frame[1], frame[0]), shape or frame)

    @classmethod
    def around(cls, x: float, y: float, side: float, shape: Tuple[int, int]) -> Window:
        """A square of ``side`` px around a place."""
        return cls(x - side / 2, y - side / 2, (side, side), shape)

    def to_picture(self, boxes: Array) -> Array:
        """Places, or boxes (..., x y [width height]), of the frame in the picture."""
        sizes = boxes[..., 2:] * self.scale[: boxes.shape[-1] - 2]
        return np.concatenate([(boxes[..., :2] - self.corner) * self.scale - 0.5, sizes], -1)

    def to_frame(self, boxes: Array) -> Array:
        """Places, or boxes (..., x y [width height]), of the picture in the frame."""
        sizes = boxes[..., 2:] / self.scale[: boxes.shape[-1] - 2]
        return np.concatenate([(boxes[..., :2] + 0.5) / self.scale + self.corner, sizes], -1)

    def cut(self, image: Array) -> Array:
        """The picture of an image (y, x), float32; beyond its edge it goes on as it ends."""
        if self._weights is None or self._of != image.shape:
            self._of = image.shape
            self._weights = tuple(  # type: ignore[assignment]
                _weights(image.shape[k], self.shape[k], self.corner[1 - k], self.scale[1 - k])
                for k in (0, 1)
            )
        assert self._weights is not None
        rows, columns = self._weights
        return np.asarray(rows @ image @ columns.T, np.float32)


def _weights(n: int, wanted: int, corner: float, scale: float) -> Array:
    """Linear interpolation of ``n`` pixels as a matrix (wanted, n); wider where it shrinks."""
    middle = (np.arange(wanted) + 0.5) / scale + corner
    reach = max(1.0, 1.0 / scale)
    first = np.floor(middle - reach).astype(int)
    near = first[:, None] + np.arange(int(2 * reach) + 3)
    weight = np.maximum(0.0, 1.0 - np.abs(near - middle[:, None]) / reach)
    matrix = np.zeros((wanted, n), np.float32)
    np.add.at(matrix, (np.arange(wanted)[:, None], np.clip(near, 0, n - 1)), weight)
    normal: Array = matrix / matrix.sum(axis=1, keepdims=True)
    return normal
