"""What `run.py` has done inside a family's environment: Python 3.8, and what that one has.

    inside.py FAMILY weights|checks DESCRIBED

A family's `weights(folder)` writes its checkpoints; each `check_...(make)` is told how to make
an adapter by its tracker's name, and asserts.
"""

from __future__ import annotations

import json
import os
import sys
import traceback
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace

import torch

family_name, what, described = sys.argv[1:]
family = import_module(family_name)
trackers = json.loads(described)
torch.set_num_threads(1)
torch.manual_seed(3)


def make(name, **options):
    """An adapter, as its worker makes it."""
    module, _, attribute = trackers[name]["factory"].partition(":")
    params = SimpleNamespace(**{**trackers[name]["params"], **options})
    return getattr(import_module(module), attribute)(params)


failed = 0
if what == "weights":
    family.weights(Path(os.environ["TRACKLEED_CHECKPOINTS"]))
else:
    for name, check in vars(family).items():
        if name.startswith("check_") and check.tracker in trackers:
            try:
                check(make)
                print("✓ %s: %s" % (check.tracker, check.__doc__.splitlines()[0]), flush=True)
            except Exception:
                failed += 1
                traceback.print_exc()
                print("✗ %s: %s" % (check.tracker, check.__doc__.splitlines()[0]), flush=True)
sys.exit(bool(failed))
