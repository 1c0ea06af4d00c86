"""Whether a distribution stands alone: `python tests/alone.py DISTRIBUTION PACKAGE`.

To be run where nothing but it and the core is installed: every module must import, but for
those of a backend that says what extra it misses, and trackleed must find its backends and
nobody else's.
"""

from __future__ import annotations

import sys
from importlib import import_module
from importlib.metadata import entry_points
from pkgutil import walk_packages

from trackleed.registry import Registry

dist, package = sys.argv[1:]
registry = Registry.discover()
# What an extra brings may be missing, where a backend says that it needs it.
extras = {name for backend in registry.backends for name in backend.missing}
for module in walk_packages(import_module(package).__path__, f"{package}."):
    if module.name.endswith(".__main__"):
        continue
    try:
        import_module(module.name)
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in extras:
            raise

found = {backend.dist for backend in registry.backends}
registers = {entry.dist.name for entry in entry_points(group="trackleed") if entry.dist}
assert not registry.problems, registry.problems
assert registers == found, f"{registers} are to register backends, {found} do"
assert registers <= {"trackleed-core", dist}, f"{registers} are installed too"
print(f"{dist} stands alone with {len(registry.backends)} backends")
