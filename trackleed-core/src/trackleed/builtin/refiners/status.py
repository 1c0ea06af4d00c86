"""Whether a fit can be used."""

from __future__ import annotations

import numpy as np

from trackleed.builtin.refiners.model import Array
from trackleed.builtin.refiners.params import GaussianParams
from trackleed.tables import FitStatus

NUMBERS = (FitStatus.OK, FitStatus.SATURATED, FitStatus.TOO_DIM, FitStatus.NEIGHBOUR)
"""Words under which the numbers of a fit that settled are kept."""


def judge(facts: dict[str, Array], params: GaussianParams) -> Array:
    """The first word that applies, array (n,) of str.

    Parameters
    ----------
    facts : dict of ndarray (n,)
        Columns of ``fits``; ``tracked`` (bool); ``inside`` and ``shown``, parts of the
        ROI, and ``core``, the part of its middle that is shown; ``clipped`` (bool), pixels of
        the spot; ``enough`` (bool), pixels for a fit, and ``enough_alone``, if it
        had no neighbours; ``converged``, ``gone`` (bool, out of the ROI or wider) and ``settled``
        (bool);
        ``faint`` (bool), no light at the start;
        ``astray`` (bool), nearer to a neighbour's track than to its own;
        ``leak``; ``merged`` and ``mixed`` (bool), two spots that are not told apart.
    params : GaussianParams
    """
    f = facts
    rules = [
        (FitStatus.LOST, ~f["tracked"]),
        (FitStatus.NEAR_EDGE, f["inside"] < params.min_usable),
        (FitStatus.MASKED, (f["shown"] < params.min_usable) | (f["core"] < 0.5)),
        (FitStatus.SATURATED, f["clipped"]),
        (FitStatus.NEIGHBOUR, ~f["enough"] & f["enough_alone"]),
        (FitStatus.MASKED, ~f["enough"]),
        (FitStatus.TOO_DIM, np.where(f["settled"], too_dim(f, params), f["faint"])),
        (FitStatus.LEFT_ROI, f["gone"]),
        (FitStatus.NO_CONVERGENCE, ~f["converged"]),
        (FitStatus.NEIGHBOUR, f["astray"]),
        (FitStatus.LEFT_ROI, ~f["settled"]),
        (FitStatus.NEIGHBOUR, (f["leak"] > params.max_leak) | f["merged"] | f["mixed"]),
    ]
    return np.select([rule for _, rule in rules], [str(word) for word, _ in rules], "ok")


def settled(facts: dict[str, Array], params: GaussianParams) -> Array:
    """Whether the fit converged on something that lies within the ROI, bool (n,).

    ``facts`` has ``converged`` (bool), and ``shift`` from the track and ``width`` at half
    maximum in sides of the ROI.
    """
    near = (facts["shift"] <= params.max_shift) & (facts["width"] <= params.max_width)
    return np.asarray(facts["converged"] & near)


def too_dim(facts: dict[str, Array], params: GaussianParams) -> Array:
    """Whether the fit found no spot above the noise, bool (n,)."""
    f = facts
    dim = (f["snr"] < params.snr_min) | (f["amplitude"] < params.snr_min * f["amplitude_err"])
    return np.asarray(dim | (np.minimum(f["sigma_x"], f["sigma_y"]) < params.min_sigma))
