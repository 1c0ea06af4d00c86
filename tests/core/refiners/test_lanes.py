from __future__ import annotations

import numpy as np
import pytest

from trackleed.builtin.refiners.compiled.jit import part
from trackleed.builtin.refiners.compiled.lanes import WIDTH, fused, load, store


@part
def both_ways(a, b, c, apart, at_once):
    """Each product twice, as in an unrolled loop: there a compiler that may fuse does not."""
    product = load(a, 0) * load(b, 0)
    store(apart, 0, product + load(c, 0))
    store(at_once, 0, fused(load(a, 0), load(b, 0), load(c, 0)))


@pytest.fixture(scope="module")
def numbers() -> np.ndarray:
    rng = np.random.default_rng(3)
    return rng.normal(size=(3, WIDTH))


def test_sums_of_products_are_fused_only_where_that_is_said(numbers: np.ndarray) -> None:
    a, b, c = numbers
    c[:] = -a * b  # what is left is the rounding of the product
    apart, at_once = np.ones((2, WIDTH))
    both_ways(a, b, c, apart, at_once)
    assert (apart == 0).all()
    np.testing.assert_allclose(at_once, 0, atol=1e-15)
