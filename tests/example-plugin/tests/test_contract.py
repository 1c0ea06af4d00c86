"""The contract that every backend keeps to; the same as pytest --trackleed-backend=centroid."""

import pytest

from trackleed.testing import checks_for, run, subject


@pytest.mark.parametrize("check", checks_for("tracker"), ids=lambda check: check.name)
def test_the_tracker_keeps_to_its_contract(check):
    (result,) = run(subject("centroid"), [check])
    assert result.outcome == "passed", result.reason
