"""The session directory."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trackleed.errors import InputError, SessionDamaged, SessionError
from trackleed.files import locked, process_start
from trackleed.session.damage import find_problems, table_problem
from trackleed.session.place import LOCK, STORE, make_place
from trackleed.session.record import (
    FILE,
    KINDS,
    Document,
    Step,
    plain,
    read_document,
    table_file,
)
from trackleed.session.writer import StepWriter
from trackleed.store import Store

if TYPE_CHECKING:
    import pandas as pd
    from pydantic import BaseModel

    from trackleed.tables import TableSpec


class Session:
    """One session. Make one with `create` or `open`."""

    def __init__(self, path: Path) -> None:
        self.path = Path(path).resolve()
        self.steps, self.problems = read_document(self.path).read_steps()

    @classmethod
    def create(cls, path: Path, *, overwrite: bool = False) -> Session:
        """Make a new, empty session.

        Parameters
        ----------
        path : Path
            Its directory, usually called ``NAME.trackleed``; may be there if it is empty.
        overwrite : bool
            Delete the session that is there. Never deletes anything but a session.

        Raises
        ------
        SessionExists
            If there is something at ``path`` that may not be replaced.
        SessionBusy
            If a step of the session to be replaced is running.
        SessionError
            If it cannot be written.
        """
        make_place(Path(path).resolve(), overwrite)
        return cls(path)

    @classmethod
    def open(cls, path: Path) -> Session:
        """Open a session for reading and for further steps; see `problems` for what is damaged.

        Raises
        ------
        InputError
            If there is no such directory.
        SessionDamaged
            If it cannot be read at all, with what is wrong.
        SessionError
            If it was written by a newer trackleed.
        """
        session = cls(path)
        session.problems += find_problems(session.path, session.steps)
        return session

    @property
    def store_path(self) -> Path:
        """Where the frames are, or will be."""
        return self.path / STORE

    @cached_property
    def store(self) -> Store:
        """The frames.

        Raises
        ------
        SessionDamaged
            If there are none yet, or they cannot be read.
        """
        if not self.store_path.exists():
            raise SessionDamaged(
                f"{self.path} has no frames", f"first: trackleed import SRC {self.path}"
            )
        return Store.open(self.store_path)

    def get(self, step_id: str) -> Step:
        """The step of that id.

        Raises
        ------
        InputError
            If there is none, with the ids that there are.
        """
        for step in self.steps:
            if step.id == step_id:
                return step
        known = ", ".join(step.id for step in self.steps) or "none"
        raise InputError(f"{self.path.name} has no step {step_id!r}; it has: {known}")

    def latest(self, kind: str) -> Step | None:
        """The newest finished step of that kind."""
        done = [step for step in self.steps if step.kind == kind and step.status == "done"]
        return done[-1] if done else None

    def find_done(
        self,
        kind: str,
        backend: str,
        version: str,
        params: Mapping[str, Any] | BaseModel,
        inputs: Sequence[str],
    ) -> Step | None:
        """The newest finished step that did just this, and whose table is whole."""
        asked = [kind, backend, version, plain(params), list(inputs)]
        for step in reversed(self.steps):
            did = [step.kind, step.backend, step.version, step.params, step.inputs]
            # Compared as text, in which even NaN equals NaN.
            same = json.dumps(did, sort_keys=True) == json.dumps(asked, sort_keys=True)
            if step.status == "done" and same and table_problem(self.path, step) is None:
                return step
        return None

    def table(
        self,
        step: Step | str,
        *,
        frames: tuple[int, int] | None = None,
        columns: Sequence[str] | None = None,
    ) -> pd.DataFrame:
        """What a step found, in the order of the frames.

        Parameters
        ----------
        step : Step or str
            The step or its id.
        frames : (first, end), optional
            Only these frames, ``end`` not among them; no more of the file is read than needed.
        columns : sequence of str, optional
            Only these columns, in this order.

        Raises
        ------
        InputError
            If there is no such step.
        SessionError
            If the step left no table.
        SessionDamaged
            If its table is missing or cannot be read.
        TableError
            If the table has no such column.
        """
        from trackleed.session.tablefile import read_table

        step = self.get(step if isinstance(step, str) else step.id)
        if step.table is None:
            raise SessionError(f"step {step.id} ({step.status}) left no table")
        return read_table(self.path / step.table, frames, columns)

    @contextmanager
    def step(
        self,
        kind: str,
        *,
        backend: str = "",
        version: str = "",
        params: Mapping[str, Any] | BaseModel | None = None,
        inputs: Sequence[str] = (),
        spec: TableSpec | None = None,
        env: str | None = None,
    ) -> Iterator[StepWriter]:
        """Add a step: recorded as running at once, and with its end when the block ends.

        The block writes the step's table, a block of frames at a time. An exception
        marks the step as failed, or as cancelled if it is KeyboardInterrupt, SystemExit
        or `concurrent.futures.CancelledError`; the rows written so far are kept.

        Raises
        ------
        InputError
            If the kind is unknown, an input does not exist or JSON cannot hold the options.
        SessionBusy
            If another process holds the session for too long.
        SessionError
            If it cannot be written.
        """
        if kind not in KINDS:
            raise InputError(f"there are no {kind!r} steps; there are: {', '.join(KINDS)}")
        fields = {
            "kind": kind,
            "backend": backend,
            "version": version,
            "params": plain(params),
            "inputs": [self.get(name).id for name in inputs],
            "spec": None if spec is None else spec.name,
            "env": env,
        }
        writer = StepWriter(self._begin(fields), self.path, spec)
        try:
            yield writer
            if kind == "import" and self.store_path.exists():
                self.store.sync()
            writer.close()
        except BaseException as error:
            writer.rescue()
            try:
                self._record(writer.ended(error))
            except SessionError as second:
                error.add_note(f"and {second}")
            raise
        self._record(writer.ended(None))

    def _begin(self, fields: dict[str, Any]) -> Step:
        pid = os.getpid()
        with self._changing() as document:
            step = Step(
                id=self._free_id(document, fields["kind"]),
                started=datetime.now(UTC).isoformat(timespec="milliseconds"),
                pid=pid,
                pid_start=process_start(pid),
                host=socket.gethostname(),
                **fields,
            )
            self._settle(document)
            document.put(step)
        return step

    def _record(self, step: Step) -> None:
        with self._changing() as document:
            document.put(step)

    @contextmanager
    def _changing(self) -> Iterator[Document]:
        """``session.json`` as it is now, written back at the end; nobody else does meanwhile."""
        with locked(self.path / LOCK, str(self.path)):
            document = read_document(self.path)
            yield document
            try:
                document.write(self.path)
            except OSError as error:
                reason = error.strerror or error
                raise SessionError(f"cannot write {self.path / FILE}: {reason}") from error
            self.steps, _ = document.read_steps()

    def _free_id(self, document: Document, kind: str) -> str:
        taken = {entry.get("id") for entry in document.steps if isinstance(entry, dict)}
        number = 1
        while f"{kind}-{number}" in taken or table_file(self.path, f"{kind}-{number}").exists():
            number += 1
        return f"{kind}-{number}"

    def _settle(self, document: Document) -> None:
        """Record the steps whose process is gone as interrupted, and clear away what they left."""
        recorded = {e.get("id"): e.get("status") for e in document.steps if isinstance(e, dict)}
        for step in document.read_steps()[0]:
            if step.status == "interrupted" and recorded[step.id] == "running":
                document.put(step)
                table = table_file(self.path, step.id)
                table.unlink(missing_ok=True)
                table.with_name(f"{table.name}.part").unlink(missing_ok=True)
