from __future__ import annotations

import sys
import time
from typing import Any

import numba
import pytest
from numba.extending import overload

from trackleed.pipeline import compiling


class Watcher:
    """Progress that keeps what is said, and a step that keeps its notes."""

    def __init__(self) -> None:
        self.said: list[str] = []
        self.notes: list[str] = []

    def __call__(self, stage: str, done: int, total: int) -> None: ...

    def say(self, text: str) -> None:
        self.said.append(text)

    def note(self, *lines: str) -> None:
        self.notes += lines


def slow_to_compile(seconds: float) -> Any:
    """A function that numba takes this long to compile."""

    def inner() -> int:
        raise NotImplementedError

    @overload(inner)
    def _compiled() -> Any:
        time.sleep(seconds)
        return lambda: 1

    return numba.njit(lambda: inner())


def watched(work: Any) -> Watcher:
    watcher = Watcher()
    with compiling.compiling_is_told(watcher, watcher):  # type: ignore[arg-type]
        work()
    return watcher


def test_compiling_is_said_once_while_it_lasts_and_noted(monkeypatch: Any) -> None:
    monkeypatch.setattr(compiling, "PATIENCE", 0.05)
    work = slow_to_compile(0.3)
    first = watched(work)
    assert len(first.said) == 1
    assert first.said[0].startswith("compiling code for this machine, once")
    assert len(first.notes) == 1
    assert first.notes[0].endswith("s went into compiling code for this machine, once")
    again = watched(work)
    assert (again.said, again.notes) == ([], [])


def test_what_compiles_in_no_time_needs_no_word() -> None:
    quick = watched(numba.njit(lambda: 1))
    time.sleep(0.01)
    assert (quick.said, quick.notes) == ([], [])


def test_without_numba_nothing_is_watched(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "numba")
    assert watched(lambda: None).notes == []
