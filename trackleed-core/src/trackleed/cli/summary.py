"""What a session holds, in words and numbers: what ``trackleed show`` prints."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

    from trackleed.pipeline import SessionView
    from trackleed.session import Session, Step

AXES = {"energy_eV": "eV", "temperature_K": "K", "time_s": "s", "coverage_ML": "ML"}

NOTE = "note "
"""Names of lines that need no name."""


def summarise(session: Session) -> dict[str, Any]:
    """All that there is to say of a session, as plain values."""
    from trackleed.pipeline import SessionView
    from trackleed.pipeline.current import edits_in_effect, furthest, stale, unedited

    found: dict[str, Any] = {
        "path": str(session.path),
        "problems": list(session.problems),
        "steps": [step.model_dump(mode="json") for step in session.steps],
    }
    newest = furthest(session)
    if newest is None:
        return found
    view = SessionView(session, newest)
    if view.has("index"):
        found["series"] = _series(session, view.index)
    if view.has("tracks"):
        found["tracks"] = _tracks(view.table("tracks", columns=["track_id", "state"]))
        found["tracks"] |= _notes(unedited(session, "tracks"))
        edits = [step.id for step in edits_in_effect(session)]
        if edits:
            found["tracks"]["edits"] = ", ".join(edits)
    older = stale(session)
    if older is not None:
        found["fits"] = {
            "none yet": f"{older.id} is of other tracks; trackleed refine {session.path}"
        }
    if view.has("fits"):
        found["fits"] = _fits(view.table("fits", columns=["status", "x_err", "y_err", "chi2_red"]))
    if view.has("centers"):
        found["centre"] = _centre(view.table("centers"))
    found |= _derived(view)
    folder = session.path / "exports"
    if folder.is_dir():
        found["exports"] = {
            "folder": str(folder),
            "files": ", ".join(sorted(p.name + "/" * p.is_dir() for p in folder.glob("[!.]*"))),
        }
    return found


def _series(session: Session, index: pd.DataFrame) -> dict[str, Any]:
    store = session.store
    import_step = session.latest("import")
    found = {
        "frames": f"{len(index)} of {store.shape[1]}x{store.shape[0]} px, {store.dtype}",
        "source": import_step.params.get("source", "") if import_step else "",
    }
    for column, unit in AXES.items():
        known = index[column].dropna()
        if len(known):
            name = column.rpartition("_")[0].replace("_", " ")
            low, high = f"{known.min():g}", f"{known.max():g}"
            text = f"{low} {unit}" if low == high else f"{low} to {high} {unit}"
            missing = len(index) - len(known)
            found[name] = text + (f", unknown in {missing} frames" if missing else "")
    return found | _notes(import_step)


def _notes(step: Step | None) -> dict[str, Any]:
    """What a step had to say, a line each."""
    lines = step.message.splitlines() if step else []
    return {f"{NOTE}{i}": line for i, line in enumerate(lines, start=1)}


def _tracks(table: pd.DataFrame) -> dict[str, Any]:
    counts = table["state"].value_counts()
    seen = int(counts.reindex(["seed", "measured", "saturated", "edited"]).sum())
    return {
        "tracks": table["track_id"].nunique(),
        "seen": f"{seen} of {len(table)} positions",
        "states": _counts(counts),
    }


def _fits(table: pd.DataFrame) -> dict[str, Any]:
    good = table[table["status"] == "ok"]
    found = {
        "usable": f"{len(good)} of {len(table)}",
        "status": _counts(table["status"].value_counts()),
    }
    if len(good):
        found["position error"] = (
            f"{good['x_err'].median():.3f} px in x, {good['y_err'].median():.3f} px in y (median)"
        )
        found["reduced chi-squared"] = f"{good['chi2_red'].median():.2f} (median)"
    return found


def _centre(table: pd.DataFrame) -> dict[str, Any]:
    known = table.dropna(subset=["x", "y"])
    found = {"found in": f"{len(known)} of {len(table)} frames"}
    if len(known):
        found["median"] = f"x {known['x'].median():.2f}, y {known['y'].median():.2f} px"
        found["by"] = _counts(table["mode"].value_counts())
    return found


def _derived(view: SessionView) -> dict[str, Any]:
    """What the further analyses found, as far as there are any."""
    found: dict[str, Any] = {}
    if view.has("radii"):
        radii = view.table("radii", columns=["radius"])["radius"]
        radius = radii.dropna()
        found["radii"] = {"known": f"{len(radius)} of {len(radii)}"}
        if len(radius):
            found["radii"]["span"] = f"{radius.min():.1f} to {radius.max():.1f} px"
    if view.has("radius_energy"):
        found["radius against energy"] = _radius_energy(view.table("radius_energy"))
    if view.has("lattice"):
        found["lattice"] = _lattice(view)
    if view.has("track_quality"):
        found["quality"] = _quality(view.table("track_quality"), view.table("frame_quality"))
    if view.has("positions"):
        found["positions"] = _positions(view.table("positions"))
    return found


def _radius_energy(table: pd.DataFrame) -> dict[str, Any]:
    known = table.dropna(subset=["shared_shift"])
    if len(known) == 0:
        return {"E0": "not determined by the energies"}
    first = known.iloc[0]
    return {
        "E0": f"{first['shared_shift']:.2f} ± {first['shared_shift_err']:.2f} eV, of all tracks",
        "r^2 (E + E0)": f"constant to {known['scatter'].median():.2%} (median of the tracks)",
        "residual of r": f"{known['rms'].median():.3f} px (median of the tracks)",
    }


def _lattice(view: SessionView) -> dict[str, Any]:
    table, index = view.table("lattice"), view.table("track_index")
    known = table.dropna(subset=["ax"])
    found = {
        "indexed": f"{int(index['ok'].sum())} of {len(index)} tracks",
        "found in": f"{len(known)} of {len(table)} frames",
    }
    if len(known) == 0:
        return found
    first, middle = known.iloc[0], known.median(numeric_only=True)
    for name in "ab":
        length, error = first[f"length_{name}"], first[f"length_{name}_err"]
        found[f"|{name}*|"] = f"{length:.2f} ± {error:.2f} px in frame {int(first['frame'])}"
    found["angle"] = f"{middle['angle_deg']:.2f} ± {middle['angle_deg_err']:.2f}° (median)"
    for name in "ab":
        found[f"strain of {name}"] = _span(known, f"strain_{name}", "%")
    found["rotation"] = _span(known, "rotation_deg", "°")
    found["scatter"] = f"{middle['rms']:.2f} px (median)"
    return found | (_scale(view.table("scales")) if view.has("scales") else {})


def _scale(table: pd.DataFrame) -> dict[str, Any]:
    known = table.dropna(subset=["scale"])
    if len(known) == 0:
        return {}
    first, middle = known.iloc[0], known.median(numeric_only=True)
    found = {
        "1/Å": f"{first['scale']:.2f} ± {first['scale_err']:.2f} px in frame {int(first['frame'])}"
    }
    if middle["screen_radius"] > 0:
        radius, error = middle["screen_radius"], middle["screen_radius_err"]
        found["beam at 90°"] = f"{radius:.2f} ± {error:.2f} px from the (0,0) beam (median)"
    return found


def _span(table: pd.DataFrame, name: str, unit: str) -> str:
    values, error = table[name].dropna(), table[f"{name}_err"].median()
    if len(values) == 0:
        return "not known"
    return f"{values.min():.3f} to {values.max():.3f} {unit}, errors {error:.3f} {unit} (median)"


def _quality(tracks: pd.DataFrame, frames: pd.DataFrame) -> dict[str, Any]:
    uncertain = tracks[tracks["reason"] != ""]
    found = {
        "signal to noise": f"{tracks['snr'].median():.1f} (median of the tracks)",
        "off from the model": f"{frames['deviation'].median():.3f} px (median of the frames)",
        "uncertain": f"{len(uncertain)} of {len(tracks)} tracks",
    }
    reasons = zip(uncertain["track_id"], uncertain["reason"], strict=True)
    return found | {f"track {track}": reason for track, reason in reasons}


def _positions(table: pd.DataFrame) -> dict[str, Any]:
    found = {}
    for (group, reference), rows in table.groupby(["group", "reference"]):
        satellites = ", ".join(map(str, sorted(set(rows["satellite"]))))
        usable = rows[rows["status"] == "ok"]
        text = f"{satellites} about track {reference}; {len(usable)} of {len(rows)} ok"
        if len(usable):
            text += f", r {usable['r'].min():.1f} to {usable['r'].max():.1f} px"
            text += f" ± {usable['r_err'].median():.2f} px (median)"
        found[f"group {group}"] = text
    return found | {"status": _counts(table["status"].value_counts())}


def track_table(view: SessionView) -> pd.DataFrame:
    """A row for each track: where and how often it was seen, and what came of it."""
    seen = view.table("tracks").dropna(subset=["x", "y"]).sort_values("frame")
    by_track = seen.groupby("track_id")
    first, last = by_track.first(), by_track.last()
    table = by_track.size().to_frame("seen")
    table.insert(0, "last", last["frame"])
    table.insert(0, "first", first["frame"])
    if view.has("fits"):
        fits = view.table("fits", columns=["track_id", "status"])
        usable = (fits["status"] == "ok").groupby(fits["track_id"]).sum()
        table["usable"] = usable.reindex(table.index)
    table["x"], table["y"] = first["x"], first["y"]
    table["moved"] = ((last["x"] - first["x"]) ** 2 + (last["y"] - first["y"]) ** 2) ** 0.5
    if view.has("track_index"):
        index = view.table("track_index").set_index("track_id")
        beams = {t: f"({r['h']:g}|{r['k']:g})" if r["ok"] else "" for t, r in index.iterrows()}
        table.insert(0, "beam", [beams.get(t, "") for t in table.index])
    if view.has("track_quality"):
        reasons = view.table("track_quality").set_index("track_id")["reason"]
        table["sure"] = ["" if reasons.get(t, "") else "yes" for t in table.index]
    return table


def _counts(counts: pd.Series) -> str:
    return ", ".join(f"{name} {count}" for name, count in counts.items())
