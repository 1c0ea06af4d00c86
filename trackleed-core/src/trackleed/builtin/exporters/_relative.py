"""A reference and its satellites, enlarged, beside what the joint fit leaves of the pixels."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image, ImageDraw

from trackleed.analysis.positions import joint_model
from trackleed.builtin.exporters._frames import describe
from trackleed.builtin.exporters._grey import Grey
from trackleed.builtin.exporters._picture import FAINT, INK, PAPER, Picture, Shade, font
from trackleed.builtin.exporters.palette import track_colour
from trackleed.tables import PositionStatus, Role

if TYPE_CHECKING:
    import pandas as pd

    from trackleed.backend import View
    from trackleed.builtin.exporters._picture import Array
    from trackleed.builtin.exporters.params import GreyParams

PANEL = 560
"""Side of each of the two pictures, image pixels, about."""

HALF = float(np.sqrt(2 * np.log(2)))
"""Half axes of a spot's ellipse, in its widths: at half maximum, since satellites stand close."""

MARGIN = 4
"""Pixels of the frame around the ROIs."""

LINE = 20
"""Height of a line of text, image pixels."""

HEAD = 9.0
"""Length of the head of an arrow, image pixels."""


def draw_groups(
    view: View, drawn: set[int], params: GreyParams
) -> Iterator[tuple[int, int, Image.Image]]:
    """Group, frame and picture, of the frames that are drawn and have anything to show."""
    fits, positions = view.table("group_fits"), view.table("positions")
    for i in sorted(drawn):
        frame = view.frames[i]
        here = fits[(fits["frame"] == i) & np.isfinite(fits["seed_x"])]
        for group, members in here.groupby("group"):
            if (members["role"] == Role.REFERENCE).any():
                rows = positions[(positions["frame"] == i) & (positions["group"] == group)]
                crop = _Crop(frame, view.frames.valid, members)
                title = "   ".join([f"group {group}", *describe(view.index, i)])
                yield int(group), i, _picture(crop, members, rows, title, params)


class _Crop:
    """The pixels round the members of a group."""

    def __init__(self, frame: Array, valid: Array, members: pd.DataFrame) -> None:
        reach = members["roi"].max() / 2 + MARGIN
        spots = members[members["role"] != Role.COMPANY]
        ends = []
        for axis, size in (("seed_x", frame.shape[1]), ("seed_y", frame.shape[0])):
            low = int(np.clip(spots[axis].min() - reach, 0, size - 1))
            ends.append((low, int(np.clip(spots[axis].max() + reach, low + 1, size))))
        (self.left, right), (self.top, bottom) = ends
        cut = np.s_[self.top : bottom, self.left : right]
        self.counts, self.valid = frame[cut].astype(np.float64), valid[cut]
        self.x, self.y = np.arange(self.left, right)[None, :], np.arange(self.top, bottom)[:, None]
        near = np.zeros(self.counts.shape, dtype=bool)
        for spot in members[members["n_together"] > 0].to_dict("records"):
            half = spot["roi"] / 2
            near |= (abs(self.x - spot["seed_x"]) < half) & (abs(self.y - spot["seed_y"]) < half)
        self.fitted = near & self.valid
        self.shade = Shade(self.valid, max(2, PANEL // max(self.counts.shape)))

    def at(self, x: float, y: float) -> tuple[float, float]:
        """A place of the frame in the crop."""
        return x - self.left, y - self.top


def _picture(
    crop: _Crop, members: pd.DataFrame, rows: pd.DataFrame, title: str, params: GreyParams
) -> Image.Image:
    seen = crop.counts[crop.valid] if crop.valid.any() else crop.counts.ravel()
    black, white = float(np.nanmin(seen)), float(np.nanmax(seen))
    grey = Grey(black, max(white, black + 1e-6), params.gamma)
    left = Picture(grey(crop.counts), crop.shade)
    rest = np.where(crop.fitted, crop.counts - joint_model(members, crop.x, crop.y), np.nan)
    known = np.isfinite(rest).any()
    most = max(float(np.nanpercentile(np.abs(rest), 99)), 1e-9) if known else 1.0
    levels = np.nan_to_num(128 + 127 * np.clip(rest / most, -1, 1), nan=40)
    right = Picture(levels.astype(np.uint8), crop.shade)
    for picture, arrows in ((left, True), (right, False)):
        _draw_members(picture, crop, members, rows, arrows)
    low = f"{grey}"
    beside = f"data less fit, black to white ±{most:.3g} counts" if known else "no joint fit"
    return _sheet(left.finish(), right.finish(), title, (low, beside), _lines(rows))


def _draw_members(
    picture: Picture, crop: _Crop, members: pd.DataFrame, rows: pd.DataFrame, arrows: bool
) -> None:
    usable = set(rows.loc[np.isfinite(rows["r"]), "satellite"])
    reference = members[members["role"] == Role.REFERENCE].iloc[0]
    start = crop.at(reference["x"], reference["y"])
    for spot in members.to_dict("records"):
        colour = FAINT if spot["role"] == Role.COMPANY else track_colour(spot["track_id"])
        shown = spot["role"] != Role.SATELLITE or spot["track_id"] in usable
        if shown and spot["n_together"] > 0:
            place, angle = crop.at(spot["x"], spot["y"]), float(np.nan_to_num(spot["theta_deg"]))
            axes = (HALF * spot["sigma_x"], HALF * spot["sigma_y"])
            picture.ellipse(*place, axes, angle, colour, 2.0 if arrows else 1.2)
            if arrows and spot["role"] == Role.SATELLITE and np.isfinite(start[0]):
                _arrow(picture, picture.at(*start), picture.at(*place), colour)
        else:
            place = crop.at(spot["seed_x"], spot["seed_y"])
            picture.ellipse(*place, (3.0, 3.0), 0.0, colour, 1.5, "dashed")
        if arrows and spot["role"] != Role.COMPANY:
            label = picture.at(*place) - np.array([0, 3.4 * picture.scale])
            picture.text(label, str(spot["track_id"]), colour, 16)


def _arrow(picture: Picture, start: Array, end: Array, colour: str) -> None:
    """An arrow between two places of the image."""
    way = (end - start) / max(float(np.hypot(*(end - start))), 1e-9)
    across = np.array([-way[1], way[0]])
    wings = [end - HEAD * way + side * 0.5 * HEAD * across for side in (1, -1)]
    for points in ([start, end], [wings[0], end, wings[1]]):
        picture.line(np.array(points), PAPER, 4.0, 0.6)
        picture.line(np.array(points), colour, 2.0)


def _lines(rows: pd.DataFrame) -> list[tuple[str, str]]:
    """What is said of each satellite, and its colour."""
    said = []
    for row in rows.sort_values("satellite").to_dict("records"):
        text = f"{row['satellite']}  "
        if np.isfinite(row["r"]):
            text += (
                f"r {row['r']:.2f} ± {row['r_err']:.2f} px   "
                f"angle {row['angle_deg']:.1f} ± {row['angle_deg_err']:.1f}°   snr {row['snr']:.0f}"
            )
        if row["status"] != PositionStatus.OK:
            text += f"   {row['status']}: {row['reason']}"
        said.append((text, track_colour(row["satellite"])))
    return said


def _sheet(
    left: Image.Image,
    right: Image.Image,
    title: str,
    below: tuple[str, str],
    lines: list[tuple[str, str]],
) -> Image.Image:
    """Both pictures side by side, with a title and a line for each satellite."""
    top, gap = 36, 10
    width = max(left.width + gap + right.width, 640)
    height = top + left.height + LINE + 8 + LINE * len(lines) + 10
    whole = Image.new("RGB", (width, height), PAPER)
    draw: Any = ImageDraw.Draw(whole)
    draw.text((12, top / 2), title, INK, font(18), "lm")
    for image, x, text in ((left, 0, below[0]), (right, left.width + gap, below[1])):
        whole.paste(image, (x, top))
        draw.text((x + 12, top + left.height + LINE / 2 + 2), text, FAINT, font(13), "lm")
    for n, (text, colour) in enumerate(lines):
        draw.text((12, top + left.height + LINE * (n + 1.5) + 8), text, colour, font(14), "lm")
    return whole
