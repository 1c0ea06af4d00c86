from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trackleed import tables
from trackleed.analysis.positions import (
    complete_groups,
    find_groups,
    group_seeds,
    relative_positions,
)
from trackleed.errors import InputError

N = 8
ENERGY = np.array([168.0, 102, 220, 304, 231, 163, 172, 143])


def group_rows(frame: int, satellite: tuple[float, float], **changed: Any) -> pd.DataFrame:
    """A reference at (100, 80) and one satellite, fitted together, 0.1 px of error in each."""
    row = {c.name: np.nan for c in tables.GROUP_FITS.columns if c.dtype == "float"}
    row |= {"frame": frame, "group": 1, "status": "ok", "saturated": False, "n_together": 2}
    row |= {"x_err": 0.1, "y_err": 0.1, "xy_cov": 0.0, "sigma_x": 2.0, "sigma_y": 2.0}
    row |= {"amplitude": 500.0, "amplitude_err": 5.0, "snr": 80.0, "shape": "own", "chi2_red": 1.0}
    row |= {f"ref_{name}_cov": 0.0 for name in ("xx", "xy", "yx", "yy")}
    rows = []
    for track, role, place in ((3, "reference", (0.0, 0.0)), (17, "satellite", satellite)):
        x, y = 100 + place[0], 80 + place[1]
        own = {"track_id": track, "role": role, "x": x, "y": y, "seed_x": x, "seed_y": y}
        rows.append(row | own | (changed if role == "satellite" else {}))
    return pd.DataFrame(rows)


def series(places: np.ndarray) -> pd.DataFrame:
    return pd.concat([group_rows(i, tuple(place)) for i, place in enumerate(places)])


def index(energy: np.ndarray) -> pd.DataFrame:
    return pd.DataFrame({"frame": np.arange(len(energy)), "energy_eV": energy})


def contracting(energy: np.ndarray) -> np.ndarray:
    return np.array([[8.0, -7.0]]) * np.sqrt(160 / energy)[:, None]


def test_a_vector_and_its_errors_by_hand() -> None:
    found = relative_positions(group_rows(0, (8.0, 6.0))).iloc[0]
    assert found[["dx", "dy", "r"]].tolist() == pytest.approx([8, 6, 10])
    assert found["angle_deg"] == pytest.approx(np.degrees(np.arctan2(6, 8)))  # down is positive
    assert found["dx_err"] == pytest.approx(0.1 * np.sqrt(2))
    assert found["r_err"] == pytest.approx(0.1 * np.sqrt(2))
    assert found["angle_deg_err"] == pytest.approx(np.degrees(0.1 * np.sqrt(2) / 10))
    assert (found["reference"], found["satellite"]) == (3, 17)


def test_pixels_that_are_not_square_change_distance_and_angle_but_not_dx_and_dy() -> None:
    found = relative_positions(group_rows(0, (8.0, 6.0)), pixel_aspect=0.75).iloc[0]
    assert found[["dx", "dy", "pixel_aspect"]].tolist() == pytest.approx([8, 6, 0.75])
    assert found["r"] == pytest.approx(6 * np.sqrt(2))
    assert found["angle_deg"] == pytest.approx(45)
    one = 0.1 * np.sqrt(2)  # standard error of dx and of dy
    both = np.hypot(0.75 * one, one) / np.sqrt(2)
    assert found["dx_err"] == pytest.approx(one)
    assert found["r_err"] == pytest.approx(both)
    assert found["angle_deg_err"] == pytest.approx(np.degrees(both / found["r"]))
    with pytest.raises(InputError, match="aspect 0 is not a positive number"):
        relative_positions(group_rows(0, (8.0, 6.0)), pixel_aspect=0)


@settings(max_examples=25)
@given(
    st.floats(6, 20),
    st.floats(-180, 180),
    st.lists(st.floats(-1, 1), min_size=16, max_size=16),
)
def test_errors_are_those_of_draws_from_the_joint_covariance(
    r: float, angle: float, mix: list[float]
) -> None:
    """x, y of the satellite and of the reference, correlated in every way."""
    root = 0.05 * (np.eye(4) + np.reshape(mix, (4, 4)))
    covariance = root @ root.T
    place = r * np.array([np.cos(np.radians(angle)), np.sin(np.radians(angle))])
    rows = group_rows(0, (float(place[0]), float(place[1])))
    sat, ref = rows["role"] == "satellite", rows["role"] == "reference"
    for who, at in ((sat, 0), (ref, 2)):
        rows.loc[who, "x_err"] = np.sqrt(covariance[at, at])
        rows.loc[who, "y_err"] = np.sqrt(covariance[at + 1, at + 1])
        rows.loc[who, "xy_cov"] = covariance[at, at + 1]
    for a, b in ((0, 0), (0, 1), (1, 0), (1, 1)):
        rows.loc[sat, f"ref_{'xy'[a]}{'xy'[b]}_cov"] = covariance[a, 2 + b]
    found = relative_positions(rows).iloc[0]
    drawn = np.random.default_rng(0).multivariate_normal(np.zeros(4), covariance, 4000)
    dx, dy = place[0] + drawn[:, 0] - drawn[:, 2], place[1] + drawn[:, 1] - drawn[:, 3]
    along = np.hypot(dx, dy)
    turned = np.degrees(np.arctan2(dy * place[0] - dx * place[1], dx * place[0] + dy * place[1]))
    for name, values in (("dx", dx), ("dy", dy), ("r", along), ("angle_deg", turned)):
        assert found[f"{name}_err"] == pytest.approx(values.std(), rel=0.08, abs=1e-4)
    assert found["dxdy_cov"] == pytest.approx(np.cov(dx, dy)[0, 1], abs=0.08 * dx.std() * dy.std())


@pytest.mark.parametrize(
    ("changed", "status", "told"),
    [
        ({"status": "masked"}, "masked", "mask"),
        ({"status": "no_convergence"}, "no_convergence", "settle"),
        ({"status": "left_roi"}, "walked", "seed"),
        ({"status": "neighbour"}, "walked", "neighbour"),
        ({"seed_x": 113.0}, "walked", "5.0 px"),
        ({"snr": 4.0}, "too_dim", "4.0 standard errors"),
        ({"amplitude_err": 200.0}, "too_dim", "2.5 standard errors"),
        ({"sigma_x": 5.0, "sigma_y": 5.0}, "merged", "full widths"),
        ({"status": "saturated"}, "saturated", "clipped"),
    ],
)
def test_flags_come_with_their_reasons(changed: dict[str, Any], status: str, told: str) -> None:
    found = relative_positions(group_rows(0, (8.0, 0.0), **changed)).iloc[0]
    assert found["status"] == status
    assert told in found["reason"]
    assert np.isfinite(found["r"]) == (status in ("merged", "saturated"))
    assert np.isfinite(found["amplitude_limit"]) == (status == "too_dim")


def test_every_reason_is_told() -> None:
    found = relative_positions(
        group_rows(0, (4.0, 0.0), seed_x=108.0, status="saturated", snr=2.0)
    ).iloc[0]
    assert found["status"] == "too_dim"
    for word in ("standard errors", "seed", "full widths", "clipped"):
        assert word in found["reason"]


def test_contraction_with_the_energy_is_no_jump() -> None:
    places = contracting(ENERGY)
    found = relative_positions(series(places), index(ENERGY))
    assert (found["status"] == "ok").all()
    places[2] += (3.0, 0.0)
    jumped = relative_positions(series(places), index(ENERGY))
    assert jumped.loc[jumped["status"] == "jumped", "frame"].tolist() == [2]
    assert jumped.loc[2, "reason"] == "3.0 px from where the other frames put it"
    assert np.isfinite(jumped.loc[2, "r"])


def test_a_wrong_energy_looks_like_a_jump() -> None:
    told = np.where(np.arange(N) == 4, 50.0, ENERGY)
    found = relative_positions(series(contracting(ENERGY)), index(told))
    assert found.loc[found["status"] == "jumped", "frame"].tolist() == [4]


def test_slow_drift_without_energies_is_no_jump() -> None:
    places = np.column_stack([np.linspace(8, 14, 60), np.linspace(0, -5, 60)])
    places += np.random.default_rng(2).normal(0, 0.14, places.shape)
    assert (relative_positions(series(places))["status"] == "ok").all()
    places[30] += (0.0, 4.0)
    found = relative_positions(series(places))
    assert found.loc[found["status"] == "jumped", "frame"].tolist() == [30]


def tracks(places: dict[int, tuple[float, float]], n: int = 3, **lost: Any) -> pd.DataFrame:
    rows = [
        (frame, track, x + frame, y, 19.0, 19.0, 1.0, "measured")
        for frame in range(n)
        for track, (x, y) in places.items()
    ]
    return tables.build(tables.TRACKS, pd.DataFrame(rows, columns=tables.TRACKS.names))


def fits(of: pd.DataFrame, amplitude: dict[int, float]) -> pd.DataFrame:
    return of[["frame", "track_id", "x", "y"]].assign(
        status="ok", amplitude=of["track_id"].map(amplitude)
    )


PLACES = {1: (50.0, 50.0), 2: (60.0, 50.0), 3: (50.0, 62.0), 4: (150.0, 50.0), 5: (158.0, 50.0)}
PLACES |= {6: (250.0, 50.0)}
HEIGHTS = {1: 900.0, 2: 100.0, 3: 200.0, 4: 80.0, 5: 700.0, 6: 500.0}


def test_bright_tracks_take_the_dimmer_ones_near_them() -> None:
    t = tracks(PLACES)
    assert find_groups(t, fits(t, HEIGHTS), 15) == ([(1, [2, 3]), (5, [4])], [])
    assert find_groups(t, fits(t, HEIGHTS), 5) == ([], [])


HEXAGON = [(10.0, 0.0), (5.0, 8.7), (-5.0, 8.7), (-10.0, 0.0), (-5.0, -8.7), (5.0, -8.7)]


def moire(*missing: int) -> dict[int, tuple[float, float]]:
    """Beams 1 and 11 with satellites 2 to 7 and 12 to 17."""
    places = {
        10 * n + 1 + m: (50 + 100 * n + dx, 50 + dy)
        for n in range(2)
        for m, (dx, dy) in enumerate([(0.0, 0.0), *HEXAGON])
    }
    return {track: place for track, place in places.items() if track not in missing}


def moire_heights(of: pd.DataFrame) -> pd.DataFrame:
    """Beams three times as high as satellites; all of frame ``i`` times 2**i."""
    beam = of["track_id"] % 10 == 1
    return fits(of, {}).assign(amplitude=np.where(beam, 900.0, 300.0) * 2.0 ** of["frame"])


def test_a_satellite_that_is_the_brighter_one_for_a_while_is_no_reference() -> None:
    t = tracks(moire(5), n=5)
    found = moire_heights(t)
    brighter = (found["track_id"] == 3) & (found["frame"] > 0)
    found.loc[brighter, "amplitude"] *= 5
    assert [group[0] for group in find_groups(t, found, 15)[0]] == [1, 11]


def test_a_reference_seen_in_dim_frames_only_and_a_clipped_one_are_references() -> None:
    t = tracks(moire(4, 15), n=5)
    found = moire_heights(t)
    found.loc[(found["track_id"] == 1) & (found["frame"] > 0), "status"] = "left_roi"
    found.loc[found["track_id"] == 11, "status"] = "saturated"
    assert [group[0] for group in find_groups(t, found, 15)[0]] == [1, 11]


def test_farther_satellites_are_no_groups_of_their_own() -> None:
    places = moire() | {8: (70.0, 50.0), 9: (65.0, 58.7)}
    t = tracks(places)
    groups, farther = find_groups(t, moire_heights(t), 12)
    assert groups == [(1, list(range(2, 8))), (11, list(range(12, 18)))]
    assert farther == [8, 9]


def test_spots_without_any_fit_are_grouped_all_the_same() -> None:
    t = tracks({1: (50.0, 50.0), 2: (60.0, 50.0)})
    assert find_groups(t, fits(t, {}).assign(status="lost"), 15) == ([(1, [2])], [])


def test_a_track_that_was_never_seen_beside_it_is_no_satellite() -> None:
    t = tracks(PLACES)
    t.loc[t["track_id"] == 2, ["x", "y"]] = np.nan
    assert find_groups(t, fits(t, HEIGHTS), 15) == ([(1, [3]), (5, [4])], [])


def test_a_reference_alone_gets_what_is_near_it() -> None:
    t = tracks(PLACES)
    assert complete_groups([(1, []), (4, [5])], t, 15) == [(1, [2, 3]), (4, [5])]


@pytest.mark.parametrize(
    ("group", "told"),
    [
        ((1, [99]), "no track 99; tracks are 1 to 6"),
        ((1, [2, 2]), "twice"),
        ((1, [1]), "twice"),
        ((6, []), "no track keeps within 15 px"),
    ],
)
def test_groups_that_are_none(group: tuple[int, list[int]], told: str) -> None:
    with pytest.raises(InputError, match=told):
        complete_groups([group], tracks(PLACES), 15)


def test_seeds_are_the_fits_and_else_the_tracks() -> None:
    t = tracks(PLACES)
    f = fits(t, HEIGHTS).assign(x=lambda table: table["x"] + 0.25)
    f.loc[f["track_id"] == 2, "status"] = "neighbour"
    seeds = group_seeds(t, f, [(1, [2])], half_size=8)
    first = seeds[seeds["frame"] == 0].set_index("track_id")
    assert first["role"].to_dict() == {1: "reference", 2: "satellite"}
    assert first["x"].to_dict() == {1: 50.25, 2: 60.0}
    assert (first["width"] == 17).all()
    wide = group_seeds(t, f, [(1, [2]), (4, [5])], half_size=13)
    company = wide[wide["role"] == "company"]
    assert set(zip(company["group"], company["track_id"], strict=True)) == {(1, 3)}
