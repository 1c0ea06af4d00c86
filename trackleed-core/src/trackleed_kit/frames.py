"""The frames of one series, as every backend sees them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Dict, Iterator, Mapping, Protocol

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    Array = np.ndarray[Any, np.dtype[Any]]


class Source(Protocol):
    """Where frames come from: a store, a stack in memory, the files themselves."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Size of a frame (y, x)."""
        ...

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of the raw pixels."""
        ...

    def __len__(self) -> int:
        """Count of frames."""
        ...

    def read(self, i: int) -> Array:
        """Frame ``i`` as the camera wrote it (y, x)."""
        ...


class NoiseModel:
    """Variance of a pixel against its level: ``read_noise**2 + gain * (level - black)``.

    Parameters
    ----------
    gain : float
        Counts of variance per count of signal (1 for photon counts).
    read_noise : float
        Standard deviation in counts at the black level.
    black : float
        Level in counts that carries no light.

    References
    ----------
    Janesick, *Photon Transfer* (SPIE Press, 2007).
    """

    def __init__(self, gain: float = 1.0, read_noise: float = 1.0, black: float = 0.0) -> None:
        self.gain = float(gain)
        self.read_noise = float(read_noise)
        self.black = float(black)

    def variance(self, level: ArrayLike) -> Array:
        """Variance, in counts squared, of pixels whose expected level is ``level``."""
        signal = np.maximum(np.asarray(level, dtype=np.float64) - self.black, 0.0)
        return self.read_noise**2 + self.gain * signal


class Correction:
    """Dark frame, flat field and background image, applied to each frame as it is read.

    ``(frame - dark) / ((flat - dark) / mean)`` first, then the background, itself
    corrected in the same way, is subtracted or divided out. The result is float32.

    Parameters
    ----------
    dark, flat, background : ndarray (y, x), optional
        In counts of the raw frames.
    mode : {"subtract", "normalise"}
        What is done with the background. Normalising keeps the mean level.
    """

    def __init__(
        self,
        dark: ArrayLike | None = None,
        flat: ArrayLike | None = None,
        background: ArrayLike | None = None,
        mode: str = "subtract",
    ) -> None:
        if mode not in ("subtract", "normalise"):
            raise ValueError("mode %r is not one of 'subtract', 'normalise'" % (mode,))
        self.dark: Array | None = None if dark is None else np.asarray(dark, dtype=np.float32)
        self.mode = mode
        self.response: Array | None = None
        if flat is not None:
            light = np.asarray(flat, dtype=np.float32)
            if self.dark is not None:
                light = light - self.dark
            # A pixel without any light in the flat has no known response.
            self.response = np.where(light > 0, light / light[light > 0].mean(), np.nan)
        self.background: Array | None = None
        if background is not None:
            level = self._even(np.asarray(background, dtype=np.float32))
            if mode == "normalise":
                level = np.where(level > 0, level / level[level > 0].mean(), np.nan)
            self.background = level

    def _even(self, frame: Array) -> Array:
        if self.dark is not None:
            frame = frame - self.dark
        if self.response is not None:
            frame = frame / self.response
        return frame

    @classmethod
    def of_parts(cls, mode: str, parts: Mapping[str, Array]) -> Correction:
        """The correction whose `parts` these are."""
        made = cls(mode=mode)
        made.dark = parts.get("dark")
        made.response = parts.get("response")
        made.background = parts.get("background")
        return made

    def parts(self) -> Dict[str, Array]:
        """What it computes with, to make the very same one elsewhere: arrays (y, x) by name."""
        known = {"dark": self.dark, "response": self.response, "background": self.background}
        return {name: image for name, image in known.items() if image is not None}

    def apply(self, frame: ArrayLike) -> Array:
        """Corrected copy of a raw frame, float32 (y, x); NaN where the correction is unknown."""
        even = self._even(np.asarray(frame, dtype=np.float32))
        if self.background is None:
            return even
        if self.mode == "subtract":
            return even - self.background
        return even / self.background


class FrameSequence:
    """Read-only frames of one series, with everything that is known about them.

    ``frames[i]`` is frame ``i`` as an array (y, x), corrected if the series has
    dark, flat or background images, else as the camera wrote it. Frames are
    read when they are asked for; none is kept.

    Parameters
    ----------
    source : Source
    index : mapping of str to ndarray (n,), optional
        The ``index`` table, one value a frame: ``energy_eV``, ``time_s`` ...
    valid : ndarray of bool (y, x), optional
        True where the detector screen can be trusted; all True when not given.
    noise : NoiseModel, optional
    saturation : float, optional
        Raw pixels at this value or above are saturated; none when not given.
    correction : Correction, optional
    """

    def __init__(
        self,
        source: Source,
        index: Mapping[str, Array] | None = None,
        valid: Array | None = None,
        noise: NoiseModel | None = None,
        saturation: float | None = None,
        correction: Correction | None = None,
    ) -> None:
        self.source = source
        self.shape = (int(source.shape[0]), int(source.shape[1]))
        self.index = {} if index is None else dict(index)
        self.valid = np.ones(self.shape, dtype=bool) if valid is None else np.array(valid, bool)
        self.valid.setflags(write=False)
        self.noise = noise if noise is not None else NoiseModel()
        self.saturation = saturation
        self.correction = correction

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of ``frames[i]``."""
        return np.dtype(np.float32) if self.correction is not None else np.dtype(self.source.dtype)

    def __len__(self) -> int:
        return len(self.source)

    def __getitem__(self, i: int) -> Array:
        frame = self.raw(i)
        if self.correction is not None:
            frame = self.correction.apply(frame)
            frame.setflags(write=False)
        return frame

    def __iter__(self) -> Iterator[Array]:
        for i in range(len(self)):
            yield self[i]

    def raw(self, i: int) -> Array:
        """Frame ``i`` as the camera wrote it, read-only array (y, x)."""
        if not 0 <= i < len(self):
            raise IndexError("frame %d of a series of %d" % (i, len(self)))
        frame = np.asarray(self.source.read(i))
        frame.setflags(write=False)
        return frame

    def saturated(self, i: int) -> Array:
        """Pixels of frame ``i`` at or above the saturation level, bool (y, x)."""
        if self.saturation is None:
            return np.zeros(self.shape, dtype=bool)
        return self.raw(i) >= self.saturation


class ArraySource:
    """Frames that are already in memory, array (t, y, x)."""

    def __init__(self, frames: ArrayLike) -> None:
        self.frames = np.asarray(frames)
        if self.frames.ndim != 3:
            raise ValueError("frames must be an array (t, y, x), not %d-D" % self.frames.ndim)
        self.shape = self.frames.shape[1:]
        self.dtype = self.frames.dtype

    def __len__(self) -> int:
        return len(self.frames)

    def read(self, i: int) -> Array:
        """Frame ``i``, a view."""
        return np.asarray(self.frames[i])
