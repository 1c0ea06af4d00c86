from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from trackleed import tables
from trackleed.analysis.deviations import deviations
from trackleed.analysis.lattice import fit_lattice, index_spots
from trackleed.analysis.quality import frame_quality, track_quality, uncertain_tracks

A, B = np.array([100.0, 0.0]), np.array([50.0, 86.6])
H, K = (a.ravel() for a in np.mgrid[-2:3, -2:3])
POINTS = H[:, None] * A + K[:, None] * B
POINTS = POINTS[(np.hypot(*POINTS.T) < 180) & (np.hypot(*POINTS.T) > 0)]  # 12 spots
N = 40
ENERGY = np.linspace(80, 160, N)


@pytest.fixture
def good(fits_of):
    """Fits with nothing amiss, and what makes them: places (frame, track) to spoil first."""

    def make(x: np.ndarray, y: np.ndarray, err: float = 0.05, seed: int = 0) -> pd.DataFrame:
        fits = fits_of(x, y, err, seed)
        ok = fits["status"] == "ok"
        for name, value in {"snr": 60.0, "chi2_red": 1.1, "fwhm_x": 6.0, "fwhm_y": 6.5}.items():
            fits[name] = np.where(ok, value, np.nan)
        return fits

    return make


def drifting(n: int = N):
    drift = np.linspace(0, 12, n)[:, None]
    return 300 + drift + POINTS[:, 0], 240 - drift / 2 + POINTS[:, 1]


def contracting():
    g = np.sqrt(100 / ENERGY)[:, None]
    return 300 + POINTS[:, 0] * g, 240 + POINTS[:, 1] * g


def reasons(fits: pd.DataFrame, **given: pd.DataFrame) -> dict[int, str]:
    found = uncertain_tracks(track_quality(fits, deviations(fits, **given)))
    return dict(zip(found["track_id"], found["reason"], strict=True))


def test_good_tracks_are_not_uncertain(good, index_of) -> None:
    gaps = np.where(np.random.default_rng(1).random((N, len(POINTS))) < 0.3, np.nan, 0)
    x, y = drifting()
    assert reasons(good(x + gaps, y)) == {}
    x, y = contracting()
    assert reasons(good(x + gaps, y), index=index_of(ENERGY)) == {}
    shake = np.random.default_rng(2).normal(0, 3, (N, 1))
    assert reasons(good(x + gaps + shake, y - shake), index=index_of(ENERGY)) == {}


@pytest.mark.parametrize("model", ["smooth", "energy", "lattice"])
def test_deviations_are_those_put_in(good, index_of, model) -> None:
    x, y = contracting()
    x[20, 3] += 5
    fits = good(x, y)
    given = {} if model == "smooth" else {"index": index_of(ENERGY)}
    if model == "lattice":
        indices = index_spots(fits, (basis(1, 0), basis(0, 1)))
        given = {"indices": indices, "lattice": fit_lattice(fits, indices)}
    found = deviations(fits, **given)
    assert set(found["model"]) == {model}
    wrong = (found["frame"] == 20) & (found["track_id"] == 4)
    assert found.loc[wrong, "dx"].item() == pytest.approx(5, abs=0.3)
    assert found.loc[~wrong, ["dx", "dy"]].abs().max(axis=None) < (
        0.8 if model == "smooth" else 0.4
    )


def basis(h: int, k: int) -> int:
    return int(np.hypot(*(POINTS - (h * A + k * B)).T).argmin()) + 1


def test_what_all_tracks_do_alike_is_kept_apart(good) -> None:
    x, y = drifting()
    x[15] += 4
    fits = good(x, y)
    found = deviations(fits)
    table = frame_quality(fits, found)
    assert table["shift"].idxmax() == 15
    assert table["shift"][15] == pytest.approx(4, abs=0.3)
    assert found["dx"].abs().max() < 1


def test_a_jump_to_another_spot_is_told_with_its_frame(good) -> None:
    x, y = drifting()
    x[25:, 6] += 30
    assert reasons(good(x, y)) == {7: "jumps in frame 25"}
    fits = good(x, y)
    assert frame_quality(fits, deviations(fits))["n_jumps"].tolist() == [0] * 25 + [1] + [0] * 14


def test_a_track_that_wanders_strays(good, index_of) -> None:
    x, y = contracting()
    x[:, 2] += 4 * np.sin(np.arange(N) / 3)
    found = reasons(good(x, y), index=index_of(ENERGY))
    assert list(found) == [3]
    assert found[3].startswith("strays by 2.")


def test_one_position_far_off_is_told(good) -> None:
    x, y = drifting()
    y[11, 4] += 9
    x[0, 7] += 9  # a step from nowhere is no jump back
    found = reasons(good(x, y))
    assert found == {5: "jumps in frames 11, 12", 8: "jumps in frame 1"}
    away = deviations(good(x, y))
    assert track_quality(good(x, y), away)["largest"][4] == pytest.approx(9, abs=0.3)


def test_a_hot_pixel_stands_still_where_the_others_move(good) -> None:
    x, y = drifting()
    x[:, 8], y[:, 8] = 222.0, 300.0
    found = reasons(good(x, y))
    assert list(found) == [9]
    assert "stands still (0.1 px) where the others move (4.0 px)" in found[9]
    fits = good(np.broadcast_to(x[0], x.shape), np.broadcast_to(y[0], y.shape))
    assert reasons(fits) == {}  # where nothing moves, standing still says nothing


def test_fits_that_are_odd_are_told(good) -> None:
    x, y = drifting()
    fits = good(x, y)
    of = fits["track_id"]
    fits.loc[of == 1, "snr"] = 3.2
    fits.loc[of == 2, "chi2_red"] = 40.0
    fits.loc[of == 3, ["fwhm_x", "fwhm_y"]] = 1.5
    fits.loc[of == 4, ["fwhm_x", "fwhm_y"]] = 14.0
    fits.loc[(of == 5) & (fits["frame"] % 4 > 0), "status"] = "left_roi"
    fits.loc[(of == 6) & (fits["frame"] > 1), "status"] = "lost"
    found = reasons(fits)
    assert found.pop(1) == "weak: median snr 3.2"
    assert found.pop(2).startswith("not a Gaussian: chi2_red 40.0")
    assert found.pop(3).startswith("narrower than the others: 1.5 px")
    assert found.pop(4).startswith("wider than the others: 14.0 px")
    assert found.pop(5) == "30 of 40 fits cannot be used (left_roi 30)"
    assert found.pop(6) == "placed in 2 of 40 frames"
    assert found == {}


def test_a_track_that_comes_late_or_is_clipped_is_as_good_as_any(good) -> None:
    x, y = drifting()
    x[:25, 3] = np.nan
    fits = good(x, y)
    fits.loc[fits["track_id"] == 5, "status"] = "saturated"
    assert reasons(fits) == {}


def test_counts_and_medians_are_those_of_the_fits(good) -> None:
    x, y = drifting()
    x[5:9, 0] = np.nan
    fits = good(x, y)
    fits.loc[(fits["track_id"] == 2) & (fits["frame"] < 3), "status"] = "too_dim"
    away = deviations(fits)
    tracks, frames = track_quality(fits, away), frame_quality(fits, away)
    assert tracks["n_usable"].tolist() == [36, 37] + [40] * 10
    assert tracks["n_lost"].tolist() == [4] + [0] * 11
    assert tracks["n_too_dim"].tolist() == [0, 3] + [0] * 10
    assert frames["n_usable"].tolist() == [11] * 3 + [12] * 2 + [11] * 4 + [12] * 31
    assert frames["n_tracks"].tolist() == [12] * N
    assert tracks["fwhm"].tolist() == pytest.approx([np.sqrt(39)] * 12)
    assert tracks["deviation"].between(0.02, 0.2).all()


def test_fits_without_any_position_are_no_error(good) -> None:
    x, y = drifting(4)
    fits = good(np.full_like(x, np.nan), y)
    found = reasons(fits)
    assert set(found.values()) == {"placed in 0 of 4 frames"}
    assert len(deviations(tables.empty(tables.FITS))) == 0
