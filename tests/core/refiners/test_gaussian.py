"""What the refiner gives back, and what it does not touch."""

from __future__ import annotations

import numpy as np
import pytest

from trackleed.errors import InputError, ParamsError
from trackleed.frames import Correction, NoiseModel
from trackleed.registry import Registry
from trackleed.tables import FITS, build

SHAPE = (61, 71)


def test_is_found_by_name_and_returns_a_valid_table(lab) -> None:
    backend = Registry.discover().find("refiner", "trackleed-core:gaussian")
    frames = lab.sequence(lab.noisy(lab.spot(SHAPE, 30.4, 25.2, 500) + 20))
    table = build(FITS, backend.make().refine(frames, lab.rois([(30, 25), (np.nan, np.nan)])))
    assert list(table["status"]) == ["ok", "lost"]
    assert list(table["track_id"]) == [1, 2]


def test_without_rois_there_are_no_rows(lab) -> None:
    table = build(FITS, lab.refine(lab.sequence(np.zeros(SHAPE)), lab.rois([])))
    assert len(table) == 0


def test_rows_keep_their_order_over_frames_and_sizes(lab) -> None:
    x = np.array([20.0, 30, 40, 25, 35, 45])
    frame = np.array([2, 0, 1, 1, 0, 2])
    stack = [
        sum(lab.spot(SHAPE, x[i], 20 + 4 * i, 800, 1.8) for i in np.flatnonzero(frame == f)) + 20
        for f in range(3)
    ]
    where = lab.rois([(x[i], 20 + 4 * i) for i in range(6)], frame=frame)
    where["width"] = np.array([11.0, 15, 11, 13, 15, 11])
    fits = lab.refine(lab.sequence([lab.noisy(f, 3) for f in stack]), where)
    assert list(fits["frame"]) == list(frame)
    assert np.allclose(fits["x"], x, atol=0.15)


@pytest.mark.parametrize(
    ("theta", "sigma_x", "sigma_y", "expected", "widths"),
    [
        (0, 4, 2, 0, (4, 2)),
        (30, 4, 2, 30, (4, 2)),
        (-40, 4, 2, -40, (4, 2)),
        (43, 4, 2, 43, (4, 2)),
        (60, 4, 2, -30, (2, 4)),  # the minor axis is now the nearer to +x
        (90, 4, 2, 0, (2, 4)),
    ],
)
def test_theta_turns_from_x_to_y_which_is_down(
    lab, theta, sigma_x, sigma_y, expected, widths
) -> None:
    frame = lab.noisy(lab.spot(SHAPE, 30, 30, 5000, sigma_x, sigma_y, theta) + 20)
    fits = lab.refine(lab.sequence(frame), lab.rois([(30, 30)], size=27))
    assert fits["theta_deg"][0] == pytest.approx(expected, abs=5 * fits["theta_err_deg"][0])
    assert (fits["sigma_x"][0], fits["sigma_y"][0]) == pytest.approx(widths, abs=0.05)
    assert fits["asymmetry"][0] == pytest.approx(2 / 6, abs=0.01)


def test_spot_along_the_falling_diagonal_has_plus_45_degrees(lab) -> None:
    diagonal = lab.spot(SHAPE, 30, 30, 5000, 4, 2, 45) + 20
    assert diagonal[34, 34] > diagonal[26, 34]  # down and to the right
    fits = lab.refine(lab.sequence(diagonal), lab.rois([(30, 30)], size=27))
    assert abs(fits["theta_deg"][0]) == pytest.approx(45, abs=1e-3)
    long_x = fits["theta_deg"][0] > 0
    assert fits["sigma_x" if long_x else "sigma_y"][0] == pytest.approx(4, abs=1e-3)


def test_round_spot_has_no_angle(lab) -> None:
    fits = lab.refine(
        lab.sequence(lab.noisy(lab.spot(SHAPE, 30, 30, 300, 2.5) + 20)), lab.rois([(30, 30)])
    )
    assert np.isnan(fits["theta_deg"][0])
    assert np.isnan(fits["theta_err_deg"][0])
    assert fits["sigma_x"][0] == pytest.approx(2.5, abs=4 * fits["sigma_x_err"][0])


def test_derived_columns_follow_from_the_others(lab) -> None:
    fits = lab.refine(
        lab.sequence(lab.noisy(lab.spot(SHAPE, 30, 30, 900, 3, 2, 10) + 20)), lab.rois([(30, 30)])
    )
    f = {name: fits[name][0] for name in fits}
    assert f["volume"] == pytest.approx(2 * np.pi * f["amplitude"] * f["sigma_x"] * f["sigma_y"])
    assert f["fwhm_x"] == pytest.approx(2.354820 * f["sigma_x"])
    assert f["fwhm_y_err"] == pytest.approx(2.354820 * f["sigma_y_err"])
    assert f["snr"] == pytest.approx(f["volume"] / f["volume_err"])


def test_error_bars_grow_with_reduced_chi_squared_unless_told_not_to(lab) -> None:
    frame = lab.noisy(lab.spot(SHAPE, 30, 30, 900) + 200)
    frames = lab.sequence(frame, noise=NoiseModel(0.25, 1.0, 0.0))  # half of the true noise
    scaled = lab.refine(frames, lab.rois([(30, 30)]))
    plain = lab.refine(frames, lab.rois([(30, 30)]), scale_errors=False)
    assert scaled["chi2_red"][0] == pytest.approx(4, rel=0.2)
    assert scaled["x_err"][0] == pytest.approx(plain["x_err"][0] * scaled["chi2_red"][0] ** 0.5)


def test_masked_pixels_count_for_nothing(lab) -> None:
    frame = lab.noisy(lab.spot(SHAPE, 30, 30, 900) + 20)
    spoiled = frame.copy()
    valid = np.ones(SHAPE, bool)
    valid[22:40, 34:37] = False
    spoiled[~valid] = 1e5
    clean = lab.refine(lab.sequence(frame, valid=valid), lab.rois([(30, 30)]))
    masked = lab.refine(lab.sequence(spoiled, valid=valid), lab.rois([(30, 30)]))
    assert masked["status"][0] == "ok"
    for name in ("x", "amplitude", "volume_err", "chi2_red", "r_squared"):
        assert masked[name][0] == clean[name][0]


def test_pixels_without_a_value_count_for_nothing(lab) -> None:
    frame = lab.noisy(lab.spot(SHAPE, 30, 30, 900) + 20)
    frame[24:27, 25:30] = np.nan
    fits = lab.refine(lab.sequence(frame), lab.rois([(30, 30)]))
    assert fits["status"][0] == "ok"
    assert fits["x"][0] == pytest.approx(30, abs=4 * fits["x_err"][0])


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.int32, np.float32, np.float64])
def test_any_kind_of_pixel_gives_the_same_spot(lab, dtype) -> None:
    frame = lab.noisy(lab.spot(SHAPE, 30.3, 29.6, 150) + 30).round().astype(dtype)
    fits = lab.refine(lab.sequence(frame), lab.rois([(30, 30)]))
    assert fits["status"][0] == "ok"
    assert fits["x"][0] == pytest.approx(30.3, abs=4 * fits["x_err"][0])
    assert fits["chi2_red"][0] == pytest.approx(1, abs=0.25)


def test_noise_of_corrected_frames_is_that_of_the_raw_counts(lab) -> None:
    rng = np.random.default_rng(1)
    flat = 1 + 0.5 * np.linspace(-1, 1, SHAPE[1])[None] * np.ones(SHAPE)
    dark = np.full(SHAPE, 40.0)
    glow = rng.uniform(80, 90, SHAPE)
    clean = lab.spot(SHAPE, 30.2, 30, 600) + 300
    stack = np.stack([lab.noisy(clean * flat + dark, i) for i in range(80)])
    correction = Correction(dark=dark, flat=flat + dark, background=glow * flat + dark)
    frames = lab.sequence(stack, correction=correction)
    fits = lab.refine(frames, lab.rois([(30, 30)] * 80, frame=np.arange(80)))
    assert np.mean(fits["chi2_red"]) == pytest.approx(1, abs=0.1)
    pull = (fits["x"] - 30.2) / fits["x_err"]
    assert 0.75 < pull.std() < 1.25


def test_pixels_that_the_correction_does_not_know_count_for_nothing(lab) -> None:
    flat = np.ones(SHAPE)
    flat[25:28, 33:36] = 0
    frames = lab.sequence(
        lab.noisy(lab.spot(SHAPE, 30, 30, 600) + 30), correction=Correction(flat=flat)
    )
    fits = lab.refine(frames, lab.rois([(30, 30)]))
    assert fits["status"][0] == "ok"
    assert fits["x"][0] == pytest.approx(30, abs=4 * fits["x_err"][0])


def test_input_is_not_modified(lab) -> None:
    frame = lab.noisy(lab.spot(SHAPE, 30, 30, 600) + 30)
    where = lab.rois([(30, 30), (1, 1), (np.nan, 4)])
    before = frame.copy(), {name: column.copy() for name, column in where.items()}
    for column in where.values():
        column.setflags(write=False)
    lab.refine(lab.sequence(frame), where)
    assert np.array_equal(frame, before[0])
    for name, column in where.items():
        assert np.array_equal(column, before[1][name], equal_nan=name in ("x", "y"))


def test_same_answer_alone_and_in_a_batch(lab) -> None:
    stack = np.stack([lab.noisy(lab.spot(SHAPE, 30, 30, 300) + 30, i) for i in range(20)])
    frames = lab.sequence(stack)
    together = lab.refine(frames, lab.rois([(30, 30)] * 20, frame=np.arange(20)))
    alone = lab.refine(frames, lab.rois([(30, 30)], frame=7))
    assert alone["x"][0] == pytest.approx(together["x"][7], abs=1e-9)


def test_box_of_unknown_size_gets_a_usual_one(lab) -> None:
    frames = lab.sequence(lab.noisy(lab.spot(SHAPE, 30, 30, 600) + 30))
    fits = lab.refine(frames, lab.rois([(30, 30)], size=np.nan))
    assert fits["status"][0] == "ok"


def test_frame_that_is_not_there_is_refused(lab) -> None:
    with pytest.raises(InputError, match="frame 5, but the frames are 0 to 0"):
        lab.refine(lab.sequence(np.zeros(SHAPE)), lab.rois([(30, 30)], frame=5))


def test_noise_model_without_noise_is_refused(lab) -> None:
    frames = lab.sequence(np.zeros(SHAPE), noise=NoiseModel(0, 0, 0))
    with pytest.raises(InputError, match="one must be above 0"):
        lab.refine(frames, lab.rois([(30, 30)]))


def test_option_out_of_range_is_refused() -> None:
    backend = Registry.discover().find("refiner", "trackleed-core:gaussian")
    with pytest.raises(ParamsError, match="background"):
        backend.make(background="parabola")
