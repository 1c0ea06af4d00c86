"""Intensities as curves: one for each track, beam, or group of tracks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import pandas as pd

from trackleed.analysis.normalise import normalise
from trackleed.builtin.exporters._tables import full_rows, require
from trackleed.errors import InputError
from trackleed.tables import FitStatus

if TYPE_CHECKING:
    from trackleed.backend import View

Groups: TypeAlias = Mapping[str, Sequence[int]]
"""Label of a curve to the tracks that it is the mean of."""

QUANTITIES = ("intensity", "volume")
"""What an intensity may be: sum over the aperture, volume of the fitted peak."""


def measured_rows(view: View) -> pd.DataFrame:
    """Everything about every spot in one table, with normalised intensities.

    Adds ``intensity_norm``, ``volume_norm`` with errors, and ``normalised_by``. A volume is
    NaN where its fit cannot be used; ``volume_clipped`` are those that rest on the flanks of
    a spot alone, as its top is clipped.

    Raises
    ------
    InputError
        If there are no tracks, fits or intensities.
    """
    require(view, "tracks", "fits", "intensities")
    rows = pd.concat(full_rows(view), ignore_index=True)
    for end in ("", "_err"):
        volume = rows[f"volume{end}"]
        rows[f"volume_clipped{end}"] = volume.where(rows["status"] == FitStatus.SATURATED)
        rows[f"volume{end}"] = volume.where(rows["status"] == FitStatus.OK)
    for of in (*QUANTITIES, "volume_clipped"):
        divided = normalise(rows, view.index, of=of)
        for name in (f"{of}_norm", f"{of}_norm_err"):
            rows[name] = divided[name]
        if of == "intensity":
            rows["normalised_by"] = divided["by"]
    return rows


def choose_groups(view: View, chosen: Sequence[Sequence[int]]) -> dict[str, list[int]]:
    """Curves to make: the groups that were asked for, else one a beam, else one a track.

    Raises
    ------
    InputError
        If a group names a track that there is not.
    """
    known = sorted({int(t) for (tracks,) in view.blocks("tracks") for t in tracks["track_id"]})
    if chosen:
        for track_id in (t for group in chosen for t in group):
            if track_id not in known:
                raise InputError(f"there is no track {track_id}; there are {_span(known)}")
        return {"tracks " + "+".join(map(str, group)): list(group) for group in chosen}
    beams = beams_of(view)
    groups: dict[str, list[int]] = {}
    for track_id in known:
        label = beam_label(*beams[track_id]) if track_id in beams else f"track {track_id}"
        groups.setdefault(label, []).append(track_id)
    return groups


def beams_of(view: View) -> dict[int, tuple[float, float]]:
    """The (h, k) of each track that was indexed."""
    if not view.has("track_index"):
        return {}
    indices = view.table("track_index")
    indices = indices[indices["ok"]]
    pairs = zip(indices["h"], indices["k"], strict=True)
    return dict(zip(indices["track_id"].tolist(), pairs, strict=True))


def mean_curves(rows: pd.DataFrame, groups: Groups) -> pd.DataFrame:
    """Mean intensity of each group in each frame.

    Parameters
    ----------
    rows : DataFrame
        As `measured_rows` gives them.
    groups : mapping

    Returns
    -------
    DataFrame
        curve, frame, n_tracks, and each quantity with ``_err`` (standard error of the mean as
        it follows from those of the tracks) and ``_sem`` (as it follows from how much the tracks
        differ; NaN for a single one); a row for each curve and frame. NaN where no track of
        the group has a value.
    """
    pairs = [(label, track_id) for label, tracks in groups.items() for track_id in tracks]
    members = rows.merge(pd.DataFrame(pairs, columns=["curve", "track_id"]), on="track_id")
    names = [q + end for q in QUANTITIES for end in ("", "_norm")]
    for name in names:
        members[f"{name}_err"] = members[f"{name}_err"].where(members[name].notna()) ** 2
    everywhere = pd.MultiIndex.from_product(
        [list(groups), np.unique(rows["frame"])], names=["curve", "frame"]
    )
    grouped = members.groupby(["curve", "frame"])
    curves = pd.DataFrame(index=everywhere)
    curves["n_tracks"] = grouped["intensity"].count().reindex(everywhere, fill_value=0)
    for name in names:
        curves[name] = grouped[name].mean()
        squares = grouped[f"{name}_err"].sum(min_count=1)
        curves[f"{name}_err"] = np.sqrt(squares) / grouped[name].count()
        curves[f"{name}_sem"] = grouped[name].sem()
    return curves.reset_index()


def beam_label(h: float, k: float) -> str:
    """``(h|k)`` with fractions, as in ``(1/2|-1)``."""
    return "(" + "|".join(str(Fraction(i).limit_denominator(50)) for i in (h, k)) + ")"


def _span(known: Sequence[int]) -> str:
    return f"{known[0]} to {known[-1]}" if known else "none"
