"""From tables to the numbers of one line of a benchmark's table."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np

from trackleed.scoring.identity import Counts, clear, hota, identity
from trackleed.scoring.points import THRESHOLDS, errors, tap
from trackleed.scoring.sight import sight

if TYPE_CHECKING:
    import pandas as pd


def count(tracks: pd.DataFrame, fits: pd.DataFrame | None, labels: pd.DataFrame) -> Counts:
    """Everything that is counted in one series; counts of several series add up.

    Parameters
    ----------
    tracks : DataFrame
        A ``tracks`` table.
    fits : DataFrame or None
        Their ``fits``, if they were refined.
    labels : DataFrame
        A `trackleed.scoring.LABELS` table.
    """
    seen = sight(tracks, labels)
    counts = {**identity(seen), **clear(seen), **hota(seen), **tap(seen, tracks, labels)}
    return counts | (errors(tracks, fits, labels) if fits is not None else {})


def total(counts: Iterable[Counts]) -> Counts:
    """Sums over series; what one of them has not is left out."""
    counts = list(counts)
    names = [name for name in counts[0] if all(name in one for one in counts)]
    sums = {name: np.sum([one[name] for one in counts], axis=0) for name in names}
    return {name: value.tolist() for name, value in sums.items()}


def rates(counts: Counts) -> dict[str, float]:
    """The metrics; NaN where there was nothing to divide by.

    Returns
    -------
    dict
        ``idf1, hota, recall, precision``, ``fragments_per_spot``, ``delta_avg,
        occlusion_accuracy, average_jaccard``, and in px ``rmse_track, rmse_fit,
        rmse_bound``, and ``fit_over_bound``.
    """
    n = {name: np.asarray(value, dtype=np.float64) for name, value in counts.items()}
    within, true, false = n["tap_within"], n["tap_true"], n["tap_false"]
    result = {
        "idf1": _over(2 * n["identified"], n["labels"] + n["positions"]),
        "hota": _hota(n),
        "recall": _over(n["found"], n["labels"]),
        "precision": _over(n["found"], n["positions"]),
        "fragments_per_spot": _over(n["fragments"], n["spots"]),
        "delta_avg": _over(within.sum(), n["tap_visible"] * len(THRESHOLDS)),
        "occlusion_accuracy": _over(n["tap_flags"], n["tap_points"]),
        "average_jaccard": float(
            np.mean([_over(t, n["tap_visible"] + f) for t, f in zip(true, false, strict=True)])
        ),
    }
    for name in ("track", "fit", "bound"):
        if f"square_{name}" in n:
            result[f"rmse_{name}"] = float(np.sqrt(_over(n[f"square_{name}"], n["measured"])))
    if "rmse_fit" in result:
        result["fit_over_bound"] = _over(result["rmse_fit"], result["rmse_bound"])
    return result


def _hota(n: dict[str, np.ndarray]) -> float:
    """Geometric mean of the accuracies of detection and association, averaged over alpha."""
    tp = n["hota_tp"]
    detection = tp / np.maximum(tp + n["hota_fn"] + n["hota_fp"], 1)
    association = n["hota_ass"] / np.maximum(tp, 1)
    return float(np.mean(np.sqrt(detection * association)))


def _over(part: np.ndarray | float, whole: np.ndarray | float) -> float:
    return float(part) / float(whole) if whole else float("nan")
