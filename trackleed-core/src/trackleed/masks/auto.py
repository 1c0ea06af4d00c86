"""The mask that is found from the frames themselves."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from trackleed.frames import FrameSequence
from trackleed.masks.gun import Gun, find_gun
from trackleed.masks.hot import find_hot_pixels
from trackleed.masks.screen import Ellipse, find_screen
from trackleed.masks.survey import brightest, sample, shrink_factor
from trackleed.masks.text import find_text

Bool = np.ndarray[Any, np.dtype[np.bool_]]
Float = np.ndarray[Any, np.dtype[Any]]


@dataclass(frozen=True)
class AutoMask:
    """A mask that was found, and what it is made of.

    Parameters
    ----------
    valid : ndarray of bool (y, x)
        True where pixels may be trusted.
    parts : dict of str to ndarray of bool (y, x)
        What each finder masked: ``"screen"`` (all outside of the rim), ``"gun"``,
        ``"text"`` (rulers and white margins too), ``"hot"``.
    notes : list of str
        What was found, and what was not, a line each.
    """

    valid: Bool
    parts: dict[str, Bool]
    notes: list[str]


def auto_mask(frames: FrameSequence) -> AutoMask:
    """Find screen, gun, text and hot pixels from up to 40 raw frames spread over a series.

    The mask holds for all frames. A screen that grows with the energy counts at its
    largest. Whatever is not sure stays valid, and a note says so: a masked spot is lost,
    while one that is wrongly tracked on dark glass can still be thrown away.

    Raises
    ------
    InputError
        If the series has no frame.
    """
    stack = sample(frames)
    text = find_text(stack)
    hot = find_hot_pixels(stack) & ~text
    picture = brightest(stack, text)
    f = shrink_factor(stack.shape)
    rim = find_screen(picture)
    gun = find_gun(picture, rim) if rim is not None else None
    screen = None if rim is None else rim.scaled(f)
    parts = {
        "screen": np.zeros(text.shape, bool) if screen is None else ~screen.inside(text.shape),
        "gun": np.zeros(text.shape, bool) if gun is None else gun.shadow(f, text.shape),
        "text": text,
        "hot": hot,
    }
    valid = ~np.logical_or.reduce(list(parts.values()))
    return AutoMask(valid, parts, _notes(screen, gun, f, text, hot))


def hot_pixels(frames: FrameSequence) -> Bool:
    """Hot pixels of a series, bool (y, x), for a mask that was drawn by hand."""
    return find_hot_pixels(sample(frames))


def _notes(screen: Ellipse | None, gun: Gun | None, f: int, text: Bool, hot: Bool) -> list[str]:
    notes = []
    if screen is None:
        notes.append("no screen rim found: the whole frame is used, and no gun is looked for")
    else:
        notes.append(
            f"screen: ellipse {2 * screen.rx:.0f}x{2 * screen.ry:.0f} px "
            f"centred ({screen.x:.0f},{screen.y:.0f})"
        )
        if gun is None:
            notes.append("no gun shadow with an arm found")
        else:
            disk = gun.disk.scaled(f)
            notes.append(
                f"gun: {2 * disk.rx:.0f}x{2 * disk.ry:.0f} px at ({disk.x:.0f},{disk.y:.0f}), "
                "with an arm to the rim"
            )
    if text.any():
        notes.append(f"text, rulers or white margins: {100 * text.mean():.1f} % of the frame")
    if hot.any():
        notes.append(f"{hot.sum()} hot pixel{'s' if hot.sum() > 1 else ''}")
    return notes
