"""Simulated LEED series with ground truth, for the demo, tests, benchmarks and calibration.

from trackleed.simulate import simulate, write
sim = simulate("cooling", frames=30, seed=1)
sim.frame(0), sim.truth, sim.index
write(sim, "frames/")
"""

from trackleed.simulate.calibration import Spots, spots
from trackleed.simulate.lattice import Lattice
from trackleed.simulate.scenarios import SCENARIOS, Facet, Jump, Loss, Scenario
from trackleed.simulate.shape import gaussian_spot
from trackleed.simulate.simulation import Simulation, simulate
from trackleed.simulate.suite import LEVELS, SUITES, Case, Level, Suite, suite
from trackleed.simulate.surfaces import Surface, surface
from trackleed.simulate.truth import TRUTH
from trackleed.simulate.writing import write

__all__ = [
    "LEVELS",
    "SCENARIOS",
    "SUITES",
    "TRUTH",
    "Case",
    "Facet",
    "Jump",
    "Lattice",
    "Level",
    "Loss",
    "Scenario",
    "Simulation",
    "Spots",
    "Suite",
    "Surface",
    "gaussian_spot",
    "simulate",
    "spots",
    "suite",
    "surface",
    "write",
]
