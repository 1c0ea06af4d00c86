"""The spot's model.

A spot is ``exp(k0 + k1 u + k2 v + k3 u^2 + k4 u v + k5 v^2)`` on a background
``k6 + k7 u + k8 v``, where u and v run from -1 to 1 over the ROI, to the right and down.
"""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np

Array: TypeAlias = np.ndarray[Any, np.dtype[Any]]

PARAMETERS = 9
PEAK = 6  # of them are the peak's; those of the background follow
U_POWER = np.array([0, 1, 0, 2, 1, 0, 0, 1, 0])
V_POWER = np.array([0, 0, 1, 0, 1, 2, 0, 0, 1])


def half(side: int) -> int:
    """Pixels from the central pixel of an ROI to its edge: the unit of u and v."""
    return side // 2


def monomials(side: int) -> Array:
    """What each parameter multiplies, array (9, side, side)."""
    u = (np.arange(side) - half(side)) / half(side)
    powers = u ** np.arange(3)[:, None]
    return np.asarray(powers[U_POWER][:, None, :] * powers[V_POWER][:, :, None])


def peak(k: Array, side: int) -> Array:
    """The spots alone, for parameters (n, 9), array (n, side, side)."""
    return np.asarray(np.exp(np.tensordot(k[:, :PEAK], monomials(side)[:PEAK], axes=1)))


def background(k: Array, side: int) -> Array:
    """The backgrounds alone, for parameters (n, 9), array (n, side, side)."""
    return np.asarray(np.tensordot(k[:, PEAK:], monomials(side)[PEAK:], axes=1))
