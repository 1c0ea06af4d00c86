"""Satellites relative to a reference spot, as steps that belong to one step of fits."""

from __future__ import annotations

from concurrent.futures import Executor
from functools import partial
from typing import TYPE_CHECKING, Any

from pydantic import Field

from trackleed import __version__, tables
from trackleed.analysis.positions import (
    Groups,
    complete_groups,
    find_groups,
    group_seeds,
    relative_positions,
)
from trackleed.errors import InputError
from trackleed.params import Params, make, option
from trackleed.pipeline.compiling import compiling_is_told
from trackleed.pipeline.engine import Job, blocks, refine_groups_block, run_blocks
from trackleed.pipeline.steps import add_step
from trackleed.pipeline.view import SessionView, aspect_of
from trackleed.tables import PositionStatus

if TYPE_CHECKING:
    import pandas as pd

    from trackleed.progress import Progress
    from trackleed.registry import Backend
    from trackleed.session import Session, Step, StepWriter

JUDGED = {"significance", "min_separation", "max_walk", "max_jump", "pixel_aspect"}
"""Options of `relative_positions`."""

_PLACES = ["frame", "track_id", "status", "x", "y", "amplitude"]


class PositionsParams(Params):
    """Which spots are related, and what makes a relative position doubtful."""

    groups: list[tuple[int, list[int]]] = option(
        [], "reference and satellites of each group, by track; found by themselves if not given"
    )
    within: float = option(
        20.0, "how far from its reference a satellite that is not named may be", unit="px", gt=0
    )
    half_size: int | None = option(
        None, "from a spot to the edge of its ROI; as in refine if not given", unit="px", ge=5
    )
    significance: float = option(
        5.0, "a spot of fewer standard errors, in height or volume, is too dim", ge=0
    )
    min_separation: float = option(
        1.0, "distance over full width at half maximum below which spots have merged", ge=0
    )
    max_walk: float = option(3.0, "how far from its seed a spot may be", unit="px", gt=0)
    max_jump: float = option(
        5.0, "standard deviations from where the other frames put it that are a jump", gt=0
    )
    pixel_aspect: float | None = option(
        None, "width of a pixel over its height; that of analyse, or 1, if not given", gt=0, le=10
    )
    refiner: dict[str, Any] = Field(default={}, description="options of the refiner")


def add_positions(
    session: Session,
    backend: Backend,
    fits: Step,
    options: dict[str, Any],
    executor: Executor,
    progress: Progress,
) -> list[Step]:
    """Add the steps of joint fits and relative positions, or return those that are done."""
    params = make(PositionsParams, options, "positions", "see: trackleed positions --help")
    if not hasattr(backend.make(**params.refiner), "refine_groups"):
        raise InputError(f"{backend.label} fits no groups of spots", "use the refiner gaussian")
    view = SessionView(session, fits)
    params = params.model_copy(update={"pixel_aspect": aspect_of(view, params.pixel_aspect)})
    tracks = view.table("tracks")
    places = view.table("fits", columns=_PLACES)
    groups, farther = _groups(params, tracks, places)

    def fit_groups(writer: StepWriter) -> None:
        seeds = group_seeds(tracks, places, groups, params.half_size)
        spans = blocks(session.store.n_valid)
        parts = (
            tables.columns(seeds[seeds["frame"].between(span.start, span.stop - 1)])
            for span in spans
        )
        job = Job(
            session.store_path,
            backend.kind,
            backend.address,
            tuple(params.refiner.items()),
            f"{writer.step.id} {writer.step.started}",
        )
        progress("positions", 0, spans[-1].stop)
        results = run_blocks(partial(refine_groups_block, job), parts, executor)
        with compiling_is_told(writer, progress):
            for span, rows in zip(spans, results, strict=True):
                writer.write(rows)
                progress("positions", span.stop, spans[-1].stop)

    def relate(writer: StepWriter) -> None:
        found = relative_positions(
            session.table(joint),
            view.index,
            **params.model_dump(include=JUDGED),
        )
        writer.write(found)
        writer.note(*_about(found, groups, farther))
        if params.pixel_aspect != 1:
            writer.note(
                f"r and angle with x stretched by {params.pixel_aspect:g}; dx, dy as they are"
            )

    add = partial(add_step, session, newest=True)
    joint = add(
        "groupfit",
        fit_groups,
        params={
            "groups": [[reference, satellites] for reference, satellites in groups],
            "half_size": params.half_size,
            **backend.params(**params.refiner).model_dump(mode="json"),
        },
        inputs=[fits],
        spec=tables.GROUP_FITS,
        backend=backend.address,
        version=backend.version,
    )
    relative = add(
        "positions",
        relate,
        params=params.model_dump(mode="json", include=JUDGED),
        inputs=[joint],
        spec=tables.POSITIONS,
        version=__version__,
    )
    return [joint, relative]


def _groups(
    params: PositionsParams, tracks: pd.DataFrame, fits: pd.DataFrame
) -> tuple[Groups, list[int]]:
    """The groups that were asked for, or those that there are, and see `find_groups`."""
    if params.groups:
        return complete_groups(params.groups, tracks, params.within), []
    found, farther = find_groups(tracks, fits, params.within)
    if not found:
        raise InputError(
            f"no track has another one within {params.within:g} px",
            "name groups with --group REFERENCE:SATELLITE,... or widen --within",
        )
    return found, farther


def _about(found: pd.DataFrame, groups: Groups, farther: list[int]) -> list[str]:
    """How many rows of each group can be used, and why the others cannot."""
    said = []
    for number, (reference, satellites) in enumerate(groups, start=1):
        rows = found[found["group"] == number]
        usable = rows[rows["status"] == PositionStatus.OK]
        line = (
            f"group {number}: {reference} with {', '.join(map(str, satellites))}; "
            f"{len(usable)} of {len(rows)} positions ok"
        )
        if len(usable):
            line += f", r {usable['r'].min():.1f} to {usable['r'].max():.1f} px"
            line += f" with errors of {usable['r_err'].median():.2f} px (median)"
        said.append(line)
    if farther:
        tracks = ", ".join(map(str, farther))
        said.append(f"in no group, too far for --within, but near a reference: {tracks}")
    words = found["status"].value_counts()
    said.append("status " + ", ".join(f"{word} {n}" for word, n in words.items()))
    return said
