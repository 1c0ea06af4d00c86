from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from trackleed.errors import InputError
from trackleed.session import Session
from trackleed.session.record import plain

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


def same(a: Any, b: Any) -> bool:
    return json.dumps(a, sort_keys=True) == json.dumps(b, sort_keys=True)


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(params=st.dictionaries(st.text(), values, max_size=4))
@example(params={"limit": float("nan"), "range": [float("-inf"), 0.1 + 0.2], "n": 10**30})
@example(params={"file": "not utf-8: \udcff"})
def test_options_come_back_as_they_were(tmp_path: Path, params: dict[str, Any]) -> None:
    session = Session.create(tmp_path / "a.trackleed", overwrite=True)
    with session.step("detect", params=params):
        pass
    again = Session.open(session.path)
    assert again.problems == []
    assert same(again.steps[0].params, params)
    assert again.find_done("detect", "", "", params, []) == again.steps[0]


def test_what_json_lacks_is_recorded_as_its_like() -> None:
    recorded = plain({"a": Path("x/y"), "b": (1, 2), "c": np.float32(0.5), "d": np.arange(2)})
    assert recorded == {"a": "x/y", "b": [1, 2], "c": 0.5, "d": [0, 1]}


@pytest.mark.parametrize("value", [object(), {1, 2}, 1j])
def test_what_cannot_be_recorded_is_refused(value: object) -> None:
    with pytest.raises(InputError, match="cannot be recorded"):
        plain({"a": value})
