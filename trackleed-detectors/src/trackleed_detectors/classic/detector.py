"""The detector `classic`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

from trackleed_detectors.classic import chain, shape
from trackleed_kit import coords

if TYPE_CHECKING:
    from trackleed.tables import Columns
    from trackleed_detectors.classic.chain import Array
    from trackleed_detectors.params import ClassicParams

_SMALLEST = 96  # px, shorter side of the most reduced copy
_BROADEST = 0.65 * chain.DISK_RADIUS  # px, radius at half maximum that one copy can judge
_NARROWEST = 0.5  # px, sigma that a spot has at least
_DITHERED = 1.5  # noise over that of rounding from which grey levels do not show
_ROUNDING = 1e-5  # of single precision, as a fraction of the brightest pixel
_FWHM = 2 * np.sqrt(2 * np.log(2))


@dataclass(frozen=True)
class _Spots:
    """Spots of one frame, arrays (n,), in px of the frame."""

    x: Array
    y: Array
    sigma_x: Array
    sigma_y: Array
    score: Array

    def __getitem__(self, index: Array) -> _Spots:
        return _Spots(**{name: value[index] for name, value in vars(self).items()})

    def __add__(self, other: _Spots) -> _Spots:
        pairs = zip(vars(self).items(), vars(other).values(), strict=True)
        return _Spots(**{name: np.concatenate([a, b]) for (name, a), b in pairs})

    @property
    def fwhm(self) -> Array:
        """Full width at half maximum, the mean of the two directions."""
        return _FWHM * np.sqrt(self.sigma_x * self.sigma_y)


@dataclass(frozen=True)
class _Copy:
    """The frame reduced by ``scale``."""

    image: Array  # float32 (y, x)
    seen: Array  # 1 where the image can be used, else 0
    scale: int
    step: float  # counts between neighbouring grey levels

    @property
    def digital_noise(self) -> float:
        """Noise of the blurred copy that comes from rounding to grey levels alone, in counts."""
        return self.step / np.sqrt(12) / (2 * np.sqrt(np.pi) * chain.SMOOTH * self.scale)


class Classic:
    """White top-hat and local maxima, over the local noise.

    The frame is looked at in full and in copies reduced by 2, 4, 8 ... Each
    looks for spots of one range of widths with the same chain: broad blur
    subtracted, narrow blur, white top-hat, local maxima. A maximum is kept as
    a spot if it falls by ``threshold`` times the local noise on every side,
    within a distance that goes with the copy. What a finer copy has found, a
    coarser one does not find again.

    Parameters
    ----------
    params : ClassicParams
    """

    def __init__(self, params: ClassicParams) -> None:
        self.params = params

    def detect(self, frame: Array, valid: Array) -> Columns:
        """Spots of one frame.

        Parameters
        ----------
        frame : ndarray (y, x)
            Of any depth; NaN counts as masked.
        valid : ndarray of bool (y, x)
            False where the mask hides the screen.

        Returns
        -------
        mapping of str to ndarray (n,)
            x, y, width, height in px, and score: height of the spot over the
            noise, both in the blurred image. The highest score comes first.
        """
        usable = np.asarray(valid, bool) & np.isfinite(frame)
        found = _Spots(*np.zeros((5, 0)))
        if usable.any():
            for copy in self._copies(frame, usable):
                new = self._spots(copy, frame.shape)
                found = found + new[~_covered(new, found)]
        return self._columns(found[np.argsort(-found.score, kind="stable")])

    def _copies(self, frame: Array, usable: Array) -> Iterator[_Copy]:
        """The frame reduced by 1, 2, 4 ..., or the one copy that suits the wanted size."""
        image = np.where(usable, frame, 0).astype(np.float32)
        step = _grey_step(image[::3, ::3][usable[::3, ::3]])
        if self.params.hot_pixels:
            usable = usable & ~chain.stand_alone(image)
        image, seen = chain.fill(image, usable)
        size = self.params.spot_size
        wanted = None if size == "auto" else 2 ** max(0, int(np.log2(size / 2)))
        scale = 1
        while wanted is None or scale <= wanted:
            if wanted in (None, scale):
                yield _Copy(image, (seen > 0.5).astype(np.float32), scale, step)
            if min(image.shape) < 2 * (_SMALLEST if wanted is None else chain.DISK_RADIUS):
                return
            image, seen = _halve(image, seen)
            scale *= 2

    def _spots(self, copy: _Copy, frame_shape: tuple[int, ...]) -> _Spots:
        smooth, noise = self._blurred(copy)
        distance = self._in_copy(self.params.min_distance, chain.SMOOTH, copy)
        floor = self.params.threshold * noise
        xy = chain.peaks(chain.tophat(smooth), floor, copy.seen, max(1, round(distance)))
        if not len(xy):
            return _Spots(*np.zeros((5, 0)))
        shapes = shape.measure(smooth, copy.seen, xy)
        column, row = np.rint(xy).astype(int).T
        noise = noise[row, column]
        kept = self._is_spot(shapes, noise, copy)
        shapes, noise = shapes[kept], noise[kept]
        height, width = copy.image.shape
        spots = _Spots(
            x=coords.resize(shapes.x, width, frame_shape[1]),
            y=coords.resize(shapes.y, height, frame_shape[0]),
            sigma_x=copy.scale * _without_blur(shapes.sigma_x),
            sigma_y=copy.scale * _without_blur(shapes.sigma_y),
            score=shapes.height / noise,
        )
        spots = spots[np.argsort(-spots.score, kind="stable")]
        spots = spots[_apart(spots)]
        if self.params.spot_size == "auto":
            return spots
        ratio = spots.fwhm / self.params.spot_size
        return spots[(ratio >= 0.5) & (ratio <= 2)]

    def _blurred(self, copy: _Copy) -> tuple[Array, Array]:
        """The copy less its background, blurred, and the noise of that."""
        sigma = self._in_copy(self.params.background, chain.BACKGROUND, copy)
        level = chain.background(copy.image, copy.seen, max(sigma, 2 * chain.SMOOTH))
        rest = (copy.image - level) * copy.seen
        weight = np.maximum(chain.blur(copy.seen, chain.SMOOTH), 0.5)
        smooth = chain.blur(rest, chain.SMOOTH) / weight
        rounding = _ROUNDING * float(copy.image.max())
        least = max(copy.digital_noise, rounding)
        noise = np.maximum(chain.noise(smooth, level, copy.seen), least)
        if self.params.normalise:
            # Divided after the narrow blur, over which the background hardly changes.
            typical = float(chain.quantile(level[copy.seen > 0], 0.5))
            gain = typical / np.maximum(level, max(0.01 * typical, 1e-6))
            return smooth * gain, noise * gain
        return smooth, noise

    def _is_spot(self, shapes: shape.Shapes, noise: Array, copy: _Copy) -> Array:
        # Where the camera's noise does not blur the grey levels, anything lower
        # than one of them can be a contour line of the digitised background.
        contours = noise < _DITHERED * copy.digital_noise
        return (
            (shapes.fall >= self.params.threshold * noise)
            & (shapes.flank >= self.params.contrast * shapes.height)
            & (shapes.fall >= np.where(contours, copy.step, 0))
            & (np.sqrt(shapes.length * shapes.breadth) <= _BROADEST)
            & (shapes.length <= self.params.max_elongation * shapes.breadth)
        )

    def _in_copy(self, value: float | str, automatic: float, copy: _Copy) -> float:
        return automatic if isinstance(value, str) else value / copy.scale

    def _columns(self, spots: _Spots) -> Columns:
        def side(sigma: Array) -> Array:
            return 2 * np.ceil(self.params.roi_sigmas * sigma) + 1

        width, height = side(spots.sigma_x), side(spots.sigma_y)
        return {"x": spots.x, "y": spots.y, "width": width, "height": height, "score": spots.score}


def _halve(image: Array, seen: Array) -> tuple[Array, Array]:
    """Half as many pixels each way; a masked pixel has no say in the mean."""
    size = (image.shape[1] // 2, image.shape[0] // 2)
    weight = cv2.resize(seen, size, interpolation=cv2.INTER_AREA)
    mean = cv2.resize(image * seen, size, interpolation=cv2.INTER_AREA)
    return mean / np.maximum(weight, 1e-6), weight


def _grey_step(sample: Array) -> float:
    """Smallest difference between two values: 1 for most cameras, 16 for 12 bits in 16."""
    values = np.unique(sample)
    return float(np.diff(values).min()) if len(values) > 1 else 0.0


def _without_blur(sigma: Array) -> Array:
    return np.sqrt(np.maximum(sigma**2 - chain.SMOOTH**2, _NARROWEST**2))


def _covered(new: _Spots, found: _Spots) -> Array:
    """Whether each new spot stands on one that a finer copy has found."""
    distance = np.hypot(new.x[:, None] - found.x, new.y[:, None] - found.y)
    return (distance < 0.75 * np.maximum(new.fwhm[:, None], found.fwhm)).any(axis=1)


def _apart(spots: _Spots) -> Array:
    """Whether each spot, the highest score first, stands apart from all before it.

    Noise splits the flat top of a dim spot into several maxima.
    """
    distance = np.hypot(spots.x[:, None] - spots.x, spots.y[:, None] - spots.y)
    near = distance < 0.5 * np.maximum(spots.fwhm[:, None], spots.fwhm)
    return ~np.tril(near, -1).any(axis=1)
