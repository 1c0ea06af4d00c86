"""Between masks and boxes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Tuple

import numpy as np

from trackleed_kit.following.points import SPOT

if TYPE_CHECKING:
    Array = np.ndarray[Any, np.dtype[Any]]


def index_mask(boxes: Array, shape: Tuple[int, int]) -> Array:
    """Ellipses of boxes (n, x y width height) as one mask (y, x): 0 is none, k + 1 is box k.

    Where two overlap, a pixel belongs to the nearer one; a box is never without a pixel.
    """
    rows, columns = np.indices(shape)
    mask = np.zeros(shape, np.int64)
    nearest = np.full(shape, np.inf)
    for k, (x, y, width, height) in enumerate(boxes):
        reach = np.maximum(np.array([width, height]) * SPOT, 0.8)
        distance = ((columns - x) / reach[0]) ** 2 + ((rows - y) / reach[1]) ** 2
        inside = (distance <= 1) & (distance < nearest)
        mask[inside] = k + 1
        nearest[inside] = distance[inside]
    return mask


def of_masks(probability: Array) -> Array:
    """Rows (n, x y width height confidence) of soft masks (n, y, x) with values in [0, 1].

    The place is the centre of mass of the probability inside the mask (where it is over one
    half), the box has the variance of that mass as a spot's box has (a spot is 0.3 of its box),
    and the confidence is the mean probability inside. NaN, with confidence 0, where nothing is.
    """
    found = np.full((len(probability), 5), np.nan)
    found[:, 4] = 0.0
    for k, soft in enumerate(probability):
        py, px = np.nonzero(soft > 0.5)
        if not len(px):
            continue
        p = soft[py, px]
        mx, my = np.average(px, weights=p), np.average(py, weights=p)
        # A filled ellipse of half-axis a has the variance a**2 / 4; a pixel has 1 / 12.
        spread = [np.average((v - m) ** 2, weights=p) + 1 / 12 for v, m in ((px, mx), (py, my))]
        found[k] = (mx, my, *(2 * np.sqrt(spread) / SPOT), p.mean())
    return found


def bounded(found: Array, boxes: Array, most: float) -> Array:
    """Rows of which none is believed whose box covers more than ``most`` times its query's.

    Masks that have lost their spot tend to flow over the picture, boxes to grow.

    Parameters
    ----------
    found : ndarray (n, 5)
        x, y, width, height and confidence, which becomes 0 for those.
    boxes : ndarray (n, 4)
        x, y, width and height of the queries.
    most : float
    """
    grown = found[:, 2] * found[:, 3] > most * boxes[:, 2] * boxes[:, 3]  # NaN is not
    return np.column_stack([found[:, :4], np.where(grown, 0.0, found[:, 4])])
