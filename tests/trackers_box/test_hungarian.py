"""The tracker on tables of detections whose tracks are known."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

pytest.importorskip("scipy")

from tests.trackers_box.films import Unread, detections, sequence, tracked
from trackleed.errors import InputError, ParamsError
from trackleed.params import make
from trackleed.registry import Registry
from trackleed_trackers_box.hungarian import Hungarian, automatic_distance
from trackleed_trackers_box.params import HungarianParams


def track(n, rows, energy=None, **options):
    """The tracks table, and its x as an array (frame, track)."""
    tracker = Hungarian(make(HungarianParams, options, "hungarian"))
    table = rows if isinstance(rows, dict) else detections(rows)
    found, xy = tracked(tracker, sequence(Unread(n), energy), table)
    return found, xy[..., 0]


def lattice(n_frames, step=(0.6, -0.3), seed=0, jitter=0.2, spacing=60.0):
    """Rows (frame, x, y, score) of nine spots that drift together; spot k is rows k::9."""
    rng = np.random.default_rng(seed)
    start = [(100 + spacing * i, 120 + spacing * j) for i in range(3) for j in range(3)]
    return [
        (
            t,
            x + step[0] * t + rng.normal(0, jitter),
            y + step[1] * t + rng.normal(0, jitter),
            90 - k,
        )
        for t in range(n_frames)
        for k, (x, y) in enumerate(start)
    ]


def test_drifting_spots_keep_their_numbers():
    rows = lattice(40)
    table, x = track(40, rows)
    np.testing.assert_array_equal(x, np.array(rows)[:, 1].reshape(40, 9))
    assert (table["state"][table["frame"] == 0] == "seed").all()
    assert (table["state"][table["frame"] > 0] == "measured").all()


def test_numbers_follow_first_appearance_then_brightness():
    rows = [(t, 100, 100, 20) for t in range(10)] + [(t, 200, 100, 80) for t in range(10)]
    rows += [(t, 300, 100, 500) for t in range(4, 10)]
    table, _ = track(10, rows)
    first = table.dropna().groupby("track_id").first()
    assert first["x"].tolist() == [200, 100, 300]
    assert first["frame"].tolist() == [0, 0, 4]
    assert table[table["state"] == "seed"][["track_id", "frame"]].to_numpy().tolist() == [
        [1, 0],
        [2, 0],
        [3, 4],
    ]


def test_gaps_births_and_deaths_are_lost_rows_without_a_position():
    rows = [(t, 100, 100) for t in range(12) if t not in (5, 6)]
    rows += [(t, 200, 100) for t in range(3, 9)]
    table, x = track(12, rows)
    assert x.shape == (12, 2)
    seen = np.isfinite(x)
    assert np.flatnonzero(~seen[:, 0]).tolist() == [5, 6]
    assert np.flatnonzero(seen[:, 1]).tolist() == [3, 4, 5, 6, 7, 8]
    lost = table[table["state"] == "lost"]
    assert lost[["x", "y", "width", "height", "score"]].isna().all().all()
    assert len(lost) == (~seen).sum()


@pytest.mark.parametrize(("gap", "n_tracks"), [(4, 1), (5, 2)])
def test_a_spot_may_be_missing_for_max_gap_frames(gap, n_tracks):
    rows = [(t, 100, 100) for t in [*range(5), *range(5 + gap, 12 + gap)]]
    assert track(20, rows, max_gap=4)[1].shape[1] == n_tracks


def test_false_detections_make_no_tracks():
    rng = np.random.default_rng(1)
    rows = lattice(40) + [(t, *rng.uniform(0, 500, 2), 6.0) for t in range(40) for _ in range(3)]
    _, x = track(40, rows)
    assert x.shape[1] == 9
    error = np.abs(x - np.array(rows[: 9 * 40])[:, 1].reshape(40, 9))
    assert np.nanmax(error) < 1e-9


def test_spots_that_cross_far_apart_in_time_are_two():
    right = [(t, 100 + 4 * t, 100, 40) for t in range(30)]
    left = [(t, 216 - 4 * t, 150, 30) for t in range(30)]
    _, x = track(30, right + left)
    np.testing.assert_array_equal(x[:, 0], [r[1] for r in right])
    np.testing.assert_array_equal(x[:, 1], [r[1] for r in left])


def test_a_spot_that_is_gone_is_not_continued_by_its_neighbour():
    rows = [(t, 100, 100) for t in range(10)]
    rows += [(t, 124, 100) for t in range(20)]
    _, x = track(20, rows)
    assert np.isnan(x[10:, 0]).all()
    assert (x[:, 1] == 124).all()


def test_pairs_are_the_best_together_and_not_one_by_one():
    # The nearest pair, 5.0 to 5.5, would leave the other two too far apart.
    rows = [(0, 0, 0), (0, 5, 0), (1, 5.5, 0), (1, 11, 0)]
    _, x = track(2, rows, max_distance=8.5, min_length=1)
    assert x.shape == (2, 2)
    assert sorted(x.T.tolist()) == [[0, 5.5], [5, 11]]


def test_order_of_the_detections_changes_nothing():
    table = detections(lattice(15, jitter=1.0) + [(t, 400, 30.0 * t) for t in range(15)])
    expected, _ = track(15, table)
    for seed in range(5):
        mixed = np.random.default_rng(seed).permutation(len(table["frame"]))
        other, _ = track(15, {name: values[mixed] for name, values in table.items()})
        assert expected.equals(other)


@settings(max_examples=40)
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
)
def test_every_track_is_made_of_detections_that_no_other_has(rows, max_gap, min_length):
    table, x = track(8, rows, max_gap=max_gap, min_length=min_length)
    used = table.dropna(subset="x")[["frame", "x", "y", "score"]].to_numpy().tolist()
    given_rows = detections(rows)
    columns = [given_rows[name] for name in ("frame", "x", "y", "score")]
    left = sorted(map(list, zip(*columns, strict=True)))
    for row in sorted(used):
        left.remove(row)
    for seen in np.isfinite(x).T:
        assert np.diff(np.flatnonzero(seen)).max(initial=0) <= max_gap + 1
        runs = "".join("x" if s else " " for s in seen).split()
        assert max(map(len, runs)) >= min_length


@pytest.mark.parametrize("n", [1, 2, 3, 10])
def test_a_short_series_asks_for_no_more_than_its_frames(n):
    assert track(n, [(t, 50, 60) for t in range(n)])[1].shape == (n, 1)


@pytest.mark.parametrize("rows", [[], [(2, np.nan, 10.0), (3, 5.0, np.nan)]])
def test_without_positions_there_are_no_tracks(rows):
    table, x = track(5, rows)
    assert len(table) == 0
    assert x.shape == (5, 0)


def test_frames_out_of_order_are_linked_by_energy():
    energy = np.array([187.0, 168.0, 102.0, 220.0, 304.0])
    rows = [
        (t, 300 + sign * 2000 / np.sqrt(e), 250, 50 + sign)
        for t, e in enumerate(energy)
        for sign in (-1, 1)
    ]
    _, by_energy = track(5, rows, energy, max_distance=45)
    np.testing.assert_array_equal(
        by_energy, [[r[1] for r in rows[i : i + 2][::-1]] for i in range(0, 10, 2)]
    )
    _, by_frame = track(5, rows, energy, max_distance=45, order="frame")
    assert by_frame.shape[1] != 2 or np.isnan(by_frame).any()


def test_the_seed_is_the_first_in_the_order_of_linking():
    energy = np.array([30.0, 10.0, 20.0])
    table, _ = track(3, [(t, 100, 100) for t in range(3)], energy)
    assert table["state"].tolist() == ["measured", "seed", "measured"]


@pytest.mark.parametrize("energy", [None, np.array([50.0, np.nan, 60.0])])
def test_energies_asked_for_and_not_known_are_an_error(energy):
    with pytest.raises(InputError, match="needs the beam energy of every frame"):
        track(3, [(0, 1, 1)], energy, order="energy")


def test_no_table_of_detections_is_an_error():
    with pytest.raises(InputError, match="was given none"):
        next(Hungarian(HungarianParams()).track(sequence(Unread(3)), None, None))


def boxes(rows, n):
    table = detections(rows)
    columns = np.stack([table[k] for k in ("x", "y", "width", "height", "score")], axis=1)
    return [columns[table["frame"] == i] for i in range(n)]


def test_automatic_distance_is_half_a_roi_where_nothing_moves():
    assert automatic_distance(boxes(lattice(10, (0, 0)), 10)) == pytest.approx(8.5)


def test_automatic_distance_grows_with_the_way():
    assert automatic_distance(boxes(lattice(10, (4, 3)), 10)) == pytest.approx(20, rel=0.1)


def test_automatic_distance_stays_below_the_spacing():
    close = automatic_distance(boxes(lattice(10, (4, 3), spacing=30), 10))
    assert close == pytest.approx(12, rel=0.1)


def test_velocity_finds_a_fast_spot_again_after_a_gap():
    rows = [(t, 50 + 12 * t, 100) for t in range(20) if t not in (8, 9, 10)]
    assert track(20, rows, max_distance=15)[1].shape[1] == 2
    assert track(20, rows, max_distance=15, prediction="velocity")[1].shape[1] == 1


@pytest.mark.parametrize("scenario", ["energy-ramp", "shaking", "dropout"])
def test_simulated_spots_are_one_track_each(scenario, simulated):
    sim, seen, table = simulated(scenario)
    found, _ = track(len(sim), table)
    spot = dict(zip(table["x"].tolist(), seen["spot"].tolist(), strict=True))
    pairs = found.dropna(subset="x").assign(spot=lambda rows: rows["x"].map(spot))
    # No track has two spots, and hardly a spot has two tracks.
    assert (pairs.groupby("track_id")["spot"].nunique() == 1).all()
    assert (pairs.groupby("spot")["track_id"].nunique() == 1).mean() >= 0.95
    assert len(pairs) >= 0.95 * len(seen)


@pytest.mark.parametrize(
    "options",
    [
        {"max_distance": 0},
        {"max_distance": "far"},
        {"max_gap": -1},
        {"max_gap": 1.5},
        {"min_length": 0},
        {"order": "temperature"},
        {"prediction": "kalman"},
        {"gap": 3},
    ],
)
def test_nonsense_options_are_refused(options):
    with pytest.raises(ParamsError, match=next(iter(options))):
        make(HungarianParams, options, "hungarian")


def test_a_detection_placed_by_hand_is_linked_without_a_score():
    rows = [(i, x + i, 40, 20.0) for i in range(8) for x in (30, 90)]
    rows[6] = (3, 33, 40, np.nan)
    _, x = track(8, rows)
    assert x.shape == (8, 2)
    assert np.isfinite(x).all()


def test_registered_light_and_made_by_name():
    backend = Registry.discover().find("tracker", "hungarian")
    assert backend.state == "ready"
    assert backend.spec.needs == ("detections",)
    assert isinstance(backend.make(), Hungarian)
