"""Checks of trackers: the form of what they yield, and whether it is where the spots are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from trackleed import tables
from trackleed.errors import InputError
from trackleed.tables import SEEN, State
from trackleed.testing import scenes
from trackleed.testing.checks import (
    NotApplicable,
    check,
    counts_from_centre,
    keeps_to,
    require,
)
from trackleed.testing.subject import joined

if TYPE_CHECKING:
    from trackleed.testing.scenes import Scene
    from trackleed.testing.subject import Subject

_PHASES = 8  # steps in which the spots go through one pixel
_SLOPE = 0.5  # px, spread of the error within a pixel


@check()
def right_columns(subject: Subject) -> None:
    """Each part that it yields has the columns of ``tracks``, of the right types."""
    for part in subject.track(scenes.moving((0.8, 0.4))):
        keeps_to(tables.TRACKS, part)


@check()
def every_row(subject: Subject) -> None:
    """Each frame comes once, by itself, and has a row for every track."""
    scene = scenes.appearing()
    parts = subject.track(scene)
    seen = [np.unique(part["frame"]) for part in parts]
    require(all(len(f) == 1 for f in seen), "a part has rows of more than one frame, or of none")
    numbers = sorted(int(f[0]) for f in seen)
    require(numbers == list(range(len(scene))), f"it yields frames {numbers} of {len(scene)}")
    tracks = [sorted(part["track_id"].tolist()) for part in parts]
    odd = next((k for k, ids in zip(seen, tracks, strict=True) if ids != tracks[0]), None)
    require(odd is None, f"frame {odd} has other tracks than the first that it yields")


@check()
def known_states(subject: Subject) -> None:
    """Every state is one of trackleed's; a lost track has NaN, any other has a place."""
    for part in subject.track(scenes.vanishing()):
        odd = sorted({str(s) for s in part["state"]} - set(State))
        require(not odd, f"states {odd}; allowed are {', '.join(State)}")
        lost = np.array([str(s) == State.LOST for s in part["state"]])
        x, y = (np.asarray(part[name], float) for name in "xy")
        where = f"frame {part['frame'][0]}" if len(lost) else ""
        require(np.isnan(x[lost]).all() and np.isnan(y[lost]).all(), f"{where}: lost with a place")
        there = np.isfinite(x[~lost]) & np.isfinite(y[~lost])
        require(there.all(), f"{where}: a track that is not lost has no place")


@check()
def seeds_kept(subject: Subject) -> None:
    """A track is called what its seed was, and is at the seed in the seed's frame."""
    scene = scenes.appearing()
    if "seeds" not in subject.inputs:
        raise NotApplicable("it takes no seeds")
    rows = joined(subject.track(scene))
    seeds = scene.seeds()
    missing = sorted(set(seeds["track_id"].tolist()) - set(rows["track_id"].tolist()))
    require(not missing, f"seeds {missing} have no track of that number")
    columns = (seeds[name] for name in ("track_id", "frame", "x", "y"))
    for track, frame, x, y in zip(*columns, strict=True):
        at = (rows["track_id"] == track) & (rows["frame"] == frame)
        off = float(np.hypot(rows["x"][at] - x, rows["y"][at] - y).max())
        where = f"track {track} in frame {frame}"
        require(off < 1.0, f"{where} is {off:.2f} px from its seed, at most 1 px is allowed")
        state = str(rows["state"][at][0])
        require(state in SEEN, f"{where} is {state!r}, although its seed says it is there")


@check(needs_training=True)
def axis_order_x(subject: Subject) -> None:
    """Spots that move to the right are followed to the right."""
    _follows(subject, scenes.moving((1.5, 0.0)))


@check(needs_training=True)
def axis_order_y(subject: Subject) -> None:
    """Spots that move down are followed down."""
    _follows(subject, scenes.moving((0.0, 1.5)))


@check(needs_training=True)
def half_pixel(subject: Subject) -> None:
    """Places count from the centre of the first pixel: no error that is the same everywhere."""
    counts_from_centre(_errors(subject, _creeping()), subject.tolerance)


@check(needs_training=True)
def sub_pixel(subject: Subject) -> None:
    """The error of a place does not go with where in its pixel the spot is."""
    scene = _creeping()
    error = _errors(subject, scene, each=True)
    phase = np.arange(len(error)) % _PHASES
    means = np.array([np.nanmean(error[phase == k], axis=(0, 1)) for k in range(_PHASES)])
    spread = float(np.ptp(means, axis=0).max())
    most = _SLOPE
    require(spread < most, f"the error goes by {spread:.2f} px within a pixel; allowed is {most}")


@check(needs_training=True)
def vanished_is_lost(subject: Subject) -> None:
    """A spot that has gone for good is lost in the end, and the others are not."""
    scene = scenes.vanishing()
    found = subject.follow(scene)
    gone, rest = found.states[-1, 0], found.states[-1, 1:]
    require(found.states[:, 0].any(), "it has no track on the spot that is to vanish")
    require(gone == State.LOST, f"24 frames after it vanished the spot is still {gone!r}, not lost")
    require(set(rest) <= set(SEEN), f"spots that are there are {sorted(set(rest) - set(SEEN))}")


@check(needs_training=True)
def late_spot(subject: Subject) -> None:
    """A spot that appears later is not seen before it is there, and is followed from then on."""
    scene = scenes.appearing()
    first = int(scene.starts[-1])
    found = subject.follow(scene)
    early = sorted(set(found.states[:first, -1]) & set(SEEN))
    require(not early, f"a spot that appears in frame {first} is {early} before")
    later = found.states[first:, -1]
    require(set(later) <= set(SEEN), f"from frame {first} on it is {sorted(set(later))}")


@check()
def one_frame(subject: Subject) -> None:
    """A series of one frame is tracked."""
    parts = subject.track(scenes.moving((0.0, 0.0), n=1))
    require(len(parts) == 1, f"it yields {len(parts)} parts for one frame")
    keeps_to(tables.TRACKS, parts[0])


@check()
def no_spots(subject: Subject) -> None:
    """With no spots to follow it yields no tracks, or says so in one line."""
    try:
        parts = subject.track(scenes.empty())
    except InputError:
        return
    rows = sum(len(part["frame"]) for part in parts)
    require(rows == 0, f"it yields {rows} rows although there is nothing to follow")


@check()
def pixel_types(subject: Subject) -> None:
    """Frames of 8 and 16 bits and of floating point are followed to the same places."""
    scene = scenes.moving((0.8, 0.4))
    parts = {t: subject.track(scene.like(dtype=t)) for t in ("uint16", "uint8", "float32")}
    if not subject.trained:
        return
    reference = subject.follow(scene).places
    for dtype, rows in parts.items():
        found = type(subject.follow(scene)).of(rows, scene).places
        off = np.hypot(*np.moveaxis(found - reference, -1, 0))
        seen = np.isfinite(found[..., 0]).mean()
        require(seen > 0.9, f"in frames of {dtype} only {100 * seen:.0f} % is followed")
        worst = float(np.nanmax(off))
        require(worst < 0.5, f"frames of {dtype} give places {worst:.2f} px away from uint16")


@check()
def mask_respected(subject: Subject) -> None:
    """Nothing is measured where the mask hides the screen."""
    scene = scenes.hidden()
    rows = joined(subject.track(scene))
    there = np.isfinite(rows["x"])
    column, row = (np.rint(rows[n][there]).astype(int) for n in "xy")
    inside = (column >= 0) & (row >= 0) & (column < scenes.SHAPE[1]) & (row < scenes.SHAPE[0])
    valid = np.ones(len(column), bool)
    valid[inside] = scene.valid[row[inside], column[inside]]
    states = np.array([str(s) for s in rows["state"][there]])
    seen = np.isin(states, [State.MEASURED, State.SATURATED]) & ~valid
    require(not seen.any(), f"{seen.sum()} places behind the mask are called measured")


@check()
def unknown_pixels(subject: Subject) -> None:
    """Pixels that are NaN, as where a correction is unknown, do no harm."""
    for part in subject.track(scenes.moving((0.8, 0.4)).like(dtype="float32", unknown=True)):
        keeps_to(tables.TRACKS, part)


@check()
def inputs_unmodified(subject: Subject) -> None:
    """Frames, seeds and detections are as they were."""
    scene = scenes.moving((0.8, 0.4))
    frames, seeds, detections = subject.given(scene)
    list(subject.make().track(frames, seeds, detections))  # writing to frames raises
    for name, given, before in (
        ("seeds", seeds, scene.seeds()),
        ("detections", detections, scene.detections()),
    ):
        changed = [] if given is None else [c for c in before if _differ(given[c], before[c])]
        require(not changed, f"columns of {name} were changed: {', '.join(changed)}")


@check()
def repeatable(subject: Subject) -> None:
    """The same series gives the same rows, also after another one."""
    scene = scenes.moving((0.8, 0.4))
    tracker = subject.make()
    runs = []
    for each in (scene, scenes.vanishing(n=8), scene):
        runs.append(joined(list(tracker.track(*subject.given(each)))))
    changed = [n for n in runs[0] if _differ(runs[0][n], runs[2][n])]
    require(not changed, f"a second run of the same tracker differs in {', '.join(changed)}")


@check()
def cancel(subject: Subject) -> None:
    """It can be stopped after its first frame, and works again afterwards."""
    scene = scenes.moving((0.8, 0.4))
    rows = subject.make().track(*subject.given(scene))
    close = getattr(rows, "close", None)
    require(close is not None, "track() returns no generator: it must be one, to be stopped")
    next(rows)
    assert close is not None
    close()
    require(len(subject.track(scene)) == len(scene), "after that it does not finish any more")


def _follows(subject: Subject, scene: Scene) -> None:
    found = subject.follow(scene).places
    lost = int(np.isnan(found[-1, :, 0]).sum())
    require(lost == 0, f"{lost} of {found.shape[1]} clear spots are lost in the last frame")
    asked = scene.places[-1] - scene.places[0]
    went = found[-1] - found[0]
    off = float(np.hypot(*(went - asked).T).max())
    x, y = np.median(went, axis=0)
    truth = f"({asked[0, 0]:.1f}, {asked[0, 1]:.1f})"
    require(off < 1.0, f"spots that moved by {truth} px were followed by ({x:.1f}, {y:.1f}) px")


def _creeping() -> Scene:
    """Spots that go through each pixel in eight steps, along both axes."""
    return scenes.moving((1 / _PHASES, 1 / _PHASES), n=2 * _PHASES + 1)


def _errors(subject: Subject, scene: Scene, each: bool = False) -> Any:
    """Place minus truth after the first frame, (n, 2); or of each frame and spot (t, n, 2)."""
    error = (subject.follow(scene).places - scene.places)[1:]
    known = np.isfinite(error[..., 0])
    require(known.mean() > 0.9, f"only {100 * known.mean():.0f} % of clear spots are followed")
    return error if each else error[known]


def _differ(a: Any, b: Any) -> bool:
    a, b = np.asarray(a), np.asarray(b)
    if a.shape != b.shape:
        return True
    return not np.array_equal(a, b, equal_nan=a.dtype.kind == "f" and b.dtype.kind == "f")


CHECKS = (
    right_columns,
    every_row,
    known_states,
    seeds_kept,
    axis_order_x,
    axis_order_y,
    half_pixel,
    sub_pixel,
    vanished_is_lost,
    late_spot,
    one_frame,
    no_spots,
    pixel_types,
    mask_respected,
    unknown_pixels,
    inputs_unmodified,
    repeatable,
    cancel,
)
