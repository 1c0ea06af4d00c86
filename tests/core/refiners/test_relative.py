"""A reference and its satellites on a slope, fitted together, against the truth."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import pytest

from trackleed import tables
from trackleed.analysis.positions import joint_model, relative_positions
from trackleed.builtin.refiners.gaussian import Gaussian
from trackleed.builtin.refiners.params import GaussianParams

SHAPE = (64, 64)
AWAY = [(9.0, 10), (10, 70), (11, 130), (8.5, 190), (12, 250), (9.5, 310)]
"""Distance in px and angle of the satellites."""


class Series:
    """Frames of one group, tracked to 0.4 px, and where its spots truly are (frame, spot, xy)."""

    def __init__(
        self,
        lab: Any,
        n: int,
        height: float = 200,
        away: Sequence[tuple[float, float]] = AWAY,
        dark: Sequence[int] = (),
        widths: tuple[float, float] = (2.5, 2.3),
    ) -> None:
        rng = np.random.default_rng(4)
        y, x = np.mgrid[: SHAPE[0], : SHAPE[1]]
        slope = 200 + 3.0 * (x - 32) - 2.0 * (y - 32)
        r, angle = np.array(away).T
        steps = np.column_stack([r * np.cos(np.radians(angle)), r * np.sin(np.radians(angle))])
        middle = 32 + rng.uniform(-0.5, 0.5, (n, 1, 2))
        self.truth = np.concatenate([middle, middle + steps], axis=1)
        heights = [1200.0, *(0.0 if m in dark else height for m in range(1, len(r) + 1))]
        sigmas = [widths[0], *[widths[1]] * len(r)]
        frames = []
        for places in self.truth:
            expected = slope.copy()
            for (a, b), top, sigma in zip(places, heights, sigmas, strict=True):
                expected += lab.spot(SHAPE, a, b, top, sigma)
            frames.append(rng.poisson(expected) + rng.normal(0, 2, SHAPE))
        self.frames = lab.sequence(np.array(frames))
        tracked = self.truth + rng.normal(0, 0.4, self.truth.shape)
        m = self.truth.shape[1]
        self.rois = lab.rois(tracked.reshape(-1, 2), np.repeat(np.arange(n), m), size=19)
        self.rois["track_id"] = np.tile(np.arange(1, m + 1), n)
        self.rois["group"] = np.ones(n * m, dtype=np.int64)
        self.rois["role"] = np.tile(["reference", *["satellite"] * (m - 1)], n).astype(object)

    def fits(self, **options: Any) -> pd.DataFrame:
        found = Gaussian(GaussianParams(**options)).refine_groups(self.frames, self.rois)
        return tables.build(tables.GROUP_FITS, found)

    def pulls(self, positions: pd.DataFrame) -> pd.DataFrame:
        """Deviation from the truth over the stated error."""
        frame, spot = positions["frame"].to_numpy(), positions["satellite"].to_numpy() - 1
        dx, dy = (self.truth[frame, spot] - self.truth[frame, 0]).T
        turn = positions["angle_deg"] - np.degrees(np.arctan2(dy, dx))
        off = {
            "dx": positions["dx"] - dx,
            "dy": positions["dy"] - dy,
            "r": positions["r"] - np.hypot(dx, dy),
            "angle_deg": (turn + 180) % 360 - 180,
        }
        return pd.DataFrame({name: d / positions[f"{name}_err"] for name, d in off.items()})


def test_relative_positions_keep_their_errors(lab: Any) -> None:
    series = Series(lab, 110)
    positions = relative_positions(series.fits())
    assert (positions["status"] == "ok").all()
    pulls = series.pulls(positions)
    assert np.abs(pulls.std() - 1).max() < 0.1
    assert np.abs(pulls.mean()).max() < 0.12  # 660 of each: 3 standard errors
    assert np.abs(pulls).max(axis=None) < 6  # nobody walked to a neighbour
    assert positions["chi2_red"].median() == pytest.approx(1, abs=0.05)


def test_errors_of_close_spots_need_their_covariance(lab: Any) -> None:
    series = Series(lab, 250, 300, [(7.0, 37)], widths=(2.5, 2.5))
    positions = relative_positions(series.fits())
    usable = positions["status"] == "ok"
    assert usable.mean() > 0.95
    r = series.pulls(positions)["r"][usable].std()
    assert r == pytest.approx(1, abs=0.13)
    alone = np.hypot(*(positions[f"{which}_x_err"] for which in ("sat", "ref")))
    assert (positions["dx_err"] / alone).median() < 0.93


@pytest.mark.parametrize("height", [0.0, 8.0])
def test_a_satellite_that_is_gone_or_too_dim_has_no_position(lab: Any, height: float) -> None:
    """A seventh of the spots is not there: the others are as good as before."""
    series = Series(lab, 30, dark=[6])
    if height:  # two standard errors, about
        series.frames = _with(series, lab, height)
    positions = relative_positions(series.fits())
    gone = positions["satellite"] == 7
    assert (positions.loc[gone, "status"] == "too_dim").mean() > 0.9
    dim = positions[positions["status"] == "too_dim"]
    assert dim[["dx", "dy", "r", "angle_deg", "sat_x"]].isna().all(axis=None)
    assert dim["reason"].str.len().min() > 10
    assert (dim["amplitude_limit"] > height).mean() > 0.85  # an upper limit of 95 %
    assert dim["amplitude_limit"].max() < 60
    assert (positions.loc[~gone, "status"] == "ok").mean() > 0.97
    assert np.abs(series.pulls(positions)[~gone].std() - 1).max() < 0.2


def _with(series: Series, lab: Any, height: float) -> Any:
    """The frames with a dim spot at the last place."""
    frames = np.array([series.frames.raw(i) for i in range(len(series.frames))])
    for i, (x, y) in enumerate(series.truth[:, -1]):
        frames[i] += lab.spot(SHAPE, x, y, height, 2.3)
    return lab.sequence(frames)


def test_what_hides_a_satellite_is_said(lab: Any) -> None:
    series = Series(lab, 1)
    valid = np.ones(SHAPE, dtype=bool)
    x, y = series.truth[0, 1]
    valid[int(y) - 6 : int(y) + 7, int(x) - 3 : int(x) + 12] = False
    raw = series.frames.raw(0).copy()
    ceiling = raw.max() - 200  # the reference is clipped
    series.frames = lab.sequence(np.minimum(raw, ceiling), valid=valid, saturation=ceiling)
    series.rois["x"][3] = np.nan
    series.rois["x"][5], series.rois["y"][5] = series.rois["x"][4] + 1, series.rois["y"][4]
    fits = series.fits(
        group_shape="shared"
    )  # two spots are not fitted: own shapes follow their light
    positions = relative_positions(fits).set_index("satellite")
    status = positions["status"]
    assert status[2] == "masked"
    assert status[4] == "lost"
    assert status[6] == "walked"  # starts where its neighbour is
    assert status[7] == "saturated"  # not itself, but what it is measured from
    assert positions.loc[7, "reason"] == "clipped pixels under the reference"
    assert abs(series.pulls(positions.reset_index())["r"].iloc[5]) < 5


def test_without_a_reference_there_are_no_relative_positions(lab: Any) -> None:
    series = Series(lab, 2)
    series.rois["x"][0] = np.nan  # the reference of frame 0
    positions = relative_positions(series.fits())
    first = positions[positions["frame"] == 0]
    assert (first["status"] == "no_reference").all()
    assert first[["r", "ref_x", "dx", "angle_deg"]].isna().all(axis=None)
    assert (positions[positions["frame"] == 1]["status"] == "ok").all()


def test_one_shape_for_all_where_they_have_one(lab: Any) -> None:
    series = Series(lab, 30, widths=(2.4, 2.4))
    fits = series.fits(group_shape="shared")
    assert (fits.groupby("frame")["sigma_x"].max() == fits.groupby("frame")["sigma_x"].min()).all()
    positions = relative_positions(fits)
    assert set(positions["shape"]) == {"shared"}
    assert np.abs(series.pulls(positions).std() - 1).max() < 0.2


def test_a_spot_in_company_is_fitted_along(lab: Any) -> None:
    """What is no member, but stands in an ROI, does not bend the members' positions."""
    series = Series(lab, 30)
    role = series.rois["role"]
    role[np.isin(series.rois["track_id"], [3, 5, 7])] = "company"
    positions = relative_positions(series.fits())
    assert sorted(positions["satellite"].unique()) == [2, 4, 6]
    assert (positions["n_together"] == 7).all()
    assert np.abs(series.pulls(positions).std() - 1).max() < 0.25


def test_the_model_of_a_joint_fit_is_what_it_leaves_noise_of(lab: Any) -> None:
    series = Series(lab, 1, height=400)
    fits = series.fits()
    y, x = np.mgrid[26:39, 26:39]
    rest = series.frames.raw(0)[26:39, 26:39] - joint_model(fits, x, y)
    assert rest.std() == pytest.approx(np.sqrt(series.frames.raw(0)[26:39, 26:39].mean()), rel=0.2)
    none = fits.assign(n_together=0)
    assert np.isnan(joint_model(none, x, y)).all()


def test_rows_come_back_in_their_order(lab: Any) -> None:
    series = Series(lab, 2)
    plain = series.fits().set_index(["frame", "track_id"])
    order = np.random.default_rng(1).permutation(len(series.rois["x"]))
    series.rois = {name: values[order] for name, values in series.rois.items()}
    mixed = series.fits()
    assert mixed["track_id"].tolist() == series.rois["track_id"].tolist()
    pd.testing.assert_frame_equal(
        mixed.set_index(["frame", "track_id"]).sort_index(), plain.sort_index()
    )
