from __future__ import annotations

import runpy
import tempfile
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("trackleed_detectors")
pytest.importorskip("trackleed_trackers_box")

DOCS = Path(__file__).parents[2] / "docs"


@pytest.fixture(scope="module")
def notebook() -> dict[str, Any]:
    return runpy.run_path(str(DOCS / "run_example.py"))


def test_the_cells_of_the_example_run(
    notebook: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)  # the example goes elsewhere; this brings the test back
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    names: dict[str, Any] = {"__name__": "example"}
    for cell in notebook["cells"]((DOCS / "example.py").read_text(encoding="utf-8")):
        if not cell.is_text:
            notebook["run"](cell, names)

    [folder] = tmp_path.iterdir()
    exports = folder / "cooling.trackleed" / "exports"
    assert (exports / "full_analysis_per_spot.csv").stat().st_size > 1000
    assert names["growth"].mean() == pytest.approx(0.4, abs=0.2)
    assert names["pairs"][["pull_x", "pull_y"]].std().between(0.7, 1.4).all()


def test_the_page_of_the_example_has_its_cells(notebook: dict[str, Any]) -> None:
    page = (DOCS / "example.md").read_text(encoding="utf-8")
    place = 0
    for cell in notebook["cells"]((DOCS / "example.py").read_text(encoding="utf-8")):
        place = page.find(cell.source, place) + 1
        assert place, f"run: python docs/run_example.py; this differs:\n{cell.source}"
