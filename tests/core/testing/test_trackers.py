"""An honest tracker passes every check, and each check finds the fault that it is for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from tests.core.testing.conftest import Honest, subject_of
from trackleed.testing import run
from trackleed.testing.trackers import CHECKS


class SwapsAxes(Honest):
    def find(self, frame: Any, valid: Any, at: Any) -> Any:
        here = super().find(frame, valid, at)
        return at + (here - at)[::-1]


class CountsFromCorner(Honest):
    def find(self, frame: Any, valid: Any, at: Any) -> Any:
        return super().find(frame, valid, at) + 0.5


class WholePixels(Honest):
    def find(self, frame: Any, valid: Any, at: Any) -> Any:
        return np.rint(super().find(frame, valid, at))


class NeverLost(Honest):
    def find(self, frame: Any, valid: Any, at: Any) -> Any:
        here = super().find(frame, valid, at)
        return here if np.isfinite(here[0]) else at


class LostWithPlace(Honest):
    def rows(self, i: int, seeds: Any, at: Any, state: Any) -> dict[str, Any]:
        rows = super().rows(i, seeds, at, state)
        return rows | {"x": np.nan_to_num(rows["x"]), "y": np.nan_to_num(rows["y"])}


class LosesRows(Honest):
    def rows(self, i: int, seeds: Any, at: Any, state: Any) -> dict[str, Any]:
        rows = super().rows(i, seeds, at, state)
        there = rows["state"] != "lost"
        return {name: values[there] for name, values in rows.items()}


class SkipsFrames(Honest):
    def track(self, *given: Any) -> Iterator[Any]:
        for i, rows in enumerate(super().track(*given)):
            if i != 2:
                yield rows


class ForgetsColumn(Honest):
    def rows(self, i: int, seeds: Any, at: Any, state: Any) -> dict[str, Any]:
        rows = super().rows(i, seeds, at, state)
        del rows["score"]
        return rows


class OwnStates(Honest):
    def state(self, at: Any) -> str:
        return "tracked" if np.isfinite(at[0]) else "lost"


class RenumbersTracks(Honest):
    def rows(self, i: int, seeds: Any, at: Any, state: Any) -> dict[str, Any]:
        rows = super().rows(i, seeds, at, state)
        return rows | {"track_id": np.asarray(seeds["track_id"]) - 1}


class MovesSeeds(Honest):
    def seeded(self, seeds: Any, k: int) -> tuple[float, float]:
        x, y = super().seeded(seeds, k)
        return x + 2.0, y


class SeesEarly(Honest):
    def track(self, frames: Any, seeds: Any, detections: Any) -> Iterator[Any]:
        first = dict(seeds) | {"frame": np.zeros_like(seeds["frame"])}
        for i, rows in enumerate(super().track(frames, first, detections)):
            known = np.isfinite(seeds["x"])
            rows["x"] = np.where(known, seeds["x"] + 0.8 * (i - seeds["frame"]), np.nan)
            rows["y"] = np.asarray(seeds["y"])
            rows["state"] = np.full(len(known), "measured", dtype=object)
            yield rows


class ChangesSeeds(Honest):
    def seeded(self, seeds: Any, k: int) -> tuple[float, float]:
        seeds["x"][k] += 0.01
        return super().seeded(seeds, k)


class WritesToFrames(Honest):
    def find(self, frame: Any, valid: Any, at: Any) -> Any:
        frame[0, 0] = 0
        return super().find(frame, valid, at)


class NeedsTwoFrames(Honest):
    def track(self, frames: Any, seeds: Any, detections: Any) -> Iterator[Any]:
        step = frames[1]  # for its size
        assert step.size
        yield from super().track(frames, seeds, detections)


class NeedsSpots(Honest):
    def track(self, frames: Any, seeds: Any, detections: Any) -> Iterator[Any]:
        assert np.max(seeds["x"]) > 0
        yield from super().track(frames, seeds, detections)


class Wants16Bit(Honest):
    def find(self, frame: Any, valid: Any, at: Any) -> Any:
        return super().find(frame if frame.dtype == np.uint16 else frame * 0, valid, at)


class IgnoresMask(Honest):
    def find(self, frame: Any, valid: Any, at: Any) -> Any:
        return super().find(frame, np.ones_like(valid), at)


class MindsNaN(Honest):
    def find(self, frame: Any, valid: Any, at: Any) -> Any:
        if np.isnan(np.sum(frame)):
            raise ValueError("NaN in the frame")
        return super().find(frame, valid, at)


class Remembers(Honest):
    count = 0

    def seeded(self, seeds: Any, k: int) -> tuple[float, float]:
        self.count += 1
        x, y = super().seeded(seeds, k)
        return x + 0.001 * self.count, y


class IsList(Honest):
    def track(self, *given: Any) -> Any:
        return iter(list(super().track(*given)))


FAULTS = {
    "right-columns": ForgetsColumn,
    "every-row": LosesRows,
    "known-states": LostWithPlace,
    "seeds-kept": MovesSeeds,
    "axis-order-x": SwapsAxes,
    "axis-order-y": SwapsAxes,
    "half-pixel": CountsFromCorner,
    "sub-pixel": WholePixels,
    "vanished-is-lost": NeverLost,
    "late-spot": SeesEarly,
    "one-frame": NeedsTwoFrames,
    "no-spots": NeedsSpots,
    "pixel-types": Wants16Bit,
    "mask-respected": IgnoresMask,
    "unknown-pixels": MindsNaN,
    "inputs-unmodified": ChangesSeeds,
    "repeatable": Remembers,
    "cancel": IsList,
}
MORE_FAULTS = [
    ("every-row", SkipsFrames),
    ("known-states", OwnStates),
    ("seeds-kept", RenumbersTracks),
    ("inputs-unmodified", WritesToFrames),
]


def outcomes(tracker: type[Honest], trained: bool = True) -> dict[str, str]:
    subject = subject_of("tracker", tracker, trained, needs=("seeds",))
    return {r.check.name: f"{r.outcome} {r.reason}".strip() for r in run(subject, CHECKS)}


def test_an_honest_tracker_passes_every_check() -> None:
    assert set(outcomes(Honest).values()) == {"passed"}


def test_every_check_of_trackers_has_a_planted_fault() -> None:
    assert set(FAULTS) == {check.name for check in CHECKS}


@pytest.mark.parametrize(("name", "tracker"), [*FAULTS.items(), *MORE_FAULTS])
def test_a_check_finds_the_fault_that_it_is_for(name: str, tracker: type[Honest]) -> None:
    check = next(c for c in CHECKS if c.name == name)
    (result,) = run(subject_of("tracker", tracker, needs=("seeds",)), [check])
    assert result.outcome == "failed"
    assert result.reason
    assert "\n" not in result.reason


def test_the_half_pixel_is_named_when_it_is_the_fault() -> None:
    check = next(c for c in CHECKS if c.name == "half-pixel")
    (result,) = run(subject_of("tracker", CountsFromCorner, needs=("seeds",)), [check])
    assert "corner of the first pixel" in result.reason
    assert "+0.5" in result.reason


class Wanders(Honest):
    """As a network with random weights does: right form, meaningless places."""

    def find(self, frame: Any, valid: Any, at: Any) -> Any:
        inside = np.clip(at + np.array([3.0, -2.0]), 0, 85)
        return inside if valid[int(inside[1]), int(inside[0])] else np.full(2, np.nan)


def test_random_weights_are_asked_for_the_form_alone() -> None:
    found = outcomes(Wanders, trained=False)
    for check in CHECKS:
        expected = "not asked its weights are random" if check.needs_training else "passed"
        assert found[check.name] == expected, check.name
    assert "failed" in outcomes(Wanders)["axis-order-x"]
