"""Each word of `FitStatus`, provoked by a frame as a camera gives it."""

from __future__ import annotations

import numpy as np
import pytest

from trackleed.tables import FITS, FitStatus

SHAPE = (81, 91)
KEPT = ("ok", "saturated", "too_dim", "neighbour")


def one(lab, frame, position=(40.0, 40.0), options=None, **known):
    """The single fit of one frame."""
    fits = lab.refine(lab.sequence(frame, **known), lab.rois([position]), **(options or {}))
    return {name: column[0] for name, column in fits.items()}


def numbers(fit):
    names = [c.name for c in FITS.columns if c.dtype == "float" and "theta" not in c.name]
    return np.array([fit[name] for name in names])


def test_good_spot_is_ok(lab) -> None:
    fit = one(lab, lab.noisy(lab.spot(SHAPE, 40.4, 39.7, 300) + 20))
    assert fit["status"] == FitStatus.OK
    assert np.isfinite(numbers(fit)).all()
    assert not fit["saturated"]


@pytest.mark.parametrize("state", ["lost", "measured"])
def test_track_without_position_is_lost(lab, state) -> None:
    frames = lab.sequence(lab.noisy(np.full(SHAPE, 20.0)))
    fits = lab.refine(frames, lab.rois([(np.nan, np.nan)], state=state))
    assert fits["status"][0] == FitStatus.LOST
    assert np.isnan(numbers({name: column[0] for name, column in fits.items()})).all()


def test_track_that_is_said_to_be_lost_is_not_fitted(lab) -> None:
    frames = lab.sequence(lab.noisy(lab.spot(SHAPE, 40, 40, 300) + 20))
    assert lab.refine(frames, lab.rois([(40, 40)], state="lost"))["status"][0] == FitStatus.LOST


@pytest.mark.parametrize("position", [(1, 40), (40, 80), (0, 0), (-500, 40), (1e12, -1e12)])
def test_spot_at_the_rim_of_the_frame_is_near_edge(lab, position) -> None:
    fit = one(lab, lab.noisy(lab.spot(SHAPE, *position, 300) + 20), position)
    assert fit["status"] == FitStatus.NEAR_EDGE
    assert np.isnan(numbers(fit)).all()


def test_roi_that_is_cut_a_little_by_the_rim_is_ok(lab) -> None:
    fit = one(lab, lab.noisy(lab.spot(SHAPE, 7, 40, 300) + 20), (7, 40))
    assert fit["status"] == FitStatus.OK
    assert fit["x"] == pytest.approx(7, abs=4 * fit["x_err"])


def test_spot_behind_the_gun_is_masked(lab) -> None:
    valid = np.ones(SHAPE, bool)
    valid[:, 36:44] = False
    fit = one(lab, lab.noisy(lab.spot(SHAPE, 40, 40, 300) + 20), valid=valid)
    assert fit["status"] == FitStatus.MASKED
    assert np.isnan(numbers(fit)).all()


def test_nothing_but_mask_is_masked(lab) -> None:
    fit = one(lab, np.full(SHAPE, np.nan), valid=np.zeros(SHAPE, bool))
    assert fit["status"] == FitStatus.MASKED


def test_clipped_top_is_saturated_and_measured_from_its_flanks(lab) -> None:
    frame = np.minimum(lab.noisy(lab.spot(SHAPE, 40.3, 40, 400) + 20).round(), 255).astype(np.uint8)
    fit = one(lab, frame, saturation=255)
    assert fit["status"] == FitStatus.SATURATED
    assert fit["saturated"]
    assert fit["amplitude"] == pytest.approx(400, rel=0.1)
    assert fit["x"] == pytest.approx(40.3, abs=0.1)


def test_clipped_pixel_away_from_the_spot_is_only_noted(lab) -> None:
    frame = lab.noisy(lab.spot(SHAPE, 40, 40, 100, 1.5) + 20)
    frame[31, 31] = 300
    fit = one(lab, frame, saturation=255)
    assert fit["status"] == FitStatus.OK
    assert fit["saturated"]


def test_wholly_clipped_roi_is_saturated_without_numbers(lab) -> None:
    fit = one(lab, np.full(SHAPE, 255, np.uint8), saturation=255)
    assert fit["status"] == FitStatus.SATURATED
    assert np.isnan(numbers(fit)).all()


def test_empty_screen_is_never_ok(lab) -> None:
    stack = np.stack([lab.noisy(np.full(SHAPE, 20.0), i) for i in range(150)])
    fits = lab.refine(lab.sequence(stack), lab.rois([(40, 40)] * 150, frame=np.arange(150)))
    words = fits["status"].astype(str)
    assert np.mean(words == "too_dim") > 0.8
    assert np.mean(words == "ok") < 0.03


def test_constant_frame_is_too_dim(lab) -> None:
    assert one(lab, np.full(SHAPE, 7, np.uint8))["status"] == FitStatus.TOO_DIM


def test_hot_pixel_is_too_dim(lab) -> None:
    frame = lab.noisy(np.full(SHAPE, 20.0))
    frame[40, 40] = 4000
    assert one(lab, frame)["status"] in (FitStatus.TOO_DIM, FitStatus.NO_CONVERGENCE)


def test_screen_glow_wider_than_the_roi_has_left_it(lab) -> None:
    fit = one(lab, lab.noisy(lab.spot(SHAPE, 40, 40, 3000, 15) + 20))
    assert fit["status"] == FitStatus.LEFT_ROI
    assert np.isnan(numbers(fit)).all()


def test_spot_that_jumped_away_from_its_track_has_left_the_roi(lab) -> None:
    fit = one(lab, lab.noisy(lab.spot(SHAPE, 48.5, 40, 3000, 2) + 20))
    assert fit["status"] == FitStatus.LEFT_ROI


def test_terrace_of_light_does_not_converge_or_leaves(lab) -> None:
    frame = np.full(SHAPE, 20.0)
    frame[:, 41:] = 4000  # the screen's rim, not masked
    fit = one(lab, lab.noisy(frame))
    assert fit["status"] in (FitStatus.NO_CONVERGENCE, FitStatus.LEFT_ROI)
    assert np.isnan(numbers(fit)).all()


def test_fit_that_is_cut_short_has_no_convergence(lab, monkeypatch) -> None:
    monkeypatch.setattr("trackleed.builtin.refiners.engine.MAX_STEPS", 1)
    fit = one(lab, lab.noisy(lab.spot(SHAPE, 41, 40, 3000, 2, 4, 20) + 20))
    assert fit["status"] == FitStatus.NO_CONVERGENCE
    assert np.isnan(numbers(fit)).all()


def pair(lab, distance, ratio=1.0):
    frame = lab.spot(SHAPE, 40, 40, 500) + lab.spot(SHAPE, 40 + distance, 40, ratio * 500) + 20
    where = lab.rois([(40, 40), (40 + distance, 40)])
    return lab.refine(lab.sequence(lab.noisy(frame)), where)


@pytest.mark.parametrize("distance", [0, 1])
def test_two_tracks_on_one_spot_are_neighbours(lab, distance) -> None:
    assert list(pair(lab, distance)["status"]) == [FitStatus.NEIGHBOUR] * 2


def test_distant_neighbour_does_not_disturb(lab) -> None:
    fits = pair(lab, 14)
    assert list(fits["status"]) == ["ok", "ok"]
    assert np.allclose(fits["x"], [40, 54], atol=4 * fits["x_err"])


def test_dim_track_beside_a_bright_one_is_not_taken_over(lab) -> None:
    fits = pair(lab, 9, 0.0)  # the second track's spot has faded
    assert fits["status"][0] == FitStatus.OK
    assert fits["status"][1] != FitStatus.OK


def test_crowded_roi_without_pixels_of_its_own_is_a_neighbour(lab) -> None:
    ring = [(40 + 4 * np.cos(a), 40 + 4 * np.sin(a)) for a in np.arange(6) * np.pi / 3]
    frames = lab.sequence(lab.noisy(lab.spot(SHAPE, 40, 40, 500) + 20))
    assert lab.refine(frames, lab.rois([(40, 40), *ring]))["status"][0] == FitStatus.NEIGHBOUR


def test_numbers_are_kept_under_some_words_only(lab) -> None:
    rng = np.random.default_rng(3)
    frame = lab.noisy(np.full(SHAPE, 20.0))
    frame += sum(lab.spot(SHAPE, *rng.uniform(0, 90, 2), rng.uniform(5, 600)) for _ in range(20))
    where = lab.rois([tuple(p) for p in rng.uniform(-5, 95, (150, 2))])
    fits = lab.refine(lab.sequence(frame, saturation=500), where)
    with_numbers = np.isfinite(fits["x"])
    assert set(fits["status"][with_numbers]) <= set(KEPT)
    assert with_numbers[fits["status"] == "ok"].all()
    assert set(fits["status"]) <= {str(word) for word in FitStatus}


def test_rim_that_the_mask_does_not_know_does_not_move_a_spot(lab) -> None:
    rows, columns = np.mgrid[: SHAPE[0], : SHAPE[1]]
    frame = lab.spot(SHAPE, 40, 40, 300, 3) + 300
    frame[columns + rows < 68] = 20  # a corner of the ROI lies behind the screen's rim
    fit = one(lab, lab.noisy(frame))
    assert fit["status"] == FitStatus.OK
    assert fit["x"] == pytest.approx(40, abs=4 * fit["x_err"])
    assert fit["y"] == pytest.approx(40, abs=4 * fit["y_err"])


@pytest.mark.parametrize("known", [False, True])
def test_soft_edge_of_a_shadow_does_not_move_a_spot(lab, known) -> None:
    columns = np.broadcast_to(np.arange(SHAPE[1]), SHAPE)
    light = np.clip((48 - columns) / 3, 0, 1)  # the spot's wing dims over 3 px
    frame = lab.noisy((lab.spot(SHAPE, 41.0, 40, 30_000, 3) + 3000) * light + 300)
    options = {"valid": columns < 47} if known else {}
    fit = one(lab, frame, (41, 40), **options)
    assert fit["status"] == FitStatus.OK
    assert fit["x"] == pytest.approx(41, abs=4 * fit["x_err"])
    assert fit["chi2_red"] < 1.3
