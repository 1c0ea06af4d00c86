"""Loops whose turns do not rest on each other, done on all cores at once."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    Array = np.ndarray[Any, np.dtype[Any]]

_MOST = 4  # threads: moves of memory, for the most part, get no quicker with more
_LEAST = 20_000  # rows that are worth a thread


def shared(loop: Callable[..., None], start: Array, *given: Any) -> None:
    """Call ``loop(first, last, *given)`` for parts of all turns, which it writes the results of.

    Parameters
    ----------
    loop : callable
        Compiled, so that it does not hold the interpreter lock.
    start : ndarray (turns + 1,)
        Where the rows of each turn begin: parts have about as many.
    *given
    """
    turns, rows = len(start) - 1, int(start[-1])
    parts = max(min(os.cpu_count() or 1, _MOST, rows // _LEAST), 1)
    inner = np.searchsorted(start, np.linspace(0, rows, parts + 1)[1:-1])
    (*others, mine) = pairwise([0, *inner.tolist(), turns])
    if not others:
        loop(*mine, *given)
        return
    with ThreadPoolExecutor(len(others)) as pool:
        waiting = [pool.submit(loop, *part, *given) for part in others]
        loop(*mine, *given)
    for part in waiting:
        part.result()
