"""The lattice behind the spots: indices, reciprocal vectors, strain, rotation and scale."""

from trackleed.analysis.lattice.fitting import fit_lattice
from trackleed.analysis.lattice.indexing import index_spots
from trackleed.analysis.lattice.scaling import pixels_per_inverse_angstrom

__all__ = ["fit_lattice", "index_spots", "pixels_per_inverse_angstrom"]
