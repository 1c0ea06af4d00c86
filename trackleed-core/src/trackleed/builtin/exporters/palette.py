"""The colour of a track, the same in every table and picture."""

from __future__ import annotations

_HUES = (
    (230, 159, 0),  # orange
    (86, 180, 233),  # sky blue
    (0, 205, 150),  # green
    (240, 228, 66),  # yellow
    (92, 124, 250),  # blue
    (238, 102, 50),  # vermilion
    (226, 130, 190),  # purple
    (170, 225, 110),  # lime
)
"""After Okabe and Ito, "Color Universal Design" (2008), whose hues the common kinds of colour
blindness tell apart; the dark ones lightened, because a LEED frame is dark."""

_TINTS = (0.0, 0.5, -0.25)
"""Share of white, or if negative of black, mixed in from one round of the hues to the next."""


_CONTRAST = 2.4
"""Least ratio of luminances between white paper and a line."""


def track_colour(track_id: int) -> str:
    """Colour of a track as ``"#rrggbb"``; repeats after 24 tracks."""
    turn, hue = divmod(int(track_id) - 1, len(_HUES))
    tint = _TINTS[turn % len(_TINTS)]
    towards = 255 if tint > 0 else 0
    r, g, b = (round(c + abs(tint) * (towards - c)) for c in _HUES[hue])
    return f"#{r:02x}{g:02x}{b:02x}"


def on_paper(track_id: int) -> str:
    """The colour of a track, as much darker as white paper needs."""
    colour = track_colour(track_id)
    rgb = [int(colour[i : i + 2], 16) for i in (1, 3, 5)]
    while 1.05 / (_luminance(rgb) + 0.05) < _CONTRAST:
        rgb = [round(0.95 * c) for c in rgb]
    return "#" + "".join(f"{c:02x}" for c in rgb)


def _luminance(rgb: list[int]) -> float:
    """Relative luminance of an sRGB colour, as the W3C's WCAG 2 defines it."""
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in map(_share, rgb)]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def _share(level: int) -> float:
    return level / 255
