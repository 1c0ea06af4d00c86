"""What a check is, and all that there are for a kind of backend."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from trackleed.errors import TableError
from trackleed.tables import build

if TYPE_CHECKING:
    import pandas as pd

    from trackleed.backend import Kind
    from trackleed.tables import Columns, TableSpec
    from trackleed.testing.scenes import Array
    from trackleed.testing.subject import Subject


class CheckFailed(AssertionError):
    """A backend does not keep to its contract; says what was seen and what is asked."""


class NotApplicable(Exception):
    """A check has nothing to say about this backend; says why."""


@dataclass(frozen=True)
class Check:
    """One thing that a backend must do.

    Attributes
    ----------
    name : str
        How it is listed and chosen, such as ``axis-order-x``.
    function : callable
        Called with the `Subject`; raises `CheckFailed` or `NotApplicable`.
    needs_training : bool
        Whether a backend with random weights cannot pass it.
    """

    name: str
    function: Callable[[Subject], None]
    needs_training: bool = False

    @property
    def meaning(self) -> str:
        """What is asked, in one sentence."""
        return (self.function.__doc__ or "").strip().splitlines()[0]

    def __call__(self, subject: Subject) -> None:
        """Check a backend.

        Raises
        ------
        CheckFailed
            If it does not do what is asked.
        NotApplicable
            If this cannot be asked of it.
        """
        if self.needs_training and not subject.trained:
            raise NotApplicable("its weights are random")
        self.function(subject)


def check(*, needs_training: bool = False) -> Callable[[Callable[[Subject], None]], Check]:
    """Make a `Check` of a function, called as the function is."""

    def make(function: Callable[[Subject], None]) -> Check:
        return Check(function.__name__.replace("_", "-"), function, needs_training)

    return make


def require(condition: object, what: str) -> None:
    """Raise `CheckFailed` with ``what`` unless the condition holds."""
    if not condition:
        raise CheckFailed(what)


def keeps_to(spec: TableSpec, rows: Columns) -> pd.DataFrame:
    """The rows as a table; raises `CheckFailed` unless they keep to the specification."""
    try:
        return build(spec, rows)
    except TableError as error:
        raise CheckFailed(error.message) from None


def counts_from_centre(errors: Array, most: float) -> None:
    """Raise `CheckFailed` if places (n, 2) are off by more than ``most`` px in the median."""
    x, y = np.median(errors, axis=0)
    off = max(abs(x), abs(y))
    hint = "; is (0, 0) the corner of the first pixel there?" if 0.3 < off < 0.7 else ""
    require(off < most, f"off by ({x:+.2f}, {y:+.2f}) px, at most {most} is allowed{hint}")


def checks_for(kind: Kind) -> tuple[Check, ...]:
    """All checks for a kind of backend, in the order in which they help to find a fault."""
    # Imported here, because those modules use what stands above.
    from trackleed.testing import (
        any_backend,
        detectors,
        exporters,
        readers,
        refiners,
        trackers,
        workers,
    )
    from trackleed.worker.remote import REMOTES

    of_kind = {
        "reader": readers.CHECKS,
        "detector": detectors.CHECKS,
        "tracker": trackers.CHECKS,
        "refiner": refiners.CHECKS,
        "exporter": exporters.CHECKS,
    }
    hosted = workers.CHECKS if kind in REMOTES else ()
    return (*any_backend.CHECKS, *of_kind[kind], *hosted)
