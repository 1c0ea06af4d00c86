from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from trackleed.errors import InputError
from trackleed.simulate import LEVELS, SUITES, Case, Facet, Jump, Level, Scenario, simulate, suite

NAMES = {
    "energy-ramp",
    "deposition",
    "cooling",
    "dim-dropout",
    "shaking",
    "satellites",
    "streaks",
}

RELEASED = {  # sums of x and of amplitudes over 5 frames with seed 21, dose
    ("easy", "energy-ramp"): (19870.235, 575932, 16000),
    ("easy", "deposition"): (40149.081, 1489035, 8000),
    ("easy", "cooling"): (55481.825, 1471503, 8000),
    ("easy", "dim-dropout"): (47925.175, 422590, 2000),
    ("easy", "shaking"): (48353.135, 1942128, 8000),
    ("easy", "satellites"): (41556.450, 554354, 16000),
    ("easy", "streaks"): (50320.725, 3690, 8000),
    ("middle", "energy-ramp"): (19870.235, 415868, 4000),
    ("middle", "deposition"): (40450.193, 1445809, 2000),
    ("middle", "cooling"): (55798.161, 1255618, 2000),
    ("middle", "dim-dropout"): (48295.175, 414085, 1000),
    ("middle", "shaking"): (49246.054, 1933925, 2000),
    ("middle", "satellites"): (41965.202, 514438, 4000),
    ("middle", "streaks"): (58062.375, 6933, 2000),
    ("hard", "energy-ramp"): (30708.545, 480744, 1000),
    ("hard", "deposition"): (41498.085, 1345131, 500),
    ("hard", "cooling"): (56096.004, 1166023, 500),
    ("hard", "dim-dropout"): (48850.175, 395546, 300),
    ("hard", "shaking"): (51343.162, 1994116, 500),
    ("hard", "satellites"): (41618.326, 457681, 1000),
    ("hard", "streaks"): (60642.925, 9292, 500),
}


def case(name: str, level: str = "middle") -> Case:
    return next(c for c in suite("leed-1").cases[level] if c.name == name)


def test_each_level_has_every_scenario() -> None:
    for one in SUITES.values():
        assert set(one.cases) == set(LEVELS)
        for cases in one.cases.values():
            assert {c.name for c in cases} == NAMES


@pytest.mark.parametrize("level", LEVELS)
def test_a_released_suite_never_changes(level: Level) -> None:
    """Written down when leed-1 came out: a suite that gives other series has another number."""
    assert suite("leed-1").seeds == (21, 22)
    for one in suite("leed-1").cases[level]:
        sim = one.simulate(21, frames=5)
        found = np.nansum(sim.pattern.x), np.nansum(sim.pattern.amplitude), sim.settings.dose
        assert found == pytest.approx(RELEASED[level, one.name], rel=1e-4)


def test_suites_are_found_by_name_and_others_are_told_what_there_is() -> None:
    assert suite("suite:leed-1") is suite("leed-1")
    with pytest.raises(InputError, match="leed-1"):
        suite("leed-99")


def test_harder_levels_have_dimmer_spots() -> None:
    for name in NAMES:
        clear = [
            case(name, level).simulate(21, frames=3).truth.query("snr > 0")["snr"].median()
            for level in LEVELS
        ]
        assert clear[0] > clear[1] > clear[2]


def steps(truth: pd.DataFrame) -> pd.Series:
    ordered = truth.sort_values(["spot", "frame"])
    return np.hypot(*(ordered.groupby("spot")[axis].diff() for axis in "xy"))


def test_a_jump_moves_all_spots_at_once_and_for_good() -> None:
    scenario = Scenario("jump", "", jumps=(Jump(0.5, 10.0, -4.0),))
    moved = steps(simulate(scenario, frames=6, size=128).truth).dropna()
    assert np.allclose(moved[moved > 0], np.hypot(10, 4))
    assert (moved > 0).groupby(level=0).sum().sum() == len(moved) / 5


def test_spots_of_a_facet_move_towards_its_own_specular_beam() -> None:
    facet = Facet(10.0, 30.0)
    scenario = Scenario("facets", "", energy_eV=(80.0, 160.0), facets=(facet,))
    sim = simulate(scenario, frames=5, size=256)
    flat = simulate(Scenario("flat", "", energy_eV=(80.0, 160.0)), frames=5, size=256)
    x, y = sim.screen.project(facet.specular)
    own = sim.truth[sim.truth["spot"] > flat.truth["spot"].max()].dropna(subset=["x", "y"])
    radius = np.hypot(own["x"] - x, own["y"] - y)
    constant = radius * np.sqrt(own["frame"].map(sim.index["energy_eV"]))
    scatter = constant.groupby(own["spot"]).std() / constant.groupby(own["spot"]).mean()
    assert (scatter.dropna() < 1e-6).all()
    assert len(own) > 30


def test_spots_of_the_flat_surface_do_not_depend_on_the_facets() -> None:
    both = simulate(Scenario("facets", "", facets=(Facet(10.0, 30.0),)), frames=2, size=128)
    flat = simulate(Scenario("flat", ""), frames=2, size=128)
    n = flat.truth["spot"].max()
    shared = both.truth[both.truth["spot"] <= n].reset_index(drop=True)
    assert np.allclose(shared[["x", "y", "sigma_x"]], flat.truth[["x", "y", "sigma_x"]])


def test_streaks_lie_half_way_between_the_rows_of_spots() -> None:
    plain = Scenario("plain", "", surface="Au(110)", drift_px=(5.0, -3.0))
    streaked = Scenario("streaked", "", surface="Au(110)", drift_px=(5.0, -3.0), streaks=1.0)
    sims = [simulate(s, frames=2, size=256, halo=0, sigma=(1, 1)) for s in (plain, streaked)]
    extra = sims[1].expected(1) - sims[0].expected(1)
    spots = sims[1].truth.query("frame == 1 and visible")
    on_spots = [extra[round(s.y), round(s.x)] for s in spots.itertuples()]
    assert max(on_spots) < 0.01 * extra.max()
    assert extra.max() > 0.5 * sims[0].pattern.diffuse[1]


def test_clipped_pixels_tell_nothing_about_the_place() -> None:
    """As many electrons in both series; in the second one the camera is full before."""
    below, above = (
        simulate("cooling", frames=1, size=256, exposure=e, dose=7000 / e).truth for e in (0.7, 4.0)
    )
    seen = below["visible"]
    brightest = below.loc[seen, "amplitude"].idxmax()
    assert above["x_err"][brightest] > 1.5 * below["x_err"][brightest]
    assert (below["x_err"] > 0).sum() == (below["snr"] > 0).sum()
