"""Named suites of simulated series, fixed for good, so that two people's tables compare.

A suite never changes once it is released: what should be different becomes a suite with
another number. docs/bench.md says why the levels are as they are.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, Literal, get_args

from trackleed.errors import InputError
from trackleed.simulate.scenarios import SCENARIOS, Facet, Jump, Loss, Scenario
from trackleed.simulate.simulation import Simulation, simulate

Level = Literal["easy", "middle", "hard"]
LEVELS: tuple[Level, ...] = get_args(Level)


@dataclass(frozen=True)
class Case:
    """One scenario of a suite at one level.

    Parameters
    ----------
    scenario : Scenario
        What happens to sample and beam.
    settings : dict
        Options of `simulate`: how it is pictured.
    """

    scenario: Scenario
    settings: dict[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """Of the scenario."""
        return self.scenario.name

    def simulate(self, seed: int, frames: int | None = None) -> Simulation:
        """The series with one seed; shorter than it should be if ``frames`` says so."""
        return simulate(self.scenario, seed=seed, **{**self.settings, "frames": frames})


@dataclass(frozen=True)
class Suite:
    """Scenarios at three levels and the seeds that belong to them.

    Parameters
    ----------
    name : str
        With its version: ``"leed-1"``.
    seeds : tuple of int
    cases : dict
        By level, in the order of the table.
    """

    name: str
    seeds: tuple[int, ...]
    cases: dict[Level, tuple[Case, ...]]


# What the camera does. Middle: a video camera of 12 bits after a few frames of averaging, pixels
# with 2000 electrons at full scale; easy four times as many, hard a quarter as many.
# Where the energy varies, one beam at one energy takes the whole range, and twice the dose
# leaves the usual spot as clear as in the other series.
_CAMERA: dict[Level, dict[str, Any]] = {
    "easy": {"dose": 8000.0, "background": 0.1, "hot_pixels": 12},
    "middle": {"dose": 2000.0, "background": 0.2, "hot_pixels": 30, "sigma": (2.2, 4.0)},
    "hard": {"dose": 500.0, "background": 0.3, "hot_pixels": 100, "sigma": (1.8, 4.5)},
}
_DOUBLE: dict[Level, dict[str, Any]] = {
    level: {"dose": 2 * options["dose"]} for level, options in _CAMERA.items()
}


def _ramp() -> dict[Level, Case]:
    named = replace(
        SCENARIOS["energy-ramp"],
        name="energy-ramp",
        summary="Ag(111): spots move inwards with the energy, fade, return and come in",
    )
    spans = {"easy": (60.0, 180.0), "middle": (45.0, 225.0), "hard": (40.0, 330.0)}
    frames = {"easy": 60, "middle": 60, "hard": 36}
    return {
        level: Case(replace(named, energy_eV=spans[level], frames=frames[level]), _DOUBLE[level])
        for level in LEVELS
    }


def _deposition() -> dict[Level, Case]:
    drift = {"easy": (2.0, 1.0), "middle": (6.0, -4.0), "hard": (12.0, -8.0)}
    shake = {"easy": 0.1, "middle": 0.3, "hard": 1.0}
    return {
        level: Case(
            replace(
                SCENARIOS["deposition"],
                summary="p(2x2) spots grow between those of Ru(0001), which dim",
                drift_px=drift[level],
                shake_px=shake[level],
            )
        )
        for level in LEVELS
    }


def _cooling() -> dict[Level, Case]:
    drift = {"easy": (0.0, 0.0), "middle": (3.0, 2.0), "hard": (6.0, 4.0)}
    shake = {"easy": 0.0, "middle": 0.1, "hard": 0.5}
    return {
        level: Case(
            replace(
                SCENARIOS["cooling"],
                summary="Ag(111) (√3x√3)R30, 300 to 100 K: spots move out by less than a pixel",
                superstructure="(√3x√3)R30",
                coverage_ML=(0.333, 0.333),
                drift_px=drift[level],
                shake_px=shake[level],
            )
        )
        for level in LEVELS
    }


def _dropout() -> dict[Level, Case]:
    longest = {"easy": 4, "middle": 8, "hard": 10}
    base = SCENARIOS["dropout"]
    dose = {"easy": 2000.0, "middle": 1000.0, "hard": 300.0}
    sigma = {"easy": (3.0, 4.5), "middle": (3.5, 5.5), "hard": (4.0, 7.0)}
    drift = {"easy": (2.0, 0.0), "middle": (6.0, 3.0), "hard": (12.0, 6.0)}
    cases: dict[Level, Case] = {}
    for level in LEVELS:
        n = longest[level]
        losses = (Loss("off", 0.2, n), Loss("blurred", 0.45, n), Loss("spots", 0.7, n))
        cases[level] = Case(
            replace(
                base,
                name="dim-dropout",
                summary="Ag(111) (√3x√3)R30, dim and wide: the beam goes off, then out of focus, "
                "then single spots vanish",
                losses=losses,
                drift_px=drift[level],
            ),
            {"dose": dose[level], "sigma": sigma[level]},
        )
    return cases


def _shaking() -> dict[Level, Case]:
    shake = {"easy": 1.0, "middle": 3.0, "hard": 6.0}
    jump = {"easy": 6.0, "middle": 15.0, "hard": 30.0}
    return {
        level: Case(
            replace(
                SCENARIOS["shaking"],
                summary="Pt(111) p(2x2): the pattern shakes, and jumps twice",
                shake_px=shake[level],
                jumps=(Jump(0.3, jump[level], -0.6 * jump[level]), Jump(0.7, 0.0, jump[level])),
            )
        )
        for level in LEVELS
    }


def _satellites() -> dict[Level, Case]:
    # The angle between the tilt and a* says how far from each other spots pass.
    aside = {"easy": 7.0, "middle": 4.0, "hard": 2.0}
    return {
        level: Case(
            Scenario(
                "satellites",
                "Pt(111) with facets, whose spots cross the ways of the others",
                surface="Pt(111)",
                energy_eV=(90.0, 180.0),
                temperature_K=(200.0, 200.0),
                facets=(Facet(12.0, 14.0 + aside[level], 0.5),),
            ),
            _DOUBLE[level],
        )
        for level in LEVELS
    }


def _streaks() -> dict[Level, Case]:
    height = {"easy": 0.3, "middle": 0.7, "hard": 1.5}
    exposure = {"easy": 1.2, "middle": 2.0, "hard": 3.0}
    energies = {"easy": (100.0, 130.0), "middle": (90.0, 140.0), "hard": (80.0, 160.0)}
    return {
        level: Case(
            Scenario(
                "streaks",
                "Au(110) p(1x2) grows on streaks; the brightest spots saturate an 8-bit camera",
                surface="Au(110)",
                superstructure="p(1x2)",
                energy_eV=energies[level],
                coverage_ML=(0.1, 0.5),
                streaks=height[level],
            ),
            {"exposure": exposure[level], "bits": 8},
        )
        for level in LEVELS
    }


def _suite(name: str, seeds: tuple[int, ...]) -> Suite:
    makers = (_ramp, _deposition, _cooling, _dropout, _shaking, _satellites, _streaks)
    made = [make() for make in makers]
    cases = {
        level: tuple(
            replace(case[level], settings={**_CAMERA[level], **case[level].settings})
            for case in made
        )
        for level in LEVELS
    }
    return Suite(name, seeds, cases)


SUITES: dict[str, Suite] = {suite.name: suite for suite in (_suite("leed-1", (21, 22)),)}


def suite(name: str) -> Suite:
    """The suite called ``name``, with or without ``suite:`` before it.

    Raises
    ------
    InputError
        If there is none.
    """
    bare = name.removeprefix("suite:")
    if bare not in SUITES:
        raise InputError(f"suite {name!r} is not known; allowed are {', '.join(SUITES)}")
    return SUITES[bare]
