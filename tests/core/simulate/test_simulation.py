from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from trackleed.errors import InputError
from trackleed.frames import FrameSequence
from trackleed.simulate import SCENARIOS, TRUTH, Scenario, Simulation, gaussian_spot, simulate
from trackleed.tables import INDEX, check

SMALL = {"frames": 6, "size": 128}


@pytest.fixture(scope="module")
def ramp() -> Simulation:
    return simulate("energy-ramp", **SMALL)


def test_same_seed_gives_the_same_bytes_and_another_seed_others(ramp: Simulation) -> None:
    again, other = simulate("energy-ramp", **SMALL), simulate("energy-ramp", seed=1, **SMALL)
    assert ramp.frame(3).tobytes() == again.frame(3).tobytes()
    assert ramp.truth.equals(again.truth)
    assert ramp.frame(3).tobytes() != other.frame(3).tobytes()
    assert not ramp.truth["amplitude"].equals(other.truth["amplitude"])


def test_frames_do_not_depend_on_the_order_in_which_they_are_asked_for(ramp: Simulation) -> None:
    forwards = [ramp.frame(i).tobytes() for i in range(len(ramp))]
    backwards = [ramp.frame(i).tobytes() for i in reversed(range(len(ramp)))]
    assert forwards == backwards[::-1]
    assert len(set(forwards)) == len(forwards)


def test_noise_of_one_frame_is_not_that_of_another() -> None:
    sim = simulate("drift", frames=2, size=128, hot_pixels=0)
    first, second = (sim.frame(i) - sim.expected(i) for i in range(2))
    assert abs(np.corrcoef(first.ravel(), second.ravel())[0, 1]) < 0.05


@pytest.mark.parametrize("name", SCENARIOS)
def test_every_scenario_has_spots_to_see(name: str) -> None:
    sim = simulate(name, **SMALL)
    assert len(sim) == 6
    assert sim.frame(0).shape == sim.shape == (128, 128)
    assert sim.truth.groupby("frame")["visible"].sum().max() >= 6
    assert len(sim.truth) == 6 * sim.truth["spot"].nunique()


def test_defaults_are_60_frames_of_512_px_and_16_bits() -> None:
    sim = simulate("cooling")
    assert (len(sim), sim.shape, sim.dtype) == (60, (512, 512), np.uint16)


def test_tables_keep_to_their_specifications(ramp: Simulation) -> None:
    check(ramp.index, INDEX)
    check(ramp.truth, TRUTH)
    assert len(ramp.index) == len(ramp)
    assert ramp.index["beam_current_A"].is_monotonic_increasing


def test_photon_transfer() -> None:
    """Variance against mean over many exposures of one scene is the line that `noise` says."""
    sim = simulate("drift", frames=1, size=64, seed=2)
    stack = np.stack(
        [sim.camera.expose(sim.expected(0) - sim.camera.black, rng) for rng in _generators(400)]
    ).astype(float)
    light = sim.expected(0) < 0.8 * sim.saturation
    mean, variance = stack.mean(axis=0)[light], stack.var(axis=0, ddof=1)[light]
    gain, constant = np.polyfit(mean - sim.noise.black, variance, 1, w=1 / sim.noise.variance(mean))
    assert gain == pytest.approx(sim.noise.gain, rel=0.02)
    assert constant == pytest.approx(sim.noise.read_noise**2, rel=0.15)
    assert np.mean(mean - sim.expected(0)[light]) == pytest.approx(0, abs=1)


def _generators(n: int) -> list[np.random.Generator]:
    return [np.random.default_rng(i) for i in range(n)]


@pytest.mark.parametrize("bits", [8, 16])
def test_frames_scatter_about_what_is_expected(bits: int) -> None:
    sim = simulate("deposition", bits=bits, frames=2, size=256, dose=2000)
    pull = (sim.frame(1) - sim.expected(1)) / np.sqrt(sim.noise.variance(sim.expected(1)))
    quiet = sim.expected(1) < 0.9 * sim.saturation
    assert pull[quiet].mean() == pytest.approx(0, abs=0.02)
    assert pull[quiet].std() == pytest.approx(1, abs=0.02)


def test_true_centre_is_the_centroid_of_a_frame_without_noise() -> None:
    sim = simulate("energy-ramp", frames=3, size=512, halo=0, background=0, hot_pixels=0)
    truth = sim.truth.query("frame == 1 and visible")
    image = sim.expected(1) - sim.camera.black
    rows, columns = np.mgrid[:512, :512]
    assert len(truth) >= 6
    for spot in truth.itertuples():
        near = np.hypot(columns - spot.x, rows - spot.y) < 6 * max(spot.sigma_x, spot.sigma_y)
        if not sim.valid[near].all():
            continue
        weight = image[near] / image[near].sum()
        assert (weight * columns[near]).sum() == pytest.approx(spot.x, abs=1e-3)
        assert (weight * rows[near]).sum() == pytest.approx(spot.y, abs=1e-3)


def test_truth_rebuilds_the_picture_of_a_spot() -> None:
    sim = simulate("deposition", frames=2, size=512, halo=0, hot_pixels=0)
    spot = sim.truth.query("frame == 1 and visible").sort_values("snr").iloc[-1]
    shape = [spot[n] for n in ("x", "y", "amplitude", "sigma_x", "sigma_y", "theta_deg")]
    rest = sim.expected(1) - gaussian_spot(sim.shape, *shape)
    x, y = round(spot["x"]), round(spot["y"])
    assert rest[y, x] == pytest.approx(spot["offset"], rel=1e-9)
    # Nothing of the spot is left, only the gentle slope of the diffuse light.
    around = rest[y - 6 : y + 7, x - 6 : x + 7]
    assert around == pytest.approx(np.full((13, 13), spot["offset"]), rel=0.05)


def test_true_snr_is_reached_by_a_perfect_fit_of_the_height() -> None:
    """Volume over its error is at most the height over its error with all else known."""
    sim = simulate("cooling", frames=1, size=256)
    for spot in sim.truth.query("visible").itertuples():
        shape = gaussian_spot(
            sim.shape, spot.x, spot.y, 1, spot.sigma_x, spot.sigma_y, spot.theta_deg
        )
        known = spot.amplitude * np.sqrt((shape**2 / sim.noise.variance(sim.expected(0))).sum())
        assert 0.4 * known < spot.snr < known


def test_snr_falls_with_the_dose() -> None:
    bright, dim = (simulate("cooling", frames=1, size=256, dose=dose).truth for dose in (1e4, 1e2))
    ratio = (bright["snr"] / dim["snr"])[bright["visible"]]
    assert ratio.between(7, 60).all()


def test_angles_keep_to_the_convention() -> None:
    truth = simulate("shaking", **SMALL).truth
    assert truth["theta_deg"].gt(-45).all()
    assert truth["theta_deg"].le(45).all()
    assert (truth["sigma_x"] > truth["sigma_y"]).nunique() == 2


def test_specular_beam_is_behind_the_gun(ramp: Simulation) -> None:
    specular = ramp.truth.query("h == 0 and k == 0")
    assert len(specular) == len(ramp)
    assert not specular["visible"].any()
    assert (specular["snr"] == 0).all()
    x, y = ramp.screen.axis
    assert not ramp.valid[round(y), round(x)]
    assert np.allclose(specular[["x", "y"]], (x, y))


def test_valid_screen_is_a_disc_less_gun_and_arm(ramp: Simulation) -> None:
    (x, y), radius = ramp.screen.axis, ramp.screen.rim_radius
    rows, columns = np.mgrid[:128, :128]
    distance = np.hypot(columns - x, rows - y)
    assert not ramp.valid[distance > radius].any()
    assert not ramp.valid[distance < 0.19 * radius].any()
    assert not ramp.valid[(np.abs(columns - x) < 0.08 * radius) & (rows < y)].any()
    assert 0.7 < ramp.valid.sum() / (np.pi * radius**2) < 0.9


def test_beams_beyond_the_rim_are_invisible(ramp: Simulation) -> None:
    x, y = ramp.screen.axis
    radius = np.hypot(ramp.truth["x"] - x, ramp.truth["y"] - y)
    outside = radius > ramp.screen.rim_radius
    assert outside.any()
    assert not ramp.truth["visible"][outside].any()


def test_beams_that_cannot_exist_have_no_place(ramp: Simulation) -> None:
    absent = ramp.truth[ramp.truth["x"].isna()]
    assert len(absent)
    assert (absent["amplitude"] == 0).all()
    assert not absent["visible"].any()


def test_screen_is_dark_outside_and_brightest_near_the_middle() -> None:
    sim = simulate("cooling", frames=1, size=256, hot_pixels=0)
    diffuse = sim.expected(0) - sim.camera.black
    outside = sim.screen.radius > 1.2
    assert diffuse[outside].max() < 0.1 * np.median(diffuse[sim.valid])
    inner, outer = sim.valid & (sim.screen.radius < 0.4), sim.valid & (sim.screen.radius > 0.8)
    assert np.median(diffuse[inner]) > 1.5 * np.median(diffuse[outer])


def test_non_square_pixels_make_an_ellipse() -> None:
    valid = simulate("cooling", frames=1, size=256, pixel_aspect=1.25).valid
    width, height = valid.any(axis=0).sum(), valid.any(axis=1).sum()
    assert height / width == pytest.approx(1.25, abs=0.02)


def test_overexposure_clips_at_full_scale() -> None:
    sim = simulate("cooling", frames=1, size=256, exposure=3, hot_pixels=0)
    assert sim.expected(0)[sim.valid].max() > 2 * sim.saturation
    frame = sim.frame(0)
    assert frame.max() == sim.saturation == 65535
    assert sim.sequence().saturated(0).sum() > 5


def test_default_exposure_does_not_clip_any_spot() -> None:
    sim = simulate("shaking", frames=4, size=256, hot_pixels=0)
    assert max(sim.frame(i)[sim.valid].max() for i in range(4)) < sim.saturation


def test_eight_bits() -> None:
    sim = simulate("cooling", frames=1, size=256, bits=8)
    frame = sim.frame(0)
    assert frame.dtype == np.uint8
    assert sim.saturation == 255
    assert 120 < frame[sim.valid & ~sim.hot].max() < 255
    assert frame.min() > 0


def test_hot_pixels_are_the_same_in_all_frames() -> None:
    sim = simulate("drift", frames=3, size=256, hot_pixels=9, seed=5)
    assert sim.hot.sum() == 9
    dark = sim.hot & (sim.screen.radius > 1.1)
    assert dark.any()
    for i in range(3):
        assert sim.frame(i)[dark].min() > 0.1 * sim.saturation
    assert not sim.sequence().valid[sim.hot].any()


def test_superstructure_appears_with_coverage_while_the_substrate_dims() -> None:
    sim = simulate("deposition", frames=10, size=256)
    truth = sim.truth.assign(fractional=sim.truth["h"].mod(1).ne(0) | sim.truth["k"].mod(1).ne(0))
    first = truth.query("frame == 0")
    assert (first["amplitude"][first["fractional"]] == 0).all()
    assert not first["visible"][first["fractional"]].any()
    assert first["visible"][~first["fractional"]].sum() == 6
    assert truth.query("frame == 9 and fractional")["visible"].sum() > 15
    total = truth.groupby(["fractional", "frame"])["amplitude"].sum()
    assert total[True].is_monotonic_increasing
    assert total[False].is_monotonic_decreasing
    assert sim.index["coverage_ML"].iloc[[0, -1]].tolist() == [0, 0.25]


def test_drift_carries_the_pattern_but_not_the_screen() -> None:
    sim = simulate("drift", **SMALL)
    assert sim.pattern.x[-1] - sim.pattern.x[0] == pytest.approx(24)
    assert sim.pattern.y[-1] - sim.pattern.y[0] == pytest.approx(-15)


def test_shaking_moves_all_spots_alike_by_pixels() -> None:
    sim = simulate("shaking", frames=40, size=128)
    steps = np.diff(sim.pattern.x, axis=0)
    assert steps.std(axis=1).max() < 1e-9
    assert 2 < np.abs(steps[:, 0]).mean() < 8


def test_dropout_drops_the_beam_blurs_it_and_takes_single_spots() -> None:
    sim = simulate("dropout", size=128)
    seen = sim.truth.groupby("frame")["visible"].sum()
    assert (seen[12:18] == 0).all()
    assert seen[11] > 0
    assert seen[19] == seen[11]
    assert np.abs(sim.expected(15)[~sim.hot] - sim.camera.black).max() == 0
    assert sim.pattern.sigma_x[30] == pytest.approx(4 * sim.pattern.sigma_x[0])
    late = sim.pattern.amplitude[42:60, 1:] == 0
    assert 0.1 < late.any(axis=0).mean() < 0.7
    assert late.sum(axis=0).max() == 8
    assert not late[0].all()
    assert not late[-1].any()


def test_exposure_does_not_depend_on_losses() -> None:
    whole = replace(SCENARIOS["dropout"], losses=())
    kept, lost = simulate(whole, **SMALL), simulate("dropout", **SMALL)
    assert np.array_equal(kept.pattern.amplitude[0], lost.pattern.amplitude[0])


def test_own_scenario_with_a_matrix_superstructure() -> None:
    mine = Scenario("mine", "", "Cu(100)", ((2, 0), (0, 1)), coverage_ML=(0.5, 0.5), frames=2)
    sim = simulate(mine, size=128)
    assert len(sim) == 2
    assert (sim.truth["h"] % 1 == 0.5).any()
    assert (sim.truth["k"] % 1 == 0.5).any()  # the other domain


def test_series_is_a_frame_source() -> None:
    sim = simulate("cooling", **SMALL)
    frames = sim.sequence()
    assert isinstance(frames, FrameSequence)
    assert (len(frames), frames.shape, frames.dtype) == (6, (128, 128), np.uint16)
    assert np.array_equal(frames[4], sim.frame(4))
    assert frames.index["temperature_K"].tolist() == sim.index["temperature_K"].tolist()
    assert frames.noise.gain == sim.noise.gain
    assert list(sim.skipped) == []


def test_frame_out_of_range(ramp: Simulation) -> None:
    with pytest.raises(IndexError, match="frame 6 of a series of 6"):
        ramp.frame(6)
    with pytest.raises(IndexError):
        ramp.frame(-1)


def test_unknown_scenario_lists_those_there_are() -> None:
    with pytest.raises(
        InputError, match=r"'heating' is not known; allowed are energy-ramp, .*drop"
    ):
        simulate("heating")


@pytest.mark.parametrize(
    "wrong",
    [
        {"frames": 0},
        {"size": 32},
        {"size": (512, 10)},
        {"bits": 12},
        {"seed": -1},
        {"dose": 0},
        {"exposure": 0},
        {"background": -0.1},
        {"sigma": (3, 2)},
        {"halo": 1.5},
        {"hot_pixels": -1},
        {"pixel_aspect": 9},
    ],
)
def test_wrong_values_are_named_with_what_is_allowed(wrong: dict[str, object]) -> None:
    (name,) = wrong
    with pytest.raises(InputError, match=rf"{name} = .* is not allowed; .*"):
        simulate("cooling", **wrong)
