"""Exports as steps: their notes are the files that were written."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trackleed.pipeline.engine import blame
from trackleed.pipeline.exported import Exported
from trackleed.pipeline.steps import add_step
from trackleed.pipeline.view import SessionView
from trackleed.progress import say

if TYPE_CHECKING:
    from trackleed.progress import Progress
    from trackleed.registry import Backend
    from trackleed.session import Session, Step, StepWriter


def export(
    session: Session,
    backend: Backend,
    source: Step,
    options: dict[str, Any],
    folder: Path,
    progress: Progress,
) -> list[Path]:
    """Write the files of an exporter, unless the same are there already; gives all of them.

    They take the place of what the same exporter wrote into the folder before.
    """
    view = SessionView(session, source)
    exporter = backend.make(**options)
    # What lies inside the session moves with it, and may be called otherwise then.
    inside = folder.resolve().is_relative_to(session.path)
    place = os.path.relpath(folder, session.path) if inside else str(folder.absolute())
    whose = "" if inside else f"{session.path.name}."
    exported = Exported(folder, whose + backend.address.replace(":", "_"))

    def work(writer: StepWriter) -> None:
        stage, files = f"export {backend.spec.name}", list[str]()
        with exported.stage() as aside, blame(backend.label, f"writing to {folder}"):
            for path in exporter.export(view, aside):
                files.append(path.relative_to(aside).as_posix())
                progress(stage, len(files), 0)
            kept = exported.take(aside, files, _name(writer.step))
            progress(stage, len(files), len(files))
        writer.note(*files)
        if kept:
            say(progress, f"{_told(kept)} in {folder}: of an earlier export, changed since, kept")

    step = add_step(
        session,
        "export",
        work,
        params={
            **backend.params(**options).model_dump(mode="json"),
            "folder": place,
        },
        inputs=list(view.steps.values()),
        backend=backend.address,
        version=backend.version,
        still_good=lambda step: "session" not in backend.spec.needs and exported.holds(_name(step)),
    )
    return [folder / name for name in step.message.splitlines()]


def _name(step: Step) -> str:
    """Tells an export from all others, those of a session of the same name among them."""
    return f"{step.id} {step.started}"


def _told(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{names[0]} and {len(names) - 1} more"
