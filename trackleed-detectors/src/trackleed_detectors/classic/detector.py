"""The detector `classic`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from trackleed_detectors.classic import chain, pixels, ridges, shape
from trackleed_detectors.classic.noise import measure as measure_noise
from trackleed_detectors.classic.noise import quantile
from trackleed_detectors.classic.scratch import Pool
from trackleed_detectors.classic.sight import look
from trackleed_kit import coords

if TYPE_CHECKING:
    from trackleed.tables import Columns
    from trackleed_detectors.classic.chain import Array
    from trackleed_detectors.classic.noise import Noise
    from trackleed_detectors.classic.scratch import Scratch
    from trackleed_detectors.classic.sight import Sight, Sights
    from trackleed_detectors.params import ClassicParams

_SMALLEST = 96  # px, shorter side of the most reduced copy
_BROADEST = 0.65 * chain.FOOT  # px, radius at half maximum that one copy can judge
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
    def disks(self) -> Array:
        """x, y and `fwhm`, (3, n)."""
        return np.stack([self.x, self.y, self.fwhm])

    @property
    def fwhm(self) -> Array:
        """Full width at half maximum, the mean of the two directions."""
        return _FWHM * np.sqrt(self.sigma_x * self.sigma_y)


@dataclass(frozen=True)
class _Copy:
    """The frame reduced by ``scale``."""

    image: Array  # float32 (y, x), 0 where it is not seen; loses its background
    reduced: Array  # (y / 4, x / 4), of which that is made
    sight: Sight
    scale: int
    step: float  # counts between neighbouring grey levels
    frame_shape: tuple[int, int]

    @property
    def digital_noise(self) -> float:
        """Noise of the blurred copy that comes from rounding to grey levels alone, in counts."""
        return self.step / np.sqrt(12) / (2 * np.sqrt(np.pi) * chain.SMOOTH * self.scale)


class Classic:
    """Local maxima that rise over the local noise on every side.

    The frame is looked at in full and in copies reduced by 2, 4, 8 ... Each
    looks for spots of one range of widths with the same chain: broad blur
    subtracted, narrow blur, local maxima. A maximum is kept as
    a spot if it falls by ``threshold`` times the local noise on every side,
    within a distance that goes with the copy. One that fails since it stands on a streak
    is tried again without the streak (`ridges`). What a finer copy has found, a
    coarser one does not find again.

    Parameters
    ----------
    params : ClassicParams
    """

    def __init__(self, params: ClassicParams) -> None:
        self.params = params
        self._kept: Sights | None = None
        self._scratches = Pool()

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
        usable = np.asarray(valid, bool)
        if frame.dtype.kind == "f":
            usable = usable & np.isfinite(frame)
        found = _Spots(*np.zeros((5, 0)))
        if usable.any():
            with self._scratches.lend(frame.shape) as scratch:
                for copy in self._copies(frame, self._sights(usable), scratch):
                    new = self._spots(copy, found, scratch)
                    found = found + new[~_covered(new, found)]
        return self._columns(found[np.argsort(-found.score, kind="stable")])

    def _sights(self, usable: Array) -> Sights:
        """What follows from the mask, kept until another one comes."""
        if self._kept is None or not _same(self._kept.usable, usable):
            size = self.params.spot_size
            scales = [2**n for n in range(32)]
            if size != "auto":
                scales = [scale for scale in scales if scale <= max(1, size / 2)]
            smallest = _SMALLEST if size == "auto" else chain.FOOT
            sigmas = [self._background(scale) for scale in scales]
            kept = usable if not usable.flags.writeable else usable.copy()
            self._kept = look(kept, sigmas, smallest)
        return self._kept

    def _copies(self, frame: Array, sights: Sights, scratch: Scratch) -> Iterator[_Copy]:
        """The frame reduced by 1, 2, 4 ..., or the one copy that suits the wanted size."""
        image, hot = chain.usable_part(frame, sights.usable, scratch)
        step = _grey_step(image, sights.usable, frame.dtype)
        self._bridge(image, hot, sights)
        wanted = self.params.spot_size
        for n, sight in enumerate(sights.copies):
            # A masked pixel has no say in the mean. In the frame itself it is 0 already.
            half = chain.halve(image, scratch)
            if wanted == "auto" or 2**n <= max(1, wanted / 2) < 2 ** (n + 1):
                shown = image
                if n:
                    shown = np.multiply(image, sight.weight, out=scratch("shown", image.shape))
                yield _Copy(shown, chain.halve(half, scratch), sight, 2**n, step, frame.shape)
            image = half

    def _bridge(self, image: Array, hot: Array, sights: Sights) -> None:
        """Fill holes of the mask and, if wanted, pixels that stand alone."""
        places, usable = sights.holes, sights.usable
        if self.params.hot_pixels:
            hot = hot[:, usable[tuple(hot)]]
            usable = usable.copy()
            usable[tuple(hot)] = False
            places = np.concatenate([places, hot], axis=1)
        chain.bridge(image, usable, places)

    def _spots(self, copy: _Copy, found: _Spots, scratch: Scratch) -> _Spots:
        """Spots of one copy; some of those that were ``found`` before are left out."""
        smooth, noise = self._blurred(copy, scratch)
        peaks = self._peaks(smooth, noise, copy)
        peaks = peaks[~_on_top(peaks, copy, found)]
        shapes = shape.measure(smooth, copy.sight.seen, peaks)
        around = noise.at(np.rint(peaks.T[::-1]).astype(np.intp))
        shapes, around = self._judged(smooth, copy, shapes, around)
        (height, width), (frame_height, frame_width) = copy.image.shape, copy.frame_shape
        spots = _Spots(
            x=coords.resize(shapes.x, width, frame_width),
            y=coords.resize(shapes.y, height, frame_height),
            sigma_x=copy.scale * _without_blur(shapes.sigma_x),
            sigma_y=copy.scale * _without_blur(shapes.sigma_y),
            score=shapes.height / around,
        )
        spots = spots[np.argsort(-spots.score, kind="stable")]
        spots = spots[_apart(spots)]
        if self.params.spot_size == "auto":
            return spots
        ratio = spots.fwhm / self.params.spot_size
        return spots[(ratio >= 0.5) & (ratio <= 2)]

    def _peaks(self, smooth: Array, noise: Noise, copy: _Copy) -> Array:
        """Candidates, array (n, 2) of x, y: maxima that may rise out of the noise."""
        distance = chain.SMOOTH
        if self.params.min_distance != "auto":
            distance = self.params.min_distance / copy.scale
        at = chain.maxima(smooth, copy.sight.inner, max(1, round(distance)))
        least = self.params.threshold * noise.at(at)
        return chain.peaks(at[:, chain.rising(smooth, copy.sight, at, least)])

    def _blurred(self, copy: _Copy, scratch: Scratch) -> tuple[Array, Noise]:
        """The copy less its background, blurred, and the noise of that."""
        sigma = self._background(copy.scale)
        most = float(copy.image.max())
        level = copy.sight.less_background(copy.image, copy.reduced, sigma, scratch)
        smooth = copy.sight.smoothed(copy.image, scratch)
        least = max(copy.digital_noise, _ROUNDING * most)
        noise = measure_noise(smooth, level, copy.sight.blocks, scratch, least)
        if self.params.normalise:
            # Divided after the narrow blur, over which the background hardly changes.
            here = chain.widened(level, scratch("level", smooth.shape))
            typical = quantile(here[copy.sight.seen > 0], 0.5)
            gain = typical / np.maximum(here, max(0.01 * typical, 1e-6))
            return smooth * gain, replace(noise, gain=gain)
        return smooth, noise

    def _background(self, scale: int) -> float:
        """Standard deviation of the broad blur in a copy."""
        sigma = self.params.background
        return chain.BACKGROUND if sigma == "auto" else max(sigma / scale, 2 * chain.SMOOTH)

    def _judged(
        self, smooth: Array, copy: _Copy, shapes: shape.Shapes, noise: Array
    ) -> tuple[shape.Shapes, Array]:
        """The spots among candidates, and their noise; those that stand on ridges come last."""
        kept = self._is_spot(shapes, noise, copy)
        left = np.flatnonzero(~kept & self._rises(shapes, noise, copy))
        if len(left) == 0:
            return shapes[kept], noise[kept]
        places = np.stack([shapes.x, shapes.y], axis=1)[left]
        which, bare, along = ridges.measure(smooth, copy.sight.seen, copy.sight.inner, places)
        along = np.maximum(along, noise[left[which]])
        found = self._is_spot(bare, along, copy)
        return shapes[kept] + bare[found], np.concatenate([noise[kept], along[found]])

    def _is_spot(self, shapes: shape.Shapes, noise: Array, copy: _Copy) -> Array:
        return (
            self._rises(shapes, noise, copy)
            & (shapes.flank >= self.params.contrast * shapes.height)
            & (np.sqrt(shapes.length * shapes.breadth) <= _BROADEST)
            & (shapes.length <= self.params.max_elongation * shapes.breadth)
        )

    def _rises(self, shapes: shape.Shapes, noise: Array, copy: _Copy) -> Array:
        # Where the camera's noise does not blur the grey levels, anything lower
        # than one of them can be a contour line of the digitised background.
        contours = noise < _DITHERED * copy.digital_noise
        least = np.where(contours, copy.step, 0)
        return np.asarray(shapes.fall >= np.maximum(self.params.threshold * noise, least))

    def _columns(self, spots: _Spots) -> Columns:
        def side(sigma: Array) -> Array:
            return 2 * np.ceil(self.params.roi_sigmas * sigma) + 1

        width, height = side(spots.sigma_x), side(spots.sigma_y)
        return {"x": spots.x, "y": spots.y, "width": width, "height": height, "score": spots.score}


def _grey_step(image: Array, usable: Array, dtype: np.dtype[Any]) -> float:
    """Smallest difference between two values: 1 for most cameras, 16 for 12 bits in 16."""
    for apart in (12, 3):
        values = np.sort(image[::apart, ::apart][usable[::apart, ::apart]])
        steps = np.diff(values)
        step = float(steps.min(initial=np.inf, where=steps > 0))
        if step == 1 and dtype.kind in "iu":
            break  # there is none smaller
    return step if step < np.inf else 0.0


def _same(kept: Array, usable: Array) -> bool:
    """Whether two masks are the same; quick for one that cannot have been changed."""
    return (kept is usable and not usable.flags.writeable) or np.array_equal(kept, usable)


def _without_blur(sigma: Array) -> Array:
    return np.sqrt(np.maximum(sigma**2 - chain.SMOOTH**2, _NARROWEST**2))


def _covered(new: _Spots, found: _Spots) -> Array:
    """Whether each new spot stands on one that a finer copy has found."""
    return pixels.near(new.disks, found.disks, 0.75, False)


def _on_top(peaks: Array, copy: _Copy, found: _Spots) -> Array:
    """Whether each candidate, taken to be where it is highest, is as good as `_covered`."""
    (height, width), (frame_height, frame_width) = copy.image.shape, copy.frame_shape
    x = coords.resize(peaks[:, 0], width, frame_width)
    y = coords.resize(peaks[:, 1], height, frame_height)
    return pixels.near(np.stack([x, y, np.zeros(len(x))]), found.disks, 0.75, False)


def _apart(spots: _Spots) -> Array:
    """Whether each spot, the highest score first, stands apart from all before it.

    Noise splits the flat top of a dim spot into several maxima.
    """
    return ~pixels.near(spots.disks, spots.disks, 0.5, True)
