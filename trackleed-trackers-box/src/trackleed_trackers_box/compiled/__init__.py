"""Inner loops of `pattern`, compiled by numba."""
