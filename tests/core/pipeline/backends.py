"""A detector and trackers for the tests of the engine: small, real, and badly behaved on demand."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from typing import Any

import numpy as np
from scipy import ndimage

from trackleed.backend import BackendSpec
from trackleed.hooks import hookimpl
from trackleed.params import Params, option


class BrightParams(Params):
    threshold: float = option(8.0, "least height over the median", unit="noise", gt=0)
    fail_at: int = option(-1, "number of the detection that raises")
    kill_at: int = option(-1, "number of the detection that kills the process")
    wait: float = option(0.0, "time that a detection takes at least", unit="s", ge=0)


class Bright:
    """Local maxima over a threshold in units of the frame's robust noise."""

    def __init__(self, params: BrightParams) -> None:
        self.params = params
        self.calls = 0

    def detect(self, frame: np.ndarray, valid: np.ndarray) -> dict[str, Any]:
        self.calls += 1
        time.sleep(self.params.wait)
        if self.calls == self.params.fail_at:
            raise ValueError("the lens cap is on")
        if self.calls == self.params.kill_at:
            os.kill(os.getpid(), signal.SIGKILL)
        smooth = ndimage.gaussian_filter(frame.astype(float), 1.5)
        level = np.median(smooth[valid])
        noise = 1.4826 * np.median(np.abs(smooth[valid] - level)) or 1.0
        peaks = (smooth == ndimage.maximum_filter(smooth, 9)) & valid
        peaks &= smooth > level + self.params.threshold * noise
        y, x = np.nonzero(peaks)
        size = np.full(len(x), 15.0)
        score = (smooth[y, x] - level) / noise
        return {
            "x": x.astype(float),
            "y": y.astype(float),
            "width": size,
            "height": size,
            "score": score,
        }


class NearestParams(Params):
    distance: float = option(6.0, "how far a spot may move between frames", unit="px", gt=0)
    fault: str = option("", "what to do wrong: short, twice, shrinking or raise")


class Nearest:
    """Each spot of frame 0 goes on to the nearest detection of the next frame."""

    def __init__(self, params: NearestParams) -> None:
        self.params = params

    def track(self, frames: Any, seeds: Any, detections: Any) -> Iterator[dict[str, Any]]:
        first = detections["frame"] == 0
        place = np.column_stack([detections["x"][first], detections["y"][first]])
        for i in range(len(frames)):
            if self.params.fault == "short" and i == 3:
                return
            if self.params.fault == "raise" and i == 3:
                raise RuntimeError("lost my way")
            rows = self._frame(i, place, detections)
            if self.params.fault == "shrinking" and i == 3:
                rows = {name: column[:-1] for name, column in rows.items()}
            yield rows
            if self.params.fault == "twice" and i == 3:
                yield rows

    def _frame(self, i: int, place: np.ndarray, detections: Any) -> dict[str, Any]:
        here = detections["frame"] == i
        found = np.column_stack([detections["x"][here], detections["y"][here]])
        rows = np.full((len(place), 2), np.nan)
        for k, spot in enumerate(place):
            distance = np.hypot(*(found - spot).T)
            if len(distance) and distance.min() < self.params.distance:
                rows[k] = place[k] = found[distance.argmin()]
        seen = np.isfinite(rows[:, 0])
        size = np.where(seen, 15.0, np.nan)
        return {
            "frame": np.full(len(place), i),
            "track_id": np.arange(1, len(place) + 1),
            "x": rows[:, 0],
            "y": rows[:, 1],
            "width": size,
            "height": size,
            "score": np.where(seen, 1.0, np.nan),
            "state": np.where(seen, "measured", "lost"),
        }


class Seeded(Nearest):
    """Each seed goes on to the nearest detection, from its frame to both ends."""

    def track(self, frames: Any, seeds: Any, detections: Any) -> Iterator[dict[str, Any]]:
        start = int(seeds["frame"][0])
        for frame_numbers in (range(start, len(frames)), range(start - 1, -1, -1)):
            place = np.column_stack([seeds["x"], seeds["y"]]).astype(float)
            for i in frame_numbers:
                yield {**self._frame(i, place, detections), "track_id": seeds["track_id"]}


@hookimpl
def trackleed_detectors() -> Iterator[BackendSpec]:
    yield BackendSpec("bright", "for tests", "test_backends:Bright", BrightParams)


@hookimpl
def trackleed_trackers() -> Iterator[BackendSpec]:
    yield BackendSpec(
        "nearest", "for tests", "test_backends:Nearest", NearestParams, needs=("detections",)
    )
    yield BackendSpec(
        "seeded",
        "for tests",
        "test_backends:Seeded",
        NearestParams,
        needs=("detections",),
        takes=("seeds",),
    )
