from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trackleed.errors import InputError
from trackleed.wood import Matrix, superstructure_matrix

HEXAGONAL = np.array([[1.0, 0.0], [-0.5, np.sqrt(0.75)]])
SQUARE = np.eye(2)


@pytest.mark.parametrize(
    ("cell", "notation", "matrix"),
    [
        (HEXAGONAL, "(1x1)", [[1, 0], [0, 1]]),
        (HEXAGONAL, "p(2x2)", [[2, 0], [0, 2]]),
        (HEXAGONAL, "(√3x√3)R30", [[2, 1], [-1, 1]]),
        (HEXAGONAL, "(r3 x r3) R30°", [[2, 1], [-1, 1]]),
        (HEXAGONAL, "sqrt(7)×sqrt(7)R19.1", [[3, 1], [-1, 2]]),
        (HEXAGONAL, "(2√3x2√3)R30", [[4, 2], [-2, 2]]),
        (SQUARE, "c(2x2)", [[1, 1], [1, -1]]),
        (SQUARE, "(√2x√2)R45", [[1, 1], [-1, 1]]),
        (SQUARE, ((1, 2), (-2, 1)), [[1, 2], [-2, 1]]),
    ],
)
def test_superstructure_matrices(
    cell: np.ndarray, notation: str | Matrix, matrix: list[list[int]]
) -> None:
    assert superstructure_matrix(cell, notation).tolist() == matrix


@pytest.mark.parametrize("notation", ["", "2x", "nonsense", "q(2x2)", "(2x2)R"])
def test_unreadable_notation_is_refused_with_examples(notation: str) -> None:
    with pytest.raises(InputError, match="Wood's notation; allowed are"):
        superstructure_matrix(HEXAGONAL, notation)


@pytest.mark.parametrize("notation", ["(√3x√3)R10", "(√3x√3)R30"])
def test_superstructure_that_does_not_fit_is_refused(notation: str) -> None:
    with pytest.raises(InputError, match="no coincidence lattice"):
        superstructure_matrix(SQUARE, notation)


@pytest.mark.parametrize("matrix", [((1, 1), (2, 2)), ((1, 3), (3, 9))])
def test_parallel_vectors_are_refused(matrix: Matrix) -> None:
    with pytest.raises(InputError, match="determinant 0: its two vectors are parallel"):
        superstructure_matrix(SQUARE, matrix)


@pytest.mark.parametrize("matrix", [((2.4, 0), (0, 2)), (1, 2), ((1, 0, 0), (0, 1, 0))])
def test_a_matrix_that_is_none_is_refused(matrix: Matrix) -> None:
    with pytest.raises(InputError, match="four whole numbers"):
        superstructure_matrix(SQUARE, matrix)


@given(
    strain=st.lists(st.floats(-0.03, 0.03), min_size=4, max_size=4),
    turn=st.floats(-180, 180),
    scale=st.floats(0.5, 300),
)
def test_a_measured_cell_gives_the_matrix_of_the_ideal_one(
    strain: list[float], turn: float, scale: float
) -> None:
    c, s = np.cos(np.radians(turn)), np.sin(np.radians(turn))
    strained = np.eye(2) + np.reshape(strain, (2, 2))
    cell = scale * HEXAGONAL @ strained @ np.array([[c, s], [-s, c]])
    found = superstructure_matrix(cell, "(√3x√3)R30", tolerance=0.25)
    assert found.tolist() == [[2, 1], [-1, 1]]
