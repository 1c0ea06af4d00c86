"""Everything that trackleed raises on purpose.

TrackleedError
├── InputError        a file, folder or value that the user gave
│   └── ParamsError   an option of a backend
├── TableError        a table that does not keep to its specification
├── BackendError      a backend
│   ├── BackendNotFound    no such name, or more than one
│   ├── BackendNotReady    something it needs is not installed
│   └── BackendFailed      it raised, or returned something that it must not
│       └── WorkerError    it did so, or ended, in a process of its own
├── EnvironmentsError the environments that backends can be hosted in
│   ├── EnvironmentNotFound  no environment has that name
│   ├── EnvironmentUnusable  something in it is not as it must be
│   └── EnvironmentsDamaged  a file that lists them cannot be used
└── SessionError      a session directory
    ├── SessionExists      there is one already
    ├── SessionDamaged     it cannot be read as it stands
    └── SessionBusy        another process is writing to it
"""

from __future__ import annotations

from collections.abc import Sequence


class TrackleedError(Exception):
    """Base of all errors meant for the user.

    Parameters
    ----------
    message : str
        What was wrong, with the value, and what is allowed. One line.
    hint : str, optional
        What to do next, usually a command.
    """

    def __init__(self, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return self.message if self.hint is None else f"{self.message} — {self.hint}"


class InputError(TrackleedError):
    """A file, folder or value given by the user cannot be used."""


class ParamsError(InputError):
    """An option of a backend is unknown, of the wrong type or out of range."""


class TableError(TrackleedError):
    """A table does not keep to its specification."""


class BackendError(TrackleedError):
    """Something is wrong with a backend."""


class BackendNotFound(BackendError):
    """No backend has that name, or more than one has."""


class BackendNotReady(BackendError):
    """A backend is installed, but something it needs is not."""


class BackendFailed(BackendError):
    """A backend raised, or returned what its contract forbids."""


class WorkerError(BackendFailed):
    """A backend failed, or its process ended, in a worker. Made by `of`.

    Attributes
    ----------
    where : str
        How far it had come, such as ``"after frame 12"``; empty if not known.
    log : str
        Where its log is.
    """

    where = log = ""
    _rest: tuple[str, str, tuple[str, ...]] = ("", "", ())

    @classmethod
    def of(
        cls, what: str, where: str, why: str = "", log: str = "", lines: Sequence[str] = ()
    ) -> WorkerError:
        """The error that says all this.

        Parameters
        ----------
        what : str
            Who did what, such as ``"tracker 'cutie@vos' was ended by signal 9"``.
        where : str
            How far it had come; empty if not known.
        why : str
            Reason, empty if not known.
        log : str
            Where its log is, or what else there is to say about it.
        lines : sequence of str
            The last lines of the log, if they may tell more.
        """
        text = " ".join(filter(None, (what, where)))
        text += f": {why}" if why else ""
        text += f" — log: {log}" if log else ""
        made = cls("\n    ".join([text, *lines]))
        made.where, made.log, made._rest = where, log, (what, why, tuple(lines))
        return made

    def at(self, where: str) -> WorkerError:
        """The same error, with its place."""
        what, why, lines = self._rest
        return self.of(what, where, why, self.log, lines)


class EnvironmentsError(TrackleedError):
    """Something is wrong with the environments that backends can be hosted in."""


class EnvironmentNotFound(EnvironmentsError):
    """No environment has that name."""


class EnvironmentUnusable(EnvironmentsError):
    """An environment cannot be made, started or removed as it stands."""


class EnvironmentsDamaged(EnvironmentsError):
    """A file that lists environments cannot be read or is not allowed as it stands."""


class SessionError(TrackleedError):
    """Something is wrong with a session directory."""


class SessionExists(SessionError):
    """The directory is there already and may not be overwritten."""


class SessionDamaged(SessionError):
    """A session, or one of its steps, cannot be read as it stands."""


class SessionBusy(SessionError):
    """Another process is writing to the session."""


OF_ADAPTERS: dict[str, type[TrackleedError]] = {
    "NotReady": BackendNotReady,
    "BadInput": InputError,
    "Damaged": SessionDamaged,
    "InputError": InputError,
}
"""What the errors of `trackleed_kit.errors` are here; they cross from a worker by their names.

So does `InputError`, of backends that are not written for foreign environments alone.
"""
