"""An enlarged frame to draw on, in the frame's own coordinates."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from itertools import product
from typing import Any, Literal, TypeAlias

import numpy as np
from PIL import Image, ImageColor, ImageDraw, ImageFilter, ImageFont

Array: TypeAlias = np.ndarray[Any, np.dtype[Any]]
Style: TypeAlias = Literal["solid", "dashed"]

PAPER = "#16181d"
INK = "#e8eaed"
FAINT = "#8b919c"
RIM = "#3fb8af"
"""Colour of the mask's outline; no track has it."""

SMOOTH = 2
"""Lines are drawn this many times larger, because Pillow draws them with steps."""

TILE = 96
"""Side of the squares, px, in which lines are brought to the size of the picture: only those
that were drawn in."""

ARC_PX = 5.0
"""Length of a dash."""


@cache
def font(size: int) -> Any:
    """The font of all pictures."""
    return ImageFont.load_default(size)


class Shade:
    """A mask as pictures of one scale show it: darkened, with its rim drawn.

    Parameters
    ----------
    valid : ndarray of bool (y, x)
    scale : float
        Image pixels per pixel of the frame.
    """

    def __init__(self, valid: Array, scale: float) -> None:
        self.scale = scale
        self.size = (round(valid.shape[1] * scale), round(valid.shape[0] * scale))
        mask = Image.fromarray(np.where(valid, 255, 0).astype(np.uint8))
        self._shown = mask.resize(self.size, Image.Resampling.BILINEAR)
        # Single hot pixels are darkened; outlines of so many would hide the frame.
        whole = mask.filter(ImageFilter.MaxFilter(5)).filter(ImageFilter.MinFilter(5))
        soft = whole.resize(self.size, Image.Resampling.BICUBIC)
        soft = soft.filter(ImageFilter.GaussianBlur(scale))
        # A blurred step of 255 rises by this much in each pixel: the line is about 1.5 px wide.
        rise = min(255 / (np.sqrt(2 * np.pi) * scale), 80)
        self._rim = soft.point(lambda level: 255 * max(0.0, 1.3 - abs(level - 127.5) / rise))

    def apply(self, grey: Image.Image) -> Image.Image:
        """The grey picture in RGB, with the mask."""
        dark = grey.point(lambda level: level * 0.55)
        image = Image.composite(grey, dark, self._shown).convert("RGB")
        image.paste(RIM, (0, 0), self._rim)
        return image


class Picture:
    """A frame as an image, ``scale`` times larger.

    Parameters
    ----------
    grey : ndarray of uint8 (y, x)
    shade : Shade
        The mask at the scale of the picture.
    """

    def __init__(self, grey: Array, shade: Shade) -> None:
        self.scale, self.size = shade.scale, shade.size
        self.image = shade.apply(Image.fromarray(grey).resize(self.size, Image.Resampling.BICUBIC))
        self._lines = Image.new("RGBA", (self.size[0] * SMOOTH, self.size[1] * SMOOTH))
        self._pen = ImageDraw.Draw(self._lines)
        self._touched: set[tuple[int, int]] = set()
        self._texts: list[tuple[float, float, str, str, int]] = []

    def at(self, x: Any, y: Any) -> Array:
        """Image coordinates of a point of the frame, where an integer is a pixel's centre."""
        return (np.stack(np.broadcast_arrays(x, y), axis=-1) + 0.5) * self.scale - 0.5

    def line(self, points: Array, colour: str, width: float = 1.5, opacity: float = 1.0) -> None:
        """A line through points (n, 2) in image coordinates."""
        if len(points) > 1:
            points = np.asarray(points)
            self._touch(points, width)
            fine = (points + 0.5) * SMOOTH - 0.5
            self._pen.line(
                [(float(x), float(y)) for x, y in fine],
                fill=(*_rgb(colour), round(255 * opacity)),
                width=max(1, round(width * SMOOTH)),
                joint="curve",
            )

    def ellipse(
        self,
        x: float,
        y: float,
        axes: tuple[float, float],
        angle_deg: float,
        colour: str,
        width: float = 2.0,
        style: Style = "solid",
        opacity: float = 1.0,
    ) -> None:
        """An ellipse about a point of the frame; ``axes`` are half axes in frame pixels."""
        half = np.array(axes) * self.scale
        n = int(np.clip(2 * np.pi * half.mean() / ARC_PX, 10, 200)) // 2 * 2
        t = np.linspace(0, 2 * np.pi, 8 * n + 1)
        angle = np.deg2rad(angle_deg)
        turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
        points = self.at(x, y) + np.column_stack([half[0] * np.cos(t), half[1] * np.sin(t)]) @ turn
        if style == "solid":
            self.line(points, colour, width, opacity)
        else:
            for start in range(0, 8 * n, 16):
                self.line(points[start : start + 9], colour, width, opacity)

    def dot(self, x: float, y: float, radius: float, colour: str) -> None:
        """A filled circle about a point of the frame; the radius in image pixels."""
        self._touch(self.at(x, y)[None], radius)
        cx, cy = (self.at(x, y) + 0.5) * SMOOTH - 0.5
        r = radius * SMOOTH
        self._pen.ellipse((cx - r, cy - r, cx + r, cy + r), fill=(*_rgb(colour), 255))

    def cross(self, x: float, y: float, arm: float, colour: str) -> None:
        """An upright cross with an open middle; the arm in image pixels."""
        center = self.at(x, y)
        for way in ((1, 0), (-1, 0), (0, 1), (0, -1)):
            points = center + np.array([[0.3 * arm], [arm]]) * np.array(way)
            self.line(points, PAPER, 4.0, 0.7)
            self.line(points, colour, 2.0)

    def text(self, at: Sequence[float] | Array, text: str, colour: str, size: int) -> None:
        """Text at a place of the image, or as near as it is not cut off; dark round its letters."""
        half = font(size).getlength(text) / 2 + 2
        x = float(np.clip(at[0], half, self.size[0] - half))
        y = float(np.clip(at[1], 0.6 * size, self.size[1] - 0.6 * size))
        self._texts.append((x, y, text, colour, size))

    def finish(self) -> Image.Image:
        """The image with everything that was drawn."""
        for column, row in sorted(self._touched):
            left, top = column * TILE, row * TILE
            right, bottom = min(left + TILE, self.size[0]), min(top + TILE, self.size[1])
            if left < right and top < bottom:
                box = (left * SMOOTH, top * SMOOTH, right * SMOOTH, bottom * SMOOTH)
                tile = self._lines.crop(box).reduce(SMOOTH)
                self.image.paste(tile, (left, top), tile)
        draw = ImageDraw.Draw(self.image)
        for x, y, text, colour, size in self._texts:
            draw.text((x, y), text, colour, font(size), "mm", stroke_width=2, stroke_fill="#000000")
        return self.image

    def _touch(self, points: Array, reach: float) -> None:
        """Note where points (n, 2), and what is within ``reach`` of them, may leave lines."""
        low = np.maximum((points.min(axis=0) - reach - 1) // TILE, 0).astype(int)
        high = ((points.max(axis=0) + reach + 1) // TILE).astype(int)
        self._touched.update(product(range(low[0], high[0] + 1), range(low[1], high[1] + 1)))


def _rgb(colour: str) -> tuple[int, ...]:
    return ImageColor.getrgb(colour)
