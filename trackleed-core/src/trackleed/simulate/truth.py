"""The true value of everything that trackleed measures."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from trackleed.frames import NoiseModel
from trackleed.simulate.bound import place_errors
from trackleed.simulate.lattice import Floats
from trackleed.simulate.shape import cramer_rao
from trackleed.tables import FRAME, Column, TableSpec

if TYPE_CHECKING:
    from trackleed.simulate.simulation import Simulation

VISIBLE_SNR = 3.0
"""A spot with less is not called visible."""

_ROI_SIGMAS = 3.0

TRUTH = TableSpec(
    "truth",
    ("frame", "spot"),
    (
        Column("spot", "int", "", "number of the spot, from 1"),
        FRAME,
        Column("h", "float", "", "index along a*, fractional for a superstructure"),
        Column("k", "float", "", "index along b*"),
        Column("x", "float", "px", "centre, to the right; NaN where there is no such beam"),
        Column("y", "float", "px", "centre, down"),
        Column("amplitude", "float", "counts", "height of the Gaussian, without its halo"),
        Column("sigma_x", "float", "px", "width along the axis nearest to +x"),
        Column("sigma_y", "float", "px", "width along the other axis"),
        Column("theta_deg", "float", "deg", "angle of the sigma_x axis, in (-45, 45]"),
        Column("offset", "float", "counts", "level under the peak; NaN where the screen is hidden"),
        Column(
            "x_err", "float", "px", "smallest possible standard error of x, among its neighbours"
        ),
        Column("y_err", "float", "px", "smallest possible standard error of y"),
        Column("snr", "float", "", "volume over its smallest possible standard error, by itself"),
        Column("visible", "bool", "", f"centre on the valid screen and snr >= {VISIBLE_SNR:g}"),
    ),
)


def frame_truth(sim: Simulation, i: int) -> dict[str, NDArray[np.generic]]:
    """Columns of the truth table for frame ``i``, one row a spot.

    ``snr`` is what the ``snr`` column of ``fits`` would be for a perfect fit: volume over its
    Cramér-Rao standard error (`trackleed.simulate.shape.cramer_rao`), from the valid pixels
    of a square ROI that reaches three times the larger sigma to each side, each weighted by
    its true variance in this very frame; clipped pixels tell nothing. It is 0 where the centre is
    not on the valid screen. It is of a spot by itself on a constant background. ``x_err, y_err``
    are those of a fit of the spot with its visible neighbours on a plane
    (`trackleed.simulate.bound.place_errors`), NaN where ``snr`` is 0.

    ``offset`` is the expected level in the pixel of the centre less this spot's Gaussian:
    black level, diffuse light, the halo and the tails of its neighbours.
    """
    p = sim.pattern
    spots = {
        "x": p.x[i],
        "y": p.y[i],
        "amplitude": p.amplitude[i],
        "sigma_x": p.sigma_x[i],
        "sigma_y": p.sigma_y[i],
        "theta_deg": p.theta_deg,
    }
    level = sim.expected(i)
    seen = sim.screen.sees(p.x[i], p.y[i])
    offset, snr = np.full(len(seen), np.nan), np.zeros(len(seen))
    x_err, y_err = np.full(len(seen), np.nan), np.full(len(seen), np.nan)
    for s in map(int, np.flatnonzero(seen)):
        column, row = round(float(p.x[i, s])), round(float(p.y[i, s]))
        own = sim.spot(i, s, (1, 1), (column, row), halo=False)[0, 0]
        offset[s] = level[row, column] - own
    lit = seen & (p.amplitude[i] > 0)
    if lit.any():
        chosen = {name: values[lit] for name, values in spots.items()}
        usable = sim.valid & ~sim.hot & (level < sim.saturation)
        snr[lit] = roi_snr(chosen, level, usable, sim.noise)
        others = snr[lit] >= VISIBLE_SNR
        x_err[lit], y_err[lit] = place_errors(chosen, others, level, usable, sim.noise)
        x_err[snr == 0], y_err[snr == 0] = np.nan, np.nan
    return {
        "spot": np.arange(1, len(seen) + 1),
        "frame": np.full(len(seen), i),
        "h": p.hk[:, 0],
        "k": p.hk[:, 1],
        **spots,
        "offset": offset,
        "x_err": x_err,
        "y_err": y_err,
        "snr": snr,
        "visible": seen & (snr >= VISIBLE_SNR),
    }


def roi_snr(
    spots: dict[str, Floats], level: Floats, valid: NDArray[np.bool_], noise: NoiseModel
) -> Floats:
    """Volume of spots (n,), each by itself, over its Cramér-Rao error, (n,).

    The frame's expected ``level`` is (y, x).
    """
    column, row = (np.rint(spots[name]).astype(np.intp)[:, None] for name in ("x", "y"))
    reach = np.ceil(_ROI_SIGMAS * np.maximum(spots["sigma_x"], spots["sigma_y"])).astype(np.intp)
    steps = np.arange(-reach.max(), reach.max() + 1)
    dy, dx = (grid.ravel() for grid in np.meshgrid(steps, steps, indexing="ij"))
    inside = np.maximum(np.abs(dx), np.abs(dy)) <= reach[:, None]
    rows, columns = row + dy, column + dx
    inside &= (rows >= 0) & (rows < level.shape[0]) & (columns >= 0) & (columns < level.shape[1])
    rows, columns = np.where(inside, rows, 0), np.where(inside, columns, 0)
    inside &= valid[rows, columns]
    weight = inside / noise.variance(level[rows, columns])
    x, y = spots["x"][:, None], spots["y"][:, None]
    return cramer_rao(spots, columns - x, rows - y, weight)["snr"]
