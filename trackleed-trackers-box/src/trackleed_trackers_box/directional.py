"""The tracker `directional`: detections linked along the radii of the pattern."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from trackleed.errors import InputError
from trackleed.ordering import link_order
from trackleed_trackers_box import scaling
from trackleed_trackers_box.hungarian import (
    automatic_distance,
    by_frame,
    rows_of_tracks,
)
from trackleed_trackers_box.linking import spacing
from trackleed_trackers_box.radial import Rule, link_radially

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from trackleed.frames import FrameSequence
    from trackleed.tables import Columns
    from trackleed_trackers_box.params import DirectionalParams

    Array = np.ndarray[Any, np.dtype[Any]]

_SPACING = 0.4  # of the spacing of spots: at half of it, a neighbour is as near


class Directional:
    """Links detections that move towards the pattern's centre, or away from it.

    Parameters
    ----------
    params : DirectionalParams
    """

    def __init__(self, params: DirectionalParams) -> None:
        self.params = params

    def track(
        self, frames: FrameSequence, seeds: Columns | None, detections: Columns | None
    ) -> Iterator[Columns]:
        """Yield the rows of one frame after another.

        Every track has a row in every frame: ``seed`` where it is first detected,
        ``measured`` where it is detected again, ``lost`` elsewhere. Tracks count from 1 in
        the order in which they appear as the frames are linked, the highest score first.

        Raises
        ------
        InputError
            If there are no detections, or energies that are asked for are not known.
        """
        if detections is None:
            raise InputError("directional links detections, and was given none", "trackleed detect")
        energy = frames.index.get("energy_eV")
        order = link_order(energy, len(frames), self.params.order, "directional")
        boxes = by_frame(detections, order)
        rule = self._rule(boxes, energy, order, frames)
        labels = link_radially([box[:, :2] for box in boxes], rule)
        yield from rows_of_tracks(boxes, labels, order, self.params.min_length)

    def _rule(
        self, boxes: Sequence[Array], energy: Array | None, order: Array, frames: FrameSequence
    ) -> Rule:
        """What is expected, from the options and the detections."""
        params = self.params
        every = np.concatenate([*boxes, np.zeros((0, 5))])
        middle = float(np.median(every[:, 4])) if len(every) else 0.0
        bright = [box[box[:, 4] >= middle, :2] for box in boxes]
        scale, fixed, mode = scaling.expected(
            params.scale, bright, energy, order, frames.valid.shape, "directional"
        )
        if fixed is None:
            row, column = np.nonzero(frames.valid)
            fixed = np.array([column.mean(), row.mean()]) if len(row) else np.zeros(2)
        given = (params.center_x, params.center_y)
        centre = np.array([at if g == "auto" else g for g, at in zip(given, fixed)])  # noqa: B905
        usual = float(np.nan_to_num(spacing(bright), nan=50.0))
        if params.max_distance != "auto":
            most = least = float(params.max_distance)
        else:
            least = automatic_distance(boxes) if mode == "constant" else float(_SPACING * usual / 2)
            most = max(least, _SPACING * usual)
        return Rule(
            centre,
            scale,
            most,
            least,
            params.lateral,
            max(usual, 2 * most),
            params.max_gap,
            mode == "free",
        )
