"""Choosing the backend to check, and running the checks on it."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from trackleed.backend import KINDS
from trackleed.errors import BackendNotFound, InputError
from trackleed.registry import Backend, Registry
from trackleed.testing.checks import Check, CheckFailed, NotApplicable, checks_for
from trackleed.testing.subject import Subject
from trackleed.worker.backends import find_backend

Outcome = Literal["passed", "failed", "not asked"]


@dataclass(frozen=True)
class Result:
    """How one check ended.

    Attributes
    ----------
    outcome : {"passed", "failed", "not asked"}
    reason : str
        What was seen, and what is asked; empty if it passed.
    seconds : float
    """

    check: Check
    outcome: Outcome
    reason: str
    seconds: float


def subject(name: str, **known: Any) -> Subject:
    """The backend ``NAME``, ``NAME@ENV`` or ``KIND:NAME``, ready to be checked.

    Parameters
    ----------
    name : str
    **known
        Of `Subject`: ``options``, ``trained``, ``tolerance``, ``sample``.

    Raises
    ------
    BackendNotFound
        If there is none of that name, or one of several kinds.
    ParamsError
        If an option is unknown or out of range.
    """
    found = Subject(_find(Registry.discover(), name), **known)
    found.backend.params(**found.options)
    return found


def _find(registry: Registry, name: str) -> Backend:
    prefix, colon, rest = name.partition(":")
    for kind in KINDS:
        if colon and kind == prefix:
            return find_backend(registry, kind, rest)
    bare = name.partition("@")[0]
    kinds = sorted({b.kind for b in registry.backends if bare in (b.spec.name, b.address)})
    if len(kinds) > 1:
        raise BackendNotFound(
            f"{name!r} is a {' and a '.join(kinds)}",
            f"say {' or '.join(f'{kind}:{name}' for kind in kinds)}",
        )
    if not kinds:
        known = ", ".join(sorted({b.spec.name for b in registry.backends})) or "none"
        raise BackendNotFound(f"no backend is called {bare!r}; installed: {known}")
    return find_backend(registry, kinds[0], name)


def chosen(subject: Subject, names: Sequence[str] = ()) -> tuple[Check, ...]:
    """The checks for a backend, or those of these names.

    Raises
    ------
    InputError
        If there is no check of a name.
    """
    checks = checks_for(subject.backend.kind)
    known = {c.name: c for c in checks}
    for name in names:
        if name not in known:
            raise InputError(
                f"no check of a {subject.backend.kind} is called {name!r}; "
                f"there are {', '.join(known)}"
            )
    return tuple(known[name] for name in names) if names else checks


def run(subject: Subject, checks: Sequence[Check] | None = None) -> Iterator[Result]:
    """Run the checks one after another; a backend that raises has failed the check."""
    try:
        for each in checks_for(subject.backend.kind) if checks is None else checks:
            start = time.perf_counter()
            outcome, reason = _outcome(each, subject)
            yield Result(each, outcome, reason, time.perf_counter() - start)
    finally:
        subject.close()


def _outcome(check: Check, subject: Subject) -> tuple[Outcome, str]:
    try:
        check(subject)
    except NotApplicable as error:
        return "not asked", str(error)
    except CheckFailed as error:
        return "failed", str(error)
    except Exception as error:
        return "failed", f"it raised {type(error).__name__}: {error}"
    return "passed", ""
