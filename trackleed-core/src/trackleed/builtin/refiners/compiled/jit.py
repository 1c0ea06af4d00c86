"""How functions are compiled: without the interpreter lock, and once for all runs.

The compiled code is kept in ``__pycache__`` beside this file or, where that cannot be written
to, in the user's cache folder (``NUMBA_CACHE_DIR`` overrides both). Numba takes it from there as
long as the file of the function that is called has not changed. What that function calls may
lie in other files: so their contents are made part of the key.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar, cast

import numba

F = TypeVar("F", bound=Callable[..., Any])


def part(function: F) -> F:
    """Compile a function that other compiled functions call."""
    return cast("F", numba.njit(nogil=True, error_model="numpy")(function))


def entry(make: Callable[[int], F]) -> F:
    """Compile a function that is called from Python, and keep the compiled code.

    Parameters
    ----------
    make : callable
        Returns the function, which has to mention the number it is made with: numba
        then keeps the compiled code under that number, too.
    """
    function = make(_sources())
    try:
        return cast("F", numba.njit(nogil=True, error_model="numpy", cache=True)(function))
    except RuntimeError:  # nowhere to keep it
        return part(function)


def _sources() -> int:
    """A number that changes with the source of any compiled function."""
    digest = hashlib.sha256()
    for file in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(file.read_bytes())
    return int.from_bytes(digest.digest()[:7], "big")
