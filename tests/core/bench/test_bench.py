from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest

from trackleed.bench import bench, ready_trackers
from trackleed.bench import trying as trying_module
from trackleed.bench.trying import apart, seeds_of, told
from trackleed.errors import BackendNotFound, InputError, ParamsError
from trackleed.registry import Registry
from trackleed.scoring import by_hand

pytestmark = pytest.mark.usefixtures("plugin")


def tried(folder: Path, to: Path, *trackers: str, **more: object) -> pd.DataFrame:
    result = bench([folder], trackers, to=to, detector="bright", **more)  # type: ignore[arg-type]
    return result.table.set_index("tracker")


@pytest.fixture(scope="module")
def first(
    labelled_folder: Path, plugin_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, pd.DataFrame]:
    """One tracker on the labelled folder; the folder with what is kept, and the table."""
    to = tmp_path_factory.mktemp("kept")
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(plugin_path))
        patch.setenv("PYTHONPATH", str(plugin_path))
        return to, tried(labelled_folder, to, "nearest")


def test_a_good_tracker_on_clear_spots_is_nearly_perfect(first: tuple[Path, pd.DataFrame]) -> None:
    line = first[1].loc["nearest"]
    assert (line["idf1"], line["recall"], line["precision"], line["spots"]) == (1, 1, 1, 6)
    assert line["rmse_fit"] < 0.2 < line["rmse_track"] < 1
    assert pd.isna(line["fit_over_bound"])  # labels made by hand do not tell a bound
    assert line["frames_per_s"] > 0
    assert 50 < line["peak_mb"] < 2000
    assert first[1].loc["(detections)", "recall"] == 1


def test_what_comes_out_is_kept_as_files(first: tuple[Path, pd.DataFrame]) -> None:
    to, lines = first
    written = pd.read_csv(to / "table.csv")
    assert written["tracker"].tolist() == ["(detections)", "nearest"]
    assert written["idf1"].iloc[1] == lines.loc["nearest", "idf1"]
    assert (to / "table.md").read_text().count("\n| six-spots |") == 2
    runs = [json.loads(line) for line in (to / "runs.jsonl").read_text().splitlines()]
    assert [run["tracker"] for run in runs] == ["", "nearest"]
    assert not list((to / "runs").glob("trackleed-bench-*"))


def test_a_failing_tracker_is_a_line_and_what_was_done_is_not_done_again(
    first: tuple[Path, pd.DataFrame], labelled_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    to, before = first
    asked = []

    def watched(request: dict[str, object], progress: object) -> dict[str, object]:
        asked.append(request["tracker"])
        return apart(request, progress)  # type: ignore[arg-type]

    monkeypatch.setattr(trying_module, "apart", watched)
    lines = tried(labelled_folder, to, "nearest", "seeded", options={"seeded": {"fault": "raise"}})
    assert asked == ["seeded"]
    assert lines.loc["nearest", "idf1"] == before.loc["nearest", "idf1"]
    assert lines.loc["seeded", "note"].startswith("failed in 1 of 1 series: tracker 'seeded'")
    assert pd.isna(lines.loc["seeded", "idf1"])


def test_stopped_work_is_kept_and_gone_on_with(labelled_folder: Path, tmp_path: Path) -> None:
    def stop(stage: str, done: int, total: int) -> None:
        if (stage, done) == ("bench", 1):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        tried(labelled_folder, tmp_path, "nearest", progress=stop)
    assert pd.read_csv(tmp_path / "table.csv")["tracker"].tolist() == ["(detections)"]
    assert [path.name for path in (tmp_path / "runs").iterdir()] == ["six-spots--detections.json"]


def test_a_process_that_dies_is_an_error_with_its_code(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trying_module.sys, "executable", "false")
    assert apart({"tracker": "x"}, lambda stage, done, total: None) == {
        "error": "ended with code 1: it said nothing"
    }


@pytest.mark.parametrize(
    ("change", "error", "match"),
    [
        ({"trackers": ["nearst"]}, BackendNotFound, "nearst"),
        ({"trackers": ["nearest@nowhere"]}, Exception, "nowhere"),
        ({"options": {"nearest": {"distance": -1}}}, ParamsError, "distance"),
        ({"options": {"lk": {}}}, InputError, "'lk', which is not tried"),
        ({"sources": []}, InputError, "no series"),
        ({"sources": ["leed-99"]}, InputError, "neither a suite"),
        ({"sources": ["leed-1"], "level": "harsh"}, InputError, "easy, middle, hard"),
        ({"sources": ["leed-1"], "seeds": [-1]}, InputError, "seeds"),
        ({"sources": ["leed-1", "leed-1"]}, InputError, "two series are called"),
    ],
)
def test_what_cannot_be_is_said_before_any_work(
    change: dict[str, object],
    error: type[Exception],
    match: str,
    tmp_path: Path,
    labelled_folder: Path,
) -> None:
    given = {"sources": [labelled_folder], "trackers": ["nearest"], **change}
    with pytest.raises(error, match=match):
        bench(**given, detector="bright", to=tmp_path / "out")  # type: ignore[arg-type]
    assert not (tmp_path / "out").exists()


def test_what_trackers_are_given_is_told() -> None:
    assert told(Registry.discover().find("tracker", "nearest")) == "detections"
    assert "nearest" in ready_trackers()


def test_seeds_are_the_first_places_that_are_to_be_found() -> None:
    labels = by_hand(
        pd.DataFrame(
            {
                "frame": [0, 1, 2, 0],
                "track_id": [1, 1, 1, 2],
                "x": [10.0, 11.0, 12.0, 40.0],
                "y": 5.0,
                "state": ["predicted", "measured", "measured", "lost"],
            }
        )
    )
    seeds = seeds_of(labels)
    assert (seeds["track_id"], seeds["frame"], seeds["x"]) == ([1], [1], [11.0])
    assert seeds["width"] == [16.0]
