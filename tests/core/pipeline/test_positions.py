"""Relative positions as steps of a run, on the command line, and as files."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import tifffile
from PIL import Image

import trackleed as tl
from trackleed.cli import main
from trackleed.errors import InputError, ParamsError

pytestmark = pytest.mark.usefixtures("plugin")

ENERGY = np.array([100, 103, 106, 110, 114, 118])
AWAY = np.array([[12.0, 0.0], [-6.0, 11.0]])
"""Satellites at 100 eV."""
LONELY = (100.0, 100.0)


@pytest.fixture(scope="module")
def fitted(tmp_path_factory: pytest.TempPathFactory, plugin_path: Path) -> Iterator[Path]:
    """A run up to the fits: a reference with two satellites on a slope, and a spot alone."""
    folder = tmp_path_factory.mktemp("satellites")
    (folder / "frames").mkdir()
    y, x = np.mgrid[0:130, 0:130]
    rng = np.random.default_rng(8)
    for i, energy in enumerate(ENERGY):
        frame = 300 + 1.5 * x - y
        steps = AWAY * np.sqrt(100 / energy)
        spots = [(0, 0, 3000), *((dx, dy, 900) for dx, dy in steps)]
        for dx, dy, top in spots:
            frame = frame + top * np.exp(-((x - 50 - dx) ** 2 + (y - 50 - dy) ** 2) / 2 / 2.2**2)
        frame += 1500 * np.exp(-((x - LONELY[0]) ** 2 + (y - LONELY[1]) ** 2) / 2 / 2.2**2)
        image = rng.poisson(frame).astype(np.uint16)
        tifffile.imwrite(folder / "frames" / f"gr_{i:04d}_E{energy}eV.tif", image)
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(plugin_path))
        run = tl.import_frames(folder / "frames", folder / "a.trackleed", mask="none")
        run.refine(tracks=run.track("nearest", detections=run.detect("bright", threshold=4.0)))
        yield folder / "a.trackleed"


@pytest.fixture
def run_path(fitted: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(fitted, tmp_path / "a.trackleed"))


def tracks_of(path: Path) -> dict[str, int]:
    """Numbers of the tracks, by what they are."""
    run = tl.open_run(path)
    fits = run.table("refine-1")
    first = fits[fits["frame"] == 0]
    places = {"reference": (50, 50), "right": (62, 50), "low": (44, 61), "lonely": LONELY}
    return {
        name: int(first.loc[np.hypot(first["x"] - x, first["y"] - y).idxmin(), "track_id"])
        for name, (x, y) in places.items()
    }


def call(*arguments: object) -> int:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sys.argv", ["trackleed", *map(str, arguments)])
        try:
            main()
        except SystemExit as stop:
            return int(stop.code or 0)
        return 0


def test_positions_of_a_run_are_those_that_were_drawn(run_path: Path) -> None:
    run, names = tl.open_run(run_path), tracks_of(run_path)
    _, relative = run.positions()  # finds the group by itself
    found = run.table(relative)
    assert set(found["reference"]) == {names["reference"]}
    assert set(found["satellite"]) == {names["right"], names["low"]}
    assert (found["status"] == "ok").all()
    for name, away in (("right", AWAY[0]), ("low", AWAY[1])):
        rows = found[found["satellite"] == names[name]].sort_values("frame")
        expected = away * np.sqrt(100 / ENERGY)[:, None]
        off = rows[["dx", "dy"]].to_numpy() - expected
        assert np.abs(off / rows[["dx_err", "dy_err"]].to_numpy()).max() < 4.5
    assert f"group 1: {names['reference']} with" in relative.message
    assert "12 of 12 positions ok" in relative.message
    assert run.positions()[1].id == relative.id  # done already
    named = run.positions(groups=[(names["reference"], [names["low"]])], half_size=13)
    assert len(run.table(named[1])) == len(ENERGY)
    assert "company" in set(run.table(named[0])["role"])


def test_the_aspect_is_that_of_the_centre_unless_given(run_path: Path) -> None:
    run = tl.open_run(run_path)
    run.analyse(center="fixed", x=80, y=80, pixel_aspect=1.1)
    for options, aspect in (({}, 1.1), ({"pixel_aspect": 1.0}, 1.0)):
        _, relative = run.positions(**options)
        found = run.table(relative)
        expected = np.hypot(aspect * found["dx"], found["dy"])
        np.testing.assert_allclose(found["r"], expected)
        assert (found["pixel_aspect"] == aspect).all()
        assert ("x stretched by 1.1" in relative.message) == (aspect != 1)


def test_options_that_cannot_be_used(run_path: Path) -> None:
    run, names = tl.open_run(run_path), tracks_of(run_path)
    with pytest.raises(InputError, match="no track 99"):
        run.positions(groups=[(names["reference"], [99])])
    with pytest.raises(InputError, match="within 2 px"):
        run.positions(within=2)
    with pytest.raises(InputError, match="no track keeps within 20 px"):
        run.positions(groups=[(names["lonely"], [])])
    with pytest.raises(ParamsError, match="half_size"):
        run.positions(half_size=1)
    assert run.session.latest("positions") is None


def test_on_the_command_line(run_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    names = tracks_of(run_path)
    group = f"{names['reference']}:{names['right']}"
    assert call("positions", run_path, "--group", group, "--half-size", 8, "--json") == 0
    steps = json.loads(capsys.readouterr().out)
    assert [step["kind"] for step in steps] == ["groupfit", "positions"]
    assert steps[1]["rows"] == len(ENERGY)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--group", "3-4"], "such as 3:17,18,19"),
        (["--group", "3:"], "such as 3:17,18,19"),
        (["--group", "77"], "no track 77"),
        (["--half-size", "2"], "half_size"),
        (["--within", "-1"], "within"),
    ],
)
def test_bad_input_gets_one_line(
    fitted: Path, arguments: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call("positions", fitted, *arguments) == 1
    lines = capsys.readouterr().err.strip().splitlines()
    assert len(lines) == 1
    assert told in lines[0]


def test_files_and_pictures(run_path: Path) -> None:
    run, names = tl.open_run(run_path), tracks_of(run_path)
    run.positions()
    files = {path.name: path for path in run.export("csv")}
    every = pd.read_csv(files["positions.csv"], keep_default_na=False)
    group = pd.read_csv(files["positions_group_01.csv"])
    assert len(group) == len(every) == 2 * len(ENERGY)
    assert group["energy_eV"].tolist() == [*ENERGY, *ENERGY]
    assert group.columns[0] == "frame"
    pictures = [path for path in run.export("overlays") if path.parent.name == "positions_overlays"]
    assert len(pictures) == len(ENERGY)
    image = np.asarray(Image.open(pictures[0]).convert("RGB"), dtype=int)
    from trackleed.builtin.exporters.palette import track_colour

    for name in ("right", "low"):  # its ellipse and its arrow are drawn
        colour = np.array([int(track_colour(names[name])[i : i + 2], 16) for i in (1, 3, 5)])
        assert (np.abs(image - colour).max(axis=2) < 12).sum() > 100


def test_pictures_where_no_fit_stood(run_path: Path) -> None:
    run = tl.open_run(run_path)
    run.positions(max_walk=1e-6)  # nothing passes
    assert len(run.export("overlays")) > len(ENERGY)
