"""Trackers in workers in which stand-ins take the place of torch and of upstream."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

from trackleed.registry import Registry
from trackleed.testing import Subject, run
from trackleed.testing.running import chosen
from trackleed.worker.backends import Hosted
from trackleed.worker.environments import Environment

HERE = Path(__file__).parent


def subject(
    folder: Path, name: str, upstream: str, files: dict[str, Any], **options: Any
) -> Subject:
    """A tracker of this repository with a stand-in of its upstream.

    Parameters
    ----------
    folder : Path
        Gets the files of weights.
    name : str
    upstream : str
        Folder of the stand-in here; known to the worker as a checkout of this name too.
    files : dict
        Contents of the files of weights, by name.
    **options
        Of the tracker.
    """
    for file, content in files.items():
        (folder / file).write_text(json.dumps(content))
    (found,) = (b for b in Registry.discover().backends if b.spec.name == name)
    assert found.spec.recipe is not None
    standin = str(HERE / upstream)
    described = {
        "name": "standin",
        "source": folder / "envs.toml",
        "python": sys.executable,
        "checkpoints": str(folder),
        "device": "cpu",
        "checkouts": {each.name: standin for each in found.spec.recipe.upstreams},
        "variables": {"PYTHONPATH": os.pathsep.join([str(HERE / "torch"), standin])},
    }
    environment = Environment.model_validate(described)
    hosted = Hosted(found.kind, found.spec, found.dist, found.version, environment)
    return Subject(hosted, options)


def failures(tested: Subject, *names: str) -> dict[str, str]:
    """The checks of these names that did not pass, and why."""
    found = {r.check.name: f"{r.outcome}: {r.reason}" for r in run(tested, chosen(tested, names))}
    return {name: said for name, said in found.items() if said != "passed: "}


PLACES = ("axis-order-x", "axis-order-y", "half-pixel", "late-spot")
"""Checks that say most about where a tracker goes."""
ALL = (*PLACES, "sub-pixel", "vanished-is-lost", "one-frame", "repeatable", "cancel")
"""Those that an adapter can fail at; the others are about what all of them share."""
