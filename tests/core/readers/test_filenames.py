from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trackleed.builtin.readers.filenames import parse_name, parse_names

KELVIN = 273.15


@pytest.mark.parametrize(
    ("stem", "expected"),
    [
        ("MoS2_000_20.5eV", {"element": "MoS2", "energy_eV": 20.5, "file_number": 0}),
        ("MoS2_001_21.0eV", {"element": "MoS2", "energy_eV": 21.0, "file_number": 1}),
        (
            "Ag_111_0007_T300K_E95.5eV_0.25ML",
            {
                "element": "Ag", "surface": "111", "file_number": 7, "temperature_K": 300,
                "energy_eV": 95.5, "coverage_ML": 0.25,
            },
        ),
        ("001", {"file_number": 1}),
        ("frame_001", {"file_number": 1}),
        ("frame001", {"file_number": 1}),
        ("Beam Energy 100.0_2.4", {"energy_eV": 100.0}),
        ("LEED_2025_04_14_007", {"file_number": 7}),
        ("depositionSb_0000", {"file_number": 0}),
        ("Ru0001", {"element": "Ru", "surface": "0001"}),
        ("Ru0001_12", {"element": "Ru", "surface": "0001", "file_number": 12}),
        ("Ir111_100eV", {"element": "Ir", "surface": "111", "energy_eV": 100}),
        ("Ir111-100eV", {"element": "Ir", "surface": "111", "energy_eV": 100}),
        ("Si111-7x7_003", {"element": "Si", "surface": "111", "file_number": 3}),
        ("c(2x2)_Ni100_4", {"element": "Ni", "surface": "100", "file_number": 4}),
        ("TiO2_110_0003", {"element": "TiO2", "surface": "110", "file_number": 3}),
        ("Ag(111)_-107C_12.5s",
         {"element": "Ag", "surface": "111", "temperature_K": KELVIN - 107, "time_s": 12.5}),
        ("20,5eV", {"energy_eV": 20.5}),
        ("20,5 eV", {"energy_eV": 20.5}),
        ("0.1keV", {"energy_eV": 100}),
        ("E95.5", {"energy_eV": 95.5}),
        ("E=7", {"energy_eV": 7}),
        ("T=-107 °C_t10min", {"temperature_K": KELVIN - 107, "time_s": 600}),
        ("Cu111_77K", {"element": "Cu", "surface": "111", "temperature_K": 77}),
        ("1.5h", {"time_s": 5400}),
        ("exposure_200ms_3s", {"exposure_s": 0.2, "time_s": 3}),
        ("graphene_13C_77K", {"temperature_K": 77}),
    ],
)  # fmt: skip
def test_names_as_laboratories_write_them(stem: str, expected: dict[str, Any]) -> None:
    assert parse_name(stem) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("stem", "column"),
    [
        ("name30.5", "energy_eV"),  # easyLEED's habit: only with the user's own expression
        ("IV_20-150eV_003", "energy_eV"),
        ("20_to_150eV", "energy_eV"),
        ("20eV_30eV", "energy_eV"),
        ("1,100eV", "energy_eV"),  # a thousand or one
        ("E5_sample", "energy_eV"),
        ("energy_001", "energy_eV"),
        ("Ir111-107C", "temperature_K"),  # a hyphen or a minus
        ("6C_graphene", "temperature_K"),
        ("T300", "temperature_K"),
        ("x_-20K", "temperature_K"),
        ("Ag_111", "surface"),  # a counter, perhaps
        ("IV_001", "element"),
        ("In_001", "element"),
        ("Ru0000", "surface"),
        ("Ru0005", "surface"),
        ("frame_12_x", "coverage_ML"),
        ("name30.5", "file_number"),
        ("Ir111", "file_number"),
        ("7x7", "file_number"),
        ("5e-8mbar", "file_number"),
    ],
)
def test_what_a_name_leaves_in_doubt_stays_unknown(stem: str, column: str) -> None:
    assert column not in parse_name(stem)


def test_digits_that_change_from_file_to_file_are_the_counter_not_the_surface() -> None:
    records = parse_names([f"Ag{n}" for n in (110, 111, 112)])
    assert records == [{"element": "Ag", "file_number": n} for n in (110, 111, 112)]


separators = st.sampled_from(["_", " ", "-", "__"])
energies = st.decimals(min_value=1, max_value=2000, places=1)
words = st.text(alphabet="abdfgijlmnopqruvwxyz", min_size=3, max_size=8)


@settings(max_examples=100)
@given(words, separators, energies, st.integers(0, 99999), st.booleans())
def test_an_energy_with_its_unit_is_found_wherever_it_stands(
    word: str, separator: str, energy: Any, counter: int, comma: bool
) -> None:
    text = str(energy).replace(".", ",") if comma else str(energy)
    record = parse_name(separator.join([word, f"{counter:05d}", f"{text}eV"]))
    assert record.get("energy_eV") == float(energy)
    assert record["file_number"] == counter


@settings(max_examples=100)
@given(st.text(max_size=30))
def test_any_name_gives_possible_values_or_none(stem: str) -> None:
    record = parse_name(stem)
    for column, value in record.items():
        assert value if isinstance(value, str) else value >= 0, column


@settings(max_examples=50)
@given(words, st.integers(-200, 800))
def test_temperatures_of_either_sign_are_found(word: str, celsius: int) -> None:
    assert parse_name(f"{word}_T{celsius}C").get("temperature_K") == pytest.approx(KELVIN + celsius)
