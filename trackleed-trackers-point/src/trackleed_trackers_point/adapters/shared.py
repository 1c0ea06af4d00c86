"""What the adapters of this package share."""

from __future__ import annotations

import contextlib
from typing import Any, Dict, Iterator

import numpy as np
import torch

from trackleed_kit import place, weights
from trackleed_kit.following import Options, seeds_for, track


class Points:
    """A tracker of points: its subclasses make the network and have `follow`.

    The box of a spot stays as large as its seed: points have no size.
    """

    shape: Any = None
    longest: Any = None

    def __init__(self, params: Any) -> None:
        self.params = params
        self.device = place.device(params.device)

    def loaded(self, network: Any, file: str, **where: Any) -> Any:
        """The network with the weights of ``file``, or those that the user names."""
        path = place.checkpoint(file, self.params.checkpoint)
        return weights.load(network, path, **where).to(self.device)

    def tensor(self, array: Any) -> Any:
        """An array as float32 on the device."""
        return torch.from_numpy(np.ascontiguousarray(array, np.float32)).to(self.device)

    def track(self, frames: Any, seeds: Any, detections: Any) -> Iterator[Dict[str, Any]]:
        """Rows of one frame after another."""
        return track(self, frames, seeds_for(frames, seeds, detections), Options.of(self.params))


@contextlib.contextmanager
def computing() -> Iterator[None]:
    """No gradients, and random numbers that are the same every time and nobody else's.

    Never to be open while a generator waits: it holds for the whole thread.
    """
    with torch.inference_mode(), torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        yield


def numbers(tensor: Any) -> Any:
    """A tensor as an array of float64."""
    return tensor.float().cpu().numpy().astype(np.float64)


def sigmoid(logits: Any) -> Any:
    """1 / (1 + exp(-logits)), without overflow."""
    return 0.5 * (1 + np.tanh(0.5 * logits))


def rows(places: Any, sure: Any, queries: Any) -> Iterator[Any]:
    """Rows (n, x y width height confidence) of each picture.

    Parameters
    ----------
    places : ndarray (t, n, 2)
        x and y.
    sure : ndarray (t, n)
        Confidence.
    queries : ndarray (n, 5)
    """
    for xy, confidence in zip(places, sure):
        yield np.column_stack([xy, queries[:, 3:], confidence])
