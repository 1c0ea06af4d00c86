from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trackleed import tables
from trackleed.errors import TableError
from trackleed.tables import SPECS, TRACKS, FitStatus, State

VALUES = {"int": [0, 1], "float": [0.5, np.nan], "bool": [True, False], "str": ["a", "b"]}


def columns_of(spec: tables.TableSpec) -> dict[str, np.ndarray]:
    return {c.name: np.array(VALUES[c.dtype]) for c in spec.columns}


def tracks(**changes: object) -> dict[str, np.ndarray]:
    return columns_of(TRACKS) | {name: np.asarray(value) for name, value in changes.items()}


@pytest.mark.parametrize("spec", SPECS.values(), ids=list(SPECS))
def test_every_table_is_built_from_plain_columns(spec: tables.TableSpec) -> None:
    table = tables.build(spec, columns_of(spec))
    assert list(table.columns) == spec.names
    assert len(table) == 2
    assert tables.check(table, spec) is table


@pytest.mark.parametrize("spec", SPECS.values(), ids=list(SPECS))
def test_an_empty_table_keeps_to_its_specification(spec: tables.TableSpec) -> None:
    table = tables.check(tables.empty(spec), spec)
    assert (len(table), list(table.columns)) == (0, spec.names)


@pytest.mark.parametrize("spec", SPECS.values(), ids=list(SPECS))
def test_a_table_survives_parquet(spec: tables.TableSpec, tmp_path) -> None:
    for table in (tables.build(spec, columns_of(spec)), tables.empty(spec)):
        table.to_parquet(tmp_path / "t.parquet")
        again = tables.build(spec, pd.read_parquet(tmp_path / "t.parquet"))
        pd.testing.assert_frame_equal(again, table)


@pytest.mark.parametrize("spec", SPECS.values(), ids=list(SPECS))
def test_every_column_says_what_it_means_and_quantities_their_unit(
    spec: tables.TableSpec,
) -> None:
    assert all(column.meaning for column in spec.columns)
    suffixes = {"_s": "s", "_K": "K", "_eV": "eV", "_ML": "ML", "_A": "A", "_deg": "deg"}
    for column in spec.columns:
        for suffix, unit in suffixes.items():
            if column.name.endswith(suffix):
                assert column.unit == unit, column


def test_columns_come_in_order_and_extra_ones_stay_to_the_right() -> None:
    shuffled = dict(reversed(list(tracks(beauty=[1, 2]).items())))
    assert list(tables.build(TRACKS, shuffled).columns) == [*TRACKS.names, "beauty"]


def test_a_data_frame_is_as_good_as_columns() -> None:
    table = tables.build(TRACKS, tracks())
    pd.testing.assert_frame_equal(tables.build(TRACKS, table), table)


def test_numbers_are_brought_to_one_type() -> None:
    table = tables.build(TRACKS, tracks(frame=[0.0, 1.0], x=np.array([1, 2], dtype=np.float32)))
    assert (table["frame"].dtype, table["x"].dtype) == (np.int64, np.float64)


def test_states_may_be_enum_members() -> None:
    table = tables.build(TRACKS, tracks(state=np.array([State.SEED, State.LOST])))
    assert list(table["state"]) == ["seed", "lost"]


def test_a_missing_column_is_named() -> None:
    columns = tracks()
    del columns["score"]
    with pytest.raises(TableError, match=r"tracks table: missing column\(s\) score"):
        tables.build(TRACKS, columns)


def test_columns_of_different_length_are_refused() -> None:
    with pytest.raises(TableError, match=r"differ in length.*'x': 3"):
        tables.build(TRACKS, tracks(x=[1.0, 2.0, 3.0]))


@pytest.mark.parametrize("frame", [[0.5, 1.0], [np.nan, 1.0], ["a", "b"]])
def test_frame_numbers_must_be_whole(frame: list[object]) -> None:
    with pytest.raises(TableError, match="column 'frame' should be int"):
        tables.build(TRACKS, tracks(frame=frame))


def test_text_in_a_column_of_numbers_is_refused() -> None:
    with pytest.raises(TableError, match=r"column 'x' should be float.*abc"):
        tables.build(TRACKS, tracks(x=["abc", "1"]))


def test_two_rows_for_one_track_and_frame_are_refused() -> None:
    with pytest.raises(TableError, match=r"more than one row for \{'frame': 1, 'track_id': 7\}"):
        tables.build(TRACKS, tracks(frame=[1, 1], track_id=[7, 7]))


def test_check_names_a_column_of_the_wrong_kind() -> None:
    table = tables.build(TRACKS, tracks())
    table["x"] = table["x"].astype(str)
    with pytest.raises(TableError, match=r"column 'x' is str.*, should be float"):
        tables.check(table, TRACKS)


@settings(max_examples=25)
@given(
    st.lists(st.tuples(st.integers(0, 9), st.integers(1, 9)), unique=True, max_size=20),
    st.floats(allow_nan=True, allow_infinity=False, width=32),
)
def test_columns_come_back_as_they_went_in(keys: list[tuple[int, int]], x: float) -> None:
    n = len(keys)
    given_columns = {name: np.full(n, 1.0) for name in TRACKS.names} | {
        "frame": np.array([k[0] for k in keys], dtype=int),
        "track_id": np.array([k[1] for k in keys], dtype=int),
        "x": np.full(n, x),
        "state": np.full(n, "measured"),
    }
    back = tables.columns(tables.build(TRACKS, given_columns))
    assert list(back) == TRACKS.names
    for name, values in given_columns.items():
        np.testing.assert_array_equal(back[name], values)


def test_the_words_of_the_contract_are_words() -> None:
    assert {str(s) for s in State} >= {"seed", "measured", "predicted", "lost", "edited"}
    assert f"{FitStatus.OK}" == "ok"
