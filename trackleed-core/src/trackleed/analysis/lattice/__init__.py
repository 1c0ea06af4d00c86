"""The lattice behind the spots: indices, reciprocal vectors, strain, rotation and scale."""

from trackleed.analysis.lattice.fitting import fit_lattice, pixels_per_inverse_angstrom
from trackleed.analysis.lattice.indexing import index_spots

__all__ = ["fit_lattice", "index_spots", "pixels_per_inverse_angstrom"]
