from __future__ import annotations

from typing import Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from trackleed.errors import ParamsError
from trackleed.params import Params, describe, make, option, parse_settings


class Options(Params):
    max_gap: int = option(3, "Frames a spot may be missing", unit="frames", ge=0, le=100)
    reach: float = option(8.0, "How far a spot may move", unit="px", gt=0)
    mode: Literal["near", "far"] = option("near", "Which neighbour is taken")
    smooth: bool = option(False, "Whether to smooth")
    limit: float | None = option(None, "Highest score, if any", lt=1)


def test_without_values_the_defaults_hold() -> None:
    assert make(Options, {}, "linker") == Options()
    assert Options().max_gap == 3


def test_text_from_the_command_line_becomes_the_right_type() -> None:
    made = make(
        Options, {"max_gap": "5", "reach": "2.5", "smooth": "true", "limit": "0.5"}, "linker"
    )
    assert made == Options(max_gap=5, reach=2.5, smooth=True, limit=0.5)


@pytest.mark.parametrize(
    ("name", "value", "allowed"),
    [
        ("max_gap", -1, "greater than or equal to 0"),
        ("max_gap", "101", "less than or equal to 100"),
        ("max_gap", "3.5", "integer"),
        ("reach", 0, "greater than 0"),
        ("reach", "wide", "number"),
        ("mode", "middle", "'near' or 'far'"),
        ("smooth", "perhaps", "boolean"),
        ("limit", "2", "less than 1"),
    ],
)
def test_a_wrong_value_is_named_with_what_is_allowed(
    name: str, value: object, allowed: str
) -> None:
    with pytest.raises(ParamsError) as caught:
        make(Options, {name: value}, "linker")
    message = caught.value.message
    assert f"linker: option {name} = {value!r} is not allowed" in message
    assert allowed in message
    assert caught.value.hint == "see: trackleed backends show linker"
    assert "\n" not in str(caught.value)


def test_an_unknown_option_is_refused_with_those_there_are() -> None:
    with pytest.raises(ParamsError, match="has no option 'maxgap'; it has: max_gap, reach"):
        make(Options, {"maxgap": 3}, "linker")


def test_a_backend_without_options_says_so() -> None:
    with pytest.raises(ParamsError, match="it has: none"):
        make(Params, {"x": 1}, "plain")


def test_made_options_do_not_change() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        Options().max_gap = 4  # type: ignore[misc]


def test_a_default_out_of_range_is_refused_too() -> None:
    class Careless(Params):
        size: int = option(0, "Size", ge=1)

    with pytest.raises(ParamsError, match="size = 0 is not allowed"):
        make(Careless, {}, "careless")


def test_options_describe_themselves() -> None:
    rows = {row["name"]: row for row in describe(Options)}
    assert list(rows) == ["max_gap", "reach", "mode", "smooth", "limit"]
    assert rows["max_gap"] == {
        "name": "max_gap",
        "type": "integer",
        "default": 3,
        "unit": "frames",
        "range": ">= 0, <= 100",
        "help": "Frames a spot may be missing",
    }
    assert (rows["reach"]["range"], rows["reach"]["unit"]) == ("> 0", "px")
    assert rows["mode"]["type"] == "near | far"
    assert (rows["limit"]["type"], rows["limit"]["range"]) == ("number | null", "< 1")


WORD = st.from_regex(r"[a-z][a-z0-9_]{0,8}", fullmatch=True)
VALUE = st.text(max_size=12).map(str.strip)


@settings(max_examples=60)
@given(st.dictionaries(st.tuples(WORD, WORD), VALUE, max_size=5))
def test_settings_are_read_back(values: dict[tuple[str, str], str]) -> None:
    parsed = parse_settings(f"{kind}.{name}={value}" for (kind, name), value in values.items())
    flat = {(kind, name): v for kind, options in parsed.items() for name, v in options.items()}
    assert flat == values


def test_a_value_may_hold_dots_and_equals_signs() -> None:
    parsed = parse_settings(["reader.pattern=E=(.+)eV", " tracker.max_gap = 3 "])
    assert parsed == {"reader": {"pattern": "E=(.+)eV"}, "tracker": {"max_gap": "3"}}


def test_the_last_of_two_settings_holds() -> None:
    assert parse_settings(["a.b=1", "a.b=2"]) == {"a": {"b": "2"}}


@pytest.mark.parametrize(
    "setting", ["", "max_gap=3", "tracker.max_gap", ".x=1", "a.=1", "=", "a=b.c"]
)
def test_a_setting_of_another_form_is_refused(setting: str) -> None:
    with pytest.raises(ParamsError) as caught:
        parse_settings([setting])
    assert repr(setting) in caught.value.message
    assert "KIND.OPTION=VALUE" in caught.value.message


@settings(max_examples=60)
@given(st.text(max_size=20))
def test_any_text_is_read_or_refused_with_a_reason(setting: str) -> None:
    try:
        parsed = parse_settings([setting])
    except ParamsError as error:
        reason = error.message
    else:
        ((kind, options),) = parsed.items()
        ((name, value),) = options.items()
        reason = ""
        assert kind
        assert name
        assert setting.strip().endswith(value)
    assert not reason or repr(setting) in reason
