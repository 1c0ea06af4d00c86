from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trackleed.errors import InputError
from trackleed.simulate.lattice import Lattice, beams
from trackleed.simulate.surfaces import surface

HEXAGONAL = Lattice(2.89, 2.89, 120)
SQUARE = Lattice(2.55, 2.55, 90)


@given(a=st.floats(1, 30), b=st.floats(1, 30), angle=st.floats(20, 160))
@settings(max_examples=30, deadline=None)
def test_real_and_reciprocal_vectors_are_dual(a: float, b: float, angle: float) -> None:
    lattice = Lattice(a, b, angle)
    # Both are drawn with their first vector along +x: products of lengths and areas remain.
    area = abs(np.linalg.det(lattice.real))
    assert abs(np.linalg.det(lattice.reciprocal)) * area == pytest.approx((2 * np.pi) ** 2)
    lengths = np.hypot(*lattice.reciprocal.T) * [a, b] * np.sin(np.radians(angle))
    assert lengths == pytest.approx(2 * np.pi)
    assert lattice.reciprocal[0, 1] == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize(
    ("lattice", "order"),
    [
        (Lattice(2.0, 3.1, 100), 2),
        (Lattice(2.0, 3.1, 90), 4),
        (SQUARE, 8),
        (HEXAGONAL, 12),
        (Lattice(2.89, 2.89, 120, threefold=True), 6),
        (surface("W(110)").lattice, 4),
    ],
)
def test_point_group_of_each_kind_of_lattice(lattice: Lattice, order: int) -> None:
    assert len(lattice.operations()) == order


def test_first_order_beams_of_a_hexagonal_surface() -> None:
    found = beams(HEXAGONAL, "(1x1)", g_max=1.1 * 4 * np.pi / np.sqrt(3) / 2.89)
    assert found.hk[0].tolist() == [0, 0]
    assert len(found.hk) == 7
    assert np.hypot(*found.g[1:].T) == pytest.approx(4 * np.pi / np.sqrt(3) / 2.89)
    assert len(np.unique(found.orbit, axis=0)) == 2  # (0,0) and six equal beams


def test_threefold_surface_splits_the_six_beams_into_two_sets() -> None:
    found = beams(surface("Ag(111)").lattice, "(1x1)", g_max=2.6)
    orbits, counts = np.unique(found.orbit, axis=0, return_counts=True)
    assert sorted(counts.tolist()) == [1, 3, 3]
    angle = np.degrees(np.arctan2(found.g[:, 1], found.g[:, 0]))
    same = np.all(found.orbit == orbits[-1], axis=1)
    assert np.diff(np.sort(angle[same])) == pytest.approx(120)


def test_superstructure_beams_are_fractional_and_whole_ones_stay() -> None:
    found = beams(HEXAGONAL, "(√3x√3)R30", g_max=2.6)
    shortest = np.hypot(*found.g[found.fractional].T).min()
    assert shortest == pytest.approx(4 * np.pi / 3 / 2.89)
    assert np.allclose(3 * found.hk, np.round(3 * found.hk))
    assert (~found.fractional).sum() == 7


def test_domains_give_the_pattern_the_symmetry_of_the_substrate() -> None:
    found = beams(HEXAGONAL, "p(2x1)", g_max=2.6)
    assert len(found.hk) == len(beams(HEXAGONAL, "p(2x2)", g_max=2.6).hk)


def test_no_beam_is_left_out() -> None:
    lattice, g_max = Lattice(3.0, 5.0, 75), 6.0
    steps = np.arange(-40, 41)
    hk = np.stack(np.meshgrid(steps, steps), axis=-1).reshape(-1, 2)
    expected = np.hypot(*(hk @ lattice.reciprocal).T) <= g_max
    assert len(beams(lattice, "(1x1)", g_max).hk) == expected.sum()


@pytest.mark.parametrize("name", ["Xx(111)", "Ag", "Ag(123)", "silver"])
def test_unknown_surface_says_what_is_known(name: str) -> None:
    with pytest.raises(InputError, match=r"Ag, Al|111, 100, 110"):
        surface(name)


def test_named_surfaces() -> None:
    assert surface("Ag(111)").lattice.a == pytest.approx(2.892, abs=1e-3)
    assert surface("Ag 110").lattice.b == pytest.approx(4.09)
    assert surface("Ru(0001)").name == "Ru(0001)"
