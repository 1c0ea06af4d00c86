"""The whole series as pictures: all trajectories in one, and a sheet of small frames."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageDraw

from trackleed.builtin.exporters._frames import SCALES, draw_scale, with_caption
from trackleed.builtin.exporters._picture import FAINT, INK, PAPER, Picture, font
from trackleed.builtin.exporters.palette import track_colour

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from trackleed.builtin.exporters._picture import Array
    from trackleed.builtin.exporters._scene import Scene

LEGEND_WIDTH = 210
LEGEND_LINE = 26
GAP_SHARE = 0.4
"""Opacity of a path where its spot was not seen."""


def overview(picture: Picture, index: pd.DataFrame, scene: Scene) -> Image.Image:
    """All trajectories, over a picture of the series, beside a legend of the tracks.

    A path begins with an open ring and ends with a dot and the track's number; where the spot was
    not seen it is pale.
    """
    ring = 5 / picture.scale
    for track_id, path in scene.paths.items():
        colour = track_colour(track_id)
        points = picture.at(path[:, 1], path[:, 2])
        picture.line(points, "#000000", 4.0, 0.5)
        usual = np.median(np.diff(path[:, 0])) if len(path) > 1 else 1
        for start in range(len(path) - 1):
            gap = path[start + 1, 0] - path[start, 0] > 1.5 * usual
            picture.line(points[start : start + 2], colour, 2.0, GAP_SHARE if gap else 1.0)
        picture.ellipse(path[0, 1], path[0, 2], (ring, ring), 0.0, colour, 1.5)
        picture.dot(path[-1, 1], path[-1, 2], 4.0, colour)
        picture.text(points[-1] + _ahead(points), str(track_id), colour, 18)
    draw_scale(picture)
    image = _with_legend(picture.finish(), scene)
    return with_caption(image, _range_text(index, len(scene.paths)), "ring: first · dot: last seen")


def _ahead(points: Array) -> Array:
    """From the end of a path to its number: onwards, where the path is not."""
    way: Array = points[-1] - points[0]
    length = np.hypot(*way)
    return 18 * way / length if length > 12 else np.array([10.0, -13.0])


def contact_sheet(cells: Sequence[Image.Image], columns: int) -> Image.Image:
    """Small pictures in rows."""
    width, height, gap = cells[0].width, cells[0].height, 8
    rows = -(-len(cells) // columns)
    sheet = Image.new(
        "RGB", (columns * (width + gap) + gap, rows * (height + gap) + gap), "#000000"
    )
    for n, cell in enumerate(cells):
        row, column = divmod(n, columns)
        sheet.paste(cell, (gap + column * (width + gap), gap + row * (height + gap)))
    return sheet


def _with_legend(image: Image.Image, scene: Scene) -> Image.Image:
    lines = max(1, (image.height - 2 * LEGEND_LINE) // LEGEND_LINE)
    columns = min(3, max(1, -(-len(scene.lives) // lines)))
    whole = Image.new("RGB", (image.width + columns * LEGEND_WIDTH, image.height), PAPER)
    whole.paste(image, (0, 0))
    draw = ImageDraw.Draw(whole)
    shown = sorted(scene.lives)[: lines * columns]
    for n, track_id in enumerate(shown):
        column, line = divmod(n, lines)
        x = image.width + column * LEGEND_WIDTH + 16
        y = (line + 0.8) * LEGEND_LINE
        first, last, seen = scene.lives[track_id]
        draw.rounded_rectangle((x, y - 5, x + 22, y + 5), 4, fill=track_colour(track_id))
        draw.text((x + 32, y), str(track_id), INK, font(16), "lm")
        draw.text((x + 66, y), f"{first} - {last}  ({seen})", FAINT, font(14), "lm")
    more = len(scene.lives) - len(shown)
    note = f"and {more} more" if more else "track, frames (times seen)"
    draw.text((image.width + 16, image.height - LEGEND_LINE / 2), note, FAINT, font(13), "lm")
    return whole


def _range_text(index: pd.DataFrame, n_tracks: int) -> str:
    words = [f"{len(index)} frames", f"{n_tracks} tracks"]
    for name, unit, _ in SCALES:
        low, high = index[name].min(), index[name].max()
        if np.isfinite(low):
            words.append(f"{low:g} {unit}" if low == high else f"{low:g} to {high:g} {unit}")
    return "   ".join(words)
