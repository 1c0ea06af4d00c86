"""Checks of refiners."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from trackleed import tables
from trackleed.tables import FitStatus, State
from trackleed.testing import scenes
from trackleed.testing.checks import check, keeps_to, require

if TYPE_CHECKING:
    from trackleed.tables import Columns
    from trackleed.testing.scenes import Array, Scene
    from trackleed.testing.subject import Subject


@check()
def right_columns(subject: Subject) -> None:
    """It returns a row of ``fits`` for every ROI, in the order of the ROIs."""
    scene = scenes.moving((0.3, 0.2), n=3)
    rois = {n: values[::-1] for n, values in scene.rois().items()}
    fits = _refine(subject, scene, rois)
    keeps_to(tables.FITS, fits)
    for name in ("frame", "track_id"):
        same = np.array_equal(fits[name], rois[name])
        require(same, f"{name} of the fits is not in the order of the ROIs")


@check()
def half_pixel(subject: Subject) -> None:
    """Clear spots are found to a tenth of a pixel, x to the right and y down."""
    scene = scenes.moving((1 / 8, 1 / 8), n=9)
    fits = _refine(subject, scene, scene.rois())
    ok = _status(fits) == FitStatus.OK
    require(ok.mean() > 0.95, f"only {100 * ok.mean():.0f} % of clear spots are ok")
    error = np.stack([fits["x"], fits["y"]], axis=-1)[ok] - _truth(scene)[ok]
    off = float(np.hypot(*error.T).max())
    require(off < 0.1, f"a centre is off by {off:.2f} px, at most 0.1 is allowed")


@check()
def error_bars(subject: Subject) -> None:
    """Errors of the centre are stated, and the centres scatter as they say."""
    scene = scenes.moving((1 / 8, 1 / 16), n=24)
    fits = _refine(subject, scene, scene.rois())
    truth = _truth(scene)
    for axis, name in enumerate("xy"):
        pulls = (fits[name] - truth[:, axis]) / fits[f"{name}_err"]
        pulls = pulls[np.isfinite(pulls)]
        require(len(pulls) > 80, f"{name}_err is known for {len(pulls)} of {len(truth)} spots")
        spread = float(np.sqrt(np.mean(pulls**2)))
        message = f"{name} scatters {spread:.2f} times its stated error, 0.7 to 1.4 is allowed"
        require(0.7 < spread < 1.4, message)


@check()
def lost_stays_lost(subject: Subject) -> None:
    """A track without a place has no numbers, and says so."""
    scene = scenes.moving((0.0, 0.0), n=2)
    rois = {n: values.copy() for n, values in scene.rois().items()}
    rois["state"][0] = State.LOST
    for name in ("x", "y", "width", "height", "score"):
        rois[name][0] = np.nan
    fits = _refine(subject, scene, rois)
    require(_status(fits)[0] == FitStatus.LOST, f"its status is {_status(fits)[0]!r}, not 'lost'")
    require(np.isnan(fits["x"][0]) and np.isnan(fits["volume"][0]), "a lost spot has numbers")


@check()
def no_invention(subject: Subject) -> None:
    """Where there is only noise, or the mask, a fit is not ok."""
    scene = scenes.moving((0.0, 0.0), n=1)
    bare = scenes.empty(1)
    fits = _refine(subject, bare, scene.rois())
    found = int((_status(fits) == FitStatus.OK).sum())
    require(found == 0, f"{found} of 4 fits to noise are called ok")
    masked = scene.like(masked=slice(90, None))
    status = _status(_refine(subject, masked, scene.rois()))
    hidden = scene.places[0, :, 0] > 95
    require((status[hidden] != FitStatus.OK).all(), "a fit behind the mask is called ok")


@check()
def pixel_types(subject: Subject) -> None:
    """Frames of 8 and 16 bits and of floating point give the same centres."""
    scene = scenes.moving((0.3, 0.2), n=2)
    truth = _truth(scene)
    for dtype in ("uint8", "uint16", "float32"):
        fits = _refine(subject, scene.like(dtype=dtype), scene.rois())
        off = float(np.nanmax(np.hypot(fits["x"] - truth[:, 0], fits["y"] - truth[:, 1])))
        require(off < 0.2, f"in frames of {dtype} a centre is off by {off:.2f} px")


@check()
def inputs_unmodified(subject: Subject) -> None:
    """The ROIs are as they were; writing to the frames raises."""
    scene = scenes.moving((0.3, 0.2), n=2)
    rois, before = scene.rois(), scene.rois()
    _refine(subject, scene, rois)
    changed = [n for n in before if not np.array_equal(rois[n], before[n])]
    require(not changed, f"columns of the ROIs were changed: {', '.join(changed)}")


@check()
def repeatable(subject: Subject) -> None:
    """The same ROIs give the same fits, one frame at a time or all at once."""
    scene = scenes.moving((0.3, 0.2), n=3)
    rois = scene.rois()
    whole = _refine(subject, scene, rois)
    for frame in range(len(scene)):
        at = rois["frame"] == frame
        part = _refine(subject, scene, {n: values[at] for n, values in rois.items()})
        off = float(np.nanmax(np.abs(part["x"] - whole["x"][at])))
        require(off < 1e-6, f"x differs by {off:.1g} px when frame {frame} is fitted alone")


def _truth(scene: Scene) -> Array:
    return scene.places.reshape(-1, 2)


def _refine(subject: Subject, scene: Scene, rois: Columns) -> dict[str, Any]:
    fits = subject.make().refine(scene.frames(), rois)
    return {str(name): np.asarray(values) for name, values in fits.items()}


def _status(fits: Columns) -> Array:
    return np.array([str(s) for s in fits["status"]])


CHECKS = (
    right_columns,
    half_pixel,
    error_bars,
    lost_stays_lost,
    no_invention,
    pixel_types,
    inputs_unmodified,
    repeatable,
)
