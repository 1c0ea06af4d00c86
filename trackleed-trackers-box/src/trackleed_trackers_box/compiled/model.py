"""What compiled functions are given: named tuples of arrays, one detection or frame a row."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]


class Film(NamedTuple):
    """Detections of all frames in the order of linking, those of a frame sorted by x.

    Parameters
    ----------
    points : ndarray (n, 2)
    weights : ndarray (n,)
        How far each can be trusted, in (0, 1).
    start : ndarray (n_frames + 1,)
        Where each frame begins.
    scale : ndarray (n_frames,)
        Logarithm of the scale that is expected.
    valid : ndarray of bool (y, x)
    area : float
        Of what is valid, px.
    fixed : ndarray (groups, 2)
        Where the fixed point of each group of spots stands on the screen, px from that of the
        first and before the pattern is turned.
    """

    points: Array
    weights: Array
    start: Array
    scale: Array
    valid: Array
    area: float
    fixed: Array


class Rules(NamedTuple):
    """What is expected of a series.

    Parameters
    ----------
    shift : float
        Of the pattern when it jumps, px, from frame to frame.
    scale : float
        Of the logarithm of its scale, from frame to frame.
    angle : float
        That it turns by, rad, from frame to frame.
    step : float
        Part of an expected step of the scale that may be wrong.
    side : float
        Usual side of a ROI, px.
    """

    shift: float
    scale: float
    angle: float
    step: float
    side: float


class Spots(NamedTuple):
    """State of the spots, of which the first ``number[0]`` rows are in use.

    Parameters
    ----------
    place : ndarray (n, 2)
        In the pattern, px; from the fixed point of its group.
    group : ndarray (n,)
        Each belongs to, from 0.
    variance : ndarray (n,)
        Of each coordinate of the place, px^2.
    presence : ndarray (n,)
        In what part of the frames it was seen, of late, in (0, 1).
    error : ndarray (n, 2)
        By how much the last detection was off; 0 for none.
    alive : ndarray (n,)
        Numbers of those that may still be seen; the first ``number[1]`` count.
    number : ndarray (2,)
    told : ndarray (3,)
        What is known of late: the scatter of detections about their spots, px; how far a spot
        changes its place from frame to frame, px; how far the pattern shifts, px.
    """

    place: Array
    group: Array
    variance: Array
    presence: Array
    error: Array
    alive: Array
    number: Array
    told: Array


class Path(NamedTuple):
    """What comes out.

    Parameters
    ----------
    motions : ndarray (n_frames, 4)
    seen : ndarray of bool (n_frames,)
        Whether a frame shows the motion.
    scatter : ndarray (n_frames,)
        Of detections about their spots, px; NaN where it cannot be told.
    label : ndarray (n,)
        Spot, from 0, of each detection; -1 for none.
    """

    motions: Array
    seen: Array
    scatter: Array
    label: Array
