from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from trackleed.builtin.readers.params import SeriesParams
from trackleed.builtin.readers.series import Series, SeriesReader

OpenSeries = Callable[..., Series]


@pytest.fixture
def open_series() -> OpenSeries:
    def opened(path: Path, **options: Any) -> Series:
        return SeriesReader(SeriesParams(**options)).open(path)

    return opened


@pytest.fixture
def grey() -> np.ndarray:
    """A small 16-bit image without two equal pixels."""
    return np.arange(12 * 16, dtype=np.uint16).reshape(12, 16) * 300
