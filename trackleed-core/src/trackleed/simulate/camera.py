"""The camera: electrons into counts, with their noise."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trackleed.errors import InputError
from trackleed.frames import NoiseModel
from trackleed.simulate.lattice import Floats


@dataclass(frozen=True)
class Camera:
    """Linear camera with photon noise, read noise and clipping.

    Parameters
    ----------
    bits : {8, 16}
        Depth; full scale is 255 or 65535 counts.
    dose : float
        Photo-electrons of a pixel at full scale. A lower dose makes the same picture noisier.
    read_electrons : float
        Read noise, standard deviation in photo-electrons.
    black_level : float
        Level without light, over full scale; high enough that noise is not cut off at zero.
    """

    bits: int = 16
    dose: float = 8_000.0
    read_electrons: float = 8.0
    black_level: float = 0.02

    def __post_init__(self) -> None:
        if self.bits not in (8, 16):
            raise InputError(f"bits = {self.bits} is not allowed; allowed are 8 and 16")
        if not self.dose > 0:
            raise InputError(f"dose = {self.dose} is not allowed; it must be above 0")

    @property
    def full_scale(self) -> int:
        """Highest value that a pixel can have, in counts."""
        return (1 << self.bits) - 1

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of the frames."""
        return np.dtype(f"uint{self.bits}")

    @property
    def gain(self) -> float:
        """Counts per photo-electron."""
        return self.full_scale / self.dose

    @property
    def black(self) -> float:
        """Level without light, in counts."""
        return self.black_level * self.full_scale

    @property
    def noise(self) -> NoiseModel:
        """True noise of the frames in counts, with that of rounding to whole counts."""
        read = math.sqrt((self.read_electrons * self.gain) ** 2 + 1 / 12)
        return NoiseModel(self.gain, read, self.black)

    def expose(self, light: Floats, rng: np.random.Generator) -> NDArray[Any]:
        """Frame (y, x) from the expected light in counts over black."""
        level = rng.poisson(light / self.gain) * self.gain + self.black
        level += rng.standard_normal(light.shape) * (self.read_electrons * self.gain)
        return np.asarray(np.clip(np.rint(level), 0, self.full_scale), dtype=self.dtype)
