"""Code that numba compiles: the sums over pixels, the fits, the numbers that come of them."""
