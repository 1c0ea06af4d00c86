"""Named surfaces: their lattice and how their atoms vibrate."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

from trackleed.errors import InputError
from trackleed.simulate.lattice import Lattice


@dataclass(frozen=True)
class Surface:
    """A surface as the simulator needs it.

    Parameters
    ----------
    name : str
        Such as ``"Ag(111)"``.
    lattice : Lattice
        Unit cell of the substrate at 300 K.
    mass_u : float
        Mass of the atoms in u.
    debye_K : float
        Debye temperature of the bulk.
    expansion_per_K : float
        Linear thermal expansion; taken as constant, which overestimates it below 100 K.
    """

    name: str
    lattice: Lattice
    mass_u: float
    debye_K: float
    expansion_per_K: float


# Structure, lattice constant a in Å (basal a for hcp), mass in u, Debye temperature in K,
# linear expansion in 1e-6/K at 300 K. Kittel, Introduction to Solid State Physics, 8th ed.,
# ch. 1 and 5; expansion and masses from the CRC Handbook of Chemistry and Physics.
_ELEMENTS: dict[str, tuple[str, float, float, float, float]] = {
    "Ag": ("fcc", 4.09, 107.87, 225, 18.9),
    "Al": ("fcc", 4.05, 26.98, 428, 23.1),
    "Au": ("fcc", 4.08, 196.97, 165, 14.2),
    "Cu": ("fcc", 3.61, 63.55, 343, 16.5),
    "Ir": ("fcc", 3.84, 192.22, 420, 6.4),
    "Ni": ("fcc", 3.52, 58.69, 450, 13.4),
    "Pd": ("fcc", 3.89, 106.42, 274, 11.8),
    "Pt": ("fcc", 3.92, 195.08, 240, 8.8),
    "Rh": ("fcc", 3.80, 102.91, 480, 8.2),
    "Fe": ("bcc", 2.87, 55.85, 470, 11.8),
    "Mo": ("bcc", 3.15, 95.95, 450, 4.8),
    "W": ("bcc", 3.16, 183.84, 400, 4.5),
    "Co": ("hcp", 2.51, 58.93, 445, 13.0),
    "Ru": ("hcp", 2.71, 101.07, 600, 6.4),
    "Si": ("fcc", 5.43, 28.09, 645, 2.6),
}

_BCC_110_ANGLE = math.degrees(math.acos(1 / 3))


def surface(name: str) -> Surface:
    """Surface of an element, such as ``"Ag(111)"``, ``"W(110)"`` or ``"Ru(0001)"``.

    Raises
    ------
    InputError
        If the element or the face is not known.
    """
    match = re.fullmatch(r"\s*([A-Z][a-z]?)\s*\(?(\d+)\)?\s*", name)
    if match is None or match[1] not in _ELEMENTS:
        raise InputError(
            f"surface {name!r} is not known; allowed are {', '.join(_ELEMENTS)} with a face, "
            "for example Ag(111)"
        )
    element, face = match.groups()
    structure, a, mass, debye, expansion = _ELEMENTS[element]
    lattices = _faces(structure, a)
    if face not in lattices:
        raise InputError(
            f"surface {name!r} is not known; {element} has the faces {', '.join(lattices)}"
        )
    return Surface(f"{element}({face})", lattices[face], mass, debye, expansion * 1e-6)


def _faces(structure: str, a: float) -> dict[str, Lattice]:
    if structure == "hcp":
        # Terraces of both stackings, turned by 180°, add up to sixfold symmetry.
        return {"0001": Lattice(a, a, 120)}
    if structure == "bcc":
        edge = a * math.sqrt(3) / 2
        return {"100": Lattice(a, a, 90), "110": Lattice(edge, edge, _BCC_110_ANGLE)}
    edge = a / math.sqrt(2)
    return {
        "111": Lattice(edge, edge, 120, threefold=True),
        "100": Lattice(edge, edge, 90),
        "110": Lattice(edge, a, 90),
    }
