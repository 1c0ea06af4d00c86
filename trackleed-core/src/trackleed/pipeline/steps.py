"""One step: done once, recorded with all that made it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from trackleed.registry import Backend
    from trackleed.session import Session, Step, StepWriter
    from trackleed.tables import TableSpec


def add_step(
    session: Session,
    kind: str,
    work: Callable[[StepWriter], None],
    *,
    params: dict[str, Any],
    inputs: Sequence[Step],
    spec: TableSpec | None = None,
    backend: str = "",
    version: str = "",
    env: str | None = None,
    still_good: Callable[[Step], bool] = lambda step: True,
    newest: bool = False,
) -> Step:
    """Do ``work`` as a step of the session, unless an equal one is done already.

    Parameters
    ----------
    work : callable
        Given the step's writer; what it writes becomes the step's table.
    params : dict
        All options that the result depends on, as JSON has them.
    inputs : sequence of Step
        The steps whose tables it reads.
    env : str, optional
        Environment that the backend runs in; None for this process.
    still_good : callable
        Whether what an equal earlier step made is still there.
    newest : bool
        Whether later work takes the newest step of the kind. An equal one that others of its kind
        and inputs came after is then entered anew with the same table: what was asked for
        last counts.

    Returns
    -------
    Step
        The finished step: a new one, or an earlier one of the same kind,
        backend, version, options and inputs.
    """
    record: dict[str, Any] = {
        "backend": backend,
        "version": version,
        "params": params,
        "inputs": [step.id for step in inputs],
    }
    done = session.find_done(kind, **record)
    if done is not None and still_good(done):
        if not (newest and _came_after(session, done)):
            return done
        table, said = session.table(done), done.message.splitlines()
        with session.step(kind, spec=spec, env=env, **record) as writer:
            writer.write(table)
            writer.note(*said)
        return writer.step
    with session.step(kind, spec=spec, env=env, **record) as writer:
        work(writer)
    return writer.step


def _came_after(session: Session, step: Step) -> bool:
    """Whether there is a later finished step of the same kind and inputs."""
    later = session.steps[[s.id for s in session.steps].index(step.id) + 1 :]
    alike = (s for s in later if s.status == "done" and s.kind == step.kind)
    return any(s.inputs == step.inputs for s in alike)


def add_backend_step(
    session: Session,
    kind: str,
    work: Callable[[StepWriter], None],
    backend: Backend,
    options: dict[str, Any],
    inputs: Sequence[Step],
    spec: TableSpec,
) -> Step:
    """As `add_step`, of a backend with its options; one that is not ready fails before any work."""
    backend.make(**options)
    return add_step(
        session,
        kind,
        work,
        params=backend.params(**options).model_dump(mode="json"),
        inputs=inputs,
        spec=spec,
        backend=backend.address,
        version=backend.version,
        env=backend.env,
    )
