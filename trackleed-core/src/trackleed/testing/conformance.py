"""The checks as tests; collected when pytest is given ``--trackleed-backend``."""

from __future__ import annotations

import pytest

from trackleed.errors import TrackleedError
from trackleed.testing.checks import Check, NotApplicable, checks_for
from trackleed.testing.running import subject
from trackleed.testing.subject import Subject


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A test for each check of each backend that was named."""
    option = metafunc.config.getoption
    cases = []
    try:
        settings = dict(_setting(text) for text in option("trackleed_set"))
        for name in option("trackleed_backend"):
            tested = subject(
                name,
                options=settings,
                trained=not option("trackleed_untrained"),
                sample=option("trackleed_sample"),
            )
            checks = checks_for(tested.backend.kind)
            cases += [pytest.param(tested, c, id=f"{name}-{c.name}") for c in checks]
    except TrackleedError as error:
        raise pytest.UsageError(str(error)) from None
    metafunc.parametrize(("tested", "check"), cases)


def test_backend(tested: Subject, check: Check) -> None:
    """The backend keeps to its contract."""
    try:
        check(tested)
    except NotApplicable as reason:
        pytest.skip(str(reason))


def _setting(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not (name and equals):
        raise pytest.UsageError(f"--trackleed-set {text!r} is not of the form OPTION=VALUE")
    return name, value
