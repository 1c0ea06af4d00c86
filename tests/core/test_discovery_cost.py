"""Listing what is installed stays quick, however much is installed."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys

import pytest

HEAVY = ("torch", "cv2", "scipy", "pandas", "zarr", "zmq")
CPU_LIMIT = 0.5
"""Seconds, interpreter and all."""

DISCOVER = "from trackleed.registry import Registry; assert Registry.discover().backends"
LIST = """
import sys
from trackleed.cli import main
sys.argv = ["trackleed", "backends"]
try:
    main()
except SystemExit as end:
    assert not end.code, end.code
"""
REPORT = f"""
import json, sys
print()
print(json.dumps([name for name in {HEAVY!r} if name in sys.modules]))
"""


def run(program: str) -> tuple[str, float]:
    """Output of a fresh interpreter, and the CPU seconds that it took."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(
        [sys.executable, "-c", program],
        env=os.environ | {"PYTHONWARNINGS": "error"},
        capture_output=True,
        text=True,
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert done.returncode == 0, done.stderr
    return done.stdout, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


@pytest.mark.parametrize("program", [DISCOVER, LIST], ids=["discovery", "trackleed backends"])
def test_listing_imports_nothing_heavy_and_is_quick(program: str) -> None:
    runs = [run(program + REPORT) for _ in range(3)]
    assert [json.loads(output.splitlines()[-1]) for output, _ in runs] == [[]] * 3
    assert min(seconds for _, seconds in runs) < CPU_LIMIT
