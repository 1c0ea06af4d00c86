"""Surface lattices, superstructures and the beams that they diffract into."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from itertools import product
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from trackleed.errors import InputError
from trackleed.wood import Matrix, superstructure_matrix

Floats: TypeAlias = NDArray[np.float64]


@dataclass(frozen=True)
class Lattice:
    """Two-dimensional lattice of a surface, of the substrate's unit cell.

    Parameters
    ----------
    a, b : float
        Lengths of the unit vectors in Å.
    angle_deg : float
        Angle between them.
    threefold : bool
        True for a hexagonal net over a bulk that has only threefold symmetry, as in
        fcc(111): (1,0) and (0,1) are then different beams.
    """

    a: float
    b: float
    angle_deg: float
    threefold: bool = False

    def __post_init__(self) -> None:
        if not (self.a > 0 and self.b > 0 and 0 < self.angle_deg < 180):
            raise InputError(
                f"lattice a={self.a} Å, b={self.b} Å, angle={self.angle_deg}° is not allowed: "
                "lengths must be positive and the angle between 0 and 180"
            )

    @property
    def real(self) -> Floats:
        """Unit vectors as rows, (2, 2), in Å."""
        angle = np.radians(self.angle_deg)
        return np.array([[self.a, 0.0], [self.b * np.cos(angle), self.b * np.sin(angle)]])

    @property
    def reciprocal(self) -> Floats:
        """Reciprocal unit vectors as rows, (2, 2), in 1/Å; turned so that a* lies along +x."""
        vectors = 2 * np.pi * np.linalg.inv(self.real).T
        (c, s) = vectors[0] / np.hypot(*vectors[0])
        return np.asarray(vectors @ np.array([[c, -s], [s, c]]), dtype=np.float64)

    def operations(self) -> NDArray[np.int64]:
        """Point group of the surface at normal incidence: (h, k) -> (h, k) @ operation.

        Returns
        -------
        ndarray (n, 2, 2)
            All integer matrices that leave the reciprocal metric as it is (Giacovazzo,
            *Fundamentals of Crystallography*, ch. 1); for a threefold surface only those
            that turn or mirror (1,0) by multiples of 120°.
        """
        metric = self.reciprocal @ self.reciprocal.T
        found = []
        for entries in product((-1, 0, 1), repeat=4):
            w = np.array(entries).reshape(2, 2)
            if not np.allclose(w @ metric @ w.T, metric, rtol=1e-6, atol=1e-6 * metric[0, 0]):
                continue
            cosine = (w[0] @ metric[:, 0]) / metric[0, 0]
            if not self.threefold or round(2 * cosine) in (2, -1):
                found.append(w)
        return np.array(found, dtype=np.int64)


@dataclass(frozen=True)
class Beams:
    """Diffracted beams of a surface with its superstructure.

    Attributes
    ----------
    hk : ndarray (n, 2)
        Indices in units of the substrate's reciprocal vectors, fractional for the
        superstructure; (0,0) first, then by |g|.
    g : ndarray (n, 2)
        In-plane scattering vector in 1/Å, a* along +x.
    orbit : ndarray of int (n, 3)
        The same three integers for all beams that symmetry makes equal.
    facet : ndarray of int (n,)
        Number of the facet that they come from, from 1; 0 for the flat surface.
    """

    hk: Floats
    g: Floats
    orbit: NDArray[np.int64]
    facet: NDArray[np.int64]

    @property
    def fractional(self) -> NDArray[np.bool_]:
        """Beams of the superstructure only, (n,)."""
        return np.asarray(np.any(np.abs(self.hk - np.round(self.hk)) > 1e-9, axis=1))

    def __getitem__(self, chosen: NDArray[np.bool_]) -> Beams:
        """Some of them."""
        return Beams(self.hk[chosen], self.g[chosen], self.orbit[chosen], self.facet[chosen])

    @property
    def names(self) -> list[tuple[int, ...]]:
        """What tells each beam from the others: hk to a thousandth, and the facet if any."""
        hk = np.round(1000 * self.hk).astype(np.int64).tolist()
        return [_name(h, f) for h, f in zip(hk, self.facet.tolist(), strict=True)]

    @property
    def orbit_names(self) -> list[tuple[int, ...]]:
        """The same for all beams that symmetry makes equal."""
        pairs = zip(self.orbit.tolist(), self.facet.tolist(), strict=True)
        return [_name(orbit, f) for orbit, f in pairs]


def _name(numbers: list[int], facet: int) -> tuple[int, ...]:
    # Seeds of random numbers must not be negative.
    return (*(number + 2**16 for number in numbers), *([facet] if facet else []))


def beams(lattice: Lattice, superstructure: str | Matrix, g_max: float, facet: int = 0) -> Beams:
    """All beams with |g| <= ``g_max`` (1/Å), of all symmetry-equivalent domains.

    Raises
    ------
    InputError
        If the superstructure cannot be read or does not fit the lattice.
    """
    matrix = superstructure_matrix(lattice.real, superstructure)
    denominator = abs(round(float(np.linalg.det(matrix))))
    # Rows of the inverse transposed matrix, as integers over the denominator.
    steps = np.round(denominator * np.linalg.inv(matrix).T).astype(np.int64)
    reach = int(np.ceil(g_max * np.linalg.norm(matrix @ lattice.real, 2) / (2 * np.pi)))
    grid = np.arange(-reach, reach + 1)
    orders = np.stack(np.meshgrid(grid, grid), axis=-1).reshape(-1, 2)
    operations = lattice.operations()
    images = (orders @ steps)[:, None, None, :] @ operations[None]
    numerators = np.unique(images.reshape(-1, 2), axis=0)
    g = numerators / denominator @ lattice.reciprocal
    near = np.hypot(*g.T) <= g_max
    numerators, g = numerators[near], g[near]
    order = np.lexsort((*numerators.T, np.round(np.hypot(*g.T), 9)))
    numerators, g = numerators[order], g[order]
    orbits = _orbits(numerators, denominator, operations)
    return Beams(numerators / denominator, g, orbits, np.full(len(g), facet))


def joined(parts: list[Beams]) -> Beams:
    """Beams of several surfaces, one after the other."""
    return Beams(
        np.concatenate([part.hk for part in parts]),
        np.concatenate([part.g for part in parts]),
        np.concatenate([part.orbit for part in parts]),
        np.concatenate([part.facet for part in parts]),
    )


def _orbits(
    numerators: NDArray[np.int64], denominator: int, operations: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Each beam's lexicographically largest image, in lowest terms."""
    orbits = np.empty((len(numerators), 3), dtype=np.int64)
    for row, hk in enumerate(numerators):
        top = max(map(tuple, hk @ operations))
        parts = [Fraction(int(part), denominator) for part in top]
        common = int(np.lcm(parts[0].denominator, parts[1].denominator))
        orbits[row] = [*(int(part * common) for part in parts), common]
    return orbits
