"""Options of the built-in readers."""

from __future__ import annotations

import re
from typing import Literal

from pydantic import field_validator

from trackleed.builtin.readers.quantities import GROUPS
from trackleed.params import Params, option


class SeriesParams(Params):
    """Which frames are used, and where their metadata comes from."""

    first: int = option(0, "Number of the first frame that is used, from 0.", ge=0)
    last: int | None = option(None, "Number of the last frame that is used.", ge=0)
    every: int = option(1, "Use every n-th frame.", ge=1)
    skip_bad: bool = option(
        False,
        "Leave out, and list, files that cannot be used, instead of stopping; reads all of them.",
    )
    channel: Literal["auto", "red", "green", "blue"] = option(
        "auto", "Channel of true-colour images that is used; auto takes the brightest."
    )
    pattern: str = option(
        "",
        "Regular expression, searched in each file name without its ending; "
        f"its named groups are any of {', '.join(GROUPS)}.",
    )
    index_csv: str = option(
        "auto",
        "CSV file with one row a frame; auto takes the one in the folder that lists the frames, "
        "none takes none.",
    )
    sidecar: Literal["auto", "on", "off"] = option(
        "auto", "Use logs beside the frames, such as NAME_log.txt; on wants one for every frame."
    )
    names: bool = option(True, "Use what the file names say.")
    tags: bool = option(True, "Use what TIFF tags, ImageJ and EXIF say.")

    @field_validator("pattern")
    @classmethod
    def _known_groups(cls, pattern: str) -> str:
        try:
            groups = re.compile(pattern).groupindex
        except re.error as error:
            raise ValueError(f"it is no regular expression: {error}") from None
        unknown = [name for name in groups if name not in GROUPS]
        if unknown:
            raise ValueError(
                f"unknown group {', '.join(unknown)}; groups may be called {', '.join(GROUPS)}"
            )
        if pattern and not groups:
            raise ValueError(r"it has no named group, such as (?P<energy_eV>\d+)")
        return pattern
