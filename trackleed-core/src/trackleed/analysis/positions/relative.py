"""From joint fits to relative positions, with their errors and what speaks against them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from trackleed import tables
from trackleed.analysis.positions.series import find_jumps
from trackleed.analysis.spots import check_aspect
from trackleed.tables import FitStatus, PositionStatus, Role

if TYPE_CHECKING:
    import pandas as pd

Array: TypeAlias = np.ndarray[Any, np.dtype[Any]]

FWHM = 2 * np.sqrt(2 * np.log(2))  # full width at half maximum over sigma
UPPER = 1.645  # standard errors above the height that leave out 5 % on one side
NO_NUMBERS = (
    PositionStatus.NO_REFERENCE,
    PositionStatus.LOST,
    PositionStatus.NEAR_EDGE,
    PositionStatus.MASKED,
    PositionStatus.TOO_DIM,
    PositionStatus.NO_CONVERGENCE,
    PositionStatus.WALKED,
)
"""Words under which there is no position."""

_WORDS = {
    FitStatus.LOST: (PositionStatus.LOST, "its track has no position here"),
    FitStatus.NEAR_EDGE: (PositionStatus.NEAR_EDGE, "its ROI reaches out of the frame"),
    FitStatus.MASKED: (PositionStatus.MASKED, "the mask hides it"),
    FitStatus.TOO_DIM: (PositionStatus.TOO_DIM, "no spot above the noise at its seed"),
    FitStatus.NO_CONVERGENCE: (PositionStatus.NO_CONVERGENCE, "the joint fit did not settle"),
    FitStatus.LEFT_ROI: (PositionStatus.WALKED, "the fit left its seed, or became too wide"),
    FitStatus.NEIGHBOUR: (PositionStatus.WALKED, "the fit went to a neighbour, or starts on one"),
    FitStatus.SATURATED: (PositionStatus.SATURATED, "clipped pixels under the spot"),
}


def relative_positions(
    group_fits: pd.DataFrame,
    index: pd.DataFrame | None = None,
    *,
    significance: float = 5.0,
    min_separation: float = 1.0,
    max_walk: float = 3.0,
    max_jump: float = 5.0,
    pixel_aspect: float = 1.0,
) -> pd.DataFrame:
    """Satellites relative to their reference, in every frame.

    Errors are propagated to first order with the covariance of the joint fit: the two
    positions share a background, and what one spot's flank takes, the other's misses. So the
    variance of dx is that of both x less twice their covariance, and r and the angle
    take the covariance of dx and dy along.

    Parameters
    ----------
    group_fits : DataFrame
        Table ``group_fits``.
    index : DataFrame, optional
        Table ``index``; with energies, distances may shrink as 1/sqrt(E) without being jumps.
    significance : float
        Heights or volumes of fewer standard errors are too dim.
    min_separation : float
        Distance, over the mean full width at half maximum of the two, below which they
        are merged.
    max_walk : float
        Farthest, in px, that a centre may be from its seed.
    max_jump : float
        Standard deviations from what the other frames lead one to expect, from which it is a jump.
    pixel_aspect : float
        Width of a pixel over its height, by which x is stretched for ``r`` and ``angle_deg``:
        distances are then in heights of pixels. ``dx`` and ``dy`` stay in columns and rows.

    Returns
    -------
    DataFrame
        Table ``positions``, a row for each satellite and frame. Positions are NaN where the status
        says that there is none; of what is too dim there is the height at its seed, and
        an upper limit.

    Raises
    ------
    InputError
        If the aspect is not positive.
    """
    check_aspect(pixel_aspect)
    pairs = _paired(group_fits)
    found = _vectors(pairs, pixel_aspect)
    words = _judged(pairs, found, significance, min_separation, max_walk)
    trusted = np.array([not said for said in words])
    jumps = find_jumps(found, trusted, index, max_jump)
    for row in np.flatnonzero(jumps.jumped):
        words[row].append((PositionStatus.JUMPED, jumps.told(int(row))))
    return _table(found, words)


def _paired(group_fits: pd.DataFrame) -> pd.DataFrame:
    """Satellites with their reference's columns beside them, called ``NAME_ref``."""
    key = ["frame", "group"]
    reference = group_fits[group_fits["role"] == Role.REFERENCE]
    satellites = group_fits[group_fits["role"] == Role.SATELLITE]
    return satellites.merge(reference, how="left", on=key, suffixes=("", "_ref"))


def _vectors(pairs: pd.DataFrame, aspect: float) -> dict[str, Array]:
    """Columns of ``positions`` but status and reason; whatever the joint fits gave."""
    p = {str(name): values.to_numpy() for name, values in pairs.items()}
    dx, dy = p["x"] - p["x_ref"], p["y"] - p["y_ref"]
    xx = p["x_err"] ** 2 + p["x_err_ref"] ** 2 - 2 * p["ref_xx_cov"]
    yy = p["y_err"] ** 2 + p["y_err_ref"] ** 2 - 2 * p["ref_yy_cov"]
    xy = p["xy_cov"] + p["xy_cov_ref"] - p["ref_xy_cov"] - p["ref_yx_cov"]
    across, across_var, across_cov = aspect * dx, aspect**2 * xx, aspect * xy
    r = np.hypot(across, dy)
    with np.errstate(divide="ignore", invalid="ignore"):
        mixed = 2 * across * dy * across_cov
        r_var = (across**2 * across_var + mixed + dy**2 * yy) / r**2
        turn_var = (dy**2 * across_var - mixed + across**2 * yy) / r**4
        ratio = p["amplitude"] / p["amplitude_ref"]
    return {
        **{name: p[name] for name in ("frame", "group", "n_together", "shape")},
        **{name: p[name] for name in ("chi2_red", "r_squared")},
        **{"reference": p["track_id_ref"], "satellite": p["track_id"]},
        **{"ref_x": p["x_ref"], "ref_y": p["y_ref"]},
        **{"ref_x_err": p["x_err_ref"], "ref_y_err": p["y_err_ref"]},
        **{"sat_x": p["x"], "sat_y": p["y"], "sat_x_err": p["x_err"], "sat_y_err": p["y_err"]},
        **{"dx": dx, "dx_err": _root(xx), "dy": dy, "dy_err": _root(yy), "dxdy_cov": xy},
        **{"r": r, "r_err": _root(r_var)},
        "angle_deg": np.degrees(np.arctan2(dy, across)),
        "angle_deg_err": np.degrees(_root(turn_var)),
        "pixel_aspect": np.full(len(r), aspect),
        **{"ref_snr": p["snr_ref"], "snr": p["snr"]},
        **{"amplitude": p["amplitude"], "amplitude_err": p["amplitude_err"]},
        **{"amplitude_ratio": ratio, "amplitude_limit": np.full(len(r), np.nan)},
        "walked": np.hypot(p["x"] - p["seed_x"], p["y"] - p["seed_y"]),
    }


def _root(variance: Array) -> Array:
    return np.asarray(np.sqrt(np.where(variance >= 0, variance, np.nan)))


Words: TypeAlias = list[list[tuple[PositionStatus, str]]]


def _judged(
    pairs: pd.DataFrame,
    found: dict[str, Array],
    significance: float,
    min_separation: float,
    max_walk: float,
) -> Words:
    """What speaks against each row, first what matters most."""
    dimmest = _significance(pairs, "")
    ref_dimmest = _significance(pairs, "_ref")
    width = _width(pairs, "") + _width(pairs, "_ref")
    nearness = np.hypot(found["dx"], found["dy"]) / (FWHM * width / 2)
    words: Words = []
    for i, (own, ref) in enumerate(zip(pairs["status"], pairs["status_ref"], strict=True)):
        said: list[tuple[PositionStatus, str]] = []
        if ref not in (FitStatus.OK, FitStatus.SATURATED):
            said.append((PositionStatus.NO_REFERENCE, f"reference: {_WORDS[FitStatus(ref)][1]}"))
        elif ref_dimmest[i] < significance:
            low = f"reference: only {ref_dimmest[i]:.1f} standard errors high"
            said.append((PositionStatus.NO_REFERENCE, low))
        if own not in (FitStatus.OK, FitStatus.SATURATED):
            said.append(_WORDS[FitStatus(own)])
        elif dimmest[i] < significance:
            low = f"only {dimmest[i]:.1f} standard errors above 0"
            said.append((PositionStatus.TOO_DIM, low))
        if found["walked"][i] > max_walk:
            far = f"{found['walked'][i]:.1f} px from its seed"
            said.append((PositionStatus.WALKED, far))
        if nearness[i] < min_separation:
            near = f"only {nearness[i]:.2f} full widths from the reference"
            said.append((PositionStatus.MERGED, near))
        if own == FitStatus.SATURATED:
            said.append(_WORDS[FitStatus.SATURATED])
        if ref == FitStatus.SATURATED:
            said.append((PositionStatus.SATURATED, "clipped pixels under the reference"))
        words.append(said)
    return words


def _width(pairs: pd.DataFrame, which: str) -> Array:
    """Geometric mean of the two widths of a spot."""
    across, down = (pairs[f"sigma_{axis}{which}"].to_numpy() for axis in ("x", "y"))
    return np.asarray(np.sqrt(across * down))


def _significance(pairs: pd.DataFrame, which: str) -> Array:
    """Standard errors of a spot's height, or of its volume if these are fewer."""
    height, error, snr = (
        pairs[f"{name}{which}"].to_numpy() for name in ("amplitude", "amplitude_err", "snr")
    )
    return np.asarray(np.fmin(snr, height / error))


def _table(found: dict[str, Array], words: Words) -> pd.DataFrame:
    """The checked table; no numbers where the status says that there is no position."""
    status = np.array([str(said[0][0]) if said else "ok" for said in words], dtype=object)
    found["status"] = status
    found["reason"] = np.array(["; ".join(t for _, t in said) for said in words], dtype=object)
    dim = status == PositionStatus.TOO_DIM
    limit = np.fmax(found["amplitude"], 0) + UPPER * found["amplitude_err"]
    found["amplitude_limit"] = np.where(dim, limit, np.nan)
    none = np.isin(status, [str(word) for word in NO_NUMBERS])
    numbers = ("dx", "dy", "r", "angle_deg", "sat_x", "sat_y")
    for name in (*numbers, *(f"{name}_err" for name in numbers), "dxdy_cov", "walked"):
        found[name] = np.where(none, np.nan, found[name])
    for name in ("ref_x", "ref_y", "ref_x_err", "ref_y_err"):
        found[name] = np.where(status == PositionStatus.NO_REFERENCE, np.nan, found[name])
    table = tables.build(tables.POSITIONS, found)
    return table.sort_values(["group", "satellite", "frame"], ignore_index=True)
