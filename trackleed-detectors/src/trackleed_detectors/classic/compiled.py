"""How loops are compiled."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba

F = TypeVar("F", bound=Callable[..., Any])


def compiled(function: F) -> F:
    """Compile a function at its first call; it then runs outside the interpreter lock.

    The result is kept beside the function's file or, where that cannot be written to, in the
    user's cache folder, for as long as that file stays as it is. So compiled functions call
    those of their own file only.
    """
    options = {"nogil": True, "error_model": "numpy"}
    try:
        return cast("F", numba.njit(cache=True, **options)(function))
    except RuntimeError:  # nowhere to keep it
        return cast("F", numba.njit(**options)(function))
