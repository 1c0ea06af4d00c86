"""The tracker on detections of patterns that move as one, whose tracks are known."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

pytest.importorskip("scipy")

from trackleed.errors import InputError, ParamsError
from trackleed.frames import ArraySource, FrameSequence
from trackleed.params import make
from trackleed.registry import Registry
from trackleed.tables import TRACKS, build
from trackleed_trackers_box.params import PatternParams
from trackleed_trackers_box.pattern import Pattern
from trackleed_trackers_box.scaling import contraction

CENTRE = np.array([285.0, 231.0])  # neither the middle of the frame nor of the detections


class Dark:
    """Frames without any light."""

    shape, dtype = (512, 512), np.dtype("u2")

    def __init__(self, n):
        self.n = n

    def __len__(self):
        return self.n

    def read(self, i):
        return np.zeros(self.shape, self.dtype)


@dataclass
class Film:
    """Spots (frame, spot, 2) and which of them are detected."""

    xy: np.ndarray
    there: np.ndarray
    brightness: np.ndarray

    def __len__(self):
        return len(self.xy)

    def detections(self, noise=0.2, extra=(), seed=0):
        """Columns of what is detected, with rows (frame, x, y) of ``extra`` among it."""
        inside = ((self.xy > 5) & (self.xy < 506)).all(axis=2)
        frame, spot = np.nonzero(self.there & inside)
        rng = np.random.default_rng(seed)
        xy = self.xy[frame, spot] + rng.normal(0, noise, (len(frame), 2))
        false = np.array(extra, dtype=float).reshape(-1, 3)
        score = np.append(self.brightness[spot], np.full(len(false), 12.0))
        side = np.full(len(score), 19.0)
        return {
            "frame": np.append(frame, false[:, 0]).astype(int),
            "x": np.append(xy[:, 0], false[:, 1]),
            "y": np.append(xy[:, 1], false[:, 2]),
            "width": side,
            "height": side,
            "score": score,
        }


def lattice(spacing=62.0, reach=3):
    """Places (spots, 2) of a slightly turned hexagonal lattice, without the middle."""
    a, b = spacing * np.array([1.0, 0.12]), spacing * np.array([0.4, 0.93])
    hk = [(h, k) for h in range(-reach, reach + 1) for k in range(-reach, reach + 1)]
    return np.array([h * a + k * b for h, k in hk if (h, k) != (0, 0) and abs(h + k) <= reach])


def film(n, shift=0.0, scale=1.0, turn=0.0, places=None):
    """A pattern that moves as one: shift (n, 2) px, scale (n,), turn (n,) rad."""
    places = lattice() if places is None else places
    shift = np.broadcast_to(shift, (n, 2))
    scale, turn = np.broadcast_to(scale, n), np.broadcast_to(turn, n)
    cosine, sine = scale * np.cos(turn), scale * np.sin(turn)
    matrix = np.stack([np.stack([cosine, sine], 1), np.stack([-sine, cosine], 1)], 1)
    xy = places @ matrix + CENTRE + shift[:, None]
    brightness = np.linspace(150, 20, len(places))
    return Film(xy, np.ones(xy.shape[:2], bool), brightness)


def track(n, table, energy=None, valid=None, **options):
    """The tracks table, and positions (frame, track, 2)."""
    tracker = Pattern(make(PatternParams, options, "pattern"))
    index = {} if energy is None else {"energy_eV": np.asarray(energy, dtype=float)}
    frames = FrameSequence(Dark(n), index=index, valid=valid)
    parts = list(tracker.track(frames, None, table))
    assert [set(part["frame"].tolist()) for part in parts] == [
        {i} if len(part["frame"]) else set() for i, part in enumerate(parts)
    ]
    whole = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    checked = build(TRACKS, whole)
    xy = checked[["x", "y"]].to_numpy().reshape(n, len(checked) // n, 2)
    return checked, xy


def spot_of(xy, scene, reach=3.0):
    """Number of the spot that each track follows: always one, or an error."""
    followed = []
    for path in xy.transpose(1, 0, 2):
        seen = np.flatnonzero(np.isfinite(path[:, 0]))
        apart = np.linalg.norm(scene.xy[seen] - path[seen, None], axis=2)
        nearest = np.unique(apart.argmin(axis=1))
        assert len(nearest) == 1, f"a track changes between spots {nearest}"
        assert apart.min(axis=1).max() < reach
        followed.append(int(nearest[0]))
    assert len(set(followed)) == len(followed), "a spot has two tracks"
    return followed


def inside(scene):
    """Spots that are in the picture in all frames."""
    return np.flatnonzero(((scene.xy > 5) & (scene.xy < 506)).all(axis=(0, 2)))


def test_jumps_of_many_pixels():
    jumps = np.random.default_rng(1).uniform(-14, 14, (25, 2))
    scene = film(25, jumps)
    table, xy = track(25, scene.detections())
    assert set(inside(scene)) <= set(spot_of(xy, scene))
    assert (table.dropna(subset="x")["state"].isin(["seed", "measured", "predicted"])).all()


def test_a_sudden_displacement_and_a_turn():
    shift = np.where(np.arange(30)[:, None] < 12, 0.0, [21.0, -15.0])
    scene = film(30, shift, turn=np.linspace(0, 0.05, 30))
    _, xy = track(30, scene.detections())
    assert set(inside(scene)) <= set(spot_of(xy, scene))


@pytest.mark.parametrize("seed", range(3))
def test_large_irregular_energy_steps_about_a_point_that_nobody_gave(seed):
    rng = np.random.default_rng(seed)
    energy = np.array([187.0, 168.0, 102.0, 220.0, 304.0, 143.0, 260.0])
    scene = film(7, rng.normal(0, 1.5, (7, 2)), np.sqrt(160 / (energy + 8.0)))
    _, xy = track(7, scene.detections(0.5), energy)
    assert set(inside(scene)) <= set(spot_of(xy, scene))


def test_satellites_ten_pixels_apart_while_spots_go_farther():
    ring = 10 * np.array([(np.cos(t), np.sin(t)) for t in np.arange(6) * np.pi / 3])
    main = lattice(spacing=110, reach=2)
    places = np.concatenate([main, (main[:, None] + ring).reshape(-1, 2)])
    energy = np.array([90.0, 110.0, 125.0, 150.0, 182.0, 210.0])
    scene = film(6, scale=np.sqrt(110 / energy), places=places)
    assert np.linalg.norm(np.diff(scene.xy, axis=0), axis=2).max() > 15
    _, xy = track(6, scene.detections(0.3), energy)
    assert set(inside(scene)) <= set(spot_of(xy, scene))


def test_a_leem_keeps_its_scale_at_all_energies():
    n = 40
    energy = np.linspace(20, 60, n)
    scene = film(n, np.linspace([0, 0], [9, 2], n))
    _, xy = track(n, scene.detections(), energy)
    assert set(inside(scene)) <= set(spot_of(xy, scene))


def test_a_scale_that_no_energy_tells():
    scene = film(40, scale=np.linspace(1.25, 0.75, 40))
    _, xy = track(40, scene.detections())
    assert set(inside(scene)) <= set(spot_of(xy, scene))


def test_an_energy_that_is_wrong_in_the_log():
    energy = np.linspace(90, 200, 12)
    scene = film(12, scale=np.sqrt(120 / energy))
    said = energy.copy()
    said[7] = 60.0
    table, xy = track(12, scene.detections(), said)
    assert set(inside(scene)) <= set(spot_of(xy, scene))
    assert table[table["frame"] == 7]["state"].isin(["seed", "measured"]).all()


def test_most_spots_vanish_while_the_pattern_jumps():
    shift = np.random.default_rng(3).uniform(-8, 8, (30, 2))
    scene = film(30, shift)
    kept = inside(scene)[:4]
    scene.there[10:15] = False
    scene.there[10:15, kept] = True
    table, xy = track(30, scene.detections())
    spots = spot_of(xy, scene, reach=1.5)
    assert set(inside(scene)) <= set(spots)
    gone = table[table["frame"].isin(range(10, 15)) & (table["state"] == "predicted")]
    assert gone.groupby("frame").size().min() >= len(inside(scene)) - 4


def test_ten_frames_without_any_spot_are_bridged():
    n = 40
    scene = film(n, np.linspace([0, 0], [20, -10], n))
    scene.there[15:25] = False
    table, xy = track(n, scene.detections())
    assert set(inside(scene)) <= set(spot_of(xy, scene, reach=1.0))
    assert (table[table["frame"].between(15, 24)]["state"].isin(["predicted", "lost"])).all()
    assert table[table["frame"].between(15, 24)].dropna(subset="x")["score"].isna().all()


def test_nothing_is_predicted_where_a_pattern_that_jumps_is_not_seen():
    scene = film(30, np.random.default_rng(10).normal(0, 8, (30, 2)))
    scene.there[12:16] = False
    table, xy = track(30, scene.detections())
    assert set(inside(scene)) <= set(spot_of(xy, scene))
    assert (table[table["frame"].between(12, 15)]["state"] == "lost").all()


def test_a_spot_is_predicted_for_max_gap_frames_then_lost_then_found_again():
    scene = film(40)
    gone = int(inside(scene)[0])
    scene.there[10:30, gone] = False
    table, xy = track(40, scene.detections(), max_gap=4)
    number = 1 + spot_of(xy, scene).index(gone)
    state = table[table["track_id"] == number]["state"].to_numpy()
    assert (state[10:14] == "predicted").all()
    assert (state[14:26] == "lost").all()
    assert (state[26:30] == "predicted").all()
    assert (state[30:] == "measured").all()
    assert np.isnan(xy[14:26, number - 1]).all()


def test_spots_that_grow_between_others_are_new_tracks():
    main = lattice()
    half = [place for place in main / 2 if np.linalg.norm(main - place, axis=1).min() > 1]
    places = np.concatenate([main, half])
    scene = film(40, np.random.default_rng(4).normal(0, 3, (40, 2)), places=places)
    scene.there[:18, len(main) :] = False
    table, xy = track(40, scene.detections(), max_gap=0)
    spots = spot_of(xy, scene)
    grown = {spot for spot in inside(scene) if spot >= len(main)}
    assert grown <= set(spots)
    for number, spot in enumerate(spots, start=1):
        rows = table[table["track_id"] == number]
        assert rows[rows["state"] == "seed"]["frame"].tolist() == [18 if spot in grown else 0]


def test_spots_that_come_in_when_the_others_scatter_more_than_they_used_to_are_tracks():
    n, late = 60, 54
    scene = film(n)
    new = inside(scene)[-3:]
    scene.there[:late, new] = False
    scatter = np.where(np.arange(n) < late, 0.03, 0.5)[:, None, None]
    scene.xy += scatter * np.random.default_rng(21).normal(0, 1, scene.xy.shape)
    _, xy = track(n, scene.detections(noise=0.0))
    assert set(new) <= set(spot_of(xy, scene))


def test_tracks_end_when_everything_fades_and_nothing_is_made_up_after():
    rng = np.random.default_rng(5)
    scene = film(30)
    scene.there[12:] = False
    noise = [(t, *rng.uniform(20, 490, 2)) for t in range(12, 30) for _ in range(2)]
    table, xy = track(30, scene.detections(extra=noise))
    assert set(spot_of(xy, scene)) == set(inside(scene))
    assert (table[table["frame"] >= 12]["state"] == "lost").all()


def test_what_stands_still_while_the_pattern_moves_is_no_spot():
    n = 40
    hot = [(t, x, y) for t in range(n) for x, y in [(100, 90), (333, 402), (420, 130)]]
    scene = film(n, np.random.default_rng(6).normal(0, 4, (n, 2)))
    _, xy = track(n, scene.detections(extra=hot))
    spot_of(xy, scene)
    energy = np.linspace(80, 200, n)
    scene = film(n, scale=np.sqrt(120 / energy))
    _, xy = track(n, scene.detections(extra=hot), energy)
    spot_of(xy, scene)


def test_what_stands_still_and_changes_its_brightness_is_a_beam_of_a_facet():
    n = 40
    energy = np.linspace(80, 200, n)
    scene = film(n, scale=np.sqrt(120 / energy))
    facet = [(t, 240.0, 180.0) for t in range(n)]
    detections = scene.detections(extra=facet)
    facets = np.flatnonzero((detections["x"] == 240.0) & (detections["y"] == 180.0))
    detections["score"][facets] = 40 + 35 * np.cos(energy / 15)
    _, xy = track(n, detections, energy)
    held = (np.hypot(xy[..., 0] - 240, xy[..., 1] - 180) < 1).sum(axis=0)
    assert held.max() >= 0.9 * n, held.max()


def test_one_spot_is_a_track_though_no_motion_can_be_shared():
    rng = np.random.default_rng(11)
    scene = film(30, places=np.array([[40.0, 25.0]]))
    noise = [(t, *rng.uniform(20, 490, 2)) for t in range(0, 30, 2)]
    table, xy = track(30, scene.detections(extra=noise))
    assert spot_of(xy, scene) == [0]
    assert (table["state"].isin(["seed", "measured"])).sum() >= 29


def test_a_sample_that_is_turned_at_once():
    scene = film(30, turn=np.where(np.arange(30) < 14, 0.0, np.deg2rad(3)))
    _, xy = track(30, scene.detections())
    assert set(inside(scene)) <= set(spot_of(xy, scene))


def test_spots_that_pass_others_keep_their_tracks():
    main = lattice(spacing=110, reach=2)
    away = np.linspace(-9, 9, 40)
    passing = main[:6] + np.array([0.0, 6.0])
    xy = np.concatenate(
        [
            np.repeat(main[None], 40, axis=0),
            passing[None] + np.stack([away, np.zeros(40)], axis=1)[:, None],
        ],
        axis=1,
    )
    scene = Film(xy + CENTRE, np.ones(xy.shape[:2], bool), np.linspace(150, 40, len(main) + 6))
    _, followed = track(40, scene.detections())
    assert set(inside(scene)) <= set(spot_of(followed, scene, reach=6.0))


def test_spots_that_wander_on_their_own_are_followed():
    n = 120
    scene = film(n)
    scene.xy += np.cumsum(np.random.default_rng(12).normal(0, 0.3, scene.xy.shape), axis=0)
    _, xy = track(n, scene.detections())
    assert set(inside(scene)) <= set(spot_of(xy, scene))


def test_what_was_made_of_the_energies_is_noted():
    energy = np.linspace(80, 200, 20)
    scene = film(20, scale=np.sqrt(120 / energy))
    tracker = Pattern(PatternParams())
    for index, said in (({"energy_eV": energy}, "follows the energies"), ({}, "free")):
        list(tracker.track(FrameSequence(Dark(20), index=index), None, scene.detections()))
        assert len(tracker.notes) == 1
        assert said in tracker.notes[0]


def test_the_beam_in_the_fixed_point_is_a_spot():
    energy = np.linspace(80, 200, 20)
    places = np.concatenate([lattice(), [[0.0, 0.0]]])
    scene = film(20, scale=np.sqrt(120 / energy), places=places)
    _, xy = track(20, scene.detections(), energy)
    assert len(places) - 1 in spot_of(xy, scene)


def test_false_detections_make_no_tracks():
    rng = np.random.default_rng(7)
    false = [(t, *rng.uniform(10, 500, 2)) for t in range(60) for _ in range(8)]
    scene = film(60, np.linspace([0, 0], [6, 6], 60))
    _, xy = track(60, scene.detections(extra=false))
    spot_of(xy, scene)


def test_places_on_the_mask_are_masked_and_none_lies_outside_the_frame():
    n = 30
    scene = film(n, np.linspace([0, 0], [60, 0], n))
    valid = np.ones((512, 512), bool)
    valid[:, 200:260] = False
    columns = np.rint(scene.xy[..., 0]).astype(int)
    scene.there &= ~((columns >= 200) & (columns < 260))
    table, xy = track(n, scene.detections(), valid=valid)
    spot_of(xy, scene)
    hidden = table[table["state"] == "masked"]
    assert len(hidden) > 20
    assert hidden["x"].between(199.5, 259.5).all()
    assert not table[table["state"] == "predicted"]["x"].between(199.5, 259.5).any()
    placed = table.dropna(subset="x")
    assert placed[["x", "y"]].min().min() >= 0
    assert placed[["x", "y"]].max().max() <= 511


def test_what_the_pixels_show_is_measured_though_it_was_not_detected():
    scene = film(12)
    dim, gone = inside(scene)[:2]
    scene.there[4:8, [dim, gone]] = False
    y, x = np.mgrid[:512, :512]
    away = (x - scene.xy[0, dim, 0]) ** 2 + (y - scene.xy[0, dim, 1]) ** 2
    light = 50 + 10 * np.exp(-away / (2 * 3.0**2))
    pixels = np.random.default_rng(9).normal(light, 4, (12, 512, 512)).astype(np.float32)
    detections = scene.detections(noise=0.1)
    parts = list(
        Pattern(PatternParams()).track(FrameSequence(ArraySource(pixels)), None, detections)
    )
    xy = np.stack([[part["x"], part["y"]] for part in parts]).transpose(0, 2, 1)
    followed = spot_of(xy, scene)
    for spot, state in ((dim, "measured"), (gone, "predicted")):
        number = followed.index(spot)
        assert [part["state"][number] for part in parts[4:8]] == [state] * 4
        assert np.linalg.norm(xy[4:8, number] - scene.xy[4:8, spot], axis=1).max() < 0.5


def test_clipped_pixels_are_saturated():
    scene = film(6)
    pixels = np.zeros((6, 512, 512), np.uint8)
    column, row = np.rint(scene.xy[4, 3]).astype(int)
    pixels[4, row, column] = 255
    frames = FrameSequence(ArraySource(pixels), saturation=255)
    tracker = Pattern(PatternParams())
    parts = list(tracker.track(frames, None, scene.detections(noise=0.0)))
    states = np.array([part["state"] for part in parts])
    xy = np.stack([[part["x"], part["y"]] for part in parts]).transpose(0, 2, 1)
    number = spot_of(xy, scene).index(3)
    assert np.argwhere(states == "saturated").tolist() == [[4, number]]


@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.integers(0, 7),
            st.floats(0, 200, allow_nan=False),
            st.floats(0, 200, allow_nan=False),
            st.floats(1, 99),
        ),
        max_size=40,
    ),
    st.integers(0, 4),
    st.integers(1, 4),
    st.sampled_from([None, "same", "rising"]),
)
def test_any_detections_give_tracks_that_share_none(rows, max_gap, min_length, kind):
    table = np.array(rows, dtype=float).reshape(-1, 4)
    frame, x, y, score = table.T
    side = np.full(len(table), 9.0)
    box = {"x": x, "y": y, "width": side, "height": side, "score": score}
    energy = {None: None, "same": np.full(8, 80.0), "rising": np.linspace(50, 120, 8)}[kind]
    found, _ = track(
        8, {"frame": frame.astype(int), **box}, energy, max_gap=max_gap, min_length=min_length
    )
    seen = found[found["state"].isin(["seed", "measured"])]
    left = sorted(map(list, zip(frame, x, y, score, strict=True)))
    for row in sorted(seen[["frame", "x", "y", "score"]].to_numpy(float).tolist()):
        left.remove(row)
    assert (seen.groupby("track_id").size() >= min_length).all()
    assert (found[found["state"] == "seed"].groupby("track_id").size() == 1).all()


@pytest.mark.parametrize("n", [1, 2, 3])
def test_a_short_series_asks_for_no_more_than_its_frames(n):
    scene = film(n)
    _, xy = track(n, scene.detections())
    assert set(spot_of(xy, scene)) == set(inside(scene))


def test_without_detections_there_are_no_tracks():
    table, xy = track(
        5, Film(np.zeros((5, 0, 2)), np.zeros((5, 0), bool), np.zeros(0)).detections()
    )
    assert len(table) == 0
    assert xy.shape == (5, 0, 2)
    with pytest.raises(InputError, match="was given none"):
        next(Pattern(PatternParams()).track(FrameSequence(Dark(3)), None, None))


def test_energies_asked_for_and_not_known_are_an_error():
    scene = film(3)
    with pytest.raises(InputError, match="needs the beam energy"):
        track(3, scene.detections(), [50, np.nan, 60], scale="energy")
    with pytest.raises(InputError, match="needs the beam energy"):
        track(3, scene.detections(), order="energy")


@pytest.mark.parametrize("follows", [True, False])
def test_contraction_and_its_centre_are_read_off_the_detections(follows):
    energy = np.linspace(70, 180, 30)
    scale = np.sqrt(110 / energy) if follows else np.ones(30)
    scene = film(30, np.random.default_rng(8).normal(0, 0.5, (30, 2)), scale)
    points = [xy[((xy > 0) & (xy < 511)).all(axis=1)] for xy in scene.xy]
    told, centre, contracts = contraction(points, energy, (512, 512))
    assert contracts == follows
    if follows:
        np.testing.assert_allclose(centre, CENTRE, atol=1.0)
        np.testing.assert_allclose(np.diff(told), np.diff(np.log(scale)), atol=1e-12)


@pytest.mark.parametrize("scenario", ["energy-ramp", "shaking", "dropout"])
def test_simulated_spots_are_one_track_each(scenario, simulated):
    sim, seen, table = simulated(scenario)
    energy = sim.index["energy_eV"].to_numpy()
    found, _ = track(len(sim), table, energy)
    spot = dict(zip(table["x"].tolist(), seen["spot"].tolist(), strict=True))
    pairs = found[found["state"].isin(["seed", "measured"])]
    pairs = pairs.assign(spot=pairs["x"].map(spot))
    assert (pairs.groupby("track_id")["spot"].nunique() == 1).all()
    assert (pairs.groupby("spot")["track_id"].nunique() == 1).all()
    assert len(pairs) >= 0.99 * len(seen)
    truth = sim.truth.set_index(["frame", "spot"])[["x", "y"]]
    owner = pairs.groupby("track_id")["spot"].first()
    hidden = found[found["state"] == "predicted"]
    at = truth.loc[list(zip(hidden["frame"], hidden["track_id"].map(owner), strict=True))]
    error = np.hypot(*(hidden[["x", "y"]].to_numpy() - at.to_numpy()).T)
    # Where a spot has gone out for good, nothing says where it would be but the others.
    assert np.nanpercentile(error, 90) < 1.0


@pytest.mark.parametrize(
    "options",
    [{"scale": "linear"}, {"max_gap": -1}, {"min_length": 0}, {"order": "time"}, {"gap": 3}],
)
def test_nonsense_options_are_refused(options):
    with pytest.raises(ParamsError, match=next(iter(options))):
        make(PatternParams, options, "pattern")


def test_registered_light_and_made_by_name():
    backend = Registry.discover().find("tracker", "pattern")
    assert backend.state == "ready"
    assert backend.spec.needs == ("detections",)
    assert isinstance(backend.make(), Pattern)
