"""The tables of spots that are measured relative to another one."""

from __future__ import annotations

from trackleed.tables.columns import FRAME, TRACK, Column, Role, TableSpec, number, with_error
from trackleed.tables.columns import PositionStatus as Status
from trackleed.tables.measured import FITS

GROUP = Column("group", "int", "", "number of the group, from 1")

GROUP_FITS = TableSpec(
    "group_fits",
    ("frame", "group", "track_id"),
    (
        FRAME,
        GROUP,
        TRACK,
        Column("role", "str", "", "one of " + ", ".join(Role)),
        number("seed_x", "px", "where the fit started, to the right"),
        number("seed_y", "px", "where the fit started, down"),
        number("roi", "px", "side of its ROI"),
        *FITS.columns[2:],
        number("slope_x", "counts/px", "slope of the group's background, to the right"),
        number("slope_y", "counts/px", "slope of the group's background, down"),
        number("xy_cov", "px^2", "covariance of x and y"),
        number("ref_xx_cov", "px^2", "covariance of x and the reference's x"),
        number("ref_xy_cov", "px^2", "covariance of x and the reference's y"),
        number("ref_yx_cov", "px^2", "covariance of y and the reference's x"),
        number("ref_yy_cov", "px^2", "covariance of y and the reference's y"),
        Column("n_together", "int", "", "spots of the joint fit; 0 if it was not in any"),
        Column("shape", "str", "", "own or shared, of the spots of the joint fit; empty if none"),
    ),
)

POSITIONS = TableSpec(
    "positions",
    ("frame", "group", "satellite"),
    (
        FRAME,
        GROUP,
        Column("reference", "int", "", "track of the reference spot"),
        Column("satellite", "int", "", "track of the satellite"),
        Column("status", "str", "", "one of " + ", ".join(Status)),
        Column("reason", "str", "", "all that speaks against the row; empty if nothing does"),
        number("ref_x", "px", "centre of the reference, to the right"),
        number("ref_y", "px", "centre of the reference, down"),
        number("ref_x_err", "px", "standard error of ref_x"),
        number("ref_y_err", "px", "standard error of ref_y"),
        number("sat_x", "px", "centre of the satellite, to the right"),
        number("sat_y", "px", "centre of the satellite, down"),
        number("sat_x_err", "px", "standard error of sat_x"),
        number("sat_y_err", "px", "standard error of sat_y"),
        *with_error("dx", "px", "satellite less reference, to the right, in widths of pixels"),
        *with_error("dy", "px", "satellite less reference, down, in heights of pixels"),
        number("dxdy_cov", "px^2", "covariance of dx and dy"),
        *with_error("r", "px", "distance of satellite and reference, in heights of pixels"),
        *with_error(
            "angle_deg",
            "deg",
            "from reference to satellite, from +x towards +y, pixels made square",
        ),
        number(
            "pixel_aspect",
            "",
            "width of a pixel over its height, that r and angle_deg take into account",
        ),
        number("chi2_red", "", "weighted squares per degree of freedom of the joint fit"),
        number("r_squared", "", "coefficient of determination of the joint fit"),
        number("ref_snr", "", "volume of the reference over its standard error"),
        number("snr", "", "volume of the satellite over its standard error"),
        *with_error("amplitude", "counts", "height of the satellite, at its seed if too dim"),
        number("amplitude_ratio", "", "height of the satellite over that of the reference"),
        number("amplitude_limit", "counts", "upper limit (95 %) of the height of what is too dim"),
        number("walked", "px", "distance of the satellite from its seed"),
        Column("n_together", "int", "", "spots of the joint fit"),
        Column("shape", "str", "", "own or shared, of the spots of the joint fit; empty if none"),
    ),
)
