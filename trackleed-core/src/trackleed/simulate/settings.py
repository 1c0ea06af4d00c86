"""How a series is pictured: everything that is not the sample's or the beam's doing."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np

from trackleed.errors import InputError
from trackleed.simulate.camera import Camera
from trackleed.simulate.screen import Screen


class Stream(IntEnum):
    """Independent streams of random numbers, so that no draw shifts another."""

    NOISE = 1
    CURVE = 2
    SHAPE = 3
    SHAKE = 4
    LOSS = 5
    HOT = 6
    ROI = 7


@dataclass(frozen=True)
class Settings:
    """Options of `simulate`; see there for their meaning."""

    frames: int
    size: tuple[int, int] = (512, 512)
    bits: int = 16
    seed: int = 0
    dose: float = 8_000.0
    exposure: float = 0.6
    background: float = 0.1
    sigma: tuple[float, float] = (2.6, 3.8)
    halo: float = 0.05
    hot_pixels: int = 12
    pixel_aspect: float = 1.0
    integrate: bool = False

    def __post_init__(self) -> None:
        height, width = self.size
        low, high = self.sigma
        _require(self.frames >= 1, "frames", self.frames, "1 or more")
        _require(min(height, width) >= 64, "size", self.size, "64 px or more on each side")
        _require(self.seed >= 0, "seed", self.seed, "0 or more")
        _require(self.exposure > 0, "exposure", self.exposure, "above 0")
        _require(self.background >= 0, "background", self.background, "0 or more")
        _require(0.3 <= low <= high, "sigma", self.sigma, "LOW <= HIGH, both 0.3 px or more")
        _require(0 <= self.halo < 1, "halo", self.halo, "from 0 to below 1")
        _require(
            0 <= self.hot_pixels <= height * width // 100,
            "hot_pixels",
            self.hot_pixels,
            f"from 0 to {height * width // 100}, one in a hundred",
        )
        _require(0.5 <= self.pixel_aspect <= 2, "pixel_aspect", self.pixel_aspect, "0.5 to 2")

    @property
    def camera(self) -> Camera:
        """Camera of these settings."""
        return Camera(self.bits, self.dose)

    @property
    def screen(self) -> Screen:
        """Screen of these settings."""
        return Screen(self.size, pixel_aspect=self.pixel_aspect)

    def rng(self, stream: Stream, *key: int) -> np.random.Generator:
        """Random numbers that depend on the seed, the stream and the key alone."""
        return np.random.default_rng([self.seed, stream, *key])


def _require(holds: bool, name: str, value: object, allowed: str) -> None:
    if not holds:
        raise InputError(f"{name} = {value} is not allowed; allowed is {allowed}")
