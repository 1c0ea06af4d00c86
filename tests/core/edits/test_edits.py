from __future__ import annotations

from contextlib import suppress

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trackleed import tables
from trackleed.edits import (
    EDITS,
    Add,
    AddDetection,
    Delete,
    DeleteDetection,
    Extent,
    Merge,
    Move,
    MoveDetection,
    Renumber,
    Retrack,
    Split,
    Swap,
    TableEdit,
    apply,
    parse,
)
from trackleed.errors import InputError, ParamsError

EXTENT = Extent(8, (96, 128))
QUICK = settings(max_examples=25)


def made(states: dict[int, str]) -> pd.DataFrame:
    """Tracks from a letter for each frame: m measured, p predicted, . lost."""
    words = {"m": "measured", "p": "predicted", ".": "lost"}
    rows = []
    for track, letters in states.items():
        for frame, letter in enumerate(letters):
            there = letter != "."
            x, y = 10.0 * track + 0.25 * frame, 5.0 * track
            place = [x, y, 11.0, 13.0, 0.5 * track] if there else [np.nan] * 5
            rows.append([frame, track, *place, words[letter]])
    table = pd.DataFrame(rows, columns=tables.TRACKS.names)
    return tables.build(tables.TRACKS, table.sort_values(["frame", "track_id"], ignore_index=True))


def letters(table: pd.DataFrame) -> dict[int, str]:
    short = {"measured": "m", "predicted": "p", "lost": ".", "edited": "e", "seed": "s"}
    return {
        int(track): "".join(short[state] for state in rows.sort_values("frame")["state"])
        for track, rows in table.groupby("track_id")
    }


def row(table: pd.DataFrame, track: int, frame: int) -> pd.Series:
    return table[(table["track_id"] == track) & (table["frame"] == frame)].iloc[0]


life = st.text("mp.", min_size=8, max_size=8).filter(lambda text: text.strip("."))
some_tracks = st.lists(life, min_size=2, max_size=4).map(
    lambda lives: made(dict(enumerate(lives, start=1)))
)


@st.composite
def edits(draw: st.DrawFn) -> TableEdit:
    """Any edit of tracks, most of which can be done to some table of four tracks."""
    track, other = draw(st.permutations([1, 2, 3, 4]))[:2]
    frame = draw(st.integers(0, 7))
    place = {"x": draw(st.floats(0, 127)), "y": draw(st.floats(0, 95))}
    return draw(
        st.sampled_from(
            [
                Merge(tracks=[track, other], keep=other),
                Split(track=track, at=frame),
                Delete(tracks=[track]),
                Delete(tracks=[track, other], frames=(frame, 7)),
                Move(track=track, frame=frame, **place),
                Add(frame=frame, **place, size=9),
                Swap(tracks=[track, other], at=frame),
                Renumber(track=track, to=9),
            ]
        )
    )


@QUICK
@given(some_tracks, st.lists(edits(), max_size=5))
def test_after_any_edits_every_track_has_a_row_in_every_frame(
    table: pd.DataFrame, some: list[TableEdit]
) -> None:
    for edit in some:
        with suppress(InputError):
            table = apply(table, [edit], EXTENT)
    tables.check(table, tables.TRACKS)
    assert len(table) == 8 * table["track_id"].nunique()
    assert list(table["frame"]) == sorted(table["frame"])
    lost = table["state"] == "lost"
    assert table.loc[lost, ["x", "y", "width", "height", "score"]].isna().all(axis=None)
    assert table.loc[~lost, ["x", "y", "width", "height"]].notna().all(axis=None)


@QUICK
@given(some_tracks, edits())
def test_an_edit_leaves_the_table_that_it_is_given_alone(
    table: pd.DataFrame, edit: TableEdit
) -> None:
    before = table.copy(deep=True)
    with suppress(InputError):
        edit.apply(table, EXTENT)
    pd.testing.assert_frame_equal(table, before)


@QUICK
@given(life, st.integers(1, 7))
def test_split_then_merge_gives_back_the_table(life: str, at: int) -> None:
    table = made({1: life, 2: "mmmmmmmm"})
    if not (life[:at].strip(".") and life[at:].strip(".")):
        with pytest.raises(InputError, match="has no position"):
            apply(table, [Split(track=1, at=at)], EXTENT)
        return
    back = apply(table, [Split(track=1, at=at), Merge(tracks=[1, 3])], EXTENT)
    pd.testing.assert_frame_equal(back, table)


@QUICK
@given(life, life, st.integers(1, 7))
def test_merge_then_split_gives_back_the_table(early: str, late: str, at: int) -> None:
    early, late = early[:at].ljust(8, "."), late[at:].rjust(8, ".")
    if not (early.strip(".") and late.strip(".")):
        return
    table = made({1: early, 2: late, 3: "mmmmmmmm"})
    back = apply(table, [Merge(tracks=[1, 2]), Split(track=1, at=at, new=2)], EXTENT)
    pd.testing.assert_frame_equal(back, table)


@QUICK
@given(some_tracks, st.integers(0, 7))
def test_swapping_twice_changes_nothing(table: pd.DataFrame, at: int) -> None:
    swap = Swap(tracks=[1, 2], at=at)
    pd.testing.assert_frame_equal(apply(table, [swap, swap], EXTENT), table)


@QUICK
@given(some_tracks, st.lists(edits(), max_size=4))
def test_an_edit_read_back_from_its_record_does_the_same(
    table: pd.DataFrame, some: list[TableEdit]
) -> None:
    for edit in some:
        again = parse(edit.name, edit.model_dump(mode="json"))
        assert again == edit


def test_a_merged_track_takes_what_was_seen_over_what_was_expected() -> None:
    table = made({1: "mmpp....", 2: "..ppmm..", 3: "......pm"})
    merged = apply(table, [Merge(tracks=[2, 1, 3])], EXTENT)
    assert letters(merged) == {2: "mmppmmpm"}
    assert row(merged, 2, 0)["x"] == 10.0
    assert row(merged, 2, 2)["x"] == 20.5  # both expected it: the one that is named first
    assert row(merged, 2, 7)["score"] == 1.5


def test_a_merge_of_tracks_seen_at_once_names_the_frames_and_the_way_out() -> None:
    table = made({3: "mmmmm...", 7: "..mmmmm."})
    with pytest.raises(InputError, match=r"in 3 frames: 2-4 .* --keep 3"):
        apply(table, [Merge(tracks=[3, 7])], EXTENT)
    merged = apply(table, [Merge(tracks=[3, 7], keep=7)], EXTENT)
    assert letters(merged) == {3: "mmmmmmm."}
    assert [row(merged, 3, f)["y"] for f in (1, 2, 5)] == [15.0, 35.0, 35.0]


def test_a_new_track_gets_the_next_number_and_the_usual_roi() -> None:
    table = made({1: "mmmmmmmm", 4: "mmmm...."})
    added = apply(table, [Add(frame=3, x=50, y=60)], EXTENT)
    assert letters(added)[5] == "...e...."
    spot = row(added, 5, 3)
    assert (spot["x"], spot["y"], spot["width"], spot["height"]) == (50, 60, 11, 13)
    assert np.isnan(spot["score"])


def test_the_first_track_of_an_empty_table_needs_a_size() -> None:
    table = tables.empty(tables.TRACKS)
    with pytest.raises(InputError, match="--size"):
        apply(table, [Add(frame=3, x=50, y=60)], EXTENT)
    added = apply(table, [Add(frame=3, x=50, y=60, size=9)], EXTENT)
    assert letters(tables.check(added, tables.TRACKS)) == {1: "...e...."}


def test_a_moved_spot_is_edited_and_keeps_the_roi_of_its_track() -> None:
    table = made({1: "mmm.....", 2: "mmmmmmmm"})
    moved = apply(table, [Move(track=1, frame=5, x=1.5, y=2.5)], EXTENT)
    assert letters(moved)[1] == "mmm..e.."
    assert row(moved, 1, 5)[["x", "y", "width", "height"]].tolist() == [1.5, 2.5, 11, 13]
    rest = moved[(moved["track_id"] != 1) | (moved["frame"] != 5)]
    pd.testing.assert_frame_equal(rest, table.loc[rest.index])


def test_deleted_frames_become_lost_and_deleted_tracks_leave_nothing() -> None:
    table = made({1: "mmmmmmmm", 2: "mmmmmmmm"})
    assert letters(apply(table, [Delete(tracks=[1], frames=(2, 4))], EXTENT))[1] == "mm...mmm"
    assert letters(apply(table, [Delete(tracks=[1])], EXTENT)) == {2: "mmmmmmmm"}
    assert len(apply(table, [Delete(tracks=[1, 2])], EXTENT)) == 0


def test_swap_mends_an_identity_switch() -> None:
    table = made({1: "mmmmmmmm", 2: "mmmmmmmm"})
    wrong = table.assign(
        track_id=np.where(table["frame"] >= 4, 3 - table["track_id"], table["track_id"])
    )
    mended = apply(wrong, [Swap(tracks=[1, 2], at=4)], EXTENT)
    pd.testing.assert_frame_equal(mended, table)


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (Merge(tracks=[1, 9]), r"no track 9; there are: 1-3"),
        (Split(track=3, at=4), r"no position from frame 4; it has in frames 0-1, 3"),
        (Split(track=1, at=8), r"no frame 8; the series has frames 0 to 7"),
        (Split(track=1, at=4, new=2), r"a track 2 already; the next free number is 4"),
        (Delete(tracks=[1], frames=(4, 9)), r"no frame 9"),
        (Delete(tracks=[1], frames=(4, 2)), r"end before they begin"),
        (Delete(tracks=[3], frames=(4, 6)), r"no position in frames 4-6; it has in frames 0-1, 3"),
        (Delete(tracks=[3], frames=(0, 4)), r"no position but in .* leave --frames out"),
        (Move(track=1, frame=2, x=128, y=3), r"x = 128, y = 3 is outside .* 128x96 px"),
        (Move(track=1, frame=2, x=float("nan"), y=3), r"outside"),
        (Add(frame=-0, x=3, y=96), r"outside the frames"),
        (Add(frame=0, x=3, y=9, new=3), r"a track 3 already"),
        (Swap(tracks=[1, 5], at=3), r"no track 5"),
        (Renumber(track=1, to=2), r"a track 2 already"),
    ],
)
def test_what_cannot_be_done_is_refused_with_what_could(edit: TableEdit, message: str) -> None:
    table = made({1: "mmmmmmmm", 2: "mmmmmmmm", 3: "mm.m...."})
    with pytest.raises(InputError, match=message):
        apply(table, [edit], EXTENT)


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("mrge", {}, r"no edit 'mrge'; there are: merge, split"),
        ("merge", {"tracks": [3]}, r"tracks = \[3\] is not allowed"),
        ("merge", {"tracks": [3, 3]}, r"track 3 is named twice"),
        ("merge", {"tracks": [3, 4], "keep": 5}, r"keep = 5 is none"),
        ("swap", {"tracks": [3, 4, 5], "at": 1}, r"at most 2"),
        ("split", {"track": 3, "where": 2}, r"no option 'where'|at = "),
        ("retrack", {"tracks": [1], "frame": 0, "direction": "up"}, r"trackleed edit RUN retrack"),
        ("move", {"track": 1}, r"frame"),
    ],
)
def test_options_that_cannot_be_meant_are_refused(
    name: str, options: dict[str, object], message: str
) -> None:
    with pytest.raises((InputError, ParamsError), match=message):
        parse(name, options)


def test_every_edit_says_what_it_does() -> None:
    assert all(edit.__doc__ and edit.name == name for name, edit in EDITS.items())
    assert Merge(tracks=[3, 7, 9]).words() == "tracks 3, 7 and 9 are one spot, track 3"


def detections() -> pd.DataFrame:
    columns = {
        "frame": [0, 0, 2],
        "x": [20.0, 60.0, 21.0],
        "y": [30.0, 30.0, 31.0],
        "width": [11.0] * 3,
        "height": [11.0] * 3,
        "score": [5.0, 6.0, 7.0],
    }
    return tables.build(tables.DETECTIONS, pd.DataFrame(columns))


def test_detections_are_added_moved_and_deleted_by_place() -> None:
    table = apply(
        detections(),
        [
            AddDetection(frame=1, x=40, y=41),
            MoveDetection(frame=0, x=22, y=28, to_x=19.5, to_y=30.5),
            DeleteDetection(frame=2, x=21, y=31),
        ],
        EXTENT,
    )
    tables.check(table, tables.DETECTIONS)
    assert table[["frame", "x", "y"]].to_numpy().tolist() == [
        [0, 19.5, 30.5],
        [0, 60, 30],
        [1, 40, 41],
    ]
    assert table["width"].tolist() == [11.0] * 3
    assert table["score"].isna().tolist() == [False, False, True]


def test_a_detection_that_is_not_there_is_refused_with_the_nearest() -> None:
    with pytest.raises(InputError, match=r"no detection in frame 0 .* nearest is at x = 20.0"):
        apply(detections(), [DeleteDetection(frame=0, x=30, y=30)], EXTENT)
    with pytest.raises(InputError, match=r"no detection in frame 5 at x = 30, y = 30$"):
        apply(detections(), [DeleteDetection(frame=5, x=30, y=30)], EXTENT)


@pytest.mark.parametrize(
    ("direction", "life"),
    [("forwards", "mmmmpppp"), ("backwards", "pppmmmmm"), ("both", "pppmpppp")],
)
def test_retracked_frames_are_spliced_in_and_the_rest_is_kept(direction: str, life: str) -> None:
    table = made({1: "mmmmmmmm", 2: "mmmmmmmm"})
    found = made({1: "pppppppp"})
    edit = Retrack(tracks=[1], frame=3, direction=direction)
    after = edit.splice(table, found)
    assert letters(after) == {1: life, 2: "mmmmmmmm"}
    assert edit.outcome(after) == f"seen in 0 of {life.count('p')} positions"
    with pytest.raises(InputError, match="lk-skip has no rows for track 1"):
        edit.splice(table, found.assign(track_id=3))
    assert edit.seeds(table)[["track_id", "frame", "x"]].to_numpy().tolist() == [[1, 3, 10.75]]


def test_a_track_without_a_position_cannot_be_followed_from_there() -> None:
    with pytest.raises(InputError, match=r"no position in frame 3; it has in frames 0-2 .* move 1"):
        Retrack(tracks=[1], frame=3).seeds(made({1: "mmm....."}))


def test_a_tracker_without_seeds_gives_the_tracks_that_pass_them() -> None:
    table = made({4: "mmmmmmmm", 5: "mmmmmmmm"})
    theirs = table.assign(track_id=table["track_id"] + 20)
    edit = Retrack(tracks=[4], frame=2, tracker="other")
    claimed = edit.claim(edit.seeds(table), theirs)
    assert letters(claimed) == {4: "mmmmmmmm"}
    assert row(claimed, 4, 7)["x"] == row(table, 4, 7)["x"]
    with pytest.raises(InputError, match="other finds no spot at track 4 in frame 2"):
        edit.claim(edit.seeds(table), theirs[theirs["track_id"] == 25])
