from __future__ import annotations

import signal
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import hypothesis
import pytest

ROOT = Path(__file__).parents[1]
EXAMPLE_INSTALLED = find_spec("trackleed_example") is not None

# A busy machine is no fault of the code.
hypothesis.settings.register_profile("unhurried", deadline=None)
hypothesis.settings.load_profile("unhurried")

# Who starts the tests in the background has Ctrl-C ignored, and their processes would inherit that.
signal.signal(signal.SIGINT, signal.default_int_handler)

collect_ignore = [] if EXAMPLE_INSTALLED else ["example-plugin"]


def pytest_report_header() -> str | None:
    return None if EXAMPLE_INSTALLED else "tests/example-plugin left out: it is not installed"


@pytest.fixture(scope="session", autouse=True)
def nobodys_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Environments that whoever runs the tests has made for themselves play no part."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TRACKLEED_HOME", str(tmp_path_factory.mktemp("home")))
        yield


@pytest.fixture(scope="session")
def real_data() -> Path:
    """Folder of the measured series, which are no part of the repository."""
    folder = ROOT.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip(f"no measured series at {folder}")
    return folder
