"""Which spots belong to which reference, and where a joint fit of them starts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from trackleed.analysis.positions.references import BALANCED, WORTH, balance, brightness
from trackleed.analysis.spots import PLACED
from trackleed.errors import InputError
from trackleed.tables import Role, State

if TYPE_CHECKING:
    import pandas as pd

Array: TypeAlias = np.ndarray[Any, np.dtype[Any]]
Groups: TypeAlias = list[tuple[int, list[int]]]
"""Reference and satellites of each group, by track."""


def find_groups(
    tracks: pd.DataFrame, fits: pd.DataFrame, within: float
) -> tuple[Groups, list[int]]:
    """Tracks that are bright, and have the light near them all round, with those that keep near.

    Tracks are taken in the order of their brightness over all frames, together with how well the
    light near them is balanced (`references`): so no satellite passes for the
    reference because it is the brighter one for a while, or the reference is clipped. A track
    that is nobody's satellite becomes a reference, and what stands near it and is nobody's
    satellite becomes its own. A reference without satellites is no group. Nor is a track up to
    twice ``within`` from a reference, whose own surroundings are not balanced: a farther satellite.

    Parameters
    ----------
    tracks : DataFrame
        Table ``tracks``.
    fits : DataFrame
        Table ``fits``.
    within : float
        Largest median distance, px, over the frames that show both.

    Returns
    -------
    groups : list
    farther : list of int
        Tracks in no group that are up to twice ``within`` from a reference.
    """
    x, y = (_dense(tracks, axis) for axis in ("x", "y"))
    ids = x.columns.to_numpy()
    distance = _distances(x, y)
    near = (distance <= within) & ~np.eye(len(ids), dtype=bool)
    bright = brightness(fits, ids)
    even = balance(_vectors(x, y), near, bright)
    rank = bright + WORTH * even
    taken, found, chosen = (
        np.zeros(len(ids), dtype=bool),
        list[tuple[int, list[int]]](),
        list[int](),
    )
    for i in np.argsort(-rank, kind="stable"):
        own = near[i] & ~taken
        farther = even[i] < BALANCED and (distance[i, chosen] <= 2 * within).any()
        if taken[i] or farther or not own.any():
            continue
        taken |= own
        taken[i] = True
        chosen.append(int(i))
        found.append((int(ids[i]), [int(t) for t in ids[own]]))
    beside = ~taken & (distance[:, chosen] <= 2 * within).any(axis=1)
    return sorted(found), [int(t) for t in ids[beside]]


def complete_groups(groups: Groups, tracks: pd.DataFrame, within: float) -> Groups:
    """Groups with the satellites of those that name none: the tracks near their reference.

    Raises
    ------
    InputError
        If a track is not there, stands twice in a group, or a reference has no satellites.
    """
    known = set(tracks["track_id"].unique().tolist())
    x, y = (_dense(tracks, axis) for axis in ("x", "y"))
    complete = []
    for reference, satellites in groups:
        named = [reference, *satellites]
        missing = sorted(set(named) - known)
        if missing:
            raise InputError(
                f"group {_told(reference, satellites)}: there is no track {missing[0]}; tracks are "
                f"{min(known, default=0)} to {max(known, default=0)}",
                "list them with: trackleed show RUN.trackleed --tracks",
            )
        if len(set(named)) < len(named):
            raise InputError(f"group {_told(reference, satellites)} names a track twice")
        if not satellites:
            ids = x.columns.to_numpy()
            near = _distances(x, y)[int(np.searchsorted(ids, reference))] <= within
            satellites = [int(t) for t in ids[near & (ids != reference)]]
        if not satellites:
            raise InputError(
                f"group {reference}: no track keeps within {within:g} px of it",
                "name satellites (REFERENCE:SATELLITE,...) or widen --within",
            )
        complete.append((reference, satellites))
    return complete


def group_seeds(
    tracks: pd.DataFrame, fits: pd.DataFrame, groups: Groups, half_size: float | None = None
) -> pd.DataFrame:
    """Where the joint fits start: rows of ``tracks`` with ``group`` and ``role``.

    A spot starts where its fit alone stands, if its position counts, and else where its track is.
    Tracks that are no members but stand in a member's ROI come along as company.

    Parameters
    ----------
    half_size : float, optional
        Pixels from a spot to the edge of its ROI; the tracks' own boxes if not given.
    """
    import pandas as pd

    key = ["frame", "track_id"]
    placed = fits.loc[fits["status"].isin(PLACED), [*key, "x", "y"]].dropna()
    spots = tracks.merge(placed, how="left", on=key, suffixes=("", "_fit"))
    for axis in ("x", "y"):
        spots[axis] = spots.pop(f"{axis}_fit").fillna(spots[axis])
    if half_size is not None:
        spots["width"] = spots["height"] = 2 * half_size + 1
    parts = []
    for number, (reference, satellites) in enumerate(groups, start=1):
        role = dict.fromkeys(satellites, Role.SATELLITE) | {reference: Role.REFERENCE}
        inside = spots["track_id"].isin(list(role))
        members = spots[inside].assign(group=number)
        members["role"] = members["track_id"].map(role).astype(str)
        company = _company(members, spots[~inside]).assign(group=number, role=str(Role.COMPANY))
        parts += [members, company]
    return pd.concat(parts).sort_values(["frame", "group", "track_id"], ignore_index=True)


def _company(members: pd.DataFrame, others: pd.DataFrame) -> pd.DataFrame:
    """Those of the other tracks that stand in a member's ROI."""
    others = others[others["x"].notna() & (others["state"] != State.LOST)]
    both = others[["frame", "track_id", "x", "y"]].merge(
        members[["frame", "x", "y", "width"]], on="frame", suffixes=("", "_member")
    )
    away = np.fmax(abs(both["x"] - both["x_member"]), abs(both["y"] - both["y_member"]))
    near = both.loc[away <= both["width"] / 2, ["frame", "track_id"]].drop_duplicates()
    return others.merge(near, on=["frame", "track_id"])


def _dense(tracks: pd.DataFrame, axis: str) -> pd.DataFrame:
    """Positions by frame and track; NaN where the spot is not there."""
    seen = tracks.assign(**{axis: tracks[axis].where(tracks["state"] != State.LOST)})
    return seen.pivot_table(index="frame", columns="track_id", values=axis, dropna=False)


def _vectors(x: pd.DataFrame, y: pd.DataFrame) -> Array:
    """Median way from each track to each other, array (track, track, 2); NaN if never together."""
    return np.stack(
        [_medians(p[:, None, :] - p[:, :, None]) for p in (x.to_numpy(), y.to_numpy())], 2
    )


def _distances(x: pd.DataFrame, y: pd.DataFrame) -> Array:
    """Median distance of each two tracks, array (track, track); infinite if never together."""
    across, down = (p[:, None, :] - p[:, :, None] for p in (x.to_numpy(), y.to_numpy()))
    return np.nan_to_num(_medians(np.hypot(across, down)), nan=np.inf)


def _medians(values: Array) -> Array:
    """Medians over the frames, array (track, track); NaN where nothing is known."""
    found = np.full(values.shape[1:], np.nan)
    known = np.isfinite(values).any(axis=0)
    found[known] = np.nanmedian(values[:, known], axis=0)
    return found


def _told(reference: int, satellites: list[int]) -> str:
    return f"{reference}:{','.join(map(str, satellites))}"
