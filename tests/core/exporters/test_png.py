from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from trackleed.builtin.exporters._png import png


@pytest.mark.parametrize("shape", [(1, 1), (7, 5), (300, 211)])
def test_what_is_written_is_read_back(shape: tuple[int, int]) -> None:
    pixels = np.random.default_rng(1).integers(0, 256, (*shape, 3)).astype(np.uint8)
    image = Image.open(io.BytesIO(png(Image.fromarray(pixels))))
    image.load()  # checks the sums of all chunks
    assert (image.format, image.mode) == ("PNG", "RGB")
    np.testing.assert_array_equal(np.asarray(image), pixels)


def test_grey_pictures_become_rgb() -> None:
    image = Image.open(io.BytesIO(png(Image.new("L", (4, 3), 77))))
    assert image.mode == "RGB"
    assert (np.asarray(image) == 77).all()
