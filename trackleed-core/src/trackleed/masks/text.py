"""Burned-in text, rulers and white margins.

What a program writes into a frame is sharp: strokes a few pixels thin, at one level, standing
in a line. A spot has gone through electron and light optics, and is soft.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from scipy import ndimage

from trackleed.masks.survey import window

Array = np.ndarray[Any, np.dtype[Any]]
Bool = np.ndarray[Any, np.dtype[np.bool_]]

_FRAMES = 12  # text stands where it stands: so many frames show it
_STROKE = 5  # strokes are thinner than this, px
_CONTRAST = 0.5  # height of a stroke over what is behind it, in the frame's range
_NOISES = 8.0  # the same, at least, in noises of the frame
_HEIGHT = (4, 40)  # of a glyph, px
_WIDEST = 80  # width of a glyph, or of several that touch, px
_LETTERS = 5  # fewer in a line are no text
_GLYPHS = 3  # letters may touch, but fewer pieces are no text
_GAP = 2.2  # widest gap between the glyphs of a line, in heights
_FLAT = (
    0.15  # least share of a line's pixels that are within 5 % of its level; of a spot's it is 7 %
)
_MARGIN = 0.25  # widest margin, as a share of the frame
_RIM = 2  # px added round what is found


class Glyphs(NamedTuple):
    """Glyphs of one frame: first pixels, those past the last, size and highest level."""

    y0: Array
    y1: Array
    x0: Array
    x1: Array
    area: Array  # px
    flat: Array  # of these, px within 5 % of the level
    level: Array


def find_text(stack: Array) -> Bool:
    """Pixels under text, rulers and white margins in a stack (n, y, x), bool (y, x).

    Digits that change are covered because a line is masked as a whole box, in every
    sampled frame.
    """
    found = find_margins(stack)
    for frame in stack[:: max(1, len(stack) // _FRAMES)]:
        strokes = _strokes(frame, found)
        if strokes.any():
            found |= _lines(frame, strokes)
            found |= _lines(frame.T, strokes.T).T
    return found


def find_margins(stack: Array) -> Bool:
    """Bands along the frame's sides that are white in every frame, bool (y, x)."""
    lowest = stack.min(axis=0)
    shape = lowest.shape
    white = lowest == stack.max()
    found = np.zeros(shape, bool)
    for axis in (0, 1):
        share = white.mean(axis=1 - axis) > 0.5
        rows = found if axis == 0 else found.T
        for side in (slice(None), slice(None, None, -1)):
            depth = int(np.argmin(share[side])) if not share.all() else len(share)
            if 0 < depth <= _MARGIN * shape[axis]:
                rows[side][: depth + _RIM] = True
    return found


def _strokes(frame: Array, hidden: Bool) -> Bool:
    """Bright pixels of structures thinner than a stroke, outside of ``hidden``."""
    level = frame.astype(np.float32)
    seen = level[~hidden]
    noise = float(np.median(np.abs(np.diff(level[::4], axis=1)))) * 1.4826 / 2**0.5
    reach = _CONTRAST * float(seen.max() - np.median(seen)) if seen.size else 0.0
    if reach <= _NOISES * noise:
        return np.zeros(frame.shape, bool)
    eroded = window(np.where(hidden, seen.min(), frame), _STROKE, np.minimum)
    opened = window(eroded, _STROKE, np.maximum)
    strokes: Bool = (level - opened > reach) & ~hidden
    return strokes


def _glyphs(frame: Array, strokes: Bool) -> Glyphs:
    labels, count = ndimage.label(strokes, np.ones((3, 3)))
    boxes = ndimage.find_objects(labels)
    edges = np.array([[b[0].start, b[0].stop, b[1].start, b[1].stop] for b in boxes])
    owner, value = labels[strokes] - 1, frame[strokes].astype(np.float64)
    level = np.zeros(count)
    np.maximum.at(level, owner, value)
    area = np.bincount(owner, minlength=count)
    flat = np.bincount(owner, value > 0.95 * level[owner], minlength=count)
    height, width = edges[:, 1] - edges[:, 0], edges[:, 3] - edges[:, 2]
    keep = (height >= _HEIGHT[0]) & (height <= _HEIGHT[1]) & (width <= _WIDEST)
    y0, y1, x0, x1 = edges[keep].T
    return Glyphs(y0, y1, x0, x1, area[keep], flat[keep], level[keep])


def _lines(frame: Array, strokes: Bool) -> Bool:
    """Boxes round horizontal lines of glyphs."""
    found = np.zeros(frame.shape, bool)
    glyphs = _glyphs(frame, strokes)
    reach = np.zeros(frame.shape, bool)
    for y0, y1, x0, x1 in zip(glyphs.y0, glyphs.y1, glyphs.x0, glyphs.x1, strict=True):
        half_gap = int(np.ceil(_GAP * (y1 - y0) / 2))
        reach[y0:y1, max(0, x0 - half_gap) : x1 + half_gap] = True
    line, count = ndimage.label(reach)
    owner = line[glyphs.y0, glyphs.x0]
    for number in range(1, count + 1):
        members = Glyphs(*(column[owner == number] for column in glyphs))
        if _is_text(members):
            top, left = members.y0.min() - _RIM, members.x0.min() - _RIM
            bottom, right = members.y1.max() + _RIM, members.x1.max() + _RIM
            found[max(0, top) : bottom, max(0, left) : right] = True
    return found


def _is_text(line: Glyphs) -> bool:
    width, height = line.x1 - line.x0, line.y1 - line.y0
    letters = np.maximum(1, np.round(width / height)).sum()
    even = np.ptp(line.level) <= 0.2 * line.level.max()
    flat = line.flat.sum() >= _FLAT * line.area.sum()
    return bool(len(width) >= _GLYPHS and letters >= _LETTERS and even and flat)
