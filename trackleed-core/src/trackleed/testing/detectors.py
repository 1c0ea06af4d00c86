"""Checks of detectors."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from trackleed import tables
from trackleed.testing import scenes
from trackleed.testing.checks import check, counts_from_centre, keeps_to, require

if TYPE_CHECKING:
    from trackleed.tables import Columns
    from trackleed.testing.scenes import Array, Scene
    from trackleed.testing.subject import Subject

_NEAR = 2.0  # px


@check()
def right_columns(subject: Subject) -> None:
    """It returns the columns of ``detections`` but ``frame``, of the right types."""
    for scene in (scenes.moving((0.0, 0.0), n=1), scenes.empty(1)):
        found = _detect(subject, scene)
        rows = {"frame": np.zeros(len(found["x"]), int)} | dict(found)
        keeps_to(tables.DETECTIONS, rows)


@check(needs_training=True)
def finds_spots(subject: Subject) -> None:
    """Four clear spots are found, x to the right and y down, and nothing else."""
    scene = scenes.moving((0.0, 0.0), n=1)
    found, truth = _places(subject, scene), scene.places[0]
    swapped = _matched(found[:, ::-1], truth)
    hint = "; x and y are swapped" if swapped > _matched(found, truth) else ""
    hits = _matched(found, truth)
    require(hits == len(truth), f"it finds {hits} of {len(truth)} clear spots{hint}")
    require(len(found) == hits, f"it finds {len(found) - hits} spots that are not there")


@check(needs_training=True)
def half_pixel(subject: Subject) -> None:
    """Places count from the centre of the first pixel, wherever in its pixel a spot is."""
    errors = []
    for phase in np.arange(8) / 8:
        scene = scenes.moving((0.0, 0.0), n=1, phase=float(phase))
        found = _places(subject, scene)
        for spot in scene.places[0]:
            nearest = found[np.argmin(np.hypot(*(found - spot).T))] if len(found) else spot + 9
            errors.append(nearest - spot)
    counts_from_centre(np.array(errors), subject.tolerance)


@check(needs_training=True)
def empty_frame(subject: Subject) -> None:
    """In a frame without spots nothing is found."""
    found = len(_detect(subject, scenes.empty(1))["x"])
    require(found == 0, f"it finds {found} spots in noise")


@check()
def mask_respected(subject: Subject) -> None:
    """Nothing is found where the mask hides the screen."""
    scene = scenes.hidden(1)
    column, row = np.rint(_places(subject, scene)).astype(int).T
    hidden = int((~scene.valid[row, column]).sum())
    require(hidden == 0, f"it finds {hidden} spots behind the mask")


@check()
def pixel_types(subject: Subject) -> None:
    """The same spots are found in frames of 8 and 16 bits and of floating point."""
    scene = scenes.moving((0.0, 0.0), n=1, phase=0.3)
    places = {t: _places(subject, scene.like(dtype=t)) for t in ("uint16", "uint8", "float32")}
    if not subject.trained:
        return
    for dtype, found in places.items():
        hits = _matched(found, scene.places[0])
        require(hits == 4, f"in a frame of {dtype} it finds {hits} of 4 clear spots")


@check()
def unknown_pixels(subject: Subject) -> None:
    """Pixels that are NaN, as where a correction is unknown, do no harm."""
    scene = scenes.moving((0.0, 0.0), n=1).like(dtype="float32", unknown=True)
    found = _places(subject, scene)
    require(np.isfinite(found).all(), "a place is not a number")
    if subject.trained:
        hits = _matched(found, scene.places[0])
        require(hits == 4, f"beside pixels that are NaN it finds {hits} of 4 clear spots")


@check()
def inputs_unmodified(subject: Subject) -> None:
    """The mask is as it was; writing to the frame raises."""
    scene = scenes.moving((0.0, 0.0), n=1)
    valid = scene.valid
    subject.make().detect(scene.frames()[0], valid)
    require(np.array_equal(valid, scene.valid), "the mask was changed")


@check()
def repeatable(subject: Subject) -> None:
    """The same frame gives the same detections, also after another one."""
    first, other = scenes.moving((0.0, 0.0), n=1), scenes.empty(1)
    detector = subject.make()
    runs = [detector.detect(s.frames()[0], s.valid) for s in (first, other, first)]
    same = all(np.array_equal(runs[0][n], runs[2][n], equal_nan=n != "frame") for n in runs[0])
    require(same, "a second look at the same frame differs from the first")


def _detect(subject: Subject, scene: Scene) -> Columns:
    found: Columns = subject.make().detect(scene.frames()[0], scene.valid)
    return found


def _places(subject: Subject, scene: Scene) -> Array:
    found = _detect(subject, scene)
    return np.stack([np.asarray(found["x"], float), np.asarray(found["y"], float)], axis=-1)


def _matched(found: Array, truth: Array) -> int:
    """How many of the true places have a detection near by."""
    if not len(found):
        return 0
    distance = np.hypot(*np.moveaxis(found[None] - truth[:, None], -1, 0))
    return int((distance.min(axis=1) < _NEAR).sum())


CHECKS = (
    right_columns,
    finds_spots,
    half_pixel,
    empty_frame,
    mask_respected,
    pixel_types,
    unknown_pixels,
    inputs_unmodified,
    repeatable,
)
