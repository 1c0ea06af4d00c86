"""The order in which the frames of a series are linked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from trackleed.errors import InputError

if TYPE_CHECKING:
    Array = np.ndarray[Any, np.dtype[Any]]


def link_order(energy: Array | None, n: int, order: str, tracker: str) -> Array:
    """Frame numbers (n,) in the order in which `tracker` links them.

    Parameters
    ----------
    energy : ndarray (n,) or None
        eV; NaN where it is not known.
    n : int
        Frames of the series.
    order : {"auto", "frame", "energy"}
        ``auto`` is the order of the energies if all are known and they go up and down.
    tracker : str
        Name, for the error.

    Raises
    ------
    InputError
        If ``order`` is ``"energy"`` and the energy of a frame is not known.
    """
    known = np.zeros(n, bool) if energy is None else np.isfinite(energy)
    if order == "frame" or (order == "auto" and not known.all()):
        return np.arange(n)
    if energy is None or not known.all():
        raise InputError(
            f"{tracker}: order = 'energy' needs the beam energy of every frame; "
            f"{n - known.sum()} of {n} have none, the first is frame {known.argmin()}",
            "say: --set tracker.order=frame",
        )
    steps = np.diff(energy)
    if order == "auto" and ((steps >= 0).all() or (steps <= 0).all()):
        return np.arange(n)
    return np.argsort(energy, kind="stable")
