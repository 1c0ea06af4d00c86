"""The tables that the way from reader to fits passes on, and what follows straight from them."""

from __future__ import annotations

from trackleed.tables.columns import (
    FRAME,
    TRACK,
    Column,
    FitStatus,
    State,
    TableSpec,
    number,
    with_error,
)

INDEX = TableSpec(
    "index",
    ("frame",),
    (
        FRAME,
        Column("source", "str", "", "file, or file and page, that the frame was read from"),
        number("time_s", "s", "time since the first frame"),
        number("temperature_K", "K", "sample temperature"),
        number("energy_eV", "eV", "beam energy"),
        number("coverage_ML", "ML", "coverage in monolayers"),
        number("exposure_s", "s", "exposure time"),
        number("beam_current_A", "A", "beam current"),
    ),
)

_BOX = (
    number("x", "px", "centre, to the right"),
    number("y", "px", "centre, down"),
    number("width", "px", "width of the ROI"),
    number("height", "px", "height of the ROI"),
)

DETECTIONS = TableSpec(
    "detections",
    (),
    (FRAME, *_BOX, number("score", "", "height over the local noise")),
)

SEEDS = TableSpec("seeds", ("track_id", "frame"), (TRACK, FRAME, *_BOX))

TRACKS = TableSpec(
    "tracks",
    ("frame", "track_id"),
    (
        FRAME,
        TRACK,
        *_BOX,
        number("score", "", "confidence as the tracker gives it"),
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
        number("x", "px", "fitted centre, to the right"),
        number("y", "px", "fitted centre, down"),
        number("x_err", "px", "standard error of x"),
        number("y_err", "px", "standard error of y"),
        *with_error("amplitude", "counts", "height of the peak over the background"),
        *with_error("offset", "counts", "background under the peak"),
        number("sigma_x", "px", "width along the fitted axis nearest to +x"),
        number("sigma_y", "px", "width along the other axis"),
        number("sigma_x_err", "px", "standard error of sigma_x"),
        number("sigma_y_err", "px", "standard error of sigma_y"),
        number("theta_deg", "deg", "angle of the sigma_x axis from +x towards +y, in (-45, 45]"),
        number("theta_err_deg", "deg", "standard error of theta_deg"),
        number("fwhm_x", "px", "full width at half maximum along the sigma_x axis"),
        number("fwhm_y", "px", "full width at half maximum along the sigma_y axis"),
        number("fwhm_x_err", "px", "standard error of fwhm_x"),
        number("fwhm_y_err", "px", "standard error of fwhm_y"),
        *with_error("volume", "counts px^2", "integral of the peak"),
        number("asymmetry", "", "(major - minor) / (major + minor) of the two widths"),
        number("r_squared", "", "coefficient of determination"),
        number("chi2_red", "", "weighted squares per degree of freedom"),
        number("snr", "", "volume over its standard error"),
        Column("saturated", "bool", "", "whether pixels of the ROI were clipped"),
    ),
)

CENTERS = TableSpec(
    "centers",
    ("frame",),
    (
        FRAME,
        number("x", "px", "centre of the pattern, to the right"),
        number("y", "px", "centre of the pattern, down"),
        number("x_err", "px", "standard error of x"),
        number("y_err", "px", "standard error of y"),
        Column("mode", "str", "", "how the centre was found"),
        Column("n_spots", "int", "", "spots that it rests on"),
        number("rms", "px", "scatter of those spots about the model"),
    ),
)

RADII = TableSpec(
    "radii",
    ("frame", "track_id"),
    (
        FRAME,
        TRACK,
        *with_error("radius", "px", "distance from the pattern's centre, in the height of pixels"),
    ),
)

INTENSITIES = TableSpec(
    "intensities",
    ("frame", "track_id"),
    (
        FRAME,
        TRACK,
        *with_error("intensity", "counts", "sum over the aperture less the local background"),
        number("background", "counts", "level under the spot, from a ring round the aperture"),
    ),
)
