"""As much of torch as the adapters use, on numpy."""

import contextlib
import json
import pickle
from pathlib import Path
from types import SimpleNamespace

import numpy as np

cuda = SimpleNamespace(is_available=lambda: False)
serialization = SimpleNamespace()  # as before torch 2.6


class Tensor(np.ndarray):
    device = "cpu"

    def to(self, *where, **how):
        return self

    cpu = to

    def numpy(self):
        return np.asarray(self)

    def float(self):
        return self.astype(np.float32)

    def permute(self, *axes):
        return self.transpose(axes)

    def view(self, *shape):
        return super().view(*shape) if isinstance(shape[0], type) else self.reshape(shape)


def from_numpy(array):
    return array.view(Tensor)


def tensor(values, device=None):
    return from_numpy(np.array(values, np.float32))


@contextlib.contextmanager
def inference_mode():
    yield


def load(path, map_location=None, weights_only=True):
    held = json.loads(Path(path).read_text())
    if weights_only and "objects" in held:
        raise pickle.UnpicklingError("Weights only load failed: GLOBAL somebody.Settings")
    return held


class Module:
    """A network with one weight, which is 1 when it is loaded."""

    weight = None

    def load_state_dict(self, state, strict=True):
        if set(state) != {"weight"}:
            raise RuntimeError(f"Error(s) in loading state_dict:\n\tUnexpected key(s): {state}")
        self.weight = state["weight"]

    def eval(self):
        return self

    def to(self, device):
        return self

    def parameters(self):
        return iter([tensor([1.0])])


def cat(parts, dim=0):
    return from_numpy(np.concatenate(parts, dim))


@contextlib.contextmanager
def _fork_rng(devices=None):
    assert devices == []
    yield


random = SimpleNamespace(fork_rng=_fork_rng)


def manual_seed(seed):
    pass
