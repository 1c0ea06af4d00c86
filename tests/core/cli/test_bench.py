from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import tifffile

Call = Callable[..., tuple[int, str, str]]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three frames with one spot, and where it is."""
    (tmp_path / "one").mkdir()
    y, x = np.mgrid[0:96, 0:128]
    for i in range(3):
        spot = 4000 * np.exp(-((x - 30 - i) ** 2 + (y - 20) ** 2) / 8)
        frame = np.random.default_rng(i).poisson(200 + spot).astype(np.uint16)
        tifffile.imwrite(tmp_path / "one" / f"{i}.tif", frame)
    labels = pd.DataFrame({"frame": range(3), "track_id": 1, "x": [30.0, 31, 32], "y": 20.0})
    labels.to_csv(tmp_path / "one" / "labels.csv", index=False)
    return tmp_path / "one"


@pytest.mark.usefixtures("plugin")
def test_bench_prints_a_table_and_keeps_it(call: Call, folder: Path, tmp_path: Path) -> None:
    asked = ("bench", folder, "--trackers", "nearest", "--detector", "bright")
    asked += ("--to", tmp_path / "b")
    code, out, err = call(*asked)
    assert code == 0, err
    assert "nearest" in out
    assert "IDF1" in out
    assert (tmp_path / "b" / "table.md").exists()
    code, out, _ = call(*asked, "--json")
    assert [line["tracker"] for line in json.loads(out)] == ["(detections)", "nearest"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["leed-7"], "neither a suite, nor a series, nor a session"),
        (["leed-1", "--trackers", "patern"], "no tracker is called 'patern'"),
        (["leed-1", "--seeds", "a,b"], "no list of whole numbers"),
        (["leed-1", "--level", "harsh"], "easy"),
        (["leed-1", "--set", "pattern"], "KIND.OPTION=VALUE"),
        ([], "SRC"),
    ],
)
def test_bad_input_is_one_line(
    call: Call, arguments: list[str], said: str, tmp_path: Path, plugin: Path
) -> None:
    code, _, err = call("bench", *arguments, "--detector", "bright", "--to", tmp_path / "b")
    assert code != 0
    assert said in err
    assert "Traceback" not in err
