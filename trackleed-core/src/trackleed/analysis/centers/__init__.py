"""The pattern's centre: from opposite pairs, rings, or the point that the pattern contracts to."""

from trackleed.analysis.centers.expansion import Expansion, expansion_center
from trackleed.analysis.centers.finding import pattern_centers
from trackleed.analysis.centers.smoothing import median_center, smooth_centers

__all__ = [
    "Expansion",
    "expansion_center",
    "median_center",
    "pattern_centers",
    "smooth_centers",
]
