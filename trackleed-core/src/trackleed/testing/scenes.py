"""Small series with known truth, on which a backend shows whether it keeps to its contract.

Frames are wider than high, so that swapped axes cannot go unnoticed. Spots are round
Gaussians on a level background; places are pixels, and an integer is a pixel centre.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from trackleed.frames import ArraySource, FrameSequence, NoiseModel
from trackleed.tables import State

if TYPE_CHECKING:
    from trackleed.tables import Columns

    Array: TypeAlias = np.ndarray[Any, np.dtype[Any]]

SHAPE = (96, 160)
"""Size of a frame (y, x) in px."""
SIGMA = 2.5
"""Width of the spots in px."""
BOX = 20.0
"""Width and height, in px, of a detection or seed."""

_BACKGROUND, _AMPLITUDE, _NOISE = 200.0, 2000.0, 6.0  # counts
_STARTS = np.array([(40.0, 28.0), (104.0, 30.0), (56.0, 62.0), (118.0, 66.0)])  # x, y
_OFF = np.array([0.8, -0.6])  # px, from a spot to where a tracker may say that it is


@dataclass(frozen=True)
class Scene:
    """A series, and where its spots are.

    Attributes
    ----------
    places : ndarray (t, n, 2)
        Truth, x and y of every spot in px; NaN where it is not there.
    starts : ndarray of int (n,)
        Frame of each spot's seed.
    dtype : str
        Type of the pixels: ``uint8``, ``uint16`` or ``float32``.
    masked : slice, optional
        Columns of the frame that the mask hides.
    unknown : bool
        Some pixels away from the spots are NaN, as where a correction is unknown; float32 only.
    """

    places: Array
    starts: Array
    dtype: str = "uint16"
    masked: slice | None = None
    unknown: bool = False

    def __len__(self) -> int:
        return len(self.places)

    @property
    def valid(self) -> Array:
        """The mask, bool (y, x): True where the screen can be trusted."""
        valid = np.ones(SHAPE, bool)
        if self.masked is not None:
            valid[:, self.masked] = False
        return valid

    @property
    def gain(self) -> float:
        """Factor from the counts of a 16-bit camera to this type's."""
        return 0.1 if self.dtype == "uint8" else 1.0

    def images(self) -> Array:
        """The frames, array (t, y, x); the same at every call."""
        rng = np.random.default_rng(7)
        y, x = np.mgrid[: SHAPE[0], : SHAPE[1]]
        images = np.empty((len(self), *SHAPE))
        for image, spots in zip(images, self.places, strict=True):
            image[:] = _BACKGROUND + rng.normal(0.0, _NOISE, SHAPE)
            for sx, sy in spots[np.isfinite(spots[:, 0])]:
                image += _AMPLITUDE * np.exp(-((x - sx) ** 2 + (y - sy) ** 2) / (2 * SIGMA**2))
        images *= self.gain
        if self.unknown:
            images[:, :4, :6] = np.nan
        if self.dtype == "float32":
            return images.astype(np.float32)
        info = np.iinfo(self.dtype)
        return np.clip(np.rint(images), info.min, info.max).astype(self.dtype)

    def frames(self) -> FrameSequence:
        """The series as a backend is handed it. Writing to its pixels raises ``ValueError``."""
        images = self.images()
        images.setflags(write=False)
        noise = NoiseModel(gain=0.0, read_noise=_NOISE * self.gain)
        return FrameSequence(ArraySource(images), self.index(), self.valid, noise)

    def index(self) -> dict[str, Array]:
        """Columns of the ``index`` table that are known: the number of the frame alone."""
        nothing = np.full(len(self), np.nan)
        names = ("time_s", "temperature_K", "energy_eV", "coverage_ML", "exposure_s")
        return {"frame": np.arange(len(self))} | dict.fromkeys((*names, "beam_current_A"), nothing)

    def seeds(self) -> Columns:
        """A row of ``seeds`` for every spot, ``track_id`` counting from 1."""
        n = np.arange(len(self.starts))
        xy = self.places[self.starts, n]
        return {
            "track_id": n + 1,
            "frame": self.starts.astype(np.int64),
            "x": xy[:, 0],
            "y": xy[:, 1],
            "width": np.full(len(n), BOX),
            "height": np.full(len(n), BOX),
        }

    def detections(self) -> Columns:
        """A row of ``detections`` for every spot that is there and that the mask does not hide."""
        frame, spot = np.nonzero(np.isfinite(self.places[:, :, 0]))
        xy = self.places[frame, spot]
        column, row = np.rint(xy).astype(int).T
        kept = self.valid[row, column]
        return {
            "frame": frame[kept],
            "x": xy[kept, 0],
            "y": xy[kept, 1],
            "width": np.full(kept.sum(), BOX),
            "height": np.full(kept.sum(), BOX),
            "score": np.full(kept.sum(), _AMPLITUDE * self.gain),
        }

    def rois(self) -> dict[str, Array]:
        """Rows of ``tracks`` a little off the spots, as a tracker gives them to a refiner."""
        n_frames, n_spots = self.places.shape[:2]
        n = n_frames * n_spots
        x, y = (self.places.reshape(-1, 2) + _OFF).T
        return {
            "frame": np.repeat(np.arange(n_frames), n_spots),
            "track_id": np.tile(np.arange(1, n_spots + 1), n_frames),
            "x": x,
            "y": y,
            "width": np.full(n, BOX),
            "height": np.full(n, BOX),
            "score": np.ones(n),
            "state": np.full(n, State.MEASURED.value, dtype=object),
        }

    def like(self, **changes: Any) -> Scene:
        """The same scene with something changed."""
        return replace(self, **changes)


def moving(step: tuple[float, float], n: int = 8, phase: float = 0.0) -> Scene:
    """Four spots that move by the same ``step`` (x, y), px a frame, from ``phase`` px on."""
    steps = np.arange(n)[:, None, None] * np.array(step)
    return Scene(_STARTS + phase + steps, np.zeros(len(_STARTS), int))


def vanishing(n: int = 30, last: int = 5) -> Scene:
    """Four spots that stand, the first of which is gone after frame ``last``."""
    places = np.repeat(_STARTS[None], n, axis=0)
    places[last + 1 :, 0] = np.nan
    return Scene(places, np.zeros(len(_STARTS), int))


def appearing(n: int = 10, first: int = 4) -> Scene:
    """Four spots that move along x, the last of which is there, and seeded, from ``first`` on."""
    scene = moving((0.8, 0.0), n)
    places, starts = scene.places.copy(), scene.starts.copy()
    places[:first, -1] = np.nan
    starts[-1] = first
    return Scene(places, starts)


def hidden(n: int = 8) -> Scene:
    """Four spots that move along x; those to the right of column 90 are behind the mask."""
    return moving((0.8, 0.0), n).like(masked=slice(90, None))


def empty(n: int = 4) -> Scene:
    """Frames without any spot."""
    return Scene(np.empty((n, 0, 2)), np.empty(0, int))
