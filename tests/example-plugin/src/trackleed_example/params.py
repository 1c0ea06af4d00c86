"""Options: they make the command line's --set, the form, the help and the session's record."""

from __future__ import annotations

from trackleed.params import Params, option


class CentroidParams(Params):
    """Options of the centre-of-mass tracker."""

    radius: float = option(
        10.0, "Distance from the spot's last place that is searched", unit="px", ge=3, le=200
    )
    min_height: float = option(
        6.0, "Least height of a spot over its surroundings", unit="noise", ge=3
    )
