"""Exports as steps: their notes are the files that were written."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from trackleed.pipeline.engine import blame
from trackleed.pipeline.steps import add_step
from trackleed.pipeline.view import SessionView

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
    """Write the files of an exporter, unless the same are there already; gives all of them."""
    view = SessionView(session, source)
    exporter = backend.make(**options)

    def work(writer: StepWriter) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        stage, n = f"export {backend.spec.name}", 0
        with blame(backend.label, f"writing to {folder}"):
            for n, path in enumerate(exporter.export(view, folder), start=1):
                writer.note(str(path.relative_to(folder)))
                progress(stage, n, 0)
            progress(stage, n, n)

    step = add_step(
        session,
        "export",
        work,
        params={
            **backend.params(**options).model_dump(mode="json"),
            "folder": str(folder.absolute()),
        },
        inputs=list(view.steps.values()),
        backend=backend.address,
        version=backend.version,
        still_good=lambda step: (
            "session" not in backend.spec.needs and _untouched(session, step, folder)
        ),
    )
    return _files(step, folder)


def _untouched(session: Session, export: Step, folder: Path) -> bool:
    """Whether the files of an export are there, and no later export wrote over them."""
    later = session.steps[session.steps.index(export) + 1 :]
    over = {
        path
        for step in later
        if step.kind == "export"
        for path in _files(step, Path(step.params["folder"]))
    }
    files = _files(export, folder.absolute())
    return all(path.exists() and path not in over for path in files)


def _files(step: Step, folder: Path) -> list[Path]:
    """What an export wrote, as its step tells."""
    return [folder / name for name in step.message.splitlines()]
