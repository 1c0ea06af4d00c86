from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from trackleed.backend import BackendSpec
from trackleed.frames import FrameSequence
from trackleed.params import Params, option
from trackleed.registry import Backend
from trackleed.tables import Columns
from trackleed.testing import Subject


class Options(Params):
    radius: float = option(8.0, "Distance that is searched", unit="px", gt=0)


@dataclass(frozen=True)
class Here(Backend):
    """A backend that is made by calling a class of the test."""

    made_by: Any = field(default=None)

    def make(self, **options: Any) -> Any:
        return self.made_by(self.params(**options))


def subject_of(kind: Any, made_by: Any, trained: bool = True, **spec: Any) -> Subject:
    known: dict[str, Any] = {"summary": "of a test", "factory": "a.test:Class", "params": Options}
    described = BackendSpec(name="mine", **(known | spec))
    return Subject(Here(kind, described, "of-the-test", "0", made_by), trained=trained)


class Honest:
    """Follows each seed by the centre of mass of what is clearly brighter than the frame."""

    def __init__(self, params: Options) -> None:
        self.params = params

    def track(
        self, frames: FrameSequence, seeds: Columns | None, detections: Columns | None
    ) -> Iterator[Columns]:
        assert seeds is not None
        n = len(seeds["track_id"])
        at = np.full((n, 2), np.nan)
        for i in range(len(frames)):
            state = np.full(n, "lost", dtype=object)
            for k in range(n):
                if seeds["frame"][k] == i:
                    at[k] = self.seeded(seeds, k)
                    state[k] = "seed"
                elif np.isfinite(at[k, 0]):
                    at[k] = self.find(frames[i], frames.valid, at[k])
                    state[k] = self.state(at[k])
            yield self.rows(i, seeds, at, state)

    def seeded(self, seeds: Columns, k: int) -> tuple[float, float]:
        return float(seeds["x"][k]), float(seeds["y"][k])

    def state(self, at: Any) -> str:
        return "measured" if np.isfinite(at[0]) else "lost"

    def find(self, frame: Any, valid: Any, at: Any) -> Any:
        frame = np.where(valid, frame, np.nan).astype(float)
        y, x = np.indices(frame.shape)
        near = np.hypot(x - at[0], y - at[1]) < self.params.radius
        light = np.where(near, np.nan_to_num(frame - 1.3 * np.nanmedian(frame)), 0).clip(0)
        if light.sum() == 0:
            return np.full(2, np.nan)
        return np.array([(light * x).sum(), (light * y).sum()]) / light.sum()

    def rows(self, i: int, seeds: Columns, at: Any, state: Any) -> dict[str, Any]:
        there = state != "lost"
        x, y = np.where(there[:, None], at, np.nan).T
        size = np.where(there, 20.0, np.nan)
        key = {"frame": np.full(len(at), i), "track_id": np.asarray(seeds["track_id"])}
        return key | {"x": x, "y": y, "width": size, "height": size, "score": size, "state": state}
