"""pytest plugin: ``pytest --trackleed-backend=NAME`` runs the checks as tests."""

from __future__ import annotations

from pathlib import Path

import pytest

_TESTS = Path(__file__).with_name("conformance.py")


def pytest_addoption(parser: pytest.Parser) -> None:
    """The options."""
    group = parser.getgroup("trackleed", "checks of a trackleed backend")
    group.addoption(
        "--trackleed-backend",
        action="append",
        default=[],
        metavar="[KIND:]NAME[@ENV]",
        help="check that this backend keeps to its contract; repeatable",
    )
    group.addoption(
        "--trackleed-set",
        action="append",
        default=[],
        metavar="OPTION=VALUE",
        help="an option of the backend that is checked; repeatable",
    )
    group.addoption(
        "--trackleed-untrained",
        action="store_true",
        help="its weights are random: ask only for the form of what it yields",
    )
    group.addoption(
        "--trackleed-sample",
        type=Path,
        metavar="PATH",
        help="a file or folder that the reader that is checked can open",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Collect the checks; beside other tests if their paths are given, else alone."""
    if config.getoption("trackleed_backend"):
        given = config.args_source == pytest.Config.ArgsSource.ARGS
        config.args = [*(config.args if given else []), str(_TESTS)]
