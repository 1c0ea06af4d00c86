"""The tables that pass between the rooms: their columns, units and meaning.

Tables are plain pandas DataFrames. Backends are handed, and may return, the same
columns as a plain mapping of numpy arrays (`Columns`), which needs no pandas.
Coordinates are pixels: x to the right, y down, an integer is a pixel centre.
"""

from trackleed.tables.checking import Columns, build, check, columns, empty
from trackleed.tables.columns import (
    FRAME,
    SEEN,
    TRACK,
    Column,
    FitStatus,
    PositionStatus,
    Role,
    State,
    TableSpec,
)
from trackleed.tables.derived import (
    DEVIATIONS,
    FRAME_QUALITY,
    LATTICE,
    RADIUS_ENERGY,
    RADIUS_RESIDUALS,
    SCALES,
    TRACK_INDEX,
    TRACK_QUALITY,
)
from trackleed.tables.groups import GROUP, GROUP_FITS, POSITIONS
from trackleed.tables.measured import (
    CENTERS,
    DETECTIONS,
    FITS,
    INDEX,
    INTENSITIES,
    RADII,
    SEEDS,
    TRACKS,
)

__all__ = [
    "CENTERS",
    "DETECTIONS",
    "DEVIATIONS",
    "FITS",
    "FRAME",
    "FRAME_QUALITY",
    "GROUP",
    "GROUP_FITS",
    "INDEX",
    "INTENSITIES",
    "LATTICE",
    "POSITIONS",
    "RADII",
    "RADIUS_ENERGY",
    "RADIUS_RESIDUALS",
    "SCALES",
    "SEEDS",
    "SEEN",
    "SPECS",
    "TRACK",
    "TRACKS",
    "TRACK_INDEX",
    "TRACK_QUALITY",
    "Column",
    "Columns",
    "FitStatus",
    "PositionStatus",
    "Role",
    "State",
    "TableSpec",
    "build",
    "check",
    "columns",
    "empty",
]

SPECS = {
    spec.name: spec
    for spec in (
        INDEX,
        DETECTIONS,
        SEEDS,
        TRACKS,
        FITS,
        CENTERS,
        RADII,
        INTENSITIES,
        RADIUS_ENERGY,
        RADIUS_RESIDUALS,
        TRACK_INDEX,
        LATTICE,
        SCALES,
        DEVIATIONS,
        TRACK_QUALITY,
        FRAME_QUALITY,
        GROUP_FITS,
        POSITIONS,
    )
}
