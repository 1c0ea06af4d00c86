"""Satellites relative to a reference spot."""

from trackleed.analysis.positions.grouping import (
    Groups,
    complete_groups,
    find_groups,
    group_seeds,
)
from trackleed.analysis.positions.model import joint_model
from trackleed.analysis.positions.relative import relative_positions

__all__ = [
    "Groups",
    "complete_groups",
    "find_groups",
    "group_seeds",
    "joint_model",
    "relative_positions",
]
