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


def track_colour(track_id: int) -> str:
    """Colour of a track as ``"#rrggbb"``; repeats after 24 tracks."""
    turn, hue = divmod(int(track_id) - 1, len(_HUES))
    tint = _TINTS[turn % len(_TINTS)]
    towards = 255 if tint > 0 else 0
    r, g, b = (round(c + abs(tint) * (towards - c)) for c in _HUES[hue])
    return f"#{r:02x}{g:02x}{b:02x}"
