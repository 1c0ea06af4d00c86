"""Simulated detections that all trackers of the package are tried on."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest


@pytest.fixture(scope="session")
def simulated():
    """Call with a scenario, and a seed: simulation, truth of bright spots, detections of them."""
    simulate = pytest.importorskip("trackleed.simulate").simulate

    @cache
    def detections(scenario, seed=7):
        sim = simulate(scenario, seed=seed, frames=60, size=384)
        rng = np.random.default_rng(8)
        seen = sim.truth[sim.truth["visible"] & (sim.truth["snr"] >= 8)]
        table = {
            "frame": seen["frame"].to_numpy(),
            "x": seen["x"].to_numpy() + rng.normal(0, 0.1, len(seen)),
            "y": seen["y"].to_numpy() + rng.normal(0, 0.1, len(seen)),
            "width": np.full(len(seen), 19.0),
            "height": np.full(len(seen), 19.0),
            "score": seen["snr"].to_numpy(),
        }
        return sim, seen, table

    return detections
