"""Superstructures of a surface: Wood's notation and matrices."""

from __future__ import annotations

import re
from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from trackleed.errors import InputError

Matrix: TypeAlias = tuple[tuple[int, int], tuple[int, int]]

_LENGTH = r"(?:\d+(?:\.\d+)?)?(?:(?:√|sqrt|r)\(?\d+\)?)|\d+(?:\.\d+)?"
_WOOD = re.compile(
    rf"(?P<centring>[pc]?)\(?(?P<m>{_LENGTH})[x×](?P<n>{_LENGTH})\)?"
    r"(?:-?R(?P<angle>\d+(?:\.\d+)?)[°º]?)?",
    re.IGNORECASE,
)


def superstructure_matrix(
    cell: ArrayLike, superstructure: str | Matrix, *, tolerance: float = 0.02
) -> NDArray[np.float64]:
    """Superstructure matrix M, (2, 2), with (a_s, b_s) = M (a, b).

    Parameters
    ----------
    cell : array_like (2, 2)
        Unit vectors of the substrate as rows, in any unit.
    superstructure : str or 2x2 integers
        Wood's notation, such as ``"p(2x2)"``, ``"c(4x2)"`` or ``"(√3x√3)R30"`` (``r3`` and
        ``sqrt3`` stand for √3 too), or the matrix itself. Angles turn from +x towards +y.
    tolerance : float
        How far the elements may be from whole numbers: more for a measured cell.

    Raises
    ------
    InputError
        If the notation cannot be read, or does not give integers on this lattice.

    References
    ----------
    Wood, J. Appl. Phys. 35, 1306 (1964); Park and Madden, Surf. Sci. 11, 188 (1968).
    """
    if isinstance(superstructure, str):
        matrix = _wood(np.asarray(cell, dtype=np.float64), superstructure)
    else:
        matrix = np.array(superstructure, dtype=np.float64)
    whole = np.round(matrix)
    if matrix.shape == (2, 2) and abs(np.linalg.det(matrix)) < 1e-9:
        numbers = ",".join(f"{number:g}" for number in matrix.ravel())
        raise InputError(
            f"superstructure {numbers} has the determinant 0: its two vectors are parallel"
        )
    if (
        matrix.shape != (2, 2)
        or np.abs(matrix - whole).max() > tolerance
        or not np.linalg.det(whole)
        or round(np.linalg.det(whole)) != round(np.linalg.det(matrix))
    ):
        rows = np.array2string(matrix, precision=2, separator=", ").replace("\n", "")
        raise InputError(
            f"superstructure {superstructure!r} is no coincidence lattice here: its matrix is "
            f"{rows}, which should be four whole numbers with a determinant"
        )
    return whole


def _wood(cell: NDArray[np.float64], notation: str) -> NDArray[np.float64]:
    match = _WOOD.fullmatch(notation.replace(" ", ""))
    if match is None:
        raise InputError(
            f"superstructure {notation!r} is not Wood's notation; "
            "allowed are for example (1x1), p(2x2), c(4x2), (√3x√3)R30"
        )
    stretch = np.diag([_length(match["m"]), _length(match["n"])])
    turn = np.radians(float(match["angle"] or 0))
    rotation = np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
    larger = stretch @ cell @ rotation
    if match["centring"].lower() == "c":
        larger = np.array([[0.5, 0.5], [0.5, -0.5]]) @ larger
    return np.asarray(larger @ np.linalg.inv(cell), dtype=np.float64)


def _length(text: str) -> float:
    parts = re.split(r"√|sqrt|r", text.replace("(", "").replace(")", ""), flags=re.IGNORECASE)
    factor = float(parts[0] or 1)
    return factor if len(parts) == 1 else factor * float(np.sqrt(float(parts[1])))
