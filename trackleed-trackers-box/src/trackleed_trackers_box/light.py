"""Whether the pixels show a spot where one is expected.

Around the expected place, out to 2.5 widths sigma = side / 6 of its ROI, pixel values are fitted
by linear least squares with

    v(x, y) = h exp(-((x - x0)^2 + (y - y0)^2) / (2 sigma^2)) + a + b x + c y

where x0, y0 and sigma are given. The height over its standard error, t = h / sqrt(s^2 C_hh), with
s^2 = RSS / (n - 4) from the residuals of the n pixels and C the inverse of the normal matrix, is
Student's t with n - 4 degrees of freedom if there is no spot (N. R. Draper and H. Smith, Applied
Regression Analysis, Wiley 1998, ch. 1 and 5). A spot is there from t = 4 on. Chance alone reaches
that in 1 case of 16,000 with 100 pixels, of 22,000 with 200 (a ROI of 19 px), of 31,000 with many
(one-sided tail of Student's t). A spot whose height is k standard errors is missed with the
probability that a normal deviate is less than 4 - k: half at k = 4, 2.3 % at 6, 0.1 % at 7. The
noise has to be about the same in all these pixels, and independent; structure of the background
that looks like a spot is one to this test.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from trackleed_trackers_box.compiled import lights

if TYPE_CHECKING:
    Array = np.ndarray[Any, np.dtype[Any]]

SIGNIFICANT = 4.0
"""Value of t from which a spot is there: chance reaches it once in about 20,000 times."""

_SIGMAS = 6.0  # widths of the Gaussian in the side of a ROI


def seen_light(
    frame: Array, free: Array, points: Array, sides: Array, others: Array
) -> tuple[Array, Array]:
    """Student's t, and height over the scatter of a pixel, of spots at given places.

    Parameters
    ----------
    frame : ndarray (y, x)
    free : ndarray of bool (y, x)
        Pixels that may be used.
    points : ndarray (n, 2)
        Places, px.
    sides : ndarray (n,)
        Sides of the spots' ROIs, px.
    others : ndarray (m, 2)
        Every place that may hold a spot, those of ``points`` among them: pixels nearer to
        another one are left out.

    Returns
    -------
    t, height : ndarray (n,)
        0 where too few pixels are free.
    """
    pixels = np.ascontiguousarray(frame, dtype=np.float32)
    at, around = (np.ascontiguousarray(places, dtype=float) for places in (points, others))
    sigmas = np.asarray(sides, dtype=float) / _SIGMAS
    return lights.heights(pixels, np.ascontiguousarray(free), at, sigmas, around)
