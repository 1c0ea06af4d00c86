from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from trackleed.errors import InputError
from trackleed.masks import load_mask, save_mask

SHAPE = (40, 60)


def shapes(folder: Path, **content: Any) -> np.ndarray:
    path = folder / "mask.json"
    path.write_text(json.dumps(content))
    return load_mask(path, SHAPE)


@pytest.fixture
def half() -> np.ndarray:
    valid = np.zeros(SHAPE, bool)
    valid[:, 20:] = True
    return valid


def test_a_saved_mask_loads_as_it_was(tmp_path: Path, half: np.ndarray) -> None:
    save_mask(tmp_path / "mask.png", half)
    with Image.open(tmp_path / "mask.png") as image:
        assert (image.mode, image.size) == ("L", (60, 40))
    assert np.array_equal(load_mask(tmp_path / "mask.png", SHAPE), half)


@pytest.mark.parametrize(
    "image",
    [
        lambda valid: Image.fromarray(valid),
        lambda valid: Image.fromarray(valid.astype(np.uint8)),
        lambda valid: Image.fromarray(valid.astype(np.uint16) * 65535),
        lambda valid: Image.fromarray(np.repeat(valid[..., None], 3, 2).astype(np.uint8) * 200),
        lambda valid: Image.fromarray(valid.astype(np.uint8) * 255).convert("P"),
        lambda valid: Image.fromarray(valid.astype(np.uint8) * 255).convert("RGBA"),
    ],
    ids=["1-bit", "zero and one", "16-bit", "colour", "palette", "opaque colour"],
)
@pytest.mark.parametrize("ending", ["png", "tif"])
def test_what_is_not_black_is_valid(
    tmp_path: Path, half: np.ndarray, image: Any, ending: str
) -> None:
    image(half).save(tmp_path / f"mask.{ending}")
    assert np.array_equal(load_mask(tmp_path / f"mask.{ending}", SHAPE), half)


def test_the_ripples_of_a_jpeg_are_black(tmp_path: Path, half: np.ndarray) -> None:
    Image.fromarray(half.astype(np.uint8) * 255).save(tmp_path / "mask.jpg", quality=60)
    assert np.array_equal(load_mask(tmp_path / "mask.jpg", SHAPE), half)


def test_circle_ellipse_and_rectangle_hold_the_pixels_whose_centre_is_inside(
    tmp_path: Path,
) -> None:
    y, x = np.mgrid[:40, :60]
    circle = shapes(tmp_path, valid=[{"circle": [30, 20, 5]}])
    assert np.array_equal(circle, np.hypot(x - 30, y - 20) <= 5)
    ellipse = shapes(tmp_path, valid=[{"ellipse": [30, 20, 20, 5]}])
    assert ellipse[20, 50]
    assert not ellipse[20, 51]
    assert ellipse[25, 30]
    assert not ellipse[26, 30]
    rectangle = shapes(tmp_path, valid=[{"rectangle": [50, 30, 40.5, 25]}])
    assert np.array_equal(rectangle, (x >= 41) & (x <= 50) & (y >= 25) & (y <= 30))


def test_an_ellipse_turns_from_x_towards_y(tmp_path: Path) -> None:
    turned = shapes(tmp_path, valid=[{"ellipse": [30, 20, 15, 4], "angle": 45}])
    assert turned[30, 40]
    assert not turned[10, 40]
    upright = shapes(tmp_path, valid=[{"ellipse": [30, 20, 15, 4], "angle": 90}])
    assert np.array_equal(upright, shapes(tmp_path, valid=[{"ellipse": [30, 20, 4, 15]}]))


def test_masked_shapes_are_cut_from_valid_ones_and_without_these_from_the_frame(
    tmp_path: Path,
) -> None:
    hole = {"circle": [30, 20, 3]}
    both = shapes(tmp_path, valid=[{"circle": [30, 20, 9]}, {"circle": [5, 5, 2]}], masked=[hole])
    assert both[20, 37]
    assert both[5, 5]
    assert not both[20, 31]
    assert not both[0, 59]
    frame = shapes(tmp_path, masked=[hole])
    assert frame[0, 59]
    assert not frame[20, 31]


def test_a_concave_polygon_is_filled_and_has_its_border(tmp_path: Path) -> None:
    corners = [[5, 5], [30, 5], [30, 15], [15, 15], [15, 35], [5, 35]]
    ell = shapes(tmp_path, valid=[{"polygon": corners}])
    y, x = np.mgrid[:40, :60]
    arms = ((x <= 30) & (y <= 15)) | ((x <= 15) & (y <= 35))
    assert np.array_equal(ell, arms & (x >= 5) & (y >= 5))


@settings(max_examples=40)
@given(
    angles=st.lists(st.floats(0, 2 * math.pi), min_size=3, max_size=8, unique=True),
    clockwise=st.booleans(),
)
def test_a_convex_polygon_is_where_its_half_planes_meet(
    tmp_path_factory: pytest.TempPathFactory, angles: list[float], clockwise: bool
) -> None:
    turns = np.sort(angles)
    corners = np.stack([30 + 18.3 * np.cos(turns), 20.1 + 18.3 * np.sin(turns)], axis=1)
    y, x = np.mgrid[:40, :60]
    ahead = np.roll(corners, -1, axis=0)
    distance = np.min(
        [
            ((x1 - x0) * (y - y0) - (y1 - y0) * (x - x0)) / max(math.hypot(x1 - x0, y1 - y0), 1e-9)
            for (x0, y0), (x1, y1) in zip(corners, ahead, strict=True)
        ],
        axis=0,
    )
    order = corners if clockwise else corners[::-1]
    drawn = ~shapes(
        tmp_path_factory.mktemp("polygon"),
        masked=[{"polygon": order.tolist()}],
    )
    sure = np.abs(distance) > 1e-6
    assert np.array_equal(drawn[sure], (distance > 0)[sure])


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ({}, "nothing"),
        ([1], "it needs a list of shapes"),
        ({"invalid": []}, "'invalid'"),
        ({"masked": {"circle": [1, 2, 3]}}, "'masked' is {'circle'"),
        ({"masked": [3]}, r"masked\[0\]: 3 should have exactly one of circle"),
        ({"masked": [{"cirkle": [1, 2, 3]}]}, r"masked\[0\]: .*cirkle"),
        ({"masked": [{"circle": [1, 2]}]}, r"circle is \[1, 2\], .* \[x, y, r\]"),
        ({"masked": [{"circle": [1, 2, "r"]}]}, r"numbers \[x, y, r\]"),
        ({"masked": [{"circle": [1, 2, True]}]}, r"numbers \[x, y, r\]"),
        ({"masked": [{"circle": [1, 2, float("nan")]}]}, r"numbers \[x, y, r\]"),
        ({"masked": [{"circle": [1, 2, 0]}]}, "radius should be above 0"),
        ({"masked": [{"circle": [1, 2, 3], "angle": 3}]}, "circle does not take 'angle'"),
        ({"masked": [{"ellipse": [1, 2, 3, 4], "angle": "x"}]}, "angle 'x'"),
        ({"valid": [{"circle": [1, 2, 3]}, {"polygon": [[1, 2], [3, 4]]}]}, r"valid\[1\]: polygon"),
        ({"masked": [{"polygon": [[1, 2], [3, 4], [5]]}]}, r"corner 2 of the polygon is \[5\]"),
        ({"valid": [{"circle": [500, 500, 3]}]}, "no pixel is valid"),
    ],
)
def test_a_wrong_shape_is_named(tmp_path: Path, content: Any, complaint: str) -> None:
    path = tmp_path / "mine.json"
    path.write_text(json.dumps(content))
    with pytest.raises(InputError, match=complaint) as caught:
        load_mask(path, SHAPE)
    assert "mine.json" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_file_that_is_no_mask_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file"):
        load_mask(tmp_path / "absent.png", SHAPE)
    (tmp_path / "notes.txt").write_text("white")
    with pytest.raises(InputError, match=r"notes.txt: neither an image nor a .json"):
        load_mask(tmp_path / "notes.txt", SHAPE)
    (tmp_path / "broken.json").write_text("{'valid': ")
    with pytest.raises(InputError, match=r"broken.json: not JSON"):
        load_mask(tmp_path / "broken.json", SHAPE)


def test_a_mask_of_another_size_or_without_a_valid_pixel_is_refused(
    tmp_path: Path, half: np.ndarray
) -> None:
    save_mask(tmp_path / "mask.png", half)
    with pytest.raises(InputError, match="is 60x40 px, the frames are 40x60 px"):
        load_mask(tmp_path / "mask.png", (60, 40))
    save_mask(tmp_path / "black.png", np.zeros(SHAPE, bool))
    with pytest.raises(InputError, match="no pixel is valid"):
        load_mask(tmp_path / "black.png", SHAPE)


def test_a_truncated_image_is_named(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    save_mask(tmp_path / "mask.png", rng.random(SHAPE) > 0.5)
    whole = (tmp_path / "mask.png").read_bytes()
    (tmp_path / "mask.png").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(InputError, match=r"mask.png: cannot be read"):
        load_mask(tmp_path / "mask.png", SHAPE)
