"""How good detections, tracks and fits are: pure functions from tables and labels to numbers."""

from trackleed.scoring.detections import DetectionScore, compare_fits, pair, score_detections
from trackleed.scoring.identity import Counts, clear, hota, identity
from trackleed.scoring.labels import LABELS, LABELS_CSV, REACH, WANTED, by_hand, of_truth
from trackleed.scoring.points import errors, tap
from trackleed.scoring.sight import Sight, sight
from trackleed.scoring.summary import count, rates, total

__all__ = [
    "LABELS",
    "LABELS_CSV",
    "REACH",
    "WANTED",
    "Counts",
    "DetectionScore",
    "Sight",
    "by_hand",
    "clear",
    "compare_fits",
    "count",
    "errors",
    "hota",
    "identity",
    "of_truth",
    "pair",
    "rates",
    "score_detections",
    "sight",
    "tap",
    "total",
]
