"""The analyses as steps: centres, radii and intensities that belong to one step of fits."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Executor
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from pydantic import field_validator, model_validator

from trackleed import __version__, tables
from trackleed.analysis.apertures import measure_apertures, place_apertures
from trackleed.analysis.centers import (
    expansion_center,
    median_center,
    pattern_centers,
    smooth_centers,
)
from trackleed.analysis.radii import radii
from trackleed.analysis.spots import REJECT
from trackleed.params import Params, make, option
from trackleed.pipeline.engine import blocks, opened_frames, run_blocks
from trackleed.pipeline.steps import add_step
from trackleed.pipeline.view import SessionView

if TYPE_CHECKING:
    import pandas as pd

    from trackleed.backend import Array
    from trackleed.progress import Progress
    from trackleed.session import Session, Step, StepWriter
    from trackleed.tables import Columns

ODD = 10.0
"""Pixels from where the energies put the (0,0) beam from which on it is said, at least."""

POSITIONS = ["frame", "track_id", "status", "x", "y", "x_err", "y_err"]


class AnalysisParams(Params):
    """How the pattern's centre and the intensities are found."""

    center: Literal["auto", "pairs", "circle", "ellipse", "energy", "fixed"] = option(
        "auto",
        "from opposite pairs, a circle or an ellipse through one ring, the contraction with the "
        "energy, fixed, or whichever suits but the ellipse",
    )
    x: float | None = option(None, "x of the fixed centre", unit="px")
    y: float | None = option(None, "y of the fixed centre", unit="px")
    ring: tuple[float, ...] | None = option(
        None,
        "ring drawn by hand, whose spots the circle or ellipse goes through: x,y,radius or x,y, "
        "two half axes and angle",
        unit="px, deg",
    )
    ring_frame: int | None = option(
        None, "frame the ring is drawn in; the first with spots when not given", ge=0
    )
    tolerance: float | None = option(
        None,
        "how far from the symmetry a spot may lie; a tenth of the spots' spacing when not given",
        unit="px",
        gt=0,
    )
    pixel_aspect: float = option(
        1.0, "width of a pixel over its height, for the centre and the radii", gt=0.1, lt=10
    )
    median: bool = option(False, "one centre for all frames: the median")
    smooth: int = option(
        0, "window in which the centre moves smoothly, odd; 0 is off", unit="frames", ge=0
    )
    fill: bool = option(False, "interpolate the smooth centre in frames that have none")
    aperture: float = option(
        3.0, "radius of the aperture in units of the spot's larger width", unit="sigma", gt=0, le=10
    )

    @field_validator("ring", mode="before")
    @classmethod
    def _numbers_with_commas(cls, ring: object) -> object:
        return ring.split(",") if isinstance(ring, str) else ring

    @model_validator(mode="after")
    def _what_belongs_together(self) -> AnalysisParams:
        if (self.center == "fixed") != (self.x is not None and self.y is not None):
            raise ValueError("a fixed centre needs x and y, and only a fixed one takes them")
        if self.ring is not None and self.center not in ("circle", "ellipse"):
            raise ValueError("a ring is for center circle or ellipse")
        if self.smooth and (self.smooth == 1 or self.smooth % 2 == 0):
            raise ValueError(f"smooth {self.smooth} is not an odd number of frames, 3 or more")
        if self.center == "fixed" and (self.smooth or self.median):
            raise ValueError("a fixed centre is the same in all frames already")
        if self.smooth and self.median:
            raise ValueError("the centre is either smooth or the median")
        if self.fill and not self.smooth:
            raise ValueError("fill needs a window: smooth")
        return self


def analyse(
    session: Session, fits: Step, options: dict[str, Any], executor: Executor, progress: Progress
) -> list[Step]:
    """Add the steps of centres, radii and intensities, or return those that are done."""
    params = make(AnalysisParams, options, "analysis")
    positions = session.table(fits, columns=POSITIONS)
    n_frames = session.store.n_valid

    def find_centers(writer: StepWriter) -> None:
        progress("centre", 0, n_frames)
        index = SessionView(session, fits).index
        found = _centers(params, positions, n_frames, index)
        writer.write(found)
        writer.note(*_about(found, positions, index, params))
        progress("centre", n_frames, n_frames)

    def find_radii(writer: StepWriter) -> None:
        writer.write(radii(positions, session.table(centers), params.pixel_aspect))
        if params.pixel_aspect != 1:
            writer.note(f"radii in heights of pixels, x stretched by {params.pixel_aspect:g}")

    def find_intensities(writer: StepWriter) -> None:
        _intensities(session, fits, params.aperture, executor, progress, writer)

    add = partial(add_step, session, newest=True, version=__version__)
    mode = params.model_dump(mode="json", exclude={"aperture"})
    centers = add("center", find_centers, params=mode, inputs=[fits], spec=tables.CENTERS)
    distances = add(
        "radius",
        find_radii,
        params={"pixel_aspect": params.pixel_aspect},
        inputs=[fits, centers],
        spec=tables.RADII,
    )
    intensities = add(
        "intensity",
        find_intensities,
        params={"aperture": params.aperture},
        inputs=[fits],
        spec=tables.INTENSITIES,
    )
    return [centers, distances, intensities]


def _centers(
    params: AnalysisParams, positions: pd.DataFrame, n_frames: int, index: pd.DataFrame
) -> pd.DataFrame:
    """The ``centers`` table of a series, with what is asked for after it."""
    centers = pattern_centers(
        positions,
        n_frames,
        mode=params.center,
        fixed=None if params.x is None or params.y is None else (params.x, params.y),
        index=index,
        tolerance=params.tolerance,
        pixel_aspect=params.pixel_aspect,
        ring=params.ring,
        ring_frame=params.ring_frame,
    )
    if params.median:
        return median_center(centers)
    return smooth_centers(centers, params.smooth, fill=params.fill) if params.smooth else centers


def _about(
    found: pd.DataFrame, positions: pd.DataFrame, index: pd.DataFrame, params: AnalysisParams
) -> Iterator[str]:
    """In how many frames there is a centre, and how far it is from where the energies put it."""
    known = found[found["mode"] != "none"]
    if params.center == "fixed" or not len(known):
        return
    x, y = float(known["x"].median()), float(known["y"].median())
    ways = known["mode"].value_counts()
    said = ", ".join(f"{way} {n}" for way, n in ways.items())
    yield f"found in {len(known)} of {len(found)} frames ({said}), about ({x:.1f}, {y:.1f}) px"
    point = expansion_center(positions, index)
    if not point.known or set(ways.index) == {"energy"}:
        return
    away, error = np.hypot(x - point.x, y - point.y), np.hypot(point.x_err, point.y_err)
    told = f"the energies put the (0,0) beam at ({point.x:.1f}, {point.y:.1f}) ± {error:.1f} px"
    yield f"{told}, {away:.1f} px from there"
    errors = np.hypot(known["x_err"].to_numpy(), known["y_err"].to_numpy())
    own = float(np.nanmedian(errors)) if np.isfinite(errors).any() else 0.0
    if away > max(ODD, REJECT * np.hypot(error, own)):
        yield "unless the beam comes in at an angle, this is another centre: look at the pictures"


def _intensities(
    session: Session,
    fits: Step,
    scale: float,
    executor: Executor,
    progress: Progress,
    writer: StepWriter,
) -> None:
    tracks = next(s for s in map(session.get, fits.inputs) if s.spec == tables.TRACKS.name)
    spots = place_apertures(
        session.table(tracks, columns=["frame", "track_id", "x", "y", "width", "height"]),
        session.table(fits, columns=[*POSITIONS, "sigma_x", "sigma_y"]),
        scale=scale,
    )
    spans = blocks(session.store.n_valid)
    parts = (
        tables.columns(spots[spots["frame"].between(span.start, span.stop - 1)]) for span in spans
    )
    task = partial(measure_block, session.store_path, f"{writer.step.id} {writer.step.started}")
    progress("intensity", 0, spans[-1].stop)
    for span, rows in zip(spans, run_blocks(task, parts, executor), strict=True):
        writer.write(rows)
        progress("intensity", span.stop, spans[-1].stop)


def measure_block(store: Path, token: str, spots: Columns) -> dict[str, Any]:
    """Intensities of some spots, columns of the ``intensities`` table."""
    frames = opened_frames(store, token)
    parts: dict[str, list[Array]] = {name: [] for name in tables.INTENSITIES.names}
    for i in np.unique(spots["frame"]):
        here = {name: column[spots["frame"] == i] for name, column in spots.items()}
        measured = measure_apertures(
            frames[i], frames.valid, frames.saturated(i), here, frames.noise.variance
        )
        for name, part in parts.items():
            part.append(measured[name] if name in measured else here[name])
    empty = np.empty(0)
    return {name: np.concatenate(part) if part else empty for name, part in parts.items()}
