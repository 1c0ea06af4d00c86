"""Built-in refiners."""

from __future__ import annotations

from collections.abc import Iterator

from trackleed.backend import BackendSpec
from trackleed.builtin.refiners.params import GaussianParams


def specs() -> Iterator[BackendSpec]:
    """Describe the built-in refiners."""
    yield BackendSpec(
        name="gaussian",
        summary="rotated elliptical Gaussian on a sloped background, by weighted least squares",
        factory="trackleed.builtin.refiners.gaussian:Gaussian",
        params=GaussianParams,
        family="least squares",
    )
