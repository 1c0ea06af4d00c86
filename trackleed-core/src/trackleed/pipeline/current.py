"""Which step later ones go on with when none is named."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trackleed.errors import SessionError

if TYPE_CHECKING:
    from trackleed.session import Session, Step

TABLE_OF = {"import": "index", "detect": "detections", "track": "tracks", "refine": "fits"}
"""The table that each kind of step on the way to the fits makes; an edit makes one of them, too."""


def current(session: Session, table: str) -> Step | None:
    """The finished step whose table of that name later steps take by default.

    That is the newest, or the one that an ``undo`` went back to since. Of fits, it is
    that of the current tracks: fits of other tracks are none of theirs.
    """
    tracks = current(session, "tracks") if table == "fits" else None
    for step in reversed([step for step in session.steps if step.status == "done"]):
        chosen = session.get(step.inputs[0]) if step.kind == "undo" else step
        if chosen.spec == table and (tracks is None or tracks.id in chosen.inputs):
            return chosen
    return None


def unedited(session: Session, table: str) -> Step | None:
    """The step that the current one is made from by edits, or that one itself."""
    step = current(session, table)
    while step is not None and step.kind == "edit" and step.inputs:
        step = session.get(step.inputs[0])
    return step


def chosen(session: Session, kind: str, step: Step | str | None) -> Step:
    """The step that the user named, or the current one; an edit counts as what it edits.

    Raises
    ------
    SessionError
        If the named step is of another kind, or there is none.
    """
    table = TABLE_OF[kind]
    if step is not None:
        named = session.get(step if isinstance(step, str) else step.id)
        if named.spec != table:
            raise SessionError(f"step {named.id} is no {kind} step")
        return named
    newest = current(session, table)
    if newest is not None:
        return newest
    path, older = session.path, stale(session)
    if kind == "refine" and older is not None:
        raise SessionError(
            f"the fits of {older.id} are not of the newest tracks",
            f"first: trackleed refine {path}, or name the older fits: --fits {older.id}",
        )
    verb = "import SRC" if kind == "import" else kind
    raise SessionError(f"{path} has no finished {kind} step", f"first: trackleed {verb} {path}")


def furthest(session: Session) -> Step | None:
    """The current fits, or before there are any, tracks, detections or the index."""
    tables = ("fits", "tracks", "detections", "index")
    return next(filter(None, (current(session, table) for table in tables)), None)


def edits_in_effect(session: Session) -> list[Step]:
    """The edits that the current detections and tracks are made with, the oldest first."""
    found: set[str] = set()
    for table in ("detections", "tracks"):
        step = current(session, table)
        while step is not None and step.kind == "edit":
            found.add(step.id)
            step = session.get(step.inputs[0])
    return [step for step in session.steps if step.id in found]


def stale(session: Session) -> Step | None:
    """The newest fits, if they are of other tracks than the current ones, which have none."""
    if current(session, "fits") is not None:
        return None
    return session.latest("refine")
