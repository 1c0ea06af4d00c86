from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import tifffile
from PIL import Image

from trackleed.errors import InputError
from trackleed.simulate import Simulation, simulate, write


@pytest.fixture(scope="module")
def sim() -> Simulation:
    return simulate("deposition", frames=3, size=128)


def test_frames_are_named_by_what_happened(sim: Simulation, tmp_path: Path) -> None:
    paths = write(sim, tmp_path / "new" / "series")
    assert [path.name for path in paths] == [
        "Ru_0001_0000_T300K_E95.5eV_0ML.tif",
        "Ru_0001_0001_T300K_E95.5eV_0.125ML.tif",
        "Ru_0001_0002_T300K_E95.5eV_0.25ML.tif",
    ]
    assert np.array_equal(tifffile.imread(paths[1]), sim.frame(1))
    assert sorted(p.name for p in (tmp_path / "new").iterdir()) == ["series"]


@pytest.mark.parametrize("bits", [8, 16])
def test_png(bits: int, tmp_path: Path) -> None:
    sim = simulate("cooling", frames=1, size=64, bits=bits)
    (path,) = write(sim, tmp_path, "png")
    with Image.open(path) as image:
        frame = np.asarray(image)
    assert frame.dtype == sim.dtype
    assert np.array_equal(frame, sim.frame(0))


def test_truth_has_a_row_for_every_spot_and_frame(sim: Simulation, tmp_path: Path) -> None:
    write(sim, tmp_path)
    truth = pd.read_parquet(tmp_path / "truth" / "truth.parquet")
    spots = list(range(1, len(sim.pattern.hk) + 1))
    assert all(rows["spot"].tolist() == spots for _, rows in truth.groupby("frame"))
    assert truth["frame"].unique().tolist() == [0, 1, 2]
    assert truth.equals(sim.truth)
    table = pd.read_csv(tmp_path / "truth" / "truth.csv")
    pd.testing.assert_frame_equal(table, truth)
    assert len(pd.read_csv(tmp_path / "truth" / "index.csv")) == 3


def test_truth_lies_apart_from_the_frames(sim: Simulation, tmp_path: Path) -> None:
    write(sim, tmp_path)
    assert {path.suffix for path in tmp_path.iterdir() if path.is_file()} == {".tif"}


def test_record_says_how_to_make_it_again(sim: Simulation, tmp_path: Path) -> None:
    write(sim, tmp_path)
    record = json.loads((tmp_path / "truth" / "simulation.json").read_text(encoding="utf-8"))
    settings = record["settings"]
    again = simulate(record["scenario"]["name"], **{**settings, "size": tuple(settings["size"])})
    assert np.array_equal(again.frame(2), sim.frame(2))
    assert record["noise"]["gain"] == sim.noise.gain
    assert set(record["versions"]) == {"trackleed", "numpy", "python"}


def test_same_series_is_the_same_files(sim: Simulation, tmp_path: Path) -> None:
    for name in ("a", "b"):
        write(sim, tmp_path / name)
    for path in (tmp_path / "a").rglob("*.*"):
        twin = tmp_path / "b" / path.relative_to(tmp_path / "a")
        assert path.read_bytes() == twin.read_bytes()


def test_progress_is_told(sim: Simulation, tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    write(sim, tmp_path, on_frame=lambda done, of: told.append((done, of)))
    assert told == [(1, 3), (2, 3), (3, 3)]


def test_interrupted_writing_leaves_nothing(sim: Simulation, tmp_path: Path) -> None:
    def stop(done: int, of: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write(sim, tmp_path / "series", on_frame=stop)
    assert list(tmp_path.iterdir()) == []


def test_folder_that_is_not_empty_is_left_alone(sim: Simulation, tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("keep")
    with pytest.raises(InputError, match="not empty"):
        write(sim, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_place_that_cannot_be_written_to(sim: Simulation, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="cannot write"):
        write(sim, tmp_path / "file" / "series")


def test_unknown_format(sim: Simulation, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="format 'jpg' is not known; allowed are tif, png"):
        write(sim, tmp_path / "series", "jpg")
