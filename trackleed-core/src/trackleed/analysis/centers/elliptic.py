"""The centre of a pattern from an ellipse through the spots of one ring."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from trackleed.analysis.centers.ellipse import (
    FREE,
    SHAPED,
    Ellipse,
    Shape,
    fit_ellipse,
    stretch,
)
from trackleed.analysis.centers.rings import Near, find_rings, ring_score
from trackleed.analysis.spots import REJECT, Array, Found, Spots, excess_variance, median, spread
from trackleed.errors import InputError

SAMPLE_FRAMES = 6
SAMPLE_TRACKS = 32  # with fewer, part of a dense pattern makes rings about a wrong point
SHAPE_FRAMES = 200  # at most, that tell the shape of the series
STEP = 0.05
"""Between the shapes that are tried: half of it, of the radius, is within the tolerance."""

RINGS = 3  # of shapes tried about the circle: axes up to 1.35 to 1


def find_elliptic_rings(spots: Spots, tolerance: float, near: Near | None = None) -> list[Array]:
    """Sets of tracks that lie on one ellipse over the whole series, the fullest first.

    Shapes up to axes of 1.35 to 1 are tried: the one that makes the best circle (`find_rings`)
    of the spots stretched by it, the roundest of equals. ``near``: as there.
    """
    busy = _inner(spots, near)
    n_seen = np.isfinite(spots.x[:, busy]).sum(axis=1)
    fullest = np.argsort(-n_seen, kind="stable")[: 4 * SAMPLE_FRAMES]
    rows = fullest[spread(len(fullest), SAMPLE_FRAMES)]
    x, y = spots.x[np.ix_(rows, busy)], spots.y[np.ix_(rows, busy)]
    shapes = _shapes()
    there = [_near_stretched(near, shape) for shape in shapes]
    scores = [
        ring_score(*_stretched(x, y, shape), tolerance, FREE, place)
        for shape, place in zip(shapes, there, strict=True)
    ]
    if not any(scores):
        return []
    best = int(np.argmax(scores))
    x, y = _stretched(spots.x, spots.y, shapes[best])
    rings = find_rings(replace(spots, x=x, y=y).only(busy), tolerance, FREE, there[best])
    return [busy[ring] for ring in rings]


def _inner(spots: Spots, near: Near | None) -> Array:
    """The tracks nearest the centre that is expected, or else the middle of all.

    Any other part of a lattice has a middle elsewhere.
    """
    x, y = median(spots.x, axis=0), median(spots.y, axis=0)
    middle = (float(median(x)), float(median(y))) if near is None else near[:2]
    away = np.hypot(x - middle[0], y - middle[1])
    return np.sort(np.argsort(away, kind="stable")[:SAMPLE_TRACKS])


def _shapes() -> Array:
    """Shapes on a hexagonal grid, the roundest first, (shape, 2)."""
    h, k = (a.ravel() for a in np.mgrid[-RINGS : RINGS + 1, -RINGS : RINGS + 1])
    shapes = STEP * np.column_stack([h + k / 2, k * np.sqrt(3) / 2])
    size = np.hypot(*shapes.T)
    order = np.argsort(size, kind="stable")
    small: Array = shapes[order[size[order] <= RINGS * STEP * 1.001]]
    return small


def _near_stretched(near: Near | None, shape: Array) -> Near | None:
    if near is None:
        return None
    x, y = stretch(shape) @ near[:2]
    return float(x), float(y), near[2]


def _stretched(x: Array, y: Array, shape: Array) -> tuple[Array, Array]:
    (a, b), (c, d) = stretch(shape)
    return a * x + b * y, c * x + d * y


def tracks_on(
    spots: Spots, ring: Sequence[float], frame: int | None, tolerance: float
) -> list[Array]:
    """Tracks that, in one frame, are near a ring drawn by hand, as the only ring.

    Parameters
    ----------
    spots : Spots
    ring : sequence of float
        x, y and radius of a circle, px; or x, y, two half axes (px) and the angle (degrees) from
        the x axis, clockwise on the screen, of the first of them.
    frame : int, optional
        The frame it was drawn in; the first one with spots when not given.
    tolerance : float
        px.

    Raises
    ------
    InputError
        If the ring is none, the frame is not there, or there are less than three spots near it.
    """
    if len(ring) not in (3, 5) or not np.isfinite(ring).all() or min(ring[2:4]) <= 0:
        raise InputError(
            f"ring {tuple(ring)} is neither x, y, radius nor x, y, two half axes, angle"
        )
    seen = np.isfinite(spots.x)
    if frame is None:
        frame = int(spots.frames[np.argmax(seen.any(axis=1))])
    row = int(np.searchsorted(spots.frames, frame))
    if row == len(spots.frames) or spots.frames[row] != frame:
        raise InputError(f"frame {frame} of the ring is not among those of the series")
    dx, dy = spots.x[row] - ring[0], spots.y[row] - ring[1]
    first, second, angle = ring[2:] if len(ring) == 5 else (ring[2], ring[2], 0.0)
    angle = np.deg2rad(angle)
    u, v = dx * np.cos(angle) + dy * np.sin(angle), dy * np.cos(angle) - dx * np.sin(angle)
    length = np.hypot(u / first, v / second)
    slope = np.hypot(u / first**2, v / second**2) / np.maximum(length, 1e-12)
    near = np.flatnonzero(np.abs(length - 1) < tolerance * slope)
    if len(near) < 3:
        raise InputError(
            f"{len(near)} spots of frame {frame} are within {tolerance:.1f} px of the ring; "
            "three are needed",
            "draw it through the spots, or give a larger tolerance",
        )
    return [near]


def centers_from_ellipses(spots: Spots, rings: list[Array], tolerance: float) -> Found:
    """Centre of the ellipse through the ring's spots in each frame, by weighted least squares.

    All ellipses of the series have one shape, that of the pixels and of the screen. Frames with
    six spots or more tell it, each with its error; every frame is then fitted with what the
    others tell as a further datum, so that four spots are enough. As for the circles,
    the weights hold the variance by which the spots leave the ellipse.
    """
    sample = spread(len(spots.frames), SHAPE_FRAMES).tolist()
    first = _fit(spots, rings, tolerance, sample, reject=np.inf).values()

    def chi2(extra: float) -> float:
        return sum(float((e.residual**2 / (e.variance + extra)).sum()) for e in first)

    extra = excess_variance(chi2, sum(len(e.residual) - 5 for e in first))
    free = _fit(spots, rings, tolerance, sample, extra)
    n = len(spots.frames)
    shapes = _known_shapes(free, n)
    found = Found.nothing(n)
    for row, e in _fit(spots, rings, tolerance, range(n), extra, shapes=shapes).items():
        found.x[row], found.y[row], found.x_err[row], found.y_err[row] = e.x, e.y, e.x_err, e.y_err
        found.n_spots[row] = len(e.residual)
        found.rms[row] = np.sqrt(np.mean(e.residual**2))
    return found


def _known_shapes(free: dict[int, Ellipse], n: int) -> list[Shape | None]:
    """What the other frames tell of the shape, for each of ``n`` rows; outliers do not count."""
    if len(free) < 2:
        return [None] * n
    values = np.array([e.shape for e in free.values()])
    information = np.array([e.information for e in free.values()])

    def misfit(mean: Array) -> Array:
        off = values - mean
        return np.asarray(np.einsum("ni,nij,nj->n", off, information, off))

    pull2 = misfit(np.median(values, axis=0))
    information *= (pull2 <= REJECT**2 * max(1.0, float(np.median(pull2))))[:, None, None]
    weighted = np.einsum("nij,nj->ni", information, values)
    total, told = information.sum(axis=0), weighted.sum(axis=0)
    dof = 2 * int(information.any(axis=(1, 2)).sum()) - 2
    scale = 1 / max(1.0, float(misfit(np.linalg.solve(total, told)).sum()) / max(dof, 1))
    shapes: list[Shape | None] = [Shape(np.linalg.solve(total, told), total * scale)] * n
    for row, own, of_own in zip(free, information, weighted, strict=True):
        rest = total - own
        known = np.linalg.eigvalsh(rest)[0] > 1e-9 * np.trace(total)
        shapes[row] = Shape(np.linalg.solve(rest, told - of_own), rest * scale) if known else None
    return shapes


def _fit(
    spots: Spots,
    rings: list[Array],
    tolerance: float,
    rows: Sequence[int],
    extra: float = 0.0,
    reject: float = REJECT,
    shapes: list[Shape | None] | None = None,
) -> dict[int, Ellipse]:
    """The ellipse of each of these rows of ``spots`` that has one."""
    ellipses: dict[int, Ellipse] = {}
    for ring in rings:
        seen = np.isfinite(spots.x[:, ring])
        for row in rows:
            if row in ellipses:
                continue
            on = ring[seen[row]]
            shape = None if shapes is None else shapes[row]
            if len(on) < (FREE if shape is None else SHAPED):
                continue
            variances = spots.x_var[row, on] + extra, spots.y_var[row, on] + extra
            ellipse = fit_ellipse(
                spots.x[row, on], spots.y[row, on], *variances, tolerance, reject, shape
            )
            if ellipse is not None:
                ellipses[row] = ellipse
    return ellipses
