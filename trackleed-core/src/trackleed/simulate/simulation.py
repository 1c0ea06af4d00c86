"""A simulated series: frames on demand, and the truth about them."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from trackleed.frames import FrameSequence, NoiseModel
from trackleed.simulate.diffraction import beam_current
from trackleed.simulate.lattice import Floats
from trackleed.simulate.pattern import Pattern, pattern
from trackleed.simulate.scenarios import Scenario, find
from trackleed.simulate.settings import Settings, Stream
from trackleed.simulate.shape import add_spot
from trackleed.simulate.truth import TRUTH, frame_truth
from trackleed.tables import INDEX, build, columns

if TYPE_CHECKING:
    import pandas as pd

_FAINT = 1e-3  # counts: spots below are not drawn
_HOT_HEIGHT = (0.15, 1.2)  # over full scale


class Simulation:
    """A series of one scenario. Made by `simulate`.

    It is a frame source: ``len()``, ``shape``, ``dtype``, ``index`` and ``read(i)``. Each frame
    depends on the scenario, the settings and its own number only, whatever was asked for before.

    Attributes
    ----------
    scenario : Scenario
    settings : Settings
    pattern : Pattern
        Every spot in every frame.
    hot : ndarray of bool (y, x)
        Hot pixels.
    """

    skipped: Sequence[str] = ()

    def __init__(self, scenario: Scenario, settings: Settings) -> None:
        self.scenario = scenario
        self.settings = settings
        self.camera = settings.camera
        self.screen = settings.screen
        self.pattern: Pattern = pattern(scenario, settings)
        self._hot_light = self._hot_pixels()
        self.hot: NDArray[np.bool_] = self._hot_light > 0

    def __len__(self) -> int:
        return self.settings.frames

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width of the frames."""
        return self.settings.size

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of the frames."""
        return self.camera.dtype

    @property
    def valid(self) -> NDArray[np.bool_]:
        """True on the screen where neither gun nor arm casts any shadow, (y, x)."""
        return self.screen.valid

    @property
    def noise(self) -> NoiseModel:
        """True noise of the frames."""
        return self.camera.noise

    @property
    def saturation(self) -> int:
        """Value, in counts, at which pixels are clipped."""
        return self.camera.full_scale

    def frame(self, i: int) -> NDArray[Any]:
        """Frame ``i`` as the camera gives it, array (y, x)."""
        return self.camera.expose(self._light(i), self.settings.rng(Stream.NOISE, i))

    def read(self, i: int) -> NDArray[Any]:
        """Frame ``i``, under the name that frame sources have for it."""
        return self.frame(i)

    def expected(self, i: int) -> Floats:
        """Expected value, in counts, of each pixel of frame ``i``: no noise, no clipping."""
        return self._light(i) + self.camera.black

    def spot(
        self, i: int, s: int, shape: tuple[int, int], origin: tuple[int, int], *, halo: bool = True
    ) -> Floats:
        """Light of spot number ``s`` (from 0) of frame ``i``, in counts over black, (y, x).

        Parameters
        ----------
        i, s : int
        shape : (int, int)
            Height and width of the part of the frame that is wanted.
        origin : (int, int)
            x and y of its first pixel.
        halo : bool
            Whether the spot's halo is part of it.
        """
        image = np.zeros(shape)
        self._add(image, i, s, origin, halo)
        return image

    @cached_property
    def index(self) -> pd.DataFrame:
        """The ``index`` table."""
        when = self.scenario.schedule(len(self))
        return build(
            INDEX,
            {
                "frame": np.arange(len(self)),
                "source": np.array([self.stem(i) for i in range(len(self))], dtype=object),
                **when,
                "exposure_s": np.full(len(self), 0.8 * self.scenario.interval_s),
                "beam_current_A": beam_current(when["energy_eV"]),
            },
        )

    @cached_property
    def truth(self) -> pd.DataFrame:
        """The `TRUTH` table: every spot in every frame."""
        parts = [frame_truth(self, i) for i in range(len(self))]
        return build(TRUTH, {n: np.concatenate([part[n] for part in parts]) for n in parts[0]})

    def sequence(self) -> FrameSequence:
        """The series with all that is known about it, as backends see it."""
        return FrameSequence(
            self,
            index=columns(self.index),
            valid=self.valid & ~self.hot,
            noise=self.noise,
            saturation=self.saturation,
        )

    def stem(self, i: int) -> str:
        """File name of frame ``i`` without ending: ``Ag_111_0007_T300K_E95.5eV_0.25ML``."""
        when = self._schedule
        sample = self.scenario.sample.name.replace("(", "_").replace(")", "")
        return (
            f"{sample}_{i:04d}_T{when['temperature_K'][i]:g}K"
            f"_E{when['energy_eV'][i]:g}eV_{when['coverage_ML'][i]:g}ML"
        )

    @cached_property
    def _schedule(self) -> dict[str, Floats]:
        return self.scenario.schedule(len(self))

    def _light(self, i: int) -> Floats:
        if not 0 <= i < len(self):
            raise IndexError(f"frame {i} of a series of {len(self)}")
        p = self.pattern
        light: Floats = self.screen.diffuse * p.diffuse[i]
        if self.scenario.streaks:
            light *= 1 + self.scenario.streaks * self._streaks(i)
        for s in map(int, np.flatnonzero((p.amplitude[i] > _FAINT) & np.isfinite(p.x[i]))):
            self._add(light, i, s, (0, 0), True)
        light *= self.screen.transmission
        return np.asarray(light + self.screen.glare * p.diffuse[i] + self._hot_light)

    def _streaks(self, i: int) -> Floats:
        a, b = self.scenario.sample.lattice.reciprocal
        rows = abs(float(a[0] * b[1] - a[1] * b[0]) / float(np.hypot(*a)))
        return self.screen.lines(
            rows * float(self.pattern.scale[i]),
            self.scenario.azimuth_deg,
            (float(self.pattern.shift[i, 0]), float(self.pattern.shift[i, 1])),
            sum(self.settings.sigma) / 2,
        )

    def _add(self, image: Floats, i: int, s: int, origin: tuple[int, int], halo: bool) -> None:
        p = self.pattern
        add_spot(
            image,
            p.x[i, s] - origin[0],
            p.y[i, s] - origin[1],
            p.amplitude[i, s],
            p.sigma_x[i, s],
            p.sigma_y[i, s],
            p.theta_deg[s],
            halo=self.settings.halo if halo else 0.0,
            integrate=self.settings.integrate,
        )

    def _hot_pixels(self) -> Floats:
        rng, count = self.settings.rng(Stream.HOT), self.settings.hot_pixels
        light = np.zeros(self.shape)
        places = rng.choice(light.size, count, replace=False)
        light.flat[places] = rng.uniform(*_HOT_HEIGHT, count) * self.camera.full_scale
        return light


def simulate(
    scenario: str | Scenario,
    *,
    frames: int | None = None,
    size: int | tuple[int, int] | None = None,
    bits: int = 16,
    seed: int = 0,
    dose: float = 8_000.0,
    exposure: float = 0.6,
    background: float = 0.1,
    sigma: tuple[float, float] = (2.6, 3.8),
    halo: float = 0.05,
    hot_pixels: int = 12,
    pixel_aspect: float = 1.0,
    integrate: bool = False,
) -> Simulation:
    """Simulate a LEED series at normal incidence.

    Nothing is drawn before a frame is asked for. The same arguments give the same frames,
    byte for byte, with the same version of numpy.

    Parameters
    ----------
    scenario : str or Scenario
        One of `SCENARIOS`, by name, or one's own.
    frames : int, optional
        Number of frames; the scenario's own, 60, when not given.
    size : int or (int, int), optional
        Side, or height and width, of the frames in px; 512 when not given.
    bits : {8, 16}
        Depth of the frames.
    seed : int
        All that is left to chance: I(V) curves, shapes, hot pixels, noise.
    dose : float
        Photo-electrons of a pixel at full scale: the lower, the noisier.
    exposure : float
        Height of the series' brightest spot over full scale. Above 1 bright spots saturate.
    background : float
        Diffuse light on the axis over the brightest spot's height.
    sigma : (float, float)
        Range of the spots' widths in px, at 300 K.
    halo : float
        Height of the skirt round each spot over the spot's own; 0 for plain Gaussians.
    hot_pixels : int
        How many pixels are bright in all frames.
    pixel_aspect : float
        Width of a pixel over its height; 1.11 is usual for video cameras.
    integrate : bool
        Average each spot over the pixels' areas rather than sample it at their centres,
        which is what the fit assumes.

    Raises
    ------
    InputError
        If the scenario is not known or a value is out of range.
    """
    if isinstance(scenario, str):
        scenario = find(scenario)
    side = 512 if size is None else size
    settings = Settings(
        frames=scenario.frames if frames is None else frames,
        size=(side, side) if isinstance(side, int) else side,
        bits=bits,
        seed=seed,
        dose=dose,
        exposure=exposure,
        background=background,
        sigma=sigma,
        halo=halo,
        hot_pixels=hot_pixels,
        pixel_aspect=pixel_aspect,
        integrate=integrate,
    )
    return Simulation(scenario, settings)
