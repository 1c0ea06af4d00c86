"""Masks that the user made: images, and shapes in a small JSON file.

The JSON file lists shapes in pixels (x to the right, y down, an integer is a pixel centre)::

    {
      "valid":  [{"circle": [256, 250, 245]}],
      "masked": [{"polygon": [[240, 0], [270, 0], [265, 240], [245, 240]]},
                 {"ellipse": [256, 250, 40, 36], "angle": 15},
                 {"rectangle": [0, 0, 200, 40]}]
    }

A pixel is valid if its centre lies in one of the ``valid`` shapes (in the frame, if none is
given) and in none of the ``masked`` ones. A border belongs to its shape.

=============  =====================  =====================================================
shape          numbers                meaning
=============  =====================  =====================================================
``circle``     ``[x, y, r]``          centre and radius
``ellipse``    ``[x, y, rx, ry]``     centre and half axes; ``"angle"`` turns it, in degrees
                                      from +x towards +y
``rectangle``  ``[x0, y0, x1, y1]``   two opposite corners
``polygon``    ``[[x, y], ...]``      three or more corners in order
=============  =====================  =====================================================
"""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, UnidentifiedImageError

from trackleed.errors import InputError

Bool = np.ndarray[Any, np.dtype[np.bool_]]
Float = np.ndarray[Any, np.dtype[np.float64]]

_NUMBERS = {
    "circle": ("x", "y", "r"),
    "ellipse": ("x", "y", "rx", "ry"),
    "rectangle": ("x0", "y0", "x1", "y1"),
}
_SHAPES = (*_NUMBERS, "polygon")


def load_mask(path: str | Path, shape: tuple[int, int]) -> Bool:
    """The mask in a file, bool (y, x), True where pixels are valid.

    Parameters
    ----------
    path : path
        A ``.json`` file of shapes (see the module's text), or an image as large as
        the frames: pixels other than black are valid, in a JPEG those above half grey.
    shape : (int, int)
        Size (y, x) of the frames, px.

    Raises
    ------
    InputError
        If the file cannot be read, is of another size, has a shape that is wrong,
        or leaves no pixel valid.
    """
    path = Path(path)
    if not path.is_file():
        raise InputError(f"mask {str(path)!r}: there is no such file")
    valid = _from_json(path, shape) if path.suffix.lower() == ".json" else _from_image(path, shape)
    if not valid.any():
        raise InputError(f"mask {path.name}: no pixel is valid", "white is valid, black is masked")
    return valid


def save_mask(path: str | Path, valid: Bool) -> None:
    """Write a mask as an 8-bit PNG: white (255) is valid, black (0) is masked."""
    Image.fromarray(np.where(valid, 255, 0).astype(np.uint8)).save(path, format="PNG")


def _from_image(path: Path, shape: tuple[int, int]) -> Bool:
    try:
        with Image.open(path) as image:
            black = 127 if image.format == "JPEG" else 0
            coloured = image.mode in ("P", "PA", "RGBA", "LA", "CMYK")
            pixels: Any = np.asarray(image.convert("RGB") if coloured else image)
    except UnidentifiedImageError:
        raise InputError(f"mask {path.name}: neither an image nor a .json file of shapes") from None
    except OSError as error:
        raise InputError(f"mask {path.name}: cannot be read: {error}") from None
    if pixels.shape[:2] != tuple(shape):
        raise InputError(
            f"mask {path.name} is {pixels.shape[1]}x{pixels.shape[0]} px, "
            f"the frames are {shape[1]}x{shape[0]} px"
        )
    lit: Bool = pixels.reshape(*shape, -1).max(axis=2) > black
    return lit


def _from_json(path: Path, shape: tuple[int, int]) -> Bool:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"mask {path.name}: not JSON: {error}") from None
    if not isinstance(content, dict) or not content or set(content) - {"valid", "masked"}:
        found = ", ".join(map(repr, content)) if isinstance(content, dict) else repr(content)[:60]
        raise InputError(
            f"mask {path.name}: it holds {found or 'nothing'}, "
            'it needs a list of shapes under "valid", "masked" or both'
        )
    drawn = {"valid": np.zeros(shape, bool), "masked": np.zeros(shape, bool)}
    for key, entries in content.items():
        if not isinstance(entries, list):
            raise InputError(
                f"mask {path.name}: {key!r} is {entries!r}, should be a list of shapes"
            )
        for i, entry in enumerate(entries):
            try:
                drawn[key] |= _draw(entry, shape)
            except ValueError as error:
                raise InputError(f"mask {path.name}: {key}[{i}]: {error}") from None
    inside = drawn["valid"] if content.get("valid") else np.ones(shape, bool)
    return inside & ~drawn["masked"]


def _draw(entry: Any, shape: tuple[int, int]) -> Bool:
    names = [name for name in _SHAPES if isinstance(entry, dict) and name in entry]
    if len(names) != 1:
        raise ValueError(f"{entry!r} should have exactly one of {', '.join(_SHAPES)}")
    name = names[0]
    others = set(entry) - {name} - ({"angle"} if name == "ellipse" else set())
    if others:
        raise ValueError(f"{name} does not take {', '.join(map(repr, sorted(others)))}")
    y, x = np.mgrid[: shape[0], : shape[1]].astype(np.float64)
    if name == "polygon":
        return _polygon(_corners(entry[name]), x, y)
    numbers = _numbers(name, entry[name])
    if name == "rectangle":
        x0, y0, x1, y1 = numbers
        return _between(x, x0, x1) & _between(y, y0, y1)
    cx, cy, rx, ry = numbers if name == "ellipse" else (*numbers, numbers[2])
    if not (rx > 0 and ry > 0):
        raise ValueError(f"{name} {entry[name]!r}: a radius should be above 0")
    angle = entry.get("angle", 0)
    if not _is_number(angle):
        raise ValueError(f"angle {angle!r} should be a number of degrees")
    cos, sin = math.cos(math.radians(angle)), math.sin(math.radians(angle))
    u, v = (x - cx) * cos + (y - cy) * sin, (y - cy) * cos - (x - cx) * sin
    covered: Bool = (u / rx) ** 2 + (v / ry) ** 2 <= 1
    return covered


def _polygon(corners: list[list[float]], x: Float, y: Float) -> Bool:
    """Even-odd rule, with the border inside."""
    inside = np.zeros(x.shape, bool)
    border = np.zeros(x.shape, bool)
    for (x0, y0), (x1, y1) in zip(corners, corners[1:] + corners[:1], strict=True):
        cross = (x1 - x0) * (y - y0) - (y1 - y0) * (x - x0)
        spans = (y0 <= y) != (y1 <= y)
        inside ^= spans & ((cross < 0) == (y1 < y0)) & (cross != 0)
        on_line = np.abs(cross) <= 1e-9 * max(abs(x1 - x0), abs(y1 - y0), 1e-300)
        border |= on_line & _between(x, x0, x1) & _between(y, y0, y1)
    return inside | border


def _between(value: Float, one: float, other: float) -> Bool:
    covered: Bool = (value >= min(one, other)) & (value <= max(one, other))
    return covered


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _numbers(name: str, value: Any) -> tuple[float, ...]:
    wanted = _NUMBERS[name]
    if not (isinstance(value, list) and len(value) == len(wanted) and all(map(_is_number, value))):
        raise ValueError(f"{name} is {value!r}, should be the numbers [{', '.join(wanted)}]")
    return tuple(float(v) for v in value)


def _corners(value: Any) -> list[list[float]]:
    if not isinstance(value, list) or len(value) < 3:
        raise ValueError(f"polygon is {value!r}, should be three or more corners [x, y]")
    for i, corner in enumerate(value):
        if not (isinstance(corner, list) and len(corner) == 2 and all(map(_is_number, corner))):
            raise ValueError(f"corner {i} of the polygon is {corner!r}, should be numbers [x, y]")
    return value
