from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from trackleed import registry
from trackleed.cli.steps import MANY_FILES, by_folder
from trackleed.session import Session

pytestmark = pytest.mark.usefixtures("plugin")

Call = Callable[..., tuple[int, str, str]]


@pytest.fixture
def session(call: Call, spot_folder: Path, tmp_path: Path) -> Path:
    path = tmp_path / "a.trackleed"
    chain = ("--detector", "bright", "--tracker", "nearest", "--mask", "none")
    for arguments in (
        ("import", spot_folder, path, *chain[-2:]),
        ("detect", path, *chain[:2]),
        ("track", path, *chain[2:4]),
        ("refine", path),
        ("analyse", path),
    ):
        code, _, err = call(*arguments)
        assert code == 0, err
    return path


def test_every_exporter_by_name_and_several_at_once(call: Call, session: Path) -> None:
    pytest.importorskip("matplotlib")
    names = ("csv", "parquet", "overlays", "plots", "iv", "yolo", "session-zip")
    chosen = [part for name in names for part in ("--as", name)]
    few = ("--set", "exporter.max_frames=2", "--set", "exporter.dpi=50")
    code, out, err = call("export", session, *chosen, *few)
    assert code == 0, err
    for name in (
        "full_analysis_per_spot.csv",
        "full_analysis_per_spot.parquet",
        "track_visualizations/overview.png",
        "plots/overview_sheet.png",
        "plots/radius_against_energy.png",
        "iv/intensity_against_energy.csv",
        "iv/EXPBEAMS_by_track.csv",
        "yolo/data.yaml",
        "a.trackleed.zip",
    ):
        assert (session / "exports" / name).stat().st_size > 0, name
        assert str(session / "exports" / name) in out


def test_an_unknown_exporter_is_answered_with_those_there_are(call: Call, session: Path) -> None:
    code, _, err = call("export", session, "--as", "excel")
    assert code == 1
    for name in ("csv", "iv", "overlays", "parquet", "plots", "session-zip", "yolo"):
        assert name in err


def test_without_matplotlib_the_command_that_installs_it_is_named_and_nothing_written(
    call: Call, session: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    installed = registry._installed
    monkeypatch.setattr(registry, "_installed", lambda m: m != "matplotlib" and installed(m))
    code, _, err = call("export", session, "--as", "csv", "--as", "plots")
    assert code == 1
    assert "pip install 'trackleed-core[plots]'" in err
    assert not (session / "exports").exists()
    assert "export" not in [step.kind for step in Session.open(session).steps]


def test_an_option_of_one_exporter_does_not_disturb_another(call: Call, session: Path) -> None:
    groups = ("--set", "exporter.groups=[[1, 2]]")
    code, _, err = call("export", session, "--as", "csv", "--as", "iv", *groups)
    assert code == 0, err
    assert "tracks 1+2" in (session / "exports" / "iv" / "curves.csv").read_text()
    code, _, err = call("export", session, "--as", "csv", "--as", "parquet", *groups)
    assert code == 1
    assert "groups" in err


def test_an_exporter_says_which_step_is_missing(
    call: Call, spot_folder: Path, tmp_path: Path
) -> None:
    path = tmp_path / "b.trackleed"
    assert call("import", spot_folder, path, "--mask", "none")[0] == 0
    for exporter, command in (("csv", "track"), ("yolo", "detect"), ("iv", "track")):
        code, _, err = call("export", path, "--as", exporter)
        assert code == 1
        assert f"run: trackleed {command}" in " ".join(err.split())
    assert call("export", path, "--as", "session-zip")[0] == 0
    assert (path / "exports" / "b.trackleed.zip").exists()


def test_machines_are_told_every_file(call: Call, session: Path) -> None:
    code, out, _ = call("export", session, "--as", "yolo", "--json")
    assert code == 0
    assert len(json.loads(out)) == 2 * 12 + 1


def test_many_files_of_a_folder_are_counted() -> None:
    images = [f"out/images/{i}.png" for i in range(MANY_FILES + 1)]
    paths = ["out/a.csv", *images, "out/b.csv"]
    assert by_folder(paths) == ["out/a.csv", f"out/images/ ({MANY_FILES + 1} files)", "out/b.csv"]
    assert by_folder(images[1:]) == images[1:]
