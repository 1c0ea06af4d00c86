"""The whole way through, with the packages that a user installs for it."""

from __future__ import annotations

from importlib.util import find_spec

NEEDED = ("trackleed_detectors", "trackleed_trackers_box")
MISSING = [name for name in NEEDED if find_spec(name) is None]

collect_ignore_glob = ["*"] if MISSING else []


def pytest_report_header() -> str | None:
    return f"tests/workflow left out: no {', '.join(MISSING)}" if MISSING else None
