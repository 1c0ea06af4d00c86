"""Starts a worker: ``PYTHON .../trackleed_kit/worker/start.py CONNECTION_FILE [PIPE]``.

PIPE is the number of a file that closes with the host, where they run on one machine.

Nothing of trackleed is installed in a foreign environment. The connection file names the folders
of the few packages that may be imported from the host, and only these: its ``site-packages`` as a
whole would bring the host's numpy along.
"""

import importlib.util
import json
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
KIT = HERE.parent


class Finder:
    """Finds just the packages that it was told of, each a folder or a file."""

    def __init__(self, packages):
        # type: (dict[str, str]) -> None
        self.packages = packages

    def find_spec(self, name, path=None, target=None):  # type: ignore[no-untyped-def]
        """Where a top-level package is; what lies inside it is found as always."""
        if path is not None or name not in self.packages:
            return None
        place = Path(self.packages[name])
        if place.is_file():
            return importlib.util.spec_from_file_location(name, str(place))
        if not place.is_dir():
            return None
        return importlib.util.spec_from_file_location(
            name, str(place / "__init__.py"), submodule_search_locations=[str(place)]
        )


def main():
    # type: () -> int
    """Serve as the connection file says; returns the exit status."""
    if sys.version_info < (3, 8):
        sys.exit("%s is Python %s; a worker needs 3.8 or newer" % (sys.executable, sys.version))
    # Python puts this folder first, whose modules are nobody's top-level modules.
    sys.path[:] = [entry for entry in sys.path if Path(entry).resolve() != HERE]
    connection = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    connection["watch"] = int(sys.argv[2]) if len(sys.argv) > 2 else None
    del sys.argv[1:]  # ours, and not for upstream code that looks at it
    sys.path[:0] = connection["paths"]
    sys.meta_path.insert(0, Finder(dict(connection["packages"], trackleed_kit=str(KIT))))
    for name in ("numpy", "zmq"):
        if importlib.util.find_spec(name) is None:
            sys.exit(
                "%s has no %s, which a worker needs: %s -m pip install numpy pyzmq"
                % (sys.executable, name, sys.executable)
            )
    from trackleed_kit.worker.serve import serve

    return serve(connection)


if __name__ == "__main__":
    sys.exit(main())
