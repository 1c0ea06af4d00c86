from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trackleed import tables
from trackleed.analysis.lattice import cells, fit_lattice, pixels_per_inverse_angstrom
from trackleed.errors import InputError

A, B = np.array([60.0, 5.0]), np.array([-20.0, 55.0])
H, K = (a.ravel().astype(float) for a in np.mgrid[-3:4, -3:4])
INSIDE = np.hypot(*(H[:, None] * A + K[:, None] * B).T) < 150
HK = np.column_stack([H, K])[INSIDE & ((H != 0) | (K != 0))]
N = 120
REFERENCE = 40


def strained(n: int = N):
    """Vectors (frame, 2, 2) and origin (frame, 2): stretched, turned and drifting."""
    t = np.linspace(0, 1, n)[:, None]
    turn = np.radians(2 * t[:, 0])
    c, s = np.cos(turn), np.sin(turn)
    rotation = np.moveaxis(np.array([[c, s], [-s, c]]), -1, 0)
    vectors = np.stack([A / (1 + 0.02 * t), B * np.ones_like(t)], axis=1) @ rotation
    return vectors, np.concatenate([250 + 3 * t, 240 - 2 * t], axis=1)


def places(vectors: np.ndarray, origin: np.ndarray, hk: np.ndarray = HK):
    place = hk @ vectors + origin[:, None]
    return place[..., 0], place[..., 1]


def indices(hk: np.ndarray = HK) -> pd.DataFrame:
    n = len(hk)
    columns = {"track_id": np.arange(1, n + 1), "h": hk[:, 0], "k": hk[:, 1]}
    columns |= {"residual": np.zeros(n), "n_frames": np.full(n, N), "ok": np.ones(n, bool)}
    return tables.build(tables.TRACK_INDEX, columns | {"reason": np.full(n, "", dtype=object)})


def truth(vectors: np.ndarray, origin: np.ndarray) -> dict[str, np.ndarray]:
    log = [cells.log_spacing(vectors, which)[0] for which in (0, 1)]
    return {
        "x": origin[:, 0],
        "y": origin[:, 1],
        "ax": vectors[:, 0, 0],
        "ay": vectors[:, 0, 1],
        "bx": vectors[:, 1, 0],
        "by": vectors[:, 1, 1],
        "length_a": np.hypot(*vectors[:, 0].T),
        "length_b": np.hypot(*vectors[:, 1].T),
        "angle_deg": np.degrees(cells.angle(vectors)[0]),
        "rotation_deg": np.degrees(cells.rotation(vectors, vectors[REFERENCE])[0]),
        "strain_a": 100 * np.expm1(log[0] - log[0][REFERENCE]),
        "strain_b": 100 * np.expm1(log[1] - log[1][REFERENCE]),
    }


@pytest.mark.parametrize("wrong", [0.0, 0.05])
def test_errors_of_all_quantities_are_true(fits_of, wrong) -> None:
    vectors, origin = strained()
    x, y = places(vectors, origin)
    true, pulls = truth(vectors, origin), {}
    for seed in range(12):
        rng = np.random.default_rng(seed)
        gaps = np.where(rng.random(x.shape) < 0.3, np.nan, 0)
        off = np.where(rng.random(x.shape) < wrong, rng.normal(0, 4, x.shape), 0)
        err = 0.05 * rng.uniform(0.5, 3, x.shape)
        table = fit_lattice(fits_of(x + gaps + off, y, err, seed), indices(), reference=REFERENCE)
        for name, value in true.items():
            pull = ((table[name] - value) / table[f"{name}_err"]).drop(REFERENCE)
            pulls.setdefault(name, []).append(pull)
    for name, pull in pulls.items():
        shared = name.startswith(("strain", "rotation"))  # all frames share the reference's error
        assert np.isfinite(pull).all(), name
        assert (0.75 if shared else 0.9) < np.std(pull) < (1.25 if shared else 1.1), name
        assert abs(np.mean(pull)) < (0.5 if shared else 0.1), name


def test_scatter_beyond_the_errors_is_part_of_the_errors(fits_of) -> None:
    vectors, origin = strained()
    rng = np.random.default_rng(3)
    x, y = (p + rng.normal(0, 0.3, p.shape) for p in places(vectors, origin))
    table = fit_lattice(fits_of(x, y, 0.02), indices())
    assert ((table["ax"] - vectors[:, 0, 0]) / table["ax_err"]).std() == pytest.approx(1, abs=0.2)
    assert table["rms"].median() == pytest.approx(0.3 * np.sqrt(2), rel=0.2)


def test_wrong_spots_are_counted_and_do_no_harm(fits_of) -> None:
    vectors, origin = strained()
    x, y = places(vectors, origin)
    x[:, 3] += 12
    y[10, [5, 6, 7]] -= 9
    table = fit_lattice(fits_of(x, y, 0.05), indices())
    assert (table["n_outliers"].drop(10) == 1).all()
    assert table["n_outliers"][10] == 4
    np.testing.assert_allclose(table["ax"], vectors[:, 0, 0], atol=0.08)


def test_frames_that_do_not_tell_have_no_lattice(fits_of) -> None:
    vectors, origin = strained()
    x, y = places(vectors, origin)
    x[3, 2:] = np.nan  # two spots
    x[4, HK[:, 1] != 0] = np.nan  # one line
    x[5] = np.nan
    x[6, ::2] += np.linspace(10, 90, len(x[6, ::2]))  # half of the spots are wrong
    fits = fits_of(x, y, 0.05)
    table = fit_lattice(fits, indices())
    nowhere = np.isin(table["frame"], [3, 4, 5, 6])
    values = [c.name for c in tables.LATTICE.columns if c.dtype == "float"]
    assert table.loc[nowhere, values].isna().all(axis=None)
    assert table.loc[~nowhere, values].notna().all(axis=None)


def test_the_contraction_with_the_energy_is_no_strain(fits_of, index_of) -> None:
    energy = np.linspace(80, 160, N)
    vectors = np.broadcast_to(np.stack([A, B]), (N, 2, 2)) / np.sqrt(energy + 4)[:, None, None] * 10
    x, y = places(vectors, np.full((N, 2), 250.0))
    fits = fits_of(x, y, 0.02)
    index = index_of(energy)
    corrected = fit_lattice(fits, indices(), index=index, energy_shift=(4.0, 0.1))
    assert np.abs(corrected["strain_a"]).max() < 5 * corrected["strain_a_err"].max()
    assert np.abs(corrected["strain_b"]).max() < 0.3
    assert fit_lattice(fits, indices())["strain_a"].iloc[-1] > 30
    wrong = fit_lattice(fits, indices(), index=index, energy_shift=(0.0, 4.0))
    pull = wrong["strain_a"] / wrong["strain_a_err"]
    assert abs(pull.iloc[-1]) == pytest.approx(1, abs=0.3)  # E0 is one error off
    index.loc[7, "energy_eV"] = np.nan
    assert np.isnan(fit_lattice(fits, indices(), index=index)["strain_a"][7])


def test_the_pixels_aspect_makes_a_hexagonal_lattice_hexagonal(fits_of) -> None:
    vectors = np.array([[100.0, 0.0], [50.0, 100 * np.sqrt(0.75)]]) / [1.11, 1.0]
    x, y = places(np.broadcast_to(vectors, (5, 2, 2)), np.full((5, 2), 250.0))
    table = fit_lattice(fits_of(x, y, 0.01), indices(), pixel_aspect=1.11)
    np.testing.assert_allclose(table[["length_a", "length_b"]], 100, atol=0.05)
    np.testing.assert_allclose(table["angle_deg"], 60, atol=0.05)
    np.testing.assert_allclose(table["ax"], 100 / 1.11, atol=0.05)


@pytest.mark.parametrize("aspect", [1.0, 1.11])
def test_a_known_lattice_gives_the_scale(fits_of, index_of, aspect) -> None:
    true, energy, shift = 34.0, 150.0, 5.0  # px Å
    g = 4 * np.pi / np.sqrt(3) / 2.715
    vectors = true * g * np.array([[1, 0], [0.5, np.sqrt(0.75)]]) / [aspect, 1.0]
    x, y = places(np.broadcast_to(vectors, (300, 2, 2)), np.full((300, 2), 250.0))
    lattice = fit_lattice(fits_of(x, y, 0.05), indices())
    index = index_of(np.full(300, energy))
    scales = pixels_per_inverse_angstrom(
        lattice, 2.715, index=index, energy_shift=(shift, 0.0), pixel_aspect=aspect
    )
    pull = (scales["scale"] - true) / scales["scale_err"]
    assert pull.std() == pytest.approx(1, abs=0.15)
    assert abs(pull.mean()) < 0.25
    k = np.sqrt(energy + shift) * 0.512317
    np.testing.assert_allclose(scales["screen_radius"], true * k, rtol=2e-3)
    assert pixels_per_inverse_angstrom(lattice, 2.715)["screen_radius"].isna().all()


def test_vectors_in_inverse_angstrom_tell_how_the_lattice_changes(fits_of, index_of) -> None:
    true, shift, n = 34.0, 5.0, 200  # px Å at the first energy
    g = 4 * np.pi / np.sqrt(3) / 2.715
    energy, strain = np.linspace(100, 160, n), np.linspace(0, 0.01, n)
    shrunk = np.sqrt((energy[0] + shift) / (energy + shift)) / (1 + strain)
    vectors = true * g * np.array([[1, 0], [0.5, np.sqrt(0.75)]]) * shrunk[:, None, None]
    x, y = places(vectors, np.full((n, 2), 250.0))
    index = index_of(energy)
    lattice = fit_lattice(fits_of(x, y, 0.05), indices(), index=index, energy_shift=(shift, 0.0))
    scales = pixels_per_inverse_angstrom(lattice, 2.715, index=index, energy_shift=(shift, 0.0))
    for name in ("a_star", "b_star"):
        pull = (scales[name] - g / (1 + strain)) / scales[f"{name}_err"]
        assert abs(pull).max() < 5
        assert 0.5 < pull[1:].std() < 1.2  # the error of the reference is common to all
    late = pixels_per_inverse_angstrom(
        lattice, 2.715, index=index, energy_shift=(shift, 0.0), reference=n - 1
    )
    assert late["a_star"][n - 1] == pytest.approx(g, rel=2e-3)
    assert late["a_star"][0] == pytest.approx(g * 1.01, rel=3e-3)
    with pytest.raises(InputError, match="reference frame 999 has no lattice"):
        pixels_per_inverse_angstrom(lattice, 2.715, reference=999)


def test_what_cannot_be_used_is_refused(fits_of) -> None:
    vectors, origin = strained(3)
    lattice = fit_lattice(fits_of(*places(vectors, origin), 0.05), indices())
    fits = fits_of(*places(vectors, origin), 0.05)
    with pytest.raises(InputError, match=r"reference frame 9 has no lattice.*0 to 2"):
        fit_lattice(fits, indices(), reference=9)
    with pytest.raises(InputError, match="pixel aspect 0"):
        fit_lattice(fits, indices(), pixel_aspect=0)
    with pytest.raises(InputError, match="a=-1"):
        pixels_per_inverse_angstrom(lattice, -1)


@given(st.lists(st.integers(-800, 800).map(lambda n: n / 10), min_size=8, max_size=8))
@settings(max_examples=40)
def test_derivatives_are_those_of_the_values(numbers: list[float]) -> None:
    vectors, reference = (np.reshape(numbers[i : i + 4], (1, 2, 2)) for i in (0, 4))
    if min(abs(np.linalg.det(v[0])) for v in (vectors, reference)) < 100:
        return
    quantities = [
        lambda v: cells.length(v, 0),
        lambda v: cells.length(v, 1),
        cells.angle,
        cells.log_area,
        lambda v: cells.log_spacing(v, 0),
        lambda v: cells.log_spacing(v, 1),
    ]
    if np.linalg.det(np.linalg.inv(reference[0]) @ vectors[0]) > 0:  # a mirror image is not turned
        quantities.append(lambda v: cells.rotation(v, reference[0]))
    for quantity in quantities:
        _, derivative = quantity(vectors)
        steps = 1e-5 * np.eye(4).reshape(4, 2, 2)
        numeric = [(quantity(vectors + s)[0] - quantity(vectors - s)[0])[0] / 2e-5 for s in steps]
        np.testing.assert_allclose(derivative[0], numeric, rtol=1e-4, atol=1e-6)
