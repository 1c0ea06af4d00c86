"""Metrics of tracking against cases worked by hand, and what must hold whatever comes."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trackleed.errors import TableError
from trackleed.scoring import by_hand, count, errors, of_truth, rates, total
from trackleed.simulate import Facet, Scenario, simulate


def score(tracks: pd.DataFrame, labels: pd.DataFrame) -> dict[str, float]:
    counts = count(tracks, None, labels)
    numbers = {name: value for name, value in counts.items() if isinstance(value, float)}
    return numbers | rates(counts)


PERFECT = ("idf1", "hota", "recall", "precision", "delta_avg", "occlusion_accuracy")


def test_the_labels_themselves_are_perfect(tracks: pd.DataFrame, labels: pd.DataFrame) -> None:
    found = score(tracks, labels)
    assert [found[name] for name in (*PERFECT, "average_jaccard")] == [1.0] * 7
    assert found["switches"] == found["fragments"] == found["ghosts"] == 0
    assert found["spots"] == 3


def test_numbers_of_tracks_mean_nothing(tracks: pd.DataFrame, labels: pd.DataFrame) -> None:
    renumbered = tracks.assign(track_id=tracks["track_id"].map({1: 7, 2: 1, 3: 2}))
    assert score(renumbered, labels) == score(tracks, labels)


def test_swapped_halves(tracks: pd.DataFrame, labels: pd.DataFrame) -> None:
    """Two of two spots change their numbers half-way: each identity is right half the time."""
    two = tracks["track_id"] < 3
    late = tracks["frame"] >= 5
    swapped = tracks.assign(track_id=tracks["track_id"].where(~late, 3 - tracks["track_id"]))
    found = score(swapped[two], labels[labels["track_id"] < 3])
    assert found["idf1"] == pytest.approx(0.5)
    assert (found["recall"], found["precision"]) == (1, 1)
    assert (found["switches"], found["fragments"]) == (2, 2)
    # Every pair shares 5 of the 15 frames that either has: AssA = 1/3, DetA = 1.
    assert found["hota"] == pytest.approx(math.sqrt(1 / 3))


def test_a_track_cut_in_two_is_one_fragment(tracks: pd.DataFrame, labels: pd.DataFrame) -> None:
    cut = (tracks["track_id"] == 1) & (tracks["frame"] >= 6)
    found = score(tracks.assign(track_id=tracks["track_id"].mask(cut, 9)), labels)
    assert (found["switches"], found["fragments"]) == (1, 1)
    assert found["idf1"] == pytest.approx(2 * 26 / 60)
    assert found["fragments_per_spot"] == pytest.approx(1 / 3)


def test_a_gap_is_missed_and_no_fragment(tracks: pd.DataFrame, labels: pd.DataFrame) -> None:
    gap = (tracks["track_id"] == 2) & tracks["frame"].between(4, 6)
    found = score(tracks.assign(x=tracks["x"].mask(gap), state=tracks["state"]), labels)
    assert found["recall"] == pytest.approx(27 / 30)
    assert (found["precision"], found["switches"], found["fragments"]) == (1, 0, 0)


def test_a_track_of_nothing_is_a_ghost(tracks: pd.DataFrame, labels: pd.DataFrame) -> None:
    ghost = tracks[tracks["track_id"] == 1].assign(track_id=4, y=200.0)
    found = score(pd.concat([tracks, ghost]), labels)
    assert (found["ghosts"], found["recall"]) == (1, 1)
    assert found["precision"] == pytest.approx(30 / 40)


def test_two_tracks_on_one_spot_are_one_too_many(
    tracks: pd.DataFrame, labels: pd.DataFrame
) -> None:
    double = tracks[tracks["track_id"] == 1].assign(track_id=4, x=lambda t: t["x"] + 1)
    found = score(pd.concat([tracks, double]), labels)
    assert found["precision"] == pytest.approx(30 / 40)
    assert found["ghosts"] == 1  # it stands on no spot that has not a better one


def test_similarity_falls_to_a_half_at_the_reach(
    tracks: pd.DataFrame, labels: pd.DataFrame
) -> None:
    """2 of 4 px off: similarity 3/4, so 15 of 19 alphas match; 5 px off: none."""
    assert score(tracks.assign(y=22.0), labels)["hota"] == pytest.approx(15 / 19)
    assert score(tracks.assign(y=25.0), labels)["hota"] == 0
    assert score(tracks.assign(y=25.0), labels)["idf1"] == 0


def test_what_need_not_be_found_counts_neither_way(tracks: pd.DataFrame) -> None:
    dim = (tracks["track_id"] == 3) & (tracks["frame"] < 5)
    labels = by_hand(tracks.assign(state=tracks["state"].mask(dim, "predicted")))
    for given_tracks in (tracks, tracks[~dim]):
        found = score(given_tracks, labels)
        assert (found["recall"], found["precision"], found["idf1"]) == (1, 1, 1)


def test_what_is_not_there_may_be_predicted_but_not_seen(tracks: pd.DataFrame) -> None:
    dark = tracks["frame"] == 4
    labels = by_hand(tracks.assign(state=tracks["state"].mask(dark, "lost")))
    guessed = tracks.assign(state=tracks["state"].mask(dark, "predicted"))
    assert score(guessed, labels)["precision"] == 1
    assert score(tracks, labels)["precision"] == pytest.approx(27 / 30)


def test_frames_without_labels_are_not_judged(tracks: pd.DataFrame, labels: pd.DataFrame) -> None:
    some = labels[labels["frame"] % 5 == 0]
    assert score(tracks, some)["precision"] == 1


def test_occlusion_accuracy_and_jaccard(tracks: pd.DataFrame) -> None:
    """Spot 1 is hidden in 4 of its 9 later frames; the tracker sees it all the same."""
    hidden = (tracks["track_id"] == 1) & tracks["frame"].between(3, 6)
    labels = by_hand(tracks.assign(state=tracks["state"].mask(hidden, "masked")))
    found = score(tracks, labels)
    assert found["occlusion_accuracy"] == pytest.approx(23 / 27)
    assert found["average_jaccard"] == pytest.approx(23 / (23 + 4))
    assert found["delta_avg"] == 1


def test_delta_avg_counts_thresholds(tracks: pd.DataFrame, labels: pd.DataFrame) -> None:
    """3 px off is within 4, 8 and 16 px."""
    found = score(tracks.assign(y=23.0), labels)
    assert found["delta_avg"] == pytest.approx(3 / 5)
    # TP / (visible + FP) is 0 of 54, twice, and 27 of 27, three times.
    assert found["average_jaccard"] == pytest.approx(3 / 5)


def test_errors_before_and_after_the_fit(tracks: pd.DataFrame) -> None:
    labels = by_hand(tracks.assign(x_err=0.03, y_err=0.04))
    fits = tracks.assign(status="ok", y=20.1)
    fits.loc[0, "status"] = "too_dim"
    found = errors(tracks.assign(x=tracks["x"] + 0.3, y=20.4), fits, labels)
    assert found["measured"] == 29
    counts = count(tracks.assign(x=tracks["x"] + 0.3, y=20.4), fits, labels)
    numbers = rates(counts)
    assert numbers["rmse_track"] == pytest.approx(0.5)
    assert numbers["rmse_fit"] == pytest.approx(0.1)
    assert numbers["rmse_bound"] == pytest.approx(0.05)
    assert numbers["fit_over_bound"] == pytest.approx(2)


def test_no_tracks_at_all(tracks: pd.DataFrame, labels: pd.DataFrame) -> None:
    found = score(tracks.iloc[:0], labels)
    assert (found["idf1"], found["hota"], found["recall"], found["average_jaccard"]) == (0, 0, 0, 0)
    assert math.isnan(found["precision"])


def test_series_add_up(tracks: pd.DataFrame, labels: pd.DataFrame) -> None:
    none, all_of_them = (count(t, None, labels) for t in (tracks.iloc[:0], tracks))
    both = rates(total([none, all_of_them]))
    assert both["recall"] == pytest.approx(0.5)
    assert both["idf1"] == pytest.approx(2 / 3)
    assert rates(total([all_of_them])) == rates(all_of_them)


@settings(max_examples=25)
@given(st.data())
def test_whatever_comes_metrics_are_fractions(data: st.DataObject) -> None:
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32 - 1)))
    n = data.draw(st.integers(0, 40))

    def some() -> pd.DataFrame:
        rows = pd.DataFrame(
            {
                "frame": rng.integers(0, 5, n),
                "track_id": rng.integers(1, 6, n),
                "x": rng.uniform(0, 15, n),
                "y": rng.uniform(0, 15, n),
                "state": rng.choice(["measured", "predicted", "lost", "masked"], n),
            }
        )
        return rows.drop_duplicates(["frame", "track_id"])

    found = score(some(), by_hand(some()))
    for name in (*PERFECT, "average_jaccard"):
        assert math.isnan(found[name]) or -1e-9 <= found[name] <= 1 + 1e-9
    assert found["identified"] <= found["found"] + 1e-9
    assert found["found"] <= min(found["labels"], found["positions"])


def test_labels_need_their_columns_and_known_states(tracks: pd.DataFrame) -> None:
    with pytest.raises(TableError, match="missing column"):
        by_hand(tracks.drop(columns="x"))
    with pytest.raises(TableError, match="'asleep'"):
        by_hand(tracks.assign(state="asleep"))
    with pytest.raises(TableError, match="more than one row"):
        by_hand(pd.concat([tracks, tracks]))


def test_labels_without_a_place_are_lost(tracks: pd.DataFrame) -> None:
    labels = by_hand(tracks.drop(columns="state").assign(x=tracks["x"].where(tracks["frame"] > 0)))
    assert (labels.query("frame == 0")["state"] == "lost").all()
    assert (labels.query("frame > 0")["state"] == "measured").all()


def test_states_of_simulated_spots() -> None:
    truth = simulate("dropout", frames=20, size=256, seed=2, dose=500).truth
    labels = of_truth(truth)
    by_state = truth.groupby(labels["state"].to_numpy())
    assert set(by_state.groups) >= {"measured", "lost", "masked", "predicted"}
    assert (by_state["snr"].min()["measured"]) >= 3
    assert (truth["amplitude"][labels["state"] == "lost"].fillna(0) == 0).all()
    assert (truth["snr"][labels["state"] == "masked"] == 0).all()


def test_a_spot_that_a_brighter_one_outshines_need_not_be_found() -> None:
    near = Scenario("near", "", drift_px=(0, 0), facets=(Facet(0.3, 14.0, 0.4),))
    far = Scenario("far", "", drift_px=(0, 0), facets=(Facet(4.0, 14.0, 0.4),))
    found = {}
    for scenario in (near, far):
        sim = simulate(scenario, frames=1, size=256, sigma=(2.0, 2.0))
        labels = of_truth(sim.truth)
        found[scenario.name] = (sim.truth["visible"] & (labels["state"] == "predicted")).sum()
    assert found["near"] >= 6
    assert found["far"] == 0
