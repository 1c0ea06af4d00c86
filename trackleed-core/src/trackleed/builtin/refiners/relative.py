"""A reference spot and its satellites, fitted together in one frame after another."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import numpy as np

from trackleed.builtin.refiners import cutouts, neighbours
from trackleed.builtin.refiners.compiled.physical import NUMBERS
from trackleed.builtin.refiners.cutouts import Cutouts
from trackleed.builtin.refiners.groups import Together, fit_group, standing
from trackleed.builtin.refiners.measure import EXTENT, Tracks, columns, measure, place, trusted
from trackleed.builtin.refiners.model import Array, half
from trackleed.builtin.refiners.params import GaussianParams
from trackleed.builtin.refiners.status import settled, too_dim
from trackleed.builtin.refiners.threshold import PRECISION, X, Y, height_at_seed, peak_shape, pixels
from trackleed.frames import FrameSequence, NoiseModel
from trackleed.tables import FITS, GROUP_FITS, FitStatus, Role

OFFSET = NUMBERS.index("offset")


def refine_groups(
    frames: FrameSequence,
    tracks: Tracks,
    group: Array,
    role: Array,
    noise: NoiseModel,
    params: GaussianParams,
) -> dict[str, Array]:
    """Columns of ``group_fits`` that the pixels tell, a row for each of ``tracks``."""
    n = len(tracks)
    table: dict[str, Array] = {
        c.name: np.full(n, np.nan) for c in GROUP_FITS.columns if c.dtype == "float"
    }
    table["status"] = np.full(n, str(FitStatus.LOST), dtype=object)
    table["saturated"] = np.zeros(n, dtype=bool)
    table["shape"] = np.full(n, "", dtype=object)
    table["n_together"] = np.zeros(n, dtype=np.int64)
    table["seed_x"], table["seed_y"] = tracks.x.copy(), tracks.y.copy()
    scaling = cutouts.scale(frames)
    for number in np.unique(tracks.frame):
        image = cutouts.picture(frames, int(number))
        here = np.flatnonzero((tracks.frame == number) & _near(tracks, image.counts.shape))
        for one in np.unique(group[here]):
            rows = here[group[here] == one]
            mine = tracks.take(rows)
            side = int(mine.side.max())
            rois = cutouts.cut(image, scaling, np.arange(len(rows)), mine.x, mine.y, side)
            mine.side = np.full(len(rows), side)
            fitted = _Members(rois, mine, role[rows], noise, params).fit()
            table["roi"][rows] = side
            for name, values in fitted.items():
                table[name][rows] = values
    return table


def _near(tracks: Tracks, shape: tuple[int, ...]) -> Array:
    """Whether an ROI touches the frame; False where there is no position."""
    inside = (tracks.x > -tracks.side) & (tracks.x < shape[1] + tracks.side)
    return np.asarray(inside & (tracks.y > -tracks.side) & (tracks.y < shape[0] + tracks.side))


@dataclass
class _Members:
    """The spots of one group in one frame."""

    rois: Cutouts
    tracks: Tracks
    role: Array
    noise: NoiseModel
    params: GaussianParams

    def fit(self) -> dict[str, Array]:
        """Columns of ``group_fits`` for the members."""
        n = len(self.rois)
        pair = neighbours.pairs(np.zeros(n), self.tracks.x, self.tracks.y, self.tracks.side)
        alone = measure(self.rois, self.tracks, pair, self.noise, self.params)
        alone["settled"] = settled(alone, self.params)
        alone["astray"] = neighbours.astray(pair, self.tracks.x, self.tracks.y, alone)
        status = self._visible(alone)
        usable = trusted(self.rois, self.tracks, self.noise)
        sound = alone["settled"] & ~alone["astray"] & (alone["snr"] > self.params.snr_min)
        start = np.where(sound[:, None], alone["k"], np.nan)
        worth = np.where(sound, alone["snr"], 0.0)
        there = np.flatnonzero(status == FitStatus.OK)
        done, left_out, alike = self._best(there, start, worth, usable)
        found: dict[str, Array] = {name: np.full(n, np.nan) for name in FITS.names if name in alone}
        found["saturated"] = alone["saturated"]
        found["n_together"] = np.zeros(n, dtype=np.int64)
        found["shape"] = np.full(n, "", dtype=object)
        if done is not None:
            self._write(found, done)
            found["shape"][done.rows] = "shared" if alike else "own"
            status[self._clipped(done)] = FitStatus.SATURATED
        for row in left_out:
            height, error = height_at_seed(self.rois, self.tracks, usable, done, row, self.noise)
            found["amplitude"][row], found["amplitude_err"][row] = height, error
            status[row] = self._why(alone, row, height, error)
        return {**found, "status": status}

    def _visible(self, alone: dict[str, Array]) -> Array:
        """Status of each member before the joint fit: ok, or why it takes no part."""
        tracks = self.tracks
        apart = np.hypot(tracks.x[:, None] - tracks.x, tracks.y[:, None] - tracks.y)
        np.fill_diagonal(apart, np.inf)
        rank = np.array([list(Role).index(Role(role)) for role in self.role])
        rank = rank * len(rank) + np.arange(len(rank))
        twin = ((apart < neighbours.SEPARABLE) & (rank[:, None] > rank)).any(axis=1)
        hidden = (alone["shown"] < self.params.min_usable) | (alone["core"] < 0.5)
        rules = {
            FitStatus.NEAR_EDGE: alone["inside"] < self.params.min_usable,
            FitStatus.MASKED: hidden | ~alone["enough_alone"],
            FitStatus.NEIGHBOUR: twin,
        }
        words = np.select(list(rules.values()), [str(word) for word in rules], str(FitStatus.OK))
        return words.astype(object)

    def _best(
        self, rows: Array, start: Array, worth: Array, usable: Array
    ) -> tuple[Together | None, list[int], bool]:
        """The joint fit, those that it had to leave out, and whether all have one shape.

        Own shapes let positions be true where widths differ; one shape has fewer parameters, so
        that more groups settle.
        """
        tried = []
        for alike in (False, True):
            if self.params.group_shape in ("auto", "shared" if alike else "own"):
                done, left_out = self._joint(rows, start, worth, usable, alike)
                if done is not None:
                    done, left_out = self._second_chance(done, left_out, start, usable, alike)
                tried.append((done, left_out, alike))
                if not left_out:
                    break
        return min(tried, key=lambda one: len(one[1]))

    def _joint(
        self, rows: Array, start: Array, worth: Array, usable: Array, alike: bool
    ) -> tuple[Together | None, list[int]]:
        """The joint fit of the members that are there, and those that had to be left out.

        While it does not settle, or a member is no spot above the noise, the dimmest leaves it.
        The reference never does.
        """
        left_out = list[int]()
        worth = np.where(self.role == Role.REFERENCE, np.inf, worth)
        while len(rows) and self.role[rows[0]] == Role.REFERENCE:
            done = self._together(rows, start, usable, alike)
            worst = rows[np.argmin(worth[rows])] if done is None else self._no_spot(done)
            if worst is None:
                return done, left_out
            left_out.append(int(worst))
            rows = rows[rows != worst]
        return None, [*left_out, *rows.tolist()]

    def _second_chance(
        self, done: Together, left_out: list[int], start: Array, usable: Array, alike: bool
    ) -> tuple[Together, list[int]]:
        """Members that left a fit for another's sake come back, if there is light at their seed."""
        start, out = start.copy(), list[int]()
        for row in left_out:
            height, error = height_at_seed(self.rois, self.tracks, usable, done, row, self.noise)
            if height >= self.params.snr_min * error:
                start[row] = self._like(done, row, height)
                again = self._together(np.sort([*done.rows, row]), start, usable, alike)
                if again is not None and self._no_spot(again) is None:
                    done = again
                    continue
            out.append(row)
        return done, out

    def _like(self, done: Together, row: int, height: float) -> Array:
        """Parameters (9,) of a spot at its seed, as wide as the reference, on its background."""
        unit = half(self.rois.side)
        xx, xy, yy = done.numbers[0, PRECISION] * unit**2
        u = (self.tracks.x[row] - self.rois.x[row]) / unit
        v = (self.tracks.y[row] - self.rois.y[row]) / unit
        shape = np.array([-0.5 * xx, -xy, -0.5 * yy])
        away = (self.rois.x[row], self.rois.y[row]) - done.numbers[0, :2]
        level = done.numbers[0, OFFSET] + done.slope @ away
        return np.array([*standing(height, u, v, shape), level, *(done.slope * unit)])

    def _together(self, rows: Array, start: Array, usable: Array, alike: bool) -> Together | None:
        position = np.stack([self.tracks.x, self.tracks.y], axis=1)
        others = np.setdiff1d(np.arange(len(self.rois)), rows)
        members = [self.rois.take(slice(row, row + 1)) for row in rows.tolist()]
        return fit_group(
            members,
            [usable[row : row + 1] for row in rows.tolist()],
            start[rows],
            position[rows],
            position[others],
            self.noise,
            self.params,
            alike,
        )

    def _no_spot(self, done: Together) -> int | None:
        """The member of a joint fit that is least of a spot, if it is none."""
        found = columns(done.numbers)
        place(found, self.tracks.x[done.rows], self.tracks.y[done.rows], self.rois.side)
        found["converged"] = np.ones(len(done.rows), dtype=bool)
        height = found["amplitude"] / found["amplitude_err"]
        none = too_dim(found, self.params) | ~settled(found, self.params)
        none |= ~np.isfinite(found["snr"] + height)
        if not none.any():
            return None
        rows = done.rows[none]
        return int(rows[np.argmin(np.where(np.isfinite(height[none]), height[none], -np.inf))])

    def _write(self, found: dict[str, Array], done: Together) -> None:
        """Put the numbers of a joint fit in the members' rows."""
        rows, m = done.rows, len(done.rows)
        numbers = columns(done.numbers)
        numbers["r_squared"], numbers["chi2_red"] = (
            np.full(m, value) for value in (done.r_squared, done.chi2_red)
        )
        numbers["slope_x"], numbers["slope_y"] = (np.full(m, value) for value in done.slope)
        covariance = done.places
        numbers["xy_cov"] = covariance[np.arange(m), 0, np.arange(m), 1]
        for a, b in product((0, 1), repeat=2):  # the reference comes first
            numbers[f"ref_{'xy'[a]}{'xy'[b]}_cov"] = covariance[:, a, 0, b]
        for name, values in numbers.items():
            if name in GROUP_FITS.names:
                found.setdefault(name, np.full(len(self.rois), np.nan))[rows] = values
        found["n_together"][rows] = m

    def _clipped(self, done: Together) -> Array:
        """Members of a joint fit with saturated pixels under their peak."""
        under = []
        for row, numbers in zip(done.rows, done.numbers, strict=True):
            x, y = pixels(self.rois, row)
            here = peak_shape(x - numbers[X], y - numbers[Y], numbers[PRECISION])
            edge = np.exp(-0.5 * EXTENT**2)
            under.append(bool((self.rois.clipped[row] & (here > edge)).any()))
        return np.asarray(done.rows[under])

    def _why(self, alone: dict[str, Array], row: int, height: float, error: float) -> str:
        """Status of a member that the joint fit could not keep."""
        if not height >= self.params.snr_min * error:
            return str(FitStatus.TOO_DIM)
        if alone["astray"][row]:
            return str(FitStatus.NEIGHBOUR)
        shifted = alone["gone"][row] or (alone["converged"][row] and not alone["settled"][row])
        return str(FitStatus.LEFT_ROI if shifted else FitStatus.NO_CONVERGENCE)
