from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from trackleed.bench.plots import plot
from trackleed.bench.table import behind, markdown, table
from trackleed.scoring import by_hand, count


def record(scenario: str, tracker: str, lost: int = 0, error: str = "") -> dict[str, object]:
    """Ten frames of one spot, of which the tracker has not the last ``lost``."""
    true = pd.DataFrame(
        {"frame": range(10), "track_id": 1, "x": 5.0, "y": 5.0, "state": "measured"}
    )
    counts = count(true.iloc[: 10 - lost], true.assign(status="ok"), by_hand(true))
    head = {"scenario": scenario, "tracker": tracker, "given": "detections", "error": error}
    return head if error else {**head, "counts": counts, "frames": 10, "seconds": 2, "peak_mb": 9}


RECORDS = [
    record("ramp", "good"),
    record("ramp", "bad", lost=4),
    record("drift", "good", lost=5),
    record("drift", "bad", lost=1),
    record("drift", "bad", error="it | fell over"),
]


def test_series_of_a_scenario_are_pooled_and_all_of_them_besides() -> None:
    lines = table(RECORDS).set_index(["scenario", "tracker"])
    assert lines.loc[("ramp", "bad"), "recall"] == pytest.approx(0.6)
    assert lines.loc[("all", "bad"), "recall"] == pytest.approx(0.75)
    assert lines.loc[("all", "good"), "frames_per_s"] == 5
    assert lines.loc[("drift", "bad"), "note"] == "failed in 1 of 2 series: it | fell over"


def test_the_best_is_bold_and_bars_do_not_break_the_table() -> None:
    text = markdown(table(RECORDS))
    ramp = next(line for line in text.splitlines() if line.startswith("| ramp | good"))
    assert "**1.000**" in ramp
    assert "it \\| fell over" in text
    assert len({line.replace("\\|", "").count("|") for line in text.splitlines()}) == 1


def test_where_a_tracker_is_behind_is_said() -> None:
    assert behind(table(RECORDS), "good") == ["drift: good has IDF1 0.667, bad 0.947"]
    assert [said.split(":")[0] for said in behind(table(RECORDS), "bad")] == ["ramp"]


def test_a_picture_is_drawn(tmp_path: Path) -> None:
    path = plot(table(RECORDS), tmp_path / "table.png", "two trackers")
    assert path.read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"
