from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from trackleed import tables
from trackleed.errors import TableError
from trackleed.session.tablefile import ROWS_PER_GROUP, TableWriter, read_table


def tracks(*frames: int, per_frame: int = 2) -> dict[str, np.ndarray]:
    frame = np.repeat(frames, per_frame)
    columns: dict[str, np.ndarray] = dict.fromkeys(tables.TRACKS.names, frame + 0.5)
    columns["frame"] = frame
    columns["track_id"] = np.tile(np.arange(1, per_frame + 1), len(frames))
    columns["state"] = np.array(["measured"] * len(frame), dtype=object)
    return columns


def write(path: Path, spec: tables.TableSpec, *blocks: object) -> pd.DataFrame:
    writer = TableWriter(path, spec)
    for block in blocks:
        writer.write(block)  # type: ignore[arg-type]
    writer.close()
    return read_table(path)


@pytest.mark.parametrize("spec", tables.SPECS.values(), ids=list(tables.SPECS))
def test_every_table_comes_back_as_it_was(tmp_path: Path, spec: tables.TableSpec) -> None:
    values = {
        "int": np.arange(3),
        "float": np.array([1.5, np.nan, -np.inf]),
        "bool": np.array([True, False, True]),
        "str": np.array(["ok", "", "Å ±"], dtype=object),
    }
    table = tables.build(spec, {c.name: values[c.dtype] for c in spec.columns})
    read = write(tmp_path / "t.parquet", spec, table)
    pd.testing.assert_frame_equal(read, table)
    assert tables.check(read, spec) is read


def test_unknown_numbers_are_nan_on_disk_too(tmp_path: Path) -> None:
    block = tracks(0)
    block["x"] = np.array([np.nan, 1.0])
    write(tmp_path / "t.parquet", tables.TRACKS, block)
    column = pq.read_table(tmp_path / "t.parquet")["x"]
    assert column.null_count == 0
    assert np.isnan(column[0].as_py())


def test_units_and_meanings_are_in_the_file(tmp_path: Path) -> None:
    write(tmp_path / "t.parquet", tables.FITS)
    schema = pq.read_schema(tmp_path / "t.parquet")
    assert schema.metadata[b"table"] == b"fits"
    assert schema.field("theta_deg").metadata[b"unit"] == b"deg"
    assert b"towards +y" in schema.field("theta_deg").metadata[b"meaning"]


def test_further_columns_are_kept(tmp_path: Path) -> None:
    block = tracks(0) | {"hue": np.array([3, 4], np.int16), "note": np.array(["a", "b"])}
    read = write(tmp_path / "t.parquet", tables.TRACKS, block)
    assert list(read.columns) == [*tables.TRACKS.names, "hue", "note"]
    assert read["hue"].dtype == np.int16
    assert list(read["note"]) == ["a", "b"]


def test_blocks_with_other_columns_are_refused(tmp_path: Path) -> None:
    with pytest.raises(TableError, match="columns changed"):
        write(tmp_path / "t.parquet", tables.TRACKS, tracks(0), tracks(1) | {"hue": np.ones(2)})
    further = tracks(1) | {"hue": np.array(["red", "blue"])}
    with pytest.raises(TableError, match="mixes kinds"):
        write(tmp_path / "u.parquet", tables.TRACKS, tracks(0) | {"hue": np.ones(2)}, further)
    mixed = tracks(0) | {"hue": np.array(["red", 1.5], dtype=object)}
    with pytest.raises(TableError, match="mixes kinds"):
        write(tmp_path / "v.parquet", tables.TRACKS, mixed)


def test_a_frame_written_twice_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TableError, match="frame 1 is written twice"):
        write(tmp_path / "t.parquet", tables.TRACKS, tracks(0, 1), tracks(2), tracks(1, 3))


def test_a_table_is_not_there_before_it_is_whole(tmp_path: Path) -> None:
    writer = TableWriter(tmp_path / "tables" / "t.parquet", tables.TRACKS)
    for start in range(0, 2 * ROWS_PER_GROUP, 1000):
        writer.write(tracks(start, per_frame=1000))
    assert [p.name for p in (tmp_path / "tables").iterdir()] == ["t.parquet.part"]
    writer.close()
    assert [p.name for p in (tmp_path / "tables").iterdir()] == ["t.parquet"]


def test_small_blocks_are_gathered_and_a_span_reads_few_of_them(tmp_path: Path) -> None:
    blocks = (tracks(frame, per_frame=100) for frame in range(300))
    whole = write(tmp_path / "t.parquet", tables.TRACKS, *blocks)
    file = pq.ParquetFile(tmp_path / "t.parquet")
    rows = [file.metadata.row_group(g).num_rows for g in range(file.num_row_groups)]
    file.close()
    assert len(rows) == 4
    assert max(rows) < ROWS_PER_GROUP + 100
    part = read_table(tmp_path / "t.parquet", (170, 180))
    pd.testing.assert_frame_equal(part, whole[17_000:18_000].reset_index(drop=True))
    raw = (tmp_path / "t.parquet").read_bytes()
    (tmp_path / "t.parquet").write_bytes(raw[:200] + b"\0" * 100 + raw[300:])  # in the first group
    pd.testing.assert_frame_equal(read_table(tmp_path / "t.parquet", (170, 180)), part)


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    order=st.permutations(range(8)),
    span=st.tuples(st.integers(-2, 10), st.integers(-2, 10)),
    data=st.data(),
)
def test_rows_come_in_the_order_of_frames_however_they_were_written(
    tmp_path: Path, order: list[int], span: tuple[int, int], data: st.DataObject
) -> None:
    cuts = sorted(data.draw(st.sets(st.integers(1, 7))))
    blocks = [tracks(*part) for part in np.split(np.array(order), cuts)]
    write(tmp_path / "t.parquet", tables.TRACKS, *blocks)
    read = read_table(tmp_path / "t.parquet", span, ["track_id", "x"])
    expected = tables.build(tables.TRACKS, tracks(*[i for i in range(8) if span[0] <= i < span[1]]))
    assert read["x"].tolist() == expected["x"].tolist()
    assert read["track_id"].tolist() == expected["track_id"].tolist()


def test_an_empty_span_has_the_columns_of_the_table(tmp_path: Path) -> None:
    whole = write(tmp_path / "t.parquet", tables.TRACKS, tracks(0, 1))
    none = read_table(tmp_path / "t.parquet", (5, 9))
    assert len(none) == 0
    pd.testing.assert_series_equal(none.dtypes, whole.dtypes)


def test_folders_with_odd_names_are_no_obstacle(tmp_path: Path) -> None:
    folder = tmp_path / "T=300 K" / "50% & _x"
    assert len(write(folder / "t.parquet", tables.TRACKS, tracks(0))) == 2
