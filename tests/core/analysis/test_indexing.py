from __future__ import annotations

import numpy as np
import pytest

from trackleed import tables
from trackleed.analysis.centers import pattern_centers
from trackleed.analysis.lattice import index_spots
from trackleed.errors import InputError
from trackleed.simulate import Scenario, simulate

A, B = np.array([100.0, 0.0]), np.array([50.0, 86.6])
N = 12


def net(step: float = 1.0, rmax: float = 230.0, basis=(A, B)) -> np.ndarray:
    """All (h, k) of multiples of ``step`` within a circle, (spot, 2)."""
    n = np.arange(-round(6 / step), round(6 / step) + 1) * step
    hk = np.stack(np.meshgrid(n, n), axis=-1).reshape(-1, 2)
    return hk[np.hypot(*(hk @ np.stack(basis)).T) < rmax]


def places(hk: np.ndarray, n: int = N, scale=None, basis=(A, B)):
    scale = np.ones(n) if scale is None else scale
    drift = np.linspace(0, 8, n)[:, None]
    place = (hk @ np.stack(basis))[None] * scale[:, None, None]
    return 310 + drift + place[..., 0], 215.5 + place[..., 1]


def track_of(hk: np.ndarray, h: float, k: float) -> int:
    return int(np.flatnonzero(np.hypot(hk[:, 0] - h, hk[:, 1] - k) < 1e-9)[0]) + 1


def basis_of(hk: np.ndarray) -> tuple[int, int]:
    return track_of(hk, 1, 0), track_of(hk, 0, 1)


def assert_indexed(table, hk: np.ndarray) -> None:
    assert table["ok"].all(), table.loc[~table["ok"], "reason"].tolist()
    np.testing.assert_allclose(table[["h", "k"]], hk, atol=1e-6)


@pytest.mark.parametrize("source", ["centers", "specular", "found"])
def test_all_spots_get_their_indices(fits_of, source) -> None:
    hk = net()
    fits = fits_of(*places(hk), 0.05)
    given = {
        "centers": {"centers": pattern_centers(fits, N)},
        "specular": {"specular": track_of(hk, 0, 0)},
        "found": {},
    }[source]
    table = index_spots(fits, basis_of(hk), **given)
    assert_indexed(table, hk)
    assert (table["n_frames"] == N).all()
    assert table["residual"].max() < 0.2


def test_a_poor_centre_and_poor_basis_spots_do_not_spoil_the_far_indices(fits_of) -> None:
    hk = net(rmax=420)
    x, y = places(hk)
    for track in basis_of(hk):
        x[:, track - 1] += 5
    fits = fits_of(x, y, 0.05)
    centers = pattern_centers(fits, N, mode="fixed", fixed=(308.0, 218.0))
    assert_indexed(index_spots(fits, basis_of(hk), centers=centers), hk)


@pytest.mark.parametrize(
    ("superstructure", "step"), [("p(2x2)", 0.5), ("p(4x4)", 0.25), (((3, 0), (0, 3)), 1 / 3)]
)
def test_spots_of_a_superstructure_have_fractional_indices(fits_of, superstructure, step) -> None:
    hk = net(step, 160)
    fits = fits_of(*places(hk), 0.05)
    table = index_spots(
        fits, basis_of(hk), specular=track_of(hk, 0, 0), superstructure=superstructure
    )
    assert_indexed(table, hk)


def test_a_rotated_superstructure_and_its_domains(fits_of) -> None:
    hk = net(1 / 7, 120)
    steps = np.linalg.inv([[3, 1], [-1, 2]]).T  # (√7x√7)R19.1
    ours = np.abs(hk @ np.linalg.inv(steps) - np.rint(hk @ np.linalg.inv(steps))).max(1) < 1e-9
    hk = hk[ours]
    fits = fits_of(*places(hk), 0.05)
    given = {"basis": basis_of(hk), "specular": track_of(hk, 0, 0)}
    one, other = "(√7x√7)R19.1", ((3, 2), (-2, 1))
    assert_indexed(index_spots(fits, **given, superstructure=one), hk)
    mirror = index_spots(fits, **given, superstructure=other)
    assert 0 < mirror["ok"].sum() < len(hk)
    assert mirror.loc[~mirror["ok"], "reason"].str.contains("between the places").all()
    assert_indexed(index_spots(fits, **given, superstructure=[other, one]), hk)


def test_wood_on_narrow_pixels_needs_their_aspect(fits_of) -> None:
    narrow = (A / [1.7, 1], B / [1.7, 1])
    hk = net(1 / 3, 100, narrow)
    steps = np.linalg.inv([[2, 1], [-1, 1]]).T
    hk = hk[np.abs(hk @ np.linalg.inv(steps) - np.rint(hk @ np.linalg.inv(steps))).max(1) < 1e-9]
    fits = fits_of(*places(hk, basis=narrow), 0.05)
    given = {"basis": basis_of(hk), "specular": track_of(hk, 0, 0), "superstructure": "(r3xr3)R30"}
    assert_indexed(index_spots(fits, **given, pixel_aspect=1.7), hk)
    with pytest.raises(InputError, match="no coincidence lattice"):
        index_spots(fits, **given)


def test_frames_without_the_basis_spots_are_served_by_the_energy(fits_of, index_of) -> None:
    energy = np.linspace(80, 200, N)
    hk = net(0.5, 160)
    x, y = places(hk, scale=np.sqrt(120 / energy))
    late = net(0.5, 160)[:4]
    x[1:, [t - 1 for t in basis_of(hk)]] = np.nan
    x[:6, :4] = np.nan  # these are seen only where the basis is not
    fits = fits_of(x, y, 0.05)
    given = {"specular": track_of(hk, 0, 0), "superstructure": "p(2x2)"}
    with_energy = index_spots(fits, basis_of(hk), index=index_of(energy), **given)
    assert_indexed(with_energy, hk)
    without = index_spots(fits, basis_of(hk), **given)
    assert not np.array_equal(without[["h", "k"]].to_numpy()[: len(late)], late)


def test_strays_twins_and_wanderers_are_told_with_the_reason(fits_of) -> None:
    hk = net()
    x, y = places(hk)
    stray = np.full((N, 1), 431.0), np.full((N, 1), 177.0)
    twin = x[:, [3]] + 3, y[:, [3]] + 2
    places_of = np.arange(len(hk))[np.arange(N) * 2 % len(hk)]
    wanderer = x[np.arange(N), places_of][:, None], y[np.arange(N), places_of][:, None]
    lost = np.full((N, 1), np.nan), np.full((N, 1), np.nan)
    x = np.column_stack([x, stray[0], twin[0], wanderer[0] + 1, lost[0]])
    y = np.column_stack([y, stray[1], twin[1], wanderer[1], lost[1]])
    x[0, -3] = np.nan  # the twin has a frame less
    table = index_spots(fits_of(x, y, 0.05), basis_of(hk), specular=track_of(hk, 0, 0))
    assert_indexed(table.iloc[: len(hk)], hk)
    reasons = table["reason"].tolist()[len(hk) :]
    assert reasons[0].startswith("between the places")
    assert reasons[1].endswith("is track 4 already")
    assert reasons[2].startswith("it changes places")
    assert reasons[3] == "it has no usable fit"
    assert table[["h", "k"]].iloc[len(hk) :].isna().all(axis=None)


def test_a_basis_that_is_none_is_refused(fits_of) -> None:
    hk = net()
    x, y = places(hk)
    x[: N // 2, 0], x[N // 2 :, 1] = np.nan, np.nan
    fits = fits_of(x, y, 0.05)
    specular = track_of(hk, 0, 0)
    opposite = track_of(hk, 1, 0), track_of(hk, -1, 0)
    with pytest.raises(InputError, match=r"make no basis.*180\.0° apart"):
        index_spots(fits, opposite, specular=specular)
    with pytest.raises(InputError, match="two different tracks"):
        index_spots(fits, (5, 5), specular=specular)
    with pytest.raises(InputError, match="track 99 has no usable fit"):
        index_spots(fits, (5, 99), specular=specular)
    with pytest.raises(InputError, match="never seen in the same frame"):
        index_spots(fits, (1, 2), specular=specular)
    with pytest.raises(InputError, match=r"tolerance 0\.7"):
        index_spots(fits, (1, 2), tolerance=0.7)


def test_a_simulated_superstructure_is_indexed_as_it_was_made(fits_of) -> None:
    scenario = Scenario("deposited", "", surface="Ru(0001)", superstructure="p(2x2)",
                        energy_eV=(95.5, 95.5), coverage_ML=(0.25, 0.25))  # fmt: skip
    sim = simulate(scenario, frames=3)
    truth = sim.truth
    x, y = (truth.pivot(index="frame", columns="spot", values=n).to_numpy() for n in "xy")
    hk = truth.drop_duplicates("spot").sort_values("spot")[["h", "k"]].to_numpy()
    table = index_spots(
        fits_of(x, y, 0.03), basis_of(hk), specular=track_of(hk, 0, 0), superstructure="p(2x2)"
    )
    assert_indexed(table, hk)
    assert set(table.columns) == set(tables.TRACK_INDEX.names)
