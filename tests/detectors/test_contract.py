from __future__ import annotations

import pytest

from trackleed.testing import run, subject


@pytest.mark.parametrize("name", ["classic"])
def test_the_backend_keeps_to_its_contract(name: str) -> None:
    failed = {r.check.name: r.reason for r in run(subject(name)) if r.outcome == "failed"}
    assert not failed
