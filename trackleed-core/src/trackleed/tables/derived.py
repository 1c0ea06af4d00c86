"""The tables of the further analyses: energy, lattice, quality."""

from __future__ import annotations

from trackleed.tables.columns import (
    FRAME,
    TRACK,
    Column,
    FitStatus,
    TableSpec,
    number,
    with_error,
)

RADIUS_ENERGY = TableSpec(
    "radius_energy",
    ("track_id",),
    (
        TRACK,
        *with_error("energy_shift", "eV", "E0 in radius^2 (E + E0) = constant, of this track"),
        *with_error("shared_shift", "eV", "E0 of all tracks together"),
        *with_error("constant", "px^2 eV", "radius^2 (E + E0) with the shared E0"),
        number("scatter", "", "standard deviation of radius^2 (E + E0) over its mean"),
        number("rms", "px", "scatter of the radius about the fit"),
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
        *with_error("product", "px^2 eV", "radius^2 (E + E0) with the shared E0"),
        number("residual", "px", "radius less that of the fit"),
    ),
)

TRACK_INDEX = TableSpec(
    "track_index",
    ("track_id",),
    (
        TRACK,
        number("h", "", "index along the first basis spot, fractional for a superstructure"),
        number("k", "", "index along the second basis spot"),
        number("residual", "px", "median distance of the spot from its place in the lattice"),
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
        number("x", "px", "origin of the lattice, to the right"),
        number("y", "px", "origin of the lattice, down"),
        number("x_err", "px", "standard error of x"),
        number("y_err", "px", "standard error of y"),
        *with_error("ax", "px", "first reciprocal vector a*, to the right"),
        *with_error("ay", "px", "first reciprocal vector a*, down"),
        *with_error("bx", "px", "second reciprocal vector b*, to the right"),
        *with_error("by", "px", "second reciprocal vector b*, down"),
        number("abx_cov", "px^2", "covariance of ax and bx"),
        number("aby_cov", "px^2", "covariance of ay and by"),
        *with_error("length_a", "px", "length of a*, in the height of pixels"),
        *with_error("length_b", "px", "length of b*, in the height of pixels"),
        *with_error("angle_deg", "deg", "angle between a* and b*"),
        *with_error("rotation_deg", "deg", "turn from the reference frame, from +x towards +y"),
        *with_error("strain_a", "%", "change of lattice constant a from the reference frame"),
        *with_error("strain_b", "%", "change of lattice constant b from the reference frame"),
        number("rms", "px", "distance of the spots from the lattice"),
        Column("n_spots", "int", "", "spots that it rests on"),
        Column("n_outliers", "int", "", "indexed spots left out as outliers"),
    ),
)

SCALES = TableSpec(
    "scales",
    ("frame",),
    (
        FRAME,
        *with_error("scale", "px Å", "pixels, in their height, for 1/Å of the reciprocal lattice"),
        *with_error("screen_radius", "px", "distance of a beam at 90° from the (0,0) beam"),
        *with_error("a_star", "1/Å", "length of a*, by the scale of the reference frame"),
        *with_error("b_star", "1/Å", "length of b*, by the scale of the reference frame"),
    ),
)

DEVIATIONS = TableSpec(
    "deviations",
    ("frame", "track_id"),
    (
        FRAME,
        TRACK,
        number("dx", "px", "position less that of the model, to the right"),
        number("dy", "px", "position less that of the model, down"),
        number("shift_x", "px", "what all tracks of the frame deviate alike, to the right"),
        number("shift_y", "px", "what all tracks of the frame deviate alike, down"),
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
    number("snr", "", "median snr of usable fits"),
    number("chi2_red", "", "median chi2_red of usable fits"),
    number("fwhm", "px", "median of the geometric mean of both widths of usable fits"),
    number("deviation", "px", "median distance from the model"),
)

TRACK_QUALITY = TableSpec(
    "track_quality",
    ("track_id",),
    (
        TRACK,
        Column("n_frames", "int", "", "rows of the track"),
        *_COUNTS,
        *_MEDIANS,
        number("fwhm_scatter", "", "robust scatter of the width over its median"),
        number("largest", "px", "largest distance from the model"),
        Column("n_jumps", "int", "", "jumps from one frame in which it is seen to the next"),
        number("moved", "px", "scatter of the positions about their mean"),
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
        number("shift", "px", "what all tracks deviate alike from the model"),
        Column("n_jumps", "int", "", "tracks that jumped here"),
    ),
)
