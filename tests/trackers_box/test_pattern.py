"""The tracker `pattern` as it is called: any detections, short series, options."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

pytest.importorskip("scipy")

from tests.trackers_box.films import Dark, Film, by_pattern, film, inside, sequence, spot_of
from trackleed.errors import InputError, ParamsError
from trackleed.params import make
from trackleed.registry import Registry
from trackleed_trackers_box.params import PatternParams
from trackleed_trackers_box.pattern import Pattern


@pytest.mark.parametrize("scenario", ["energy-ramp", "shaking", "dropout"])
def test_simulated_spots_are_one_track_each(scenario, simulated):
    sim, seen, table = simulated(scenario)
    energy = sim.index["energy_eV"].to_numpy()
    found, _ = by_pattern(len(sim), table, energy)
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
    found, _ = by_pattern(
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
    _, xy = by_pattern(n, scene.detections())
    assert set(spot_of(xy, scene)) == set(inside(scene))


def test_without_detections_there_are_no_tracks():
    table, xy = by_pattern(
        5, Film(np.zeros((5, 0, 2)), np.zeros((5, 0), bool), np.zeros(0)).detections()
    )
    assert len(table) == 0
    assert xy.shape == (5, 0, 2)
    with pytest.raises(InputError, match="was given none"):
        next(Pattern(PatternParams()).track(sequence(Dark(3)), None, None))


def test_energies_asked_for_and_not_known_are_an_error():
    scene = film(3)
    with pytest.raises(InputError, match="needs the beam energy"):
        by_pattern(3, scene.detections(), [50, np.nan, 60], scale="energy")
    with pytest.raises(InputError, match="needs the beam energy"):
        by_pattern(3, scene.detections(), order="energy")


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
