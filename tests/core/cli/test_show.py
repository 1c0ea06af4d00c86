"""What ``trackleed show`` says of each analysis, at 80 columns and as JSON."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import trackleed as tl
from trackleed import tables
from trackleed.tables import TableSpec

Call = Callable[..., tuple[int, str, str]]
pytestmark = pytest.mark.usefixtures("plugin")


def filled(spec: TableSpec, n: int, **known: object) -> pd.DataFrame:
    """A table of n rows in which all is 1, and the key counts up."""
    kinds = {"str": "", "int": 1, "bool": True, "float": 1.0}
    rows = {c.name: np.full(n, kinds[c.dtype]) for c in spec.columns}
    rows |= {name: np.arange(n) + (name != "frame") for name in spec.key}
    return tables.build(spec, rows | known)


@pytest.fixture
def analysed(spot_folder: Path, tmp_path: Path) -> Path:
    """A run of six tracks with a table of each further analysis."""
    run = tl.import_frames(spot_folder, tmp_path / "a.trackleed", mask="none")
    fits = run.refine(tracks=run.track("nearest", detections=run.detect("bright")))
    run.analyse(center="fixed", x=60, y=60)
    reasons = ["", "weak: median snr 3", "", "", "jumps in frames " + "11, 12, " * 12, ""]
    twelve = {"frame": np.arange(12), "group": np.ones(12, int), "satellite": np.full(12, 3)}
    words = np.array(["ok"] * 9 + ["too_dim"] * 3, dtype=object)
    made = {
        "indexing": filled(tables.TRACK_INDEX, 6, h=np.array([0, 0.5, 1, 0, 0, 0])),
        "lattice": filled(tables.LATTICE, 12),
        "scale": filled(tables.SCALES, 12),
        "energy": filled(tables.RADIUS_ENERGY, 6),
        "quality": filled(tables.TRACK_QUALITY, 6, reason=np.array(reasons, dtype=object)),
        "framequality": filled(tables.FRAME_QUALITY, 12),
        "positions": filled(tables.POSITIONS, 12, status=words, **twelve),
    }
    for kind, table in made.items():
        spec = next(s for s in tables.SPECS.values() if set(s.names) == set(table.columns))
        with run.session.step(kind, spec=spec, inputs=[fits.id]) as writer:
            writer.write(table)
    return tmp_path / "a.trackleed"


def test_every_analysis_has_its_lines_within_80_columns(
    call: Call, analysed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    code, text, _ = call("show", analysed, "--tracks")
    assert code == 0
    words = " ".join(text.split())
    for said in (
        "radii",
        "E0 1.00 ± 1.00 eV, of all tracks",
        "indexed 6 of 6 tracks",
        "strain of a 1.000 to 1.000 %, errors 1.000 % (median)",
        "1/Å 1.00 ± 1.00 px in frame 0",
        "uncertain 2 of 6 tracks",
        "track 2 weak: median snr 3",
        "group 1 3 about track 1; 9 of 12 ok, r 1.0 to 1.0 px ± 1.00 px (median)",
        "status ok 9, too_dim 3",
        "track beam first frame last seen usable x y moved / px sure",
        " 2 (0.5|1) 0 11 12 ",
    ):
        assert said in words
    assert max(len(line) for line in text.splitlines() if str(analysed.parent) not in line) <= 80


def test_json_has_the_same(call: Call, analysed: Path) -> None:
    found = json.loads(call("show", analysed, "--json")[1])
    assert found["quality"]["uncertain"] == "2 of 6 tracks"
    assert found["quality"]["track 2"] == "weak: median snr 3"
    assert {"radius against energy", "lattice", "positions", "steps"} <= found.keys()
