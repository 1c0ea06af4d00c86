"""What the fits tell, as pure functions from tables to tables.

`centers` (where the pattern's centre is), `radii` and `energy` (r against E), `apertures` and
`normalise` (intensities), `lattice` (indices, vectors, strain), `deviations` and `quality`.
"""
