"""What is missing or damaged in a session."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from trackleed.errors import SessionDamaged
from trackleed.session.place import STORE
from trackleed.session.record import Step
from trackleed.store import Store


def find_problems(folder: Path, steps: list[Step]) -> Iterator[str]:
    """Name each damaged part of the session in ``folder``; pixels and rows are not read."""
    known = {step.id for step in steps}
    for step in steps:
        problem = table_problem(folder, step)
        if problem:
            yield problem
        for name in step.inputs:
            if name not in known:
                yield f"{step.id} rests on step {name}, which is not there"
    for file in sorted((folder / "tables").glob("*.parquet")):
        if file.stem not in known:
            yield f"no step is known that wrote tables/{file.name}"
    store = folder / STORE
    if store.exists():
        try:
            yield from Store.open(store).check()
        except SessionDamaged as error:
            yield str(error)
    elif any(step.kind == "import" and step.status == "done" for step in steps):
        yield f"the frames are missing: {store}"


def table_problem(folder: Path, step: Step) -> str | None:
    """What is wrong with the table of a step; None if nothing is, or if it has none."""
    if step.table is None:
        return None
    from trackleed.session.tablefile import check_table

    try:
        check_table(folder / step.table, step.rows)
    except SessionDamaged as error:
        return f"{step.id}: {error}"
    return None
