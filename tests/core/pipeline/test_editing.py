from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

import trackleed as tl
from trackleed import tables
from trackleed.errors import BackendFailed, InputError, SessionError, TrackleedError
from trackleed.pipeline.current import chosen
from trackleed.session import Session

pytestmark = pytest.mark.usefixtures("plugin")


@pytest.fixture
def run(spot_folder: Path, tmp_path: Path) -> tl.Run:
    """Six tracks of twelve frames, in rows of three spots."""
    made = tl.import_frames(spot_folder, tmp_path / "a.trackleed", mask="none")
    made.track("nearest", detections=made.detect("bright"))
    return made


def tracks(run: tl.Run) -> pd.DataFrame:
    """What later steps are given, in the order of frames and tracks."""
    table = run.table(chosen(run.session, "track", None))
    return table.sort_values(["frame", "track_id"], ignore_index=True)


def place(table: pd.DataFrame, track: int, frame: int) -> list[float]:
    row = table[(table["track_id"] == track) & (table["frame"] == frame)]
    return [float(value) for value in row[["x", "y"]].to_numpy()[0]]


def test_later_steps_take_the_edited_tracks(run: tl.Run) -> None:
    edit = run.edit("delete", tracks=[2])
    assert (edit.kind, edit.backend, edit.inputs) == ("edit", "delete", ["track-1"])
    fits = run.refine()
    assert fits.inputs == [edit.id]
    assert sorted(run.table(fits)["track_id"].unique()) == [1, 3, 4, 5, 6]
    center, *_ = run.analyse(center="fixed", x=60, y=50)
    assert center.inputs == [fits.id]
    legend = next(path for path in run.export("csv") if path.name == "track_legend.csv")
    assert pd.read_csv(legend)["track_id"].tolist() == [1, 3, 4, 5, 6]


def test_detections_that_were_edited_are_tracked(run: tl.Run) -> None:
    place = {"x": 30.0, "y": 30.0}
    edit = run.edit("delete-detection", frame=0, **place)
    step = run.track("nearest")
    assert step.inputs == ["import-1", edit.id]
    assert run.table(step)["track_id"].nunique() == 5
    run.undo()
    assert run.track("nearest").id == "track-1"


def test_undo_gives_back_the_very_table_and_the_fits_that_belong_to_it(run: tl.Run) -> None:
    before = tracks(run)
    fits = run.refine()
    run.edit("swap", tracks=[1, 2], at=5)
    run.edit("merge", tracks=[3, 4], keep=3)
    assert run.refine().id != fits.id
    assert [run.undo().id, run.undo().id] == ["edit-1", "track-1"]
    assert tracks(run).equals(before)
    assert run.refine().id == fits.id
    assert run.export("parquet")
    with pytest.raises(InputError, match="no edit to undo"):
        run.undo()


def test_what_was_asked_for_last_is_taken_though_it_was_done_before(run: tl.Run) -> None:
    run.refine()
    run.track("nearest", distance=7.0)
    assert run.track("nearest").id == "track-1"
    assert run.refine().inputs == ["track-1"]
    run.refine(scale=1.2)
    assert run.refine().id == "refine-1"
    center, *_ = run.analyse(center="fixed", x=60, y=50)
    assert center.inputs == ["refine-1"]
    run.detect("bright", threshold=9.0)
    run.detect("bright")
    n_steps = len(run.session.steps)
    assert run.track("nearest").id == "track-1"
    assert len(run.session.steps) == n_steps


def test_edits_stay_in_effect_when_their_tracks_are_asked_for_again(run: tl.Run) -> None:
    edit = run.edit("delete", tracks=[2])
    run.track("nearest")
    assert run.refine().inputs == [edit.id]
    run.track("nearest", distance=7.0)
    run.track("nearest")
    assert run.refine().inputs == ["track-1"]


def test_fits_of_other_tracks_asked_for_by_name_leave_the_newest_tracks_in_effect(
    run: tl.Run,
) -> None:
    run.refine()
    run.track("nearest", distance=7.0)
    assert run.refine(tracks="track-1").id == "refine-1"
    assert run.refine().inputs == ["track-2"]


def test_nothing_is_overwritten_and_what_was_undone_can_be_had_again(run: tl.Run) -> None:
    run.edit("delete", tracks=[1])
    after = tracks(run)
    run.undo()
    run.edit("delete", tracks=[2])
    assert [s.id for s in run.session.steps[2:]] == ["track-1", "edit-1", "undo-1", "edit-2"]
    assert run.undo(to="edit-1").id == "edit-1"
    assert tracks(run).equals(after)
    assert [one["tracks"] for one in run.edits()] == [[1]]
    assert run.undo(to="edit-1").id == "edit-1"  # it is there already
    assert [s.id for s in run.session.steps if s.kind == "undo"] == ["undo-1", "undo-2"]
    assert Session.open(run.session.path).problems == []


def test_fits_of_other_tracks_are_not_taken_for_those_of_the_edited(run: tl.Run) -> None:
    fits = run.refine()
    run.edit("delete", tracks=[1])
    with pytest.raises(SessionError, match=r"refine-1 are not of the newest tracks .* refine"):
        run.analyse()
    assert run.analyse(fits=fits, center="fixed", x=60, y=50)


def test_exports_that_were_written_over_are_written_again(run: tl.Run) -> None:
    run.refine()
    legend = next(path for path in run.export("csv") if path.name == "track_legend.csv")
    whole = legend.read_bytes()
    n_steps = len(run.session.steps)
    run.export("csv")
    assert len(run.session.steps) == n_steps
    run.edit("delete", tracks=[1])
    run.refine()
    run.export("csv")
    assert legend.read_bytes() != whole
    run.undo()
    run.export("csv")
    assert legend.read_bytes() == whole


def test_an_edit_that_cannot_be_made_adds_no_step(run: tl.Run) -> None:
    for name, options, message in (
        ("merge", {"tracks": [1, 9]}, "no track 9; there are: 1-6"),
        ("move", {"track": 1, "frame": 3, "x": 500, "y": 2}, "128x96 px"),
        ("split", {"track": 1, "at": 40}, "frames 0 to 11"),
        ("mend", {}, "there is no edit 'mend'"),
        ("retrack", {"tracks": [1], "frame": 2, "tracker": "telepathy"}, "telepathy"),
        ("retrack", {"tracks": [9], "frame": 2, "tracker": "seeded"}, "no track 9"),
    ):
        with pytest.raises(TrackleedError, match=message):
            run.edit(name, **options)
    assert [s.id for s in run.session.steps] == ["import-1", "detect-1", "track-1"]


@pytest.mark.parametrize("tracker", ["seeded", "nearest"])
@pytest.mark.parametrize("direction", ["forwards", "backwards", "both"])
def test_a_track_that_went_astray_is_followed_anew(
    run: tl.Run, tracker: str, direction: str
) -> None:
    right = tracks(run)
    run.edit("swap", tracks=[1, 4], at=6)
    run.edit("delete", tracks=[4])
    wrong = tracks(run)
    # Frame 6 is where track 1 jumped to the other row of spots.
    x, y = place(right, 1, 6)
    run.edit("move", track=1, frame=6, x=x, y=y)
    step = run.edit("retrack", tracks=[1], frame=6, direction=direction, tracker=tracker)
    assert step.params["options"] == {"distance": 6.0, "fault": ""}
    after = tables.check(tracks(run), tables.TRACKS)
    assert len(after) == 5 * 12
    assert place(after, 1, 2) == place(right, 1, 2)
    late = right if direction != "backwards" else wrong
    assert place(after, 1, 11) == place(late, 1, 11)
    others = after["track_id"] != 1
    pd.testing.assert_frame_equal(after[others], wrong[others])


def test_a_tracker_that_fails_leaves_the_earlier_tracks(run: tl.Run) -> None:
    before = tracks(run)
    with pytest.raises(BackendFailed, match="lost my way"):
        run.edit("retrack", tracks=[1], frame=2, tracker="nearest", options={"fault": "raise"})
    assert run.session.steps[-1].status == "failed"
    assert tracks(run).equals(before)
    assert tracks(tl.open_run(run.session.path)).equals(before)


def test_an_edit_cut_short_leaves_the_earlier_tracks(
    run: tl.Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = tracks(run)
    run.edit("delete", tracks=[1])
    after = tracks(run)

    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("trackleed.session.writer.StepWriter.note", stop)
    with pytest.raises(KeyboardInterrupt):
        run.edit("delete", tracks=[2])
    monkeypatch.undo()
    reopened = tl.open_run(run.session.path)
    assert tracks(reopened).equals(after)
    reopened.undo()
    assert tracks(reopened).equals(before)


def test_edits_are_made_again_on_another_tracking(run: tl.Run) -> None:
    run.edit("delete", tracks=[3])
    run.edit("add", frame=4, x=20.0, y=20.0)
    run.edit("retrack", tracks=[1], frame=6, tracker="seeded", direction="both")
    record, edited = run.edits(), tracks(run)
    assert [one["edit"] for one in record] == ["delete", "add", "retrack"]
    run.track("nearest", distance=5.5)
    assert tracks(run)["track_id"].nunique() == 6
    assert run.edits() == []
    steps = run.replay(record)
    assert [s.backend for s in steps] == ["delete", "add", "retrack"]
    pd.testing.assert_frame_equal(tracks(run), edited)


def test_a_replay_that_fails_tells_which_edit_and_keeps_those_before(run: tl.Run) -> None:
    with pytest.raises(InputError, match="edit 2 of 2: there is no edit 'mend'"):
        run.replay([{"edit": "delete", "tracks": [1]}, {"edit": "mend"}])
    assert run.edits() == []
    with pytest.raises(InputError, match=r"edit 2 of 2: there is no track 1; there are: 2-6"):
        run.replay([{"edit": "delete", "tracks": [1]}, {"edit": "delete", "tracks": [1]}])
    assert len(run.edits()) == 1


def test_only_tracks_and_detections_can_be_gone_back_to(run: tl.Run) -> None:
    fits = run.refine()
    with pytest.raises(InputError, match=r"refine-1 .* there are: detect-1, track-1"):
        run.undo(to=fits)
    with pytest.raises(InputError, match="no step 'edit-9'"):
        run.undo(to="edit-9")


def test_all_tracks_can_be_deleted_and_new_ones_added(run: tl.Run) -> None:
    run.edit("delete", tracks=[1, 2, 3, 4, 5, 6])
    run.edit("add", frame=0, x=30, y=30, size=15)
    run.edit("retrack", tracks=[1], frame=0, tracker="seeded")
    table = tracks(run)
    assert table["state"].tolist() == ["edited"] + ["measured"] * 11
    assert run.table(run.refine())["status"].eq("ok").all()
