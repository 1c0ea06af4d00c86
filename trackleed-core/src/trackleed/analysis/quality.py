"""What to trust: quality of tracks and frames, and tracks to look at with the reason."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from trackleed.analysis.spots import PLACED, Array
from trackleed.tables import FRAME_QUALITY, TRACK_QUALITY, FitStatus, TableSpec, build

if TYPE_CHECKING:
    import pandas as pd

WEAK = 5.0  # median snr
FEW = 3  # usable fits
UNUSABLE = 0.5  # share of the fits
ODD_CHI2 = 5.0  # times the median of all tracks
ODD_WIDTH = 1.7  # times the median of all tracks, or one over it
STRAYING = 4.0  # times the median of all tracks
STRAYING_PX = 0.5
FAR = 10.0  # times the median of all tracks, of a single position
FAR_PX = 3.0
STILL = 0.15  # of what the other tracks move in the same frames
MOVING_PX = 1.0


def track_quality(fits: pd.DataFrame, deviations: pd.DataFrame) -> pd.DataFrame:
    """Quality of each track, and why it is uncertain.

    Parameters
    ----------
    fits, deviations : DataFrame
        The tables of these names. Not modified.

    Returns
    -------
    DataFrame
        The ``track_quality`` table, a row for each track. Medians are NaN where no fit is usable.
        ``reason`` says in words what is amiss: weak, few or mostly unusable fits, a shape or width
        unlike that of the other tracks, jumps, positions away from the model, or no motion where
        the others move (a hot pixel, a reflection, or the (0,0) beam).
    """
    table = _summed(fits, deviations, "track_id", TRACK_QUALITY)
    good = _usable(fits)
    width = good["fwhm"].groupby(good["track_id"])
    distance = _distance(deviations)
    by_track = distance.groupby(deviations["track_id"])
    table["n_frames"] = table.pop("n")
    table["fwhm_scatter"] = (
        width.apply(lambda w: 1.4826 * (w - w.median()).abs().median()) / table["fwhm"]
    )
    table["largest"] = by_track.max()
    table["n_jumps"] = deviations["jump"].groupby(deviations["track_id"]).sum()
    moved, others = _motion(fits, table.index.to_numpy())
    table["moved"] = moved
    table["static"] = (others > MOVING_PX) & (moved < STILL * others)
    table["reason"] = _reasons(table, deviations, others)
    return build(TRACK_QUALITY, table.reset_index())


def frame_quality(fits: pd.DataFrame, deviations: pd.DataFrame) -> pd.DataFrame:
    """Quality of each frame.

    Parameters
    ----------
    fits, deviations : DataFrame
        The tables of these names. Not modified.

    Returns
    -------
    DataFrame
        The ``frame_quality`` table, a row for each frame of ``fits``.
    """
    table = _summed(fits, deviations, "frame", FRAME_QUALITY)
    shift = deviations.groupby("frame")[["shift_x", "shift_y"]].first()
    table["n_tracks"] = table.pop("n")
    table["shift"] = np.hypot(shift["shift_x"], shift["shift_y"])
    table["n_jumps"] = deviations["jump"].groupby(deviations["frame"]).sum()
    return build(FRAME_QUALITY, table.reset_index())


def uncertain_tracks(quality: pd.DataFrame) -> pd.DataFrame:
    """The tracks of a ``track_quality`` table that have a reason to be looked at.

    Returns
    -------
    DataFrame
        Columns ``track_id`` and ``reason``.
    """
    return quality.loc[quality["reason"] != "", ["track_id", "reason"]].reset_index(drop=True)


def _usable(fits: pd.DataFrame) -> pd.DataFrame:
    good = fits[fits["status"] == FitStatus.OK]
    return good.assign(fwhm=np.sqrt(good["fwhm_x"] * good["fwhm_y"]))


def _distance(deviations: pd.DataFrame) -> pd.Series:
    squares: pd.Series = deviations["dx"] ** 2 + deviations["dy"] ** 2
    return squares**0.5


def _summed(
    fits: pd.DataFrame, deviations: pd.DataFrame, key: str, spec: TableSpec
) -> pd.DataFrame:
    """Counts and medians by ``key``, which is the index."""
    table = fits.groupby(key).size().to_frame("n")
    for status in FitStatus:
        name = "n_usable" if status == FitStatus.OK else f"n_{status}"
        table[name] = (fits["status"] == status).groupby(fits[key]).sum()
    good = _usable(fits)
    medians = good.groupby(key)[["snr", "chi2_red", "fwhm"]].median()
    table = table.join(medians)
    table["deviation"] = _distance(deviations).groupby(deviations[key]).median()
    return table


def _motion(fits: pd.DataFrame, tracks: Array) -> tuple[Array, Array]:
    """Scatter of each track's positions, px, and the median of the others' in its frames."""
    placed = fits[fits["status"].isin(PLACED)]
    wide = {
        axis: placed.pivot(index="frame", columns="track_id", values=axis).reindex(columns=tracks)
        for axis in ("x", "y")
    }
    x, y = (wide[axis].to_numpy() for axis in ("x", "y"))
    moved, others = np.full((2, len(tracks)), np.nan)
    for track in range(len(tracks)):
        rows = np.isfinite(x[:, track])
        if rows.sum() < FEW:
            continue
        spread = np.hypot(_scatter(x[rows]), _scatter(y[rows]))
        moved[track], spread[track] = spread[track], np.nan
        if np.isfinite(spread).any():
            others[track] = np.nanmedian(spread)
    return moved, others


def _scatter(values: Array) -> Array:
    """Standard deviation down each column that has half of its rows; NaN for the others."""
    seen = np.isfinite(values)
    n = seen.sum(axis=0)
    enough = n >= max(2, len(values) / 2)
    n = np.where(enough, n, 1)
    mean = np.where(seen, values, 0).sum(axis=0) / n
    squares = np.where(seen, (values - mean) ** 2, 0).sum(axis=0)
    scatter: Array = np.where(enough, np.sqrt(squares / n), np.nan)
    return scatter


def _reasons(table: pd.DataFrame, deviations: pd.DataFrame, others: Array) -> list[str]:
    usual = table[["chi2_red", "fwhm", "deviation"]].median()
    jumps = deviations.loc[deviations["jump"]].groupby("track_id")["frame"].apply(list)
    found = []
    for row, other in zip(table.itertuples(), others, strict=True):
        said = [
            *_about_fits(row),
            *_about_shape(row, usual),
            *_about_motion(row, usual, jumps.get(row.Index, []), float(other)),
        ]
        found.append("; ".join(said))
    return found


def _about_fits(row: Any) -> list[str]:
    said = []
    placed = row.n_usable + row.n_saturated
    fitted = row.n_frames - row.n_lost
    if placed < FEW:
        said.append(f"placed in {placed} of {row.n_frames} frames")
    elif fitted - placed > UNUSABLE * fitted:
        why = {s: getattr(row, f"n_{s}") for s in FitStatus if s not in (*PLACED, FitStatus.LOST)}
        counts = ", ".join(f"{status} {n}" for status, n in why.items() if n)
        said.append(f"{fitted - placed} of {fitted} fits cannot be used ({counts})")
    if row.snr < WEAK:
        said.append(f"weak: median snr {row.snr:.1f}")
    return said


def _about_shape(row: Any, usual: pd.Series) -> list[str]:
    said = []
    if row.chi2_red > ODD_CHI2 * max(1.0, usual["chi2_red"]):
        others = f"{usual['chi2_red']:.1f} for the others"
        said.append(f"not a Gaussian: chi2_red {row.chi2_red:.1f}, {others}")
    ratio = row.fwhm / usual["fwhm"]
    if ratio > ODD_WIDTH or ratio < 1 / ODD_WIDTH:
        word = "wider" if ratio > 1 else "narrower"
        said.append(f"{word} than the others: {row.fwhm:.1f} px, {usual['fwhm']:.1f} px for them")
    return said


def _about_motion(row: Any, usual: pd.Series, jumps: list[int], others: float) -> list[str]:
    said = []
    if jumps:
        some = ", ".join(map(str, jumps[:3])) + (", ..." if len(jumps) > 3 else "")
        said.append(f"jumps in frame{'s' * (len(jumps) > 1)} {some}")
    if row.deviation > max(STRAYING * usual["deviation"], STRAYING_PX):
        expected = f"{usual['deviation']:.2f} px for the others"
        said.append(f"strays by {row.deviation:.2f} px, {expected}")
    elif not jumps and row.largest > max(FAR * usual["deviation"], FAR_PX):
        said.append(f"off by {row.largest:.1f} px in a frame")
    if row.static:
        said.append(
            f"stands still ({row.moved:.1f} px) where the others move ({others:.1f} px): "
            "hot pixel, reflection or (0,0) beam"
        )
    return said
