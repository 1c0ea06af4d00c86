"""The table of a benchmark: a line for each scenario and tracker, as CSV, Markdown and text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from trackleed.scoring import DetectionScore, rates, total

if TYPE_CHECKING:
    import pandas as pd

ALL = "all"
"""Name of the lines over all scenarios."""
DETECTIONS = "(detections)"
"""In place of a tracker: the detections themselves."""


@dataclass(frozen=True)
class Heading:
    """One column: name in files, heading for people, how numbers are written, which is better."""

    name: str
    text: str
    form: str = ""
    best: str = ""


HEADINGS = (
    Heading("scenario", "scenario"),
    Heading("tracker", "tracker"),
    Heading("given", "given"),
    Heading("idf1", "IDF1", ".3f", "max"),
    Heading("hota", "HOTA", ".3f", "max"),
    Heading("recall", "recall", ".3f", "max"),
    Heading("precision", "prec.", ".3f", "max"),
    Heading("switches", "switch", ".0f", "min"),
    Heading("fragments_per_spot", "frag/spot", ".2f", "min"),
    Heading("ghosts", "ghosts", ".0f", "min"),
    Heading("spots", "spots", ".0f"),
    Heading("delta_avg", "δ_avg", ".3f", "max"),
    Heading("occlusion_accuracy", "OA", ".3f", "max"),
    Heading("average_jaccard", "AJ", ".3f", "max"),
    Heading("rmse_track", "RMSE px", ".3f", "min"),
    Heading("rmse_fit", "fit px", ".3f", "min"),
    Heading("fit_over_bound", "fit/bound", ".2f", "min"),
    Heading("frames_per_s", "frames/s", ".0f", "max"),
    Heading("peak_mb", "MiB", ".0f", "min"),
    Heading("note", "note"),
)
NAMES = [heading.name for heading in HEADINGS]


def table(records: Sequence[dict[str, Any]]) -> pd.DataFrame:
    """One line for each scenario and tracker, in the order in which they came; then over all.

    Series of one scenario are pooled: counts are added up before anything is divided.

    Parameters
    ----------
    records : sequence of dict
        As `trackleed.bench.trying.Trial` makes them.

    Returns
    -------
    DataFrame
        Columns as in `HEADINGS`; ``note`` says what failed, and why.
    """
    import pandas as pd

    scenarios = list(dict.fromkeys(record["scenario"] for record in records))
    trackers = list(dict.fromkeys(record["tracker"] for record in records))
    lines = []
    for scenario in [*scenarios, *([ALL] if len(scenarios) > 1 else [])]:
        for tracker in trackers:
            some = [r for r in records if r["tracker"] == tracker]
            some = [r for r in some if scenario in (r["scenario"], ALL)]
            if some:
                lines.append({"scenario": scenario, **_line(tracker, some)})
    return pd.DataFrame(lines, columns=NAMES)


def _line(tracker: str, records: list[dict[str, Any]]) -> dict[str, Any]:
    done = [record for record in records if not record["error"]]
    line: dict[str, Any] = {
        "tracker": tracker or DETECTIONS,
        "given": records[0]["given"],
        "note": _note(records),
    }
    if not done:
        return line
    counts = total(record["counts"] for record in done)
    if not tracker:
        score = DetectionScore(**counts)  # type: ignore[arg-type]
        return line | {"recall": score.recall, "precision": score.precision}
    seconds = sum(record["seconds"] for record in done)
    return {
        **line,
        **rates(counts),
        **{name: counts[name] for name in ("switches", "ghosts", "spots")},
        "frames_per_s": sum(r["frames"] for r in done) / seconds if seconds else float("nan"),
        "peak_mb": max(record["peak_mb"] for record in done),
    }


def _note(records: list[dict[str, Any]]) -> str:
    failed = [record for record in records if record["error"]]
    if not failed:
        return ""
    reasons = "; ".join(dict.fromkeys(record["error"] for record in failed))
    return f"failed in {len(failed)} of {len(records)} series: {reasons}"


def cells(lines: pd.DataFrame) -> list[list[str]]:
    """What is written for each line; empty where there is nothing."""
    return [
        [_cell(line[h.name], h.form) for h in HEADINGS] for line in lines.to_dict(orient="records")
    ]


def best(lines: pd.DataFrame) -> list[list[bool]]:
    """Which cells are the best of their scenario, as written."""
    written = cells(lines)
    chosen = [[False] * len(HEADINGS) for _ in written]
    for rows in lines.groupby("scenario", sort=False).indices.values():
        rows = [row for row in rows if lines["tracker"].iloc[row] != DETECTIONS]
        for column, heading in enumerate(HEADINGS):
            known = (
                [float(written[row][column]) for row in rows if written[row][column]]
                if (heading.best)
                else []
            )
            if len(known) > 1:
                top = max(known) if heading.best == "max" else min(known)
                for row in rows:
                    text = written[row][column]
                    chosen[row][column] = bool(text) and float(text) == top
    return chosen


def markdown(lines: pd.DataFrame) -> str:
    """The table in Markdown, the best of each scenario in bold."""
    rows = [[h.text for h in HEADINGS], ["---"] * len(HEADINGS)]
    for written, chosen in zip(cells(lines), best(lines), strict=True):
        escaped = [text.replace("|", "\\|") for text in written]
        rows.append([f"**{t}**" if b else t for t, b in zip(escaped, chosen, strict=True)])
    return "".join("| " + " | ".join(row) + " |\n" for row in rows)


def behind(lines: pd.DataFrame, tracker: str) -> list[str]:
    """Where another tracker has a better IDF1, one sentence for each scenario."""
    said = []
    for scenario, some in lines[lines["idf1"].notna()].groupby("scenario", sort=False):
        values = dict(zip(some["tracker"], some["idf1"].astype(float), strict=True))
        top = max(values, key=values.__getitem__)
        if tracker in values and round(values[top], 3) > round(values[tracker], 3):
            said.append(
                f"{scenario}: {tracker} has IDF1 {values[tracker]:.3f}, {top} {values[top]:.3f}"
            )
    return said


def _cell(value: Any, form: str) -> str:
    if value is None or value != value:
        return ""
    return format(float(value), form) if form else str(value)
