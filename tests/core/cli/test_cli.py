from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from trackleed.session import Session

pytestmark = pytest.mark.usefixtures("plugin")

Call = Callable[..., tuple[int, str, str]]
CHAIN = ("--detector", "bright", "--tracker", "nearest", "--mask", "none")


def trackleed(*arguments: object, **popen: object) -> subprocess.Popen[str]:
    """The command line in a process of its own."""
    command = [sys.executable, "-m", "trackleed", *map(str, arguments)]
    return subprocess.Popen(  # type: ignore[call-overload,no-any-return]
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **popen
    )


def test_run_writes_the_promised_files(call: Call, spot_folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "a.trackleed"
    code, text, _ = call("run", spot_folder, out, *CHAIN)
    assert code == 0
    exports = out / "exports"
    for name in (
        "full_analysis_per_spot.csv",
        "pattern_center_data.csv",
        "average_radius_per_frame.csv",
        "track_legend.csv",
        "track_visualizations/overview.png",
    ):
        assert (exports / name).stat().st_size > 0, name
    assert list((exports / "track_visualizations").glob("*.png"))
    assert str(exports) in text.replace("\n", "")
    with (exports / "full_analysis_per_spot.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 6 * 12
    assert {row["energy_eV"] for row in rows} == {str(e) for e in range(50, 62)} or {
        float(row["energy_eV"]) for row in rows
    } == set(range(50, 62))


def test_the_steps_one_at_a_time_give_what_run_gives(
    call: Call, spot_folder: Path, tmp_path: Path
) -> None:
    whole, parts = tmp_path / "whole.trackleed", tmp_path / "parts.trackleed"
    assert call("run", spot_folder, whole, *CHAIN)[0] == 0
    for arguments in (
        ("import", spot_folder, parts, "--mask", "none"),
        ("detect", parts, "--detector", "bright"),
        ("track", parts, "--tracker", "nearest"),
        ("refine", parts),
        ("analyse", parts),
        ("export", parts),
    ):
        code, _, err = call(*arguments)
        assert code == 0, err
    name = "exports/full_analysis_per_spot.csv"
    assert (whole / name).read_bytes() == (parts / name).read_bytes()


def test_json_is_all_that_is_printed_for_a_machine(
    call: Call, spot_folder: Path, tmp_path: Path
) -> None:
    code, out, err = call("run", spot_folder, tmp_path / "a.trackleed", *CHAIN, "--json")
    assert (code, err) == (0, "")
    summary = json.loads(out)
    assert summary["tracks"]["tracks"] == 6
    assert [s["status"] for s in summary["steps"]] == ["done"] * len(summary["steps"])
    assert json.loads(call("show", tmp_path / "a.trackleed", "--json")[1]) == summary


def test_a_recipe_sets_options_and_set_overrides_it(
    call: Call, spot_folder: Path, tmp_path: Path
) -> None:
    recipe = tmp_path / "recipe.toml"
    recipe.write_text(
        '[detector]\nbackend = "bright"\nthreshold = 9.5\n[tracker]\nbackend = "nearest"\n'
        'distance = 4.0\n[import]\nmask = "none"\n'
    )
    out = tmp_path / "a.trackleed"
    code, _, err = call("run", spot_folder, out, "--recipe", recipe, "--set", "tracker.distance=5")
    assert code == 0, err
    steps = {s.kind: s for s in Session.open(out).steps}
    assert steps["detect"].params["threshold"] == 9.5
    assert steps["track"].params["distance"] == 5.0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("run", "nowhere", "OUT"), "nowhere"),
        (("run", "FRAMES", "OUT", "--tracker", "telepathy"), "no tracker is called 'telepathy'"),
        (("run", "FRAMES", "OUT", "--set", "tracker.distance=-1"), "distance"),
        (("run", "FRAMES", "OUT", "--set", "tracker"), "KIND.OPTION=VALUE"),
        (("run", "FRAMES", "OUT", "--set", "trakker.distance=1"), "unknown kind 'trakker'"),
        (("run", "FRAMES", "OUT", "--center", "10,down"), "neither a mode nor a point"),
        (("run", "FRAMES", "OUT", "--center", "middle"), "center"),
        (("run", "FRAMES", "OUT", "--recipe", "none.toml"), "none.toml cannot be read"),
        (("run", "FRAMES", "OUT", "--mask", "none.png"), "none.png"),
        (("show", "nowhere.trackleed"), "nowhere.trackleed"),
        (("detect", "nowhere.trackleed"), "nowhere.trackleed"),
        (("backends", "show", "telepathy"), "no backend is called 'telepathy'"),
        (("simulate", "earthquake", "OUT"), "earthquake"),
    ],
)
def test_bad_input_is_one_line_and_a_failure(
    call: Call, spot_folder: Path, tmp_path: Path, arguments: tuple[str, ...], message: str
) -> None:
    places = {"FRAMES": spot_folder, "OUT": tmp_path / "a.trackleed"}
    given = [places.get(a, a) for a in arguments]
    if arguments[0] == "run":
        given += ["--detector", "bright"]
        given += [] if "--tracker" in arguments else ["--tracker", "nearest"]
    code, out, err = call(*given)
    assert code == 1
    assert message in err
    assert err.startswith("error: ")
    assert err.count("\n") == 1
    assert "Traceback" not in err + out


def test_a_typing_mistake_is_found_before_any_frame_is_copied(
    call: Call, spot_folder: Path, tmp_path: Path
) -> None:
    code, _, err = call(
        "run", spot_folder, tmp_path / "a.trackleed", *CHAIN, "--set", "refiner.nonsense=1"
    )
    assert code == 1
    assert "nonsense" in err
    assert not (tmp_path / "a.trackleed").exists()


def test_debug_shows_the_traceback(call: Call, tmp_path: Path) -> None:
    code, _, err = call("show", tmp_path / "none.trackleed", "--debug")
    assert code == 1
    assert "Traceback" in err


def test_ctrl_c_leaves_a_session_that_the_same_command_finishes(
    call: Call, spot_folder: Path, tmp_path: Path
) -> None:
    out = tmp_path / "a.trackleed"
    slow = (*CHAIN, "--set", "detector.wait=0.3", "--jobs", "1")  # so that it is not done before
    process = trackleed("run", spot_folder, out, *slow)
    deadline = time.monotonic() + 30
    while not (out / "session.json").exists() and time.monotonic() < deadline:
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "stopped" in err
    assert "Traceback" not in err
    Session.open(out)
    code, _, err = call("run", spot_folder, out, *slow)
    assert code == 0, err


def test_a_process_killed_in_the_middle_leaves_every_finished_step(
    call: Call, spot_folder: Path, tmp_path: Path
) -> None:
    out = tmp_path / "a.trackleed"
    process = trackleed(
        "run", spot_folder, out, *CHAIN, "--set", "detector.kill_at=5", "--jobs", "1"
    )
    process.communicate(timeout=60)
    assert process.returncode == -signal.SIGKILL
    session = Session.open(out)
    assert [(s.id, s.status) for s in session.steps] == [
        ("import-1", "done"),
        ("detect-1", "interrupted"),
    ]
    assert len(session.table("import-1")) == 12
    code, text, _ = call("show", out)
    assert code == 0
    assert "interrupted" in text
    assert call("run", spot_folder, out, *CHAIN)[0] == 0


def test_backends_lists_the_plugin_as_ready_and_its_options(call: Call) -> None:
    code, out, _ = call("backends", "--json")
    assert code == 0
    found = {b["name"]: b for b in json.loads(out)["backends"]}
    assert found["nearest"]["ready"]
    assert found["nearest"]["package"] == "test-backends"
    text = call("backends", "show", "nearest")[1]
    assert "how far a spot may move" in text
    assert "--set tracker.distance" in text


def test_completion_offers_the_installed_backends() -> None:
    environment = os.environ | {
        "_TRACKLEED_COMPLETE": "bash_complete",
        "COMP_WORDS": "trackleed run --tracker ",
        "COMP_CWORD": "3",
    }
    process = trackleed(env=environment)
    out, err = process.communicate(timeout=30)
    assert "nearest" in out, err


def test_simulate_lists_its_scenarios_and_writes_frames(call: Call, tmp_path: Path) -> None:
    code, text, _ = call("simulate")
    assert code == 0
    assert "energy-ramp" in text
    out = tmp_path / "sim"
    code, _, err = call("simulate", "energy-ramp", out, "--frames", 3, "--size", "160x120")
    assert code == 0, err
    assert len(list(out.glob("*.tif"))) == 3
    code, _, err = call("simulate", "energy-ramp", out, "--frames", 3)
    assert code == 1
    assert str(out) in err


def test_exporter_options_go_to_the_exporters_that_have_them(
    call: Call, spot_folder: Path, tmp_path: Path
) -> None:
    out, more = tmp_path / "a.trackleed", tmp_path / "more"
    few = ("--set", "exporter.max_frames=2")
    assert call("run", spot_folder, out, *CHAIN, *few)[0] == 0
    assert len(list((out / "exports").glob("track_visualizations/frame_*.png"))) == 2
    assert call("export", out, "--to", more, *few)[0] == 0
    assert len(list(more.glob("track_visualizations/frame_*.png"))) == 2
    code, _, err = call("export", out, "--as", "csv", *few)
    assert code == 1
    assert "max_frames" in err


@pytest.mark.parametrize(
    ("name", "option"), [("import", "background_mode"), ("analysis", "aperture")]
)
def test_options_of_steps_without_a_backend_are_shown_too(
    call: Call, name: str, option: str
) -> None:
    assert option in call("backends", "show", name)[1]
    [described] = json.loads(call("backends", "show", name, "--json")[1])
    assert option in [o["name"] for o in described["options"]]


def test_a_source_that_cannot_be_used_makes_and_replaces_nothing(
    call: Call, spot_folder: Path, tmp_path: Path
) -> None:
    bad = tmp_path / "bad"
    bad.mkdir()
    (bad / "a.tif").write_bytes(b"no picture")
    out = tmp_path / "a.trackleed"
    assert call("import", bad, out)[0] == 1
    assert not out.exists()
    assert call("import", spot_folder, out, "--mask", "none")[0] == 0
    assert call("import", bad, out, "--overwrite")[0] == 1
    assert len(Session.open(out).table("import-1")) == 12
