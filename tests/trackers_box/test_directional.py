"""The tracker along the radii, on tables of detections whose tracks are known."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("scipy")

from tests.trackers_box.films import Unread, detections, sequence, tracked
from trackleed.errors import InputError, ParamsError
from trackleed.params import make
from trackleed.registry import Registry
from trackleed_trackers_box.directional import Directional
from trackleed_trackers_box.params import DirectionalParams
from trackleed_trackers_box.radial import Drift

CENTRE = np.array([240.0, 262.0])


def track(n, rows, energy=None, **options):
    """The tracks table, and its x as an array (frame, track)."""
    tracker = Directional(make(DirectionalParams, options, "directional"))
    found, xy = tracked(tracker, sequence(Unread(n), energy), detections(rows))
    return found, xy[..., 0]


def spots(rings=(70.0, 140.0, 205.0), each=6):
    """Places (n, 2) on rings about the centre, the beam in the middle included."""
    angle = np.arange(each) * 2 * np.pi / each
    found = [r * np.array([np.cos(a + r / 100), np.sin(a + r / 100)]) for r in rings for a in angle]
    return np.array([[0.0, 0.0], *found])


def breathing(scale, places=None, seed=0, noise=0.2):
    """Rows of spots that go in and out with ``scale`` (n,); spot k is rows k::n_spots."""
    places = spots() if places is None else places
    rng = np.random.default_rng(seed)
    return [
        (t, *(CENTRE + s * place + rng.normal(0, noise, 2)), 90 - k)
        for t, s in enumerate(scale)
        for k, place in enumerate(places)
    ]


def paths(rows, n):
    return np.array(rows)[:, 1].reshape(n, -1)


def test_energies_tell_where_spots_go_in_large_irregular_steps():
    energy = np.array([187.0, 168.0, 102.0, 220.0, 304.0, 130.0])
    rows = breathing(np.sqrt(150 / energy))
    _, x = track(6, rows, energy)
    expected = paths(rows, 6)
    first = int(np.argmin(energy))
    assert sorted(map(tuple, x.T)) == sorted(map(tuple, expected.T))
    assert (x[first] == expected[first]).all()


def test_a_leem_keeps_its_radii():
    rows = breathing(np.ones(20))
    _, x = track(20, rows, np.linspace(20, 80, 20))
    np.testing.assert_array_equal(x, paths(rows, 20))


def test_without_energies_a_ring_goes_on_as_it_went_and_turns_round():
    scale = np.concatenate([np.linspace(1.15, 0.8, 16), np.linspace(0.8, 1.1, 14)[1:]])
    rows = breathing(scale)
    _, x = track(len(scale), rows, center_x=CENTRE[0], center_y=CENTRE[1])
    np.testing.assert_array_equal(x, paths(rows, len(scale)))


def test_a_gap_while_the_pattern_contracts_is_bridged():
    energy = np.linspace(80, 200, 25)
    rows = [row for row in breathing(np.sqrt(140 / energy)) if row[0] not in range(9, 16)]
    table, x = track(25, rows, energy)
    assert x.shape[1] == len(spots())
    assert (table[table["frame"].between(9, 15)]["state"] == "lost").all()
    assert np.isfinite(x[16:]).all()
    _, ended = track(25, rows, energy, max_gap=6)
    assert ended.shape[1] == 2 * len(spots())


def test_what_lies_beside_the_radius_is_not_taken_for_the_spot():
    # Spot and neighbour are as far from where the spot was; one of them is across.
    place = spots((150.0,), each=8)[1:]
    rows = [row for row in breathing(np.linspace(1, 0.95, 6), place, noise=0.0) if row[3] != 90]
    radius, across = 150 * (1 - 0.01 * np.arange(6)), np.repeat([0.0, 7.0], 3)
    outward, sideways = place[0] / 150, place[0, ::-1] / 150 * [-1, 1]
    rows += [(t, *(CENTRE + radius[t] * outward + across[t] * sideways), 90) for t in range(6)]
    options = {"scale": "free", "center_x": CENTRE[0], "center_y": CENTRE[1], "max_distance": 8}
    assert track(6, rows, **options)[1].shape[1] == 9
    assert track(6, rows, **options, lateral=1.0)[1].shape[1] == 8


def test_the_direction_flips_with_the_steps():
    drift = Drift(40.0)
    assert drift.direction == 0
    for _ in range(4):
        drift.learn(np.array([50.0, 90.0]), np.array([-1.0, -2.0]))
    assert drift.direction == -1
    assert drift.step(np.array([50.0, 90.0])).tolist() == [-1.0, -2.0]
    assert drift.step(np.array([300.0])).tolist() == [-1.5]
    for _ in range(3):
        drift.learn(np.array([50.0, 90.0]), np.array([1.0, 2.0]))
    assert drift.direction == 1


@pytest.mark.parametrize("scenario", ["energy-ramp", "shaking", "dropout"])
def test_simulated_spots_are_one_track_each(scenario, simulated):
    sim, seen, table = simulated(scenario)
    rows = np.stack([table[name] for name in ("frame", "x", "y", "score")], axis=1)
    found, _ = track(len(sim), rows, sim.index["energy_eV"].to_numpy())
    spot = dict(zip(table["x"].tolist(), seen["spot"].tolist(), strict=True))
    pairs = found.dropna(subset="x").assign(spot=lambda rows: rows["x"].map(spot))
    assert (pairs.groupby("track_id")["spot"].nunique() == 1).all()
    assert (pairs.groupby("spot")["track_id"].nunique() == 1).mean() >= 0.95
    assert len(pairs) >= 0.95 * len(seen)


def test_no_detections():
    table, x = track(4, [])
    assert len(table) == 0
    assert x.shape == (4, 0)
    with pytest.raises(InputError, match="was given none"):
        next(Directional(DirectionalParams()).track(sequence(Unread(3)), None, None))
    with pytest.raises(InputError, match="needs the beam energy"):
        track(3, [(0, 1, 1, 9)], scale="energy")


@pytest.mark.parametrize(
    "options",
    [{"lateral": 0}, {"center_x": "left"}, {"max_distance": 0}, {"max_gap": -1}, {"ring": 3}],
)
def test_nonsense_options_are_refused(options):
    with pytest.raises(ParamsError, match=next(iter(options))):
        make(DirectionalParams, options, "directional")


def test_registered_light_and_made_by_name():
    backend = Registry.discover().find("tracker", "directional")
    assert backend.state == "ready"
    assert isinstance(backend.make(), Directional)
