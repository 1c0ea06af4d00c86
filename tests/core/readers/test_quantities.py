from __future__ import annotations

import math
from datetime import datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trackleed.builtin.readers.quantities import GROUPS, TEXT, number, quantity
from trackleed.builtin.readers.stamps import stamp

finite = st.floats(allow_nan=False, allow_infinity=False)


@settings(max_examples=100)
@given(finite)
def test_every_float_that_python_writes_is_read_back(value: float) -> None:
    assert number(repr(value)) == value
    assert number(f" {value:.6e} ") == float(f"{value:.6e}")


@settings(max_examples=100)
@given(finite)
def test_decimal_comma_and_minus_sign_mean_the_same(value: float) -> None:
    text = repr(value)
    assert number(text.replace(".", ",").replace("-", "−", 1)) == value or "e-" in text


@settings(max_examples=200)
@given(st.text(max_size=12))
def test_any_text_is_a_finite_number_or_blank_or_refused(text: str) -> None:
    try:
        value = number(text)
    except ValueError:
        return
    assert math.isfinite(value) or text.strip().casefold() in (
        *("", "-", "−", "--", "-−", "−-", "−−", "nan", "n/a", "na", "none", "null"),
    )


@pytest.mark.parametrize("text", ["1.2.3", "1,2,3", "1e999", "12 eV", "0x10", "1_000", "٣", "inf"])
def test_what_is_not_one_number_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"not a number|out of range"):
        number(text)


@pytest.mark.parametrize(
    ("header", "column", "one"),
    [
        ("energy (eV)", "energy_eV", 1),
        ("energy_eV", "energy_eV", 1),
        ("E", "energy_eV", 1),
        ("Beam Energy [keV]", "energy_eV", 1000),
        ("Start Voltage (V)", "energy_eV", 1),
        ("energy_eV_burned_in_label", "energy_eV", 1),
        ("T [°C]", "temperature_K", 274.15),
        ("T (K)", "temperature_K", 1),
        ("t / min", "time_s", 60),
        ("time_ms", "time_s", 1e-3),
        ("I0 (µA)", "beam_current_A", 1e-6),
        ("I0 (uA)", "beam_current_A", 1e-6),
        ("Pressure (mbar)", "pressure_mbar", 1),
        ("Number of Frames", "n_averaged", 1),
        ("coverage", "coverage_ML", 1),
        ("Exposure time (ms)", "exposure_s", 1e-3),
    ],
)
def test_headers_name_a_column_and_its_unit(header: str, column: str, one: float) -> None:
    found = quantity(header)
    assert found is not None
    assert found.column == column
    assert found.convert(1) == pytest.approx(one)


@pytest.mark.parametrize(
    "header", ["T", "temperature", "time", "current", "energy (K)", "n_pixels_255", ""]
)
def test_a_quantity_without_a_sure_unit_is_not_guessed(header: str) -> None:
    found = quantity(header)
    assert found is None


def test_time_and_temperature_share_a_letter_and_are_told_by_their_unit() -> None:
    assert quantity("T (s)") == quantity("t (s)")
    assert quantity("t (K)") == quantity("T (K)")


def test_below_absolute_zero_is_no_temperature() -> None:
    celsius = quantity("T (C)")
    assert celsius is not None
    with pytest.raises(ValueError, match="absolute zero"):
        celsius.convert(-300)


def test_every_group_of_a_pattern_has_a_meaning() -> None:
    assert all(quantity(group) for group in GROUPS if group not in TEXT)


@pytest.mark.parametrize(
    "text",
    [
        "lunedì 14 aprile 2025 - 18:10:56",
        "Monday, April 14, 2025 18:10:56",
        "Montag, 14. April 2025 18:10:56",
        "lundi 14 avril 2025, 18:10:56",
        "2025-04-14T18:10:56",
        "2025:04:14 18:10:56",
        "14.04.2025 18:10:56",
    ],
)
def test_dates_in_several_languages_are_read(text: str) -> None:
    assert stamp(text) == datetime(2025, 4, 14, 18, 10, 56)


def test_months_that_begin_alike_are_told_apart() -> None:
    months = [stamp(f"1 {m} 2025 10:00") for m in ("marzo", "maggio", "juin", "juillet", "März")]
    assert [when and when.month for when in months] == [3, 5, 6, 7, 3]


@pytest.mark.parametrize(
    "text", ["03/04/2025 10:00", "14 brumaire 2025 10:00", "2025-13-01 10:00", "2025-02-30 10:00"]
)
def test_dates_that_are_ambiguous_or_impossible_are_not_read(text: str) -> None:
    assert stamp(text) is None


@settings(max_examples=50)
@given(st.datetimes(min_value=datetime(1000, 1, 1)))
def test_iso_dates_are_read_back(when: datetime) -> None:
    assert stamp(when.isoformat(sep=" ", timespec="microseconds")) == when
