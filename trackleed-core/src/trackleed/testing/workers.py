"""Check that a backend gives the same in a worker as in this process."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from trackleed import tables
from trackleed.testing import scenes
from trackleed.testing.checks import NotApplicable, check, require
from trackleed.testing.readers import sample
from trackleed.testing.subject import joined
from trackleed.worker.backends import Hosted
from trackleed.worker.environments.model import parse

if TYPE_CHECKING:
    from trackleed.registry import Backend
    from trackleed.testing.subject import Subject

_ALIKE = 1e-3
"""Largest difference of a number: other builds of a library may round otherwise."""


@check()
def same_in_worker(subject: Subject) -> None:
    """In a worker, in a process of its own, it gives the same as in this process."""
    b = subject.backend
    if b.missing:
        raise NotApplicable(f"in this process it misses {', '.join(b.missing)}")
    hosted: Backend = b
    if not isinstance(b, Hosted):
        here = parse(f"[here]\npython = {sys.executable!r}", Path.cwd() / "here")["here"]
        hosted = Hosted(b.kind, b.spec, b.dist, b.version, here)
    local = super(Hosted, b).make(**subject.options) if isinstance(b, Hosted) else subject.make()
    with hosted.make(**subject.options) as remote:
        there = _columns(subject, remote)
    expected = _columns(subject, local)
    odd = [n for n in expected if n not in there or not _alike(expected[n], there[n])]
    require(not odd, f"in a worker it differs in {', '.join(odd)}")


def _columns(subject: Subject, backend: Any) -> dict[str, Any]:
    """What it gives for a series of moving spots; a reader, for the sample."""
    if subject.backend.kind == "reader":
        source = backend.open(sample(subject))
        frames = np.stack([source.read(i) for i in range(len(source))])
        return {**tables.columns(tables.build(tables.INDEX, source.index)), "frames": frames}
    scene = scenes.moving((0.8, 0.4))
    if subject.backend.kind == "detector":
        parts = [backend.detect(scene.frames()[0], scene.valid)]
    elif subject.backend.kind == "refiner":
        parts = [backend.refine(scene.frames(), scene.rois())]
    else:
        parts = list(backend.track(*subject.given(scene)))
    return joined(parts)


def _alike(a: Any, b: Any) -> bool:
    if a.shape != b.shape:
        return False
    if a.dtype.kind == "f":
        return bool(np.allclose(a, b, rtol=_ALIKE, atol=_ALIKE, equal_nan=True))
    return [str(v) for v in a] == [str(v) for v in b]


CHECKS = (same_in_worker,)
