from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest

from trackleed.builtin.refiners.gaussian import Gaussian
from trackleed.builtin.refiners.params import GaussianParams
from trackleed.frames import ArraySource, FrameSequence, NoiseModel

NOISE = NoiseModel(gain=1.0, read_noise=2.0, black=0.0)


def spot(
    shape: tuple[int, int],
    x: float,
    y: float,
    amplitude: float,
    sigma_x: float = 2.5,
    sigma_y: float | None = None,
    theta_deg: float = 0.0,
) -> np.ndarray:
    """A Gaussian written as in a textbook; theta from +x towards +y, which is down."""
    rows, columns = np.mgrid[: shape[0], : shape[1]]
    angle = np.radians(theta_deg)
    along = (columns - x) * np.cos(angle) + (rows - y) * np.sin(angle)
    across = -(columns - x) * np.sin(angle) + (rows - y) * np.cos(angle)
    across_width = sigma_x if sigma_y is None else sigma_y
    return amplitude * np.exp(-0.5 * ((along / sigma_x) ** 2 + (across / across_width) ** 2))


def noisy(expected: np.ndarray, seed: int = 0) -> np.ndarray:
    """Photon counts with the read noise of `NOISE`."""
    rng = np.random.default_rng(seed)
    return rng.poisson(expected) + rng.normal(0, NOISE.read_noise, expected.shape)


def sequence(frames: Any, **known: Any) -> FrameSequence:
    """Frames (y, x) or (t, y, x) as a series with the true noise."""
    frames = np.asarray(frames)
    known = {"noise": NOISE, **known}
    return FrameSequence(ArraySource(frames if frames.ndim == 3 else frames[None]), **known)


def rois(
    positions: Sequence[tuple[float, float]],
    frame: Any = 0,
    size: float = 21,
    state: Any = "measured",
) -> dict[str, np.ndarray]:
    """Columns of ``tracks`` at these positions."""
    n = len(positions)
    x, y = np.array(positions, dtype=float).reshape(n, 2).T
    return {
        "frame": np.broadcast_to(np.asarray(frame, dtype=np.int64), n),
        "track_id": np.arange(1, n + 1),
        "x": x,
        "y": y,
        "width": np.full(n, float(size)),
        "height": np.full(n, float(size)),
        "score": np.ones(n),
        "state": np.broadcast_to(np.asarray(state, dtype=object), n),
    }


def refine(frames: FrameSequence, where: dict[str, np.ndarray], **options: Any) -> dict[str, Any]:
    """Run the refiner."""
    return dict(Gaussian(GaussianParams(**options)).refine(frames, where))


class Lab:
    """The helpers above, for tests."""

    spot = staticmethod(spot)
    noisy = staticmethod(noisy)
    sequence = staticmethod(sequence)
    rois = staticmethod(rois)
    refine: Callable[..., dict[str, Any]] = staticmethod(refine)
    noise = NOISE


@pytest.fixture
def lab() -> type[Lab]:
    return Lab
