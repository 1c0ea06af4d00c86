"""What happens to sample and beam during a series: the scenarios, by name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from trackleed.errors import InputError
from trackleed.simulate.lattice import Floats
from trackleed.simulate.surfaces import Surface, surface
from trackleed.wood import Matrix

Span = tuple[float, float]


@dataclass(frozen=True)
class Loss:
    """A time during which spots cannot be seen.

    Parameters
    ----------
    kind : {"off", "blurred", "spots"}
        The beam is off; it is out of focus, every spot four times as wide; or about a third
        of the spots, not all at once, are gone.
    start : float
        When it begins, as a part of the series.
    frames : int
        How long it lasts; for ``"spots"`` how long each of them is gone.
    """

    kind: Literal["off", "blurred", "spots"]
    start: float
    frames: int


@dataclass(frozen=True)
class Jump:
    """The whole pattern is displaced at once, and stays there: a bumped chamber, a switched lens.

    Parameters
    ----------
    start : float
        When, as a part of the series.
    x, y : float
        How far, in px.
    """

    start: float
    x: float
    y: float


@dataclass(frozen=True)
class Facet:
    """Tilted parts of the surface, whose spots move towards a (0,0) of their own.

    A beam that leaves the surface with the scattering vector g meets the screen at ``g/k``
    plus the direction of the facet's own specular beam, ``sin(2 tilt)``, to first order in
    the tilt. When the energy rises all spots of a facet pass straight through between those
    of the substrate.

    Parameters
    ----------
    tilt_deg : float
        Angle between the two surfaces.
    azimuth_deg : float
        Direction of the tilt on the screen, from +x towards +y.
    intensity : float
        Of its spots over those of the substrate.

    References
    ----------
    Henzler, Surf. Sci. 22, 12 (1970).
    """

    tilt_deg: float
    azimuth_deg: float
    intensity: float = 0.5

    @property
    def specular(self) -> Floats:
        """Sine of the angle of its (0,0) beam along x and y, (2,)."""
        turn = np.radians(self.azimuth_deg)
        sine = np.sin(2 * np.radians(self.tilt_deg))
        return np.asarray(sine * np.array([np.cos(turn), np.sin(turn)]))


@dataclass(frozen=True)
class Scenario:
    """One series. Quantities given as a pair go evenly from the first frame to the last.

    Parameters
    ----------
    name, summary : str
    surface : str or Surface
        Such as ``"Ag(111)"``.
    superstructure : str or 2x2 integers
        Wood's notation or matrix; complete at ``1/|det|`` monolayers.
    energy_eV, temperature_K, coverage_ML : (float, float)
        Of the first and the last frame.
    drift_px : (float, float)
        How far the pattern, not the screen, has moved along x and y in the last frame.
    shake_px : float
        Standard deviation along each axis of the pattern's place from frame to frame.
    jumps : tuple of Jump
    losses : tuple of Loss
    facets : tuple of Facet
    streaks : float
        Height, over the diffuse light, of lines along a* half-way between the rows of spots:
        a doubled period along b without order along a.
    azimuth_deg : float
        Direction of a* on the screen, from +x towards +y.
    broadening_per_K : float
        Relative growth of the spots' widths with temperature, from 300 K.
    frames : int
        Unless the user says otherwise.
    interval_s : float
        Time from frame to frame.
    """

    name: str
    summary: str
    surface: str | Surface = "Ag(111)"
    superstructure: str | Matrix = "(1x1)"
    energy_eV: Span = (120.0, 120.0)
    temperature_K: Span = (300.0, 300.0)
    coverage_ML: Span = (0.0, 0.0)
    drift_px: Span = (0.0, 0.0)
    shake_px: float = 0.0
    jumps: tuple[Jump, ...] = ()
    losses: tuple[Loss, ...] = ()
    facets: tuple[Facet, ...] = ()
    streaks: float = 0.0
    azimuth_deg: float = 14.0
    broadening_per_K: float = 6e-4
    frames: int = 60
    interval_s: float = 1.0

    @property
    def sample(self) -> Surface:
        """The surface itself."""
        return surface(self.surface) if isinstance(self.surface, str) else self.surface

    def schedule(self, frames: int) -> dict[str, Floats]:
        """Columns ``time_s, temperature_K, energy_eV, coverage_ML`` for a series of ``frames``.

        They are rounded as in the file names, so that what a reader finds there is exact.
        """
        progress: Floats = np.linspace(0.0, 1.0, frames)

        def span(ends: Span, digits: int) -> Floats:
            return (ends[0] + (ends[1] - ends[0]) * progress).round(digits)

        return {
            "time_s": np.asarray(np.arange(frames) * self.interval_s, dtype=np.float64),
            "temperature_K": span(self.temperature_K, 1),
            "energy_eV": span(self.energy_eV, 1),
            "coverage_ML": span(self.coverage_ML, 3),
        }


SCENARIOS: dict[str, Scenario] = {
    scenario.name: scenario
    for scenario in (
        Scenario(
            "energy-ramp",
            "Ag(111) from 56 to 174 eV: spots move inwards, fade and return, new ones come in",
            energy_eV=(56.0, 174.0),
        ),
        Scenario(
            "deposition",
            "p(2x2) spots grow between those of Ru(0001), which dim, from 0 to 0.25 ML",
            surface="Ru(0001)",
            superstructure="p(2x2)",
            energy_eV=(95.5, 95.5),
            coverage_ML=(0.0, 0.25),
        ),
        Scenario(
            "cooling",
            "Ag(111) from 300 to 100 K: spots move outwards by 0.4 %, brighten and sharpen",
            energy_eV=(160.0, 160.0),
            temperature_K=(300.0, 100.0),
        ),
        Scenario(
            "drift",
            "Cu(100) c(2x2): the whole pattern drifts by (24, -15) px",
            surface="Cu(100)",
            superstructure="c(2x2)",
            energy_eV=(130.0, 130.0),
            coverage_ML=(0.5, 0.5),
            drift_px=(24.0, -15.0),
        ),
        Scenario(
            "shaking",
            "Pt(111) p(2x2): the pattern jumps by several px from frame to frame",
            surface="Pt(111)",
            superstructure="p(2x2)",
            energy_eV=(110.0, 110.0),
            temperature_K=(120.0, 120.0),
            coverage_ML=(0.25, 0.25),
            shake_px=3.0,
        ),
        Scenario(
            "dropout",
            "Ag(111) (√3x√3)R30: the beam goes off, then out of focus, then single spots vanish",
            superstructure="(√3x√3)R30",
            energy_eV=(135.0, 135.0),
            temperature_K=(150.0, 150.0),
            coverage_ML=(0.333, 0.333),
            losses=(Loss("off", 0.2, 7), Loss("blurred", 0.45, 6), Loss("spots", 0.7, 8)),
        ),
    )
}


def find(name: str) -> Scenario:
    """The scenario called ``name``.

    Raises
    ------
    InputError
        If there is none.
    """
    if name not in SCENARIOS:
        raise InputError(f"scenario {name!r} is not known; allowed are {', '.join(SCENARIOS)}")
    return SCENARIOS[name]
