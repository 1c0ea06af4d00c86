"""What the checks of several families use."""

from __future__ import annotations

import numpy as np


def of(tracker):
    """Say which tracker a check is about."""

    def mark(check):
        check.tracker = tracker
        return check

    return mark


def clip(n, shape, seed=1):
    """Pictures (n, y, x) in [0, 1]: noise, which moves by (3, 2) px a picture."""
    noise = np.random.default_rng(seed).random((shape[0] + 2 * n, shape[1] + 3 * n))
    rows, columns = shape
    moved = [noise[2 * t : 2 * t + rows, 3 * t : 3 * t + columns] for t in range(n)]
    return np.stack(moved).astype(np.float32)


def queries(*places):
    """Queries (n, 5) of (t, x, y), with boxes of 12 by 10 px."""
    return np.array([(t, x, y, 12.0, 10.0) for t, x, y in places])


def followed(adapter, pictures, asked):
    """What an adapter says: x, y (t, n, 2) and confidence (t, n)."""
    found = np.stack(list(adapter.follow(iter(pictures), asked)))
    assert found.shape == (len(pictures), len(asked), 5), found.shape
    started = np.arange(len(pictures))[:, None] >= asked[:, 0]
    assert np.isfinite(found[started]).all()
    assert (found[..., 2:4][started] == (12.0, 10.0)).all()
    return found[..., :2], found[..., 4]


def alike(a, b, most, what):
    """Assert that two arrays differ by no more than ``most``."""
    worst = float(np.max(np.abs(np.asarray(a) - np.asarray(b))))
    assert worst <= most, "%s differ by %g, at most %g is allowed" % (what, worst, most)
