"""The analyses as steps: centres, radii and intensities that belong to one step of fits."""

from __future__ import annotations

from concurrent.futures import Executor
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

from pydantic import model_validator

from trackleed import __version__, tables
from trackleed.analysis import aperture, pattern_centers, radii
from trackleed.params import Params, make, option
from trackleed.pipeline import engine
from trackleed.pipeline.steps import add_step

if TYPE_CHECKING:
    from trackleed.pipeline.engine import Progress
    from trackleed.session import Session, Step, StepWriter

POSITIONS = ["frame", "track_id", "status", "x", "y", "x_err", "y_err"]


class AnalysisParams(Params):
    """How the pattern's centre and the intensities are found."""

    center: Literal["auto", "pairs", "circle", "fixed"] = option(
        "auto", "from opposite pairs, a circle through one ring, fixed, or whichever suits"
    )
    x: float | None = option(None, "x of the fixed centre", unit="px")
    y: float | None = option(None, "y of the fixed centre", unit="px")
    aperture: float = option(
        3.0, "radius of the aperture in units of the spot's larger width", unit="sigma", gt=0, le=10
    )

    @model_validator(mode="after")
    def _fixed_needs_a_point(self) -> AnalysisParams:
        if (self.center == "fixed") != (self.x is not None and self.y is not None):
            raise ValueError("a fixed centre needs x and y, and only a fixed one takes them")
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
        fixed = None if params.x is None or params.y is None else (params.x, params.y)
        writer.write(pattern_centers(positions, frames=n_frames, mode=params.center, fixed=fixed))
        progress("centre", n_frames, n_frames)

    def find_radii(writer: StepWriter) -> None:
        writer.write(radii(positions, session.table(centers)))

    def find_intensities(writer: StepWriter) -> None:
        _intensities(session, fits, params.aperture, executor, progress, writer)

    add = partial(add_step, session, version=__version__)
    mode = params.model_dump(mode="json", exclude={"aperture"})
    centers = add("center", find_centers, params=mode, inputs=[fits], spec=tables.CENTERS)
    distances = add("radius", find_radii, params={}, inputs=[fits, centers], spec=tables.RADII)
    intensities = add(
        "intensity",
        find_intensities,
        params={"aperture": params.aperture},
        inputs=[fits],
        spec=tables.INTENSITIES,
    )
    return [centers, distances, intensities]


def _intensities(
    session: Session,
    fits: Step,
    radius: float,
    executor: Executor,
    progress: Progress,
    writer: StepWriter,
) -> None: ...
