"""One frame as a picture: its spots, the pattern's centre, and what is known about it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image, ImageDraw

from trackleed.builtin.exporters._picture import FAINT, INK, PAPER, Picture, Style, font
from trackleed.builtin.exporters.palette import track_colour
from trackleed.tables import State

if TYPE_CHECKING:
    import pandas as pd

    from trackleed.builtin.exporters._scene import Scene

SIGMAS = 2.5
"""Half axes of a spot's ellipse, in its widths."""

SMALLEST = 6.0
"""Half axis in image pixels below which a marker could not be told from the spot."""

SCALES = (
    ("energy_eV", "eV", 1),
    ("temperature_K", "K", 1),
    ("time_s", "s", 1),
    ("coverage_ML", "ML", 2),
)
"""Columns of the index that a caption tells, their units and digits."""

BAR = 44
"""Height of the caption, image pixels."""


def draw_spots(picture: Picture, scene: Scene, frame: int, label: int) -> None:
    """Mark every track of a frame, with its number in letters of ``label`` px."""
    spots = scene.spots.get(frame)
    if spots is None:
        return
    middle = scene.centers.get(frame)
    if middle is not None:
        picture.cross(*middle, arm=0.8 * label, colour=INK)
    else:
        middle = (picture.size[0] / picture.scale / 2, picture.size[1] / picture.scale / 2)
    for spot in spots.to_dict("records"):
        _draw_spot(picture, scene, spot, middle, label)


def _draw_spot(
    picture: Picture, scene: Scene, spot: dict[Any, Any], middle: tuple[float, float], label: int
) -> None:
    track_id = int(spot["track_id"])
    colour, x, y = track_colour(track_id), spot["x"], spot["y"]
    floor = SMALLEST / picture.scale
    angle = float(np.nan_to_num(spot["theta_deg"]))  # a round spot has none
    if spot["fitted"]:
        axes = [max(SIGMAS * spot[name], floor) for name in ("sigma_x", "sigma_y")]
        picture.ellipse(x, y, (axes[0], axes[1]), angle, colour)
    elif np.isfinite(x):
        axes = [max(np.nan_to_num(spot[name]) / 3, floor) for name in ("width", "height")]
        style: Style = "dashed" if spot["state"] in (State.PREDICTED, State.MASKED) else "solid"
        picture.ellipse(x, y, (axes[0], axes[1]), 0.0, colour, 1.5, style)
    else:
        if scene.in_gap(track_id, int(spot["frame"])):
            place = scene.last_seen(track_id, int(spot["frame"]))
            picture.ellipse(*place, (floor, floor), 0.0, colour, 1.2, "dashed", opacity=0.6)
        return
    # Numbers stand outside, away from the centre, where the pattern is widest apart.
    way = picture.at(x, y) - picture.at(*middle)
    way = way / np.hypot(*way) if np.hypot(*way) > 1 else np.array([0.7, -0.7])
    turn = np.arctan2(way[1], way[0]) - np.deg2rad(angle)
    rim = 1 / np.hypot(np.cos(turn) / axes[0], np.sin(turn) / axes[1])
    reach = rim * picture.scale + 0.8 * label
    picture.text(picture.at(x, y) + reach * way, str(track_id), colour, label)


def draw_scale(picture: Picture) -> None:
    """A bar of a round number of pixels in the lower left corner."""
    width, height = picture.size
    length = next(n for n in (500, 200, 100, 50, 20, 10, 5, 2, 1) if n * picture.scale < width / 4)
    start = np.array([18.0, height - 18.0])
    end = start + np.array([length * picture.scale, 0])
    picture.line(np.array([start, end]), "#000000", 6, 0.6)
    picture.line(np.array([start, end]), INK, 3)
    picture.text((start + end) / 2 - np.array([0, 14]), f"{length} px", INK, 15)


def describe(index: pd.DataFrame, frame: int) -> list[str]:
    """The number of a frame and what is known about it, for people."""
    row = index[index["frame"] == frame].iloc[0]
    words = [f"frame {frame}"]
    for name, unit, digits in SCALES:
        if np.isfinite(row[name]):
            words.append(f"{row[name]:.{digits}f} {unit}")
    return words


def count_states(scene: Scene, frame: int) -> str:
    """How many spots of a frame are fitted, clipped, seen without a fit, predicted, lost."""
    spots = scene.spots.get(frame)
    if spots is None:
        return "no tracks"
    state, fitted = spots["state"], spots["fitted"]
    hidden = state.isin([State.PREDICTED, State.MASKED])
    in_gap = np.array([scene.in_gap(t, frame) for t in spots["track_id"]], dtype=bool)
    counts = {
        "fitted": fitted & ~spots["clipped"],
        "saturated": spots["clipped"],
        "without a fit": ~fitted & spots["x"].notna() & ~hidden,
        "predicted or masked": ~fitted & hidden,
        "lost": spots["x"].isna() & in_gap,
    }
    said = [f"{int(n.sum())} {name}" for name, n in counts.items() if n.any()]
    return " · ".join(said) or "no tracks"


def with_caption(image: Image.Image, left: str, right: str, bar: int = BAR) -> Image.Image:
    """The image above a line of text; the right part goes if there is no room for both."""
    whole = Image.new("RGB", (image.width, image.height + bar), PAPER)
    whole.paste(image, (0, 0))
    draw, size = ImageDraw.Draw(whole), round(bar * 0.43)
    middle = image.height + bar / 2
    draw.text((bar * 0.35, middle), left, INK, font(size), "lm")
    small = round(size * 0.85)
    room = image.width - bar - font(size).getlength(left)
    if font(small).getlength(right) < room:
        draw.text((image.width - bar * 0.35, middle), right, FAINT, font(small), "rm")
    return whole
