"""What a running step is handed to write with."""

from __future__ import annotations

import time
from concurrent.futures import CancelledError
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from trackleed.errors import SessionError, TableError, TrackleedError
from trackleed.session.record import Status, Step, table_file

if TYPE_CHECKING:
    import pandas as pd

    from trackleed.session.tablefile import TableWriter
    from trackleed.tables import Columns, TableSpec

_CANCELS = (KeyboardInterrupt, SystemExit, CancelledError)


class StepWriter:
    """Takes the rows and notes of one running step; made by `Session.step`."""

    def __init__(self, step: Step, folder: Path, spec: TableSpec | None) -> None:
        self.step = step
        """The step as it is recorded; complete after the ``with`` block."""
        self.log = folder / "logs" / f"{step.id}.log"
        """Where a process that works for the step logs what it prints."""
        self._notes: list[str] = []
        self._begun = time.perf_counter()
        self._table: TableWriter | None = None
        if spec is not None:
            from trackleed.session.tablefile import TableWriter

            self._table = TableWriter(table_file(folder, step.id), spec)

    def write(self, block: Columns | pd.DataFrame) -> None:
        """Add the rows of some frames to the step's table.

        Parameters
        ----------
        block : mapping of str to ndarray, or DataFrame
            Columns of the step's table. A frame must not be spread over several blocks.

        Raises
        ------
        TableError
            If they do not keep to the table's specification.
        SessionError
            If they cannot be written.
        """
        if self._table is None:
            raise TableError(f"step {self.step.id} has no table to write to")
        try:
            self._table.write(block)
        except OSError as error:
            raise self._cannot(error) from error

    def note(self, *texts: str) -> None:
        """Say something about the step; kept in its ``message``, a line each."""
        self._notes += texts

    def close(self) -> None:
        """Bring the table to its place; the step ends well if this does."""
        if self._table is None:
            return
        try:
            self._table.close()
        except OSError as error:
            raise self._cannot(error) from error
        self._keep()

    def rescue(self) -> None:
        """After an error, keep the rows written so far if that can be done."""
        if self._table is None or self.step.table is not None:
            return
        with suppress(Exception):  # what broke the step may break this: a full disk
            if not self._table.broken:
                self.close()
        if self._table.broken:
            with suppress(OSError):
                self._table.discard()

    def ended(self, error: BaseException | None) -> Step:
        """The step with its end."""
        status: Status = "done"
        if error is not None:
            status = "cancelled" if isinstance(error, _CANCELS) else "failed"
            self.note(_in_words(error))
        self.step = self.step.model_copy(
            update={
                "status": status,
                "message": "\n".join(self._notes),
                "seconds": round(time.perf_counter() - self._begun, 3),
            }
        )
        return self.step

    def _keep(self) -> None:
        assert self._table is not None
        kept = {"table": f"tables/{self._table.path.name}", "rows": self._table.rows}
        self.step = self.step.model_copy(update=kept)

    def _cannot(self, error: OSError) -> SessionError:
        return SessionError(f"cannot write the table of {self.step.id}: {error.strerror or error}")


def _in_words(error: BaseException) -> str:
    if isinstance(error, _CANCELS):
        return "cancelled"
    return str(error) if isinstance(error, TrackleedError) else f"{type(error).__name__}: {error}"
