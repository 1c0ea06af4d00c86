"""How functions are compiled: without the interpreter lock, and once for all runs.

The compiled code is kept in ``__pycache__`` beside this file or, where that cannot be written
to, in the user's cache folder (``NUMBA_CACHE_DIR`` overrides both). Numba takes it from there by
the function's name, and knows of no other file that it calls into: so the contents of all of them
are made part of the name.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, TypeVar, cast

import numba

F = TypeVar("F", bound=Callable[..., Any])


_INNER: dict[str, Any] = {
    "nogil": True,
    "error_model": "numpy",
    "no_cpython_wrapper": True,
    "no_cfunc_wrapper": True,
}


def part(function: F) -> F:
    """Compile a function that only other compiled functions call."""
    return cast("F", numba.njit(**_INNER)(function))


def sums(function: F) -> F:
    """Compile as `part` does; terms may be added in any order, so that many are added at once."""
    return cast("F", numba.njit(**_INNER, fastmath={"reassoc"})(function))


def entry(function: F) -> F:
    """Compile a function that is called from Python, and keep the result where that is possible."""
    function.__qualname__ += f"_{_sources()}"
    try:
        return cast("F", numba.njit(nogil=True, error_model="numpy", cache=True)(function))
    except RuntimeError:  # nowhere to keep it
        return cast("F", numba.njit(nogil=True, error_model="numpy")(function))


@cache
def _sources() -> str:
    """Changes with any compiled function."""
    digest = hashlib.sha256()
    for file in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(file.read_bytes())
    return digest.hexdigest()[:12]
