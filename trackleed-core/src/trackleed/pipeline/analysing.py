"""The analyses as steps: centres, radii and intensities from one step of fits."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Executor
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from trackleed import __version__, tables
from trackleed.params import Params, make, option
from trackleed.pipeline import engine

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

    from trackleed.pipeline.engine import Progress
    from trackleed.pipeline.view import SessionView
    from trackleed.session import Step
    from trackleed.tables import Columns


class AnalysisParams(Params):
    """How the pattern's centre and the intensities are found."""

    center: Literal["auto", "pairs", "circle", "fixed"] = option(
        "auto", "pairs of opposite spots, a circle through one ring, fixed, or whichever fits"
    )
    x: float | None = option(None, "x of the fixed centre", unit="px")
    y: float | None = option(None, "y of the fixed centre", unit="px")
    aperture: float = option(
        2.5, "radius of the aperture in units of the spot's width", unit="sigma", gt=0, le=10
    )
