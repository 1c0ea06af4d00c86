"""The tables that pass between the rooms: their columns, units and meaning.

Tables are plain pandas DataFrames. Backends are handed, and may return, the same
columns as a plain mapping of numpy arrays (`Columns`), which needs no pandas.
Coordinates are pixels: x to the right, y down, an integer is a pixel centre.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, TypeAlias

from trackleed.errors import TableError

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

Columns: TypeAlias = "Mapping[str, np.ndarray[Any, np.dtype[Any]]]"


class State(StrEnum):
    """What a track is in one frame."""

    SEED = "seed"  # the position that somebody, or a detector, started it from
    MEASURED = "measured"  # found in this frame
    PREDICTED = "predicted"  # not seen, but its place is known from the motion
    MASKED = "masked"  # its place lies where the mask hides the screen
    SATURATED = "saturated"  # seen, but its pixels are clipped
    LOST = "lost"  # not there: no position
    EDITED = "edited"  # placed by hand


class FitStatus(StrEnum):
    """Whether a fit can be used, and if not, why."""

    OK = "ok"
    LOST = "lost"  # the track has no position in this frame: nothing was fitted
    NEAR_EDGE = "near_edge"  # too little of the ROI lies inside the frame
    MASKED = "masked"  # the mask hides the spot, or too much of the ROI
    SATURATED = "saturated"  # clipped pixels under the spot
    TOO_DIM = "too_dim"  # no spot above the noise
    NO_CONVERGENCE = "no_convergence"  # the fit did not settle
    LEFT_ROI = "left_roi"  # the fit settled on something outside the ROI, or wider than it
    NEIGHBOUR = "neighbour"  # another track's spot stands in the ROI and disturbs the fit


@dataclass(frozen=True)
class Column:
    """One column: its name, kind of value, unit and meaning."""

    name: str
    dtype: str  # "int", "float", "bool" or "str"
    unit: str
    meaning: str


@dataclass(frozen=True)
class TableSpec:
    """The columns that a table must have, and those that make a row unique."""

    name: str
    key: tuple[str, ...]
    columns: tuple[Column, ...]

    @property
    def names(self) -> list[str]:
        """Column names in order."""
        return [column.name for column in self.columns]


FRAME = Column("frame", "int", "", "number of the frame, from 0")
TRACK = Column("track_id", "int", "", "number of the track, from 1")


def _float(name: str, unit: str, meaning: str) -> Column:
    return Column(name, "float", unit, meaning)


def _with_error(name: str, unit: str, meaning: str) -> tuple[Column, Column]:
    return _float(name, unit, meaning), _float(f"{name}_err", unit, f"standard error of {name}")


INDEX = TableSpec(
    "index",
    ("frame",),
    (
        FRAME,
        Column("source", "str", "", "file, or file and page, that the frame was read from"),
        _float("time_s", "s", "time since the first frame"),
        _float("temperature_K", "K", "sample temperature"),
        _float("energy_eV", "eV", "beam energy"),
        _float("coverage_ML", "ML", "coverage in monolayers"),
        _float("exposure_s", "s", "exposure time"),
        _float("beam_current_A", "A", "beam current"),
    ),
)

_BOX = (
    _float("x", "px", "centre, to the right"),
    _float("y", "px", "centre, down"),
    _float("width", "px", "width of the ROI"),
    _float("height", "px", "height of the ROI"),
)

DETECTIONS = TableSpec(
    "detections",
    (),
    (FRAME, *_BOX, _float("score", "", "height over the local noise")),
)

SEEDS = TableSpec("seeds", ("track_id", "frame"), (TRACK, FRAME, *_BOX))

TRACKS = TableSpec(
    "tracks",
    ("frame", "track_id"),
    (
        FRAME,
        TRACK,
        *_BOX,
        _float("score", "", "confidence as the tracker gives it"),
        Column("state", "str", "", "one of " + ", ".join(State)),
    ),
)

FITS = TableSpec(
    "fits",
    ("frame", "track_id"),
    (
        FRAME,
        TRACK,
        Column("status", "str", "", "one of " + ", ".join(FitStatus)),
        _float("x", "px", "fitted centre, to the right"),
        _float("y", "px", "fitted centre, down"),
        _float("x_err", "px", "standard error of x"),
        _float("y_err", "px", "standard error of y"),
        *_with_error("amplitude", "counts", "height of the peak over the background"),
        *_with_error("offset", "counts", "background under the peak"),
        _float("sigma_x", "px", "width along the fitted axis nearest to +x"),
        _float("sigma_y", "px", "width along the other axis"),
        _float("sigma_x_err", "px", "standard error of sigma_x"),
        _float("sigma_y_err", "px", "standard error of sigma_y"),
        _float("theta_deg", "deg", "angle of the sigma_x axis from +x towards +y, in (-45, 45]"),
        _float("theta_err_deg", "deg", "standard error of theta_deg"),
        _float("fwhm_x", "px", "full width at half maximum along the sigma_x axis"),
        _float("fwhm_y", "px", "full width at half maximum along the sigma_y axis"),
        _float("fwhm_x_err", "px", "standard error of fwhm_x"),
        _float("fwhm_y_err", "px", "standard error of fwhm_y"),
        *_with_error("volume", "counts px^2", "integral of the peak"),
        _float("asymmetry", "", "(major - minor) / (major + minor) of the two widths"),
        _float("r_squared", "", "coefficient of determination"),
        _float("chi2_red", "", "weighted squares per degree of freedom"),
        _float("snr", "", "volume over its standard error"),
        Column("saturated", "bool", "", "whether pixels of the ROI were clipped"),
    ),
)

CENTERS = TableSpec(
    "centers",
    ("frame",),
    (
        FRAME,
        _float("x", "px", "centre of the pattern, to the right"),
        _float("y", "px", "centre of the pattern, down"),
        _float("x_err", "px", "standard error of x"),
        _float("y_err", "px", "standard error of y"),
        Column("mode", "str", "", "how the centre was found"),
        Column("n_spots", "int", "", "spots that it rests on"),
        _float("rms", "px", "scatter of those spots about the model"),
    ),
)

RADII = TableSpec(
    "radii",
    ("frame", "track_id"),
    (FRAME, TRACK, *_with_error("radius", "px", "distance of the spot from the pattern's centre")),
)

INTENSITIES = TableSpec(
    "intensities",
    ("frame", "track_id"),
    (
        FRAME,
        TRACK,
        *_with_error("intensity", "counts", "sum over the aperture less the local background"),
        _float("background", "counts", "level under the spot, from a ring round the aperture"),
    ),
)

RADIUS_ENERGY = TableSpec(
    "radius_energy",
    ("track_id",),
    (
        TRACK,
        *_with_error("energy_shift", "eV", "E0 in radius^2 (E + E0) = constant, of this track"),
        *_with_error("shared_shift", "eV", "E0 of all tracks together"),
        *_with_error("constant", "px^2 eV", "radius^2 (E + E0) with the shared E0"),
        _float("scatter", "", "standard deviation of radius^2 (E + E0) over its mean"),
        _float("rms", "px", "scatter of the radius about the fit"),
        Column("n_frames", "int", "", "frames that the fit rests on"),
        Column("n_outliers", "int", "", "frames left out as outliers"),
        Column("reason", "str", "", "why values are missing; empty if none is"),
    ),
)

RADIUS_RESIDUALS = TableSpec(
    "radius_residuals",
    ("frame", "track_id"),
    (
        FRAME,
        TRACK,
        *_with_error("product", "px^2 eV", "radius^2 (E + E0) with the shared E0"),
        _float("residual", "px", "radius less that of the fit"),
    ),
)

TRACK_INDEX = TableSpec(
    "track_index",
    ("track_id",),
    (
        TRACK,
        _float("h", "", "index along the first basis spot, fractional for a superstructure"),
        _float("k", "", "index along the second basis spot"),
        _float("residual", "px", "median distance of the spot from its place in the lattice"),
        Column("n_frames", "int", "", "frames in which it keeps to this place"),
        Column("ok", "bool", "", "whether it is indexed"),
        Column("reason", "str", "", "why it is not; empty if it is"),
    ),
)

LATTICE = TableSpec(
    "lattice",
    ("frame",),
    (
        FRAME,
        _float("x", "px", "origin of the lattice, to the right"),
        _float("y", "px", "origin of the lattice, down"),
        _float("x_err", "px", "standard error of x"),
        _float("y_err", "px", "standard error of y"),
        *_with_error("ax", "px", "first reciprocal vector a*, to the right"),
        *_with_error("ay", "px", "first reciprocal vector a*, down"),
        *_with_error("bx", "px", "second reciprocal vector b*, to the right"),
        *_with_error("by", "px", "second reciprocal vector b*, down"),
        _float("abx_cov", "px^2", "covariance of ax and bx"),
        _float("aby_cov", "px^2", "covariance of ay and by"),
        *_with_error("length_a", "px", "length of a*, in the height of pixels"),
        *_with_error("length_b", "px", "length of b*, in the height of pixels"),
        *_with_error("angle_deg", "deg", "angle between a* and b*"),
        *_with_error("rotation_deg", "deg", "turn from the reference frame, from +x towards +y"),
        *_with_error("strain_a", "%", "change of lattice constant a from the reference frame"),
        *_with_error("strain_b", "%", "change of lattice constant b from the reference frame"),
        _float("rms", "px", "distance of the spots from the lattice"),
        Column("n_spots", "int", "", "spots that it rests on"),
        Column("n_outliers", "int", "", "indexed spots left out as outliers"),
    ),
)

SCALES = TableSpec(
    "scales",
    ("frame",),
    (
        FRAME,
        *_with_error("scale", "px Å", "pixels, in their height, for 1/Å of the reciprocal lattice"),
        *_with_error("screen_radius", "px", "distance of a beam at 90° from the (0,0) beam"),
    ),
)

DEVIATIONS = TableSpec(
    "deviations",
    ("frame", "track_id"),
    (
        FRAME,
        TRACK,
        _float("dx", "px", "position less that of the model, to the right"),
        _float("dy", "px", "position less that of the model, down"),
        _float("shift_x", "px", "what all tracks of the frame deviate alike, to the right"),
        _float("shift_y", "px", "what all tracks of the frame deviate alike, down"),
        Column("jump", "bool", "", "whether the track jumped here from where it was seen before"),
        Column("model", "str", "", "lattice, energy or smooth; empty where there is none"),
    ),
)

_COUNTS = (
    Column("n_usable", "int", "", 'fits with status "ok"'),
    *(
        Column(f"n_{status}", "int", "", f'fits with status "{status}"')
        for status in FitStatus
        if status != FitStatus.OK
    ),
)

_MEDIANS = (
    _float("snr", "", "median snr of usable fits"),
    _float("chi2_red", "", "median chi2_red of usable fits"),
    _float("fwhm", "px", "median of the geometric mean of both widths of usable fits"),
    _float("deviation", "px", "median distance from the model"),
)

TRACK_QUALITY = TableSpec(
    "track_quality",
    ("track_id",),
    (
        TRACK,
        Column("n_frames", "int", "", "rows of the track"),
        *_COUNTS,
        *_MEDIANS,
        _float("fwhm_scatter", "", "robust scatter of the width over its median"),
        _float("largest", "px", "largest distance from the model"),
        Column("n_jumps", "int", "", "jumps from one frame in which it is seen to the next"),
        _float("moved", "px", "scatter of the positions about their mean"),
        Column("static", "bool", "", "whether it stands still while the others move"),
        Column("reason", "str", "", "why the track is uncertain; empty if it is not"),
    ),
)

FRAME_QUALITY = TableSpec(
    "frame_quality",
    ("frame",),
    (
        FRAME,
        Column("n_tracks", "int", "", "rows of the frame"),
        *_COUNTS,
        *_MEDIANS,
        _float("shift", "px", "what all tracks deviate alike from the model"),
        Column("n_jumps", "int", "", "tracks that jumped here"),
    ),
)

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
    )
}

_KINDS = {"int": "iu", "float": "f", "bool": "b", "str": "OU"}
_DTYPES: dict[str, Any] = {"int": "int64", "float": "float64", "bool": "bool", "str": "str"}


def empty(spec: TableSpec) -> pd.DataFrame:
    """Table of ``spec`` without rows."""
    import pandas as pd

    return pd.DataFrame({c.name: pd.Series(dtype=_DTYPES[c.dtype]) for c in spec.columns})


def build(spec: TableSpec, columns: Columns | pd.DataFrame) -> pd.DataFrame:
    """Checked table of ``spec`` from a mapping of arrays, or from another table.

    Columns that the specification does not name are kept, to the right.

    Raises
    ------
    TableError
        If a column is missing, of the wrong kind or of the wrong length.
    """
    import pandas as pd

    given = {str(name): values for name, values in columns.items()}
    _require_columns(list(given), spec)
    lengths = {name: len(values) for name, values in given.items()}
    if len(set(lengths.values())) > 1:
        raise TableError(f"{spec.name} table: columns differ in length: {lengths}")
    # Converted before pandas sees them: replacing columns of a table is many times slower.
    for column in spec.columns:
        try:
            given[column.name] = _converted(given[column.name], column.dtype)
        except (TypeError, ValueError) as error:
            raise TableError(
                f"{spec.name} table: column {column.name!r} should be {column.dtype}: {error}"
            ) from None
    extra = [name for name in given if name not in spec.names]
    table = pd.DataFrame({name: given[name] for name in [*spec.names, *extra]})
    return check(table, spec)


def _converted(values: Any, dtype: str) -> Any:
    """Values of a column as its kind of array; raises where that would change them."""
    import numpy as np
    import pandas as pd

    if dtype == "str":
        return pd.array(np.asarray(values, dtype=object), dtype="str")
    array = np.asarray(values)
    if dtype == "int" and array.dtype.kind not in "iu" and (array % 1 != 0).any():
        raise ValueError("not whole numbers")
    return array.astype(_DTYPES[dtype], copy=False)


def check(table: pd.DataFrame, spec: TableSpec) -> pd.DataFrame:
    """Return ``table`` if it keeps to ``spec``.

    Raises
    ------
    TableError
        If a column is missing or of another kind, or a key occurs twice.
    """
    _require_columns(list(table.columns), spec)
    for column in spec.columns:
        dtype = table[column.name].dtype
        if dtype.kind not in _KINDS[column.dtype] and not (
            column.dtype == "str" and str(dtype) in ("str", "string")
        ):
            raise TableError(
                f"{spec.name} table: column {column.name!r} is {dtype}, should be {column.dtype}"
            )
    if spec.key:
        twice = table.duplicated(list(spec.key))
        if twice.any():
            row = table.loc[twice, list(spec.key)].iloc[0].to_dict()
            raise TableError(f"{spec.name} table: more than one row for {row}")
    return table


def columns(table: pd.DataFrame | Columns) -> Columns:
    """The columns of a table as plain numpy arrays, as backends are handed them."""
    import numpy as np

    return {str(name): np.asarray(values) for name, values in table.items()}


def _require_columns(names: list[str], spec: TableSpec) -> None:
    missing = [name for name in spec.names if name not in names]
    if missing:
        raise TableError(
            f"{spec.name} table: missing column(s) {', '.join(missing)}; "
            f"it needs {', '.join(spec.names)}"
        )
