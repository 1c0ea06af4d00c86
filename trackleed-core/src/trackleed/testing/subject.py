"""The backend under test, and how it is run on a scene."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from trackleed.tables import TRACKS
from trackleed.worker.backends import Hosted

if TYPE_CHECKING:
    from pathlib import Path

    from trackleed.frames import FrameSequence
    from trackleed.registry import Backend
    from trackleed.tables import Columns
    from trackleed.testing.scenes import Scene

    Array: TypeAlias = np.ndarray[Any, np.dtype[Any]]

NEAR = 3.0
"""px within which a track belongs to a spot."""


@dataclass(frozen=True)
class Subject:
    """A backend with the options that it is checked with.

    Attributes
    ----------
    backend : Backend
    options : dict
        What differs from its defaults.
    trained : bool
        Whether it can be asked to follow a spot. A neural tracker with random weights cannot:
        then only the form of what it yields is checked.
    tolerance : float
        Largest mean error, px, of a place that is asked for.
    sample : Path, optional
        Readers: a file or folder that it opens.
    """

    backend: Backend
    options: dict[str, Any] = field(default_factory=dict)
    trained: bool = True
    tolerance: float = 0.25
    sample: Path | None = None

    def make(self) -> Any:
        """A new one of it; or that in the worker, which is started once."""
        return self._hosted if isinstance(self.backend, Hosted) else self._new()

    def _new(self) -> Any:
        return self.backend.make(**self.options)

    @cached_property
    def _hosted(self) -> Any:
        return self._new()

    def close(self) -> None:
        """End the worker, if there is one."""
        if "_hosted" in vars(self):
            self._hosted.close()

    @property
    def inputs(self) -> frozenset[str]:
        """Which of seeds and detections its tracker is given."""
        return frozenset((*self.backend.spec.needs, *self.backend.spec.takes))

    def given(self, scene: Scene) -> tuple[FrameSequence, Columns | None, Columns | None]:
        """What a tracker is called with: the frames, and the seeds and detections it uses."""
        seeds = scene.seeds() if "seeds" in self.inputs else None
        detections = scene.detections() if "detections" in self.inputs else None
        return scene.frames(), seeds, detections

    def track(self, scene: Scene) -> list[Columns]:
        """What a tracker yields for a scene, part after part."""
        return list(self.make().track(*self.given(scene)))

    def follow(self, scene: Scene) -> Followed:
        """What a tracker says of every spot of a scene."""
        return Followed.of(self.track(scene), scene)


@dataclass(frozen=True)
class Followed:
    """Rows of a tracker, sorted by spot.

    Attributes
    ----------
    places : ndarray (t, n, 2)
        x and y in px of the track on each spot; NaN where it has none or is lost.
    states : ndarray of str (t, n)
        Its state; empty where the spot has no track.
    """

    places: Array
    states: Array

    @classmethod
    def of(cls, parts: list[Columns], scene: Scene) -> Followed:
        """Give each spot the track that is near it in the most frames."""
        n_frames, n_spots = scene.places.shape[:2]
        places = np.full((n_frames, n_spots, 2), np.nan)
        states = np.full((n_frames, n_spots), "", dtype=object)
        rows = joined(parts)
        tracks = np.unique(rows["track_id"])
        table = np.full((len(tracks), n_frames, 2), np.nan)
        state = np.full((len(tracks), n_frames), "", dtype=object)
        at = (np.searchsorted(tracks, rows["track_id"]), rows["frame"].astype(int))
        table[at] = np.stack([rows["x"], rows["y"]], axis=-1)
        state[at] = [str(s) for s in rows["state"]]
        for spot in range(n_spots):
            distance = np.hypot(*np.moveaxis(table - scene.places[:, spot], -1, 0))
            near = (distance < NEAR).sum(axis=1)  # NaN is not near
            if len(tracks) and near.max() > 0:
                best = int(near.argmax())
                places[:, spot], states[:, spot] = table[best], state[best]
        return cls(places, states)


def joined(parts: list[Columns]) -> dict[str, Array]:
    """Rows of all parts together, by column; of ``tracks`` if there is no part."""
    names = list(parts[0]) if parts else list(TRACKS.names)
    return {n: np.concatenate([np.asarray(p[n]) for p in parts] or [np.empty(0)]) for n in names}
